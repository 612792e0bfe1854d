// `match` and `not` of the tables of rules in the configuration. Internal to app.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "app/toml.h"
#include "dicom/match_rule.h"

namespace sagitta::app {

/// A string or a list of them. `what` is how the key is called in a problem: "sender.from".
[[nodiscard]] std::vector<std::string> read_words(const toml::node& node, std::uint32_t line,
                                                  std::string_view what, std::vector<Remark>& problems);

/// { Modality = "CT" } of the key `match` or `not`, into the rule.
void read_match(const toml::node& node, std::uint32_t line, std::string_view table, std::string_view key,
                dicom::MatchRule& into, std::vector<Remark>& problems);

/// "unknown key x in [[sender]], did you mean …?"
[[nodiscard]] std::string unknown_key_in(std::string_view where, std::string_view key,
                                         std::span<const std::string_view> known);

}  // namespace sagitta::app
