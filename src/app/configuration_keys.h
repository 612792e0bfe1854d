// Every key of the configuration, as data: its section, its name, and how its value is understood.
// Knows no TOML: values arrive as RawValue, from the file and from the command line alike.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "app/configuration.h"

namespace sagitta::app {

enum class RawKind { string, integer, boolean, other, untyped };

/// A value before it is understood. `untyped` comes from the command line: text that may be anything.
struct RawValue {
    RawKind kind = RawKind::other;
    std::string text;
    std::int64_t integer = 0;
    bool boolean = false;
    std::optional<std::vector<std::string>> list{};  ///< of `other`, when it is an array of texts alone
    std::string_view type_name = "something else";   ///< for messages: "an array"
};

/// Puts the value where it belongs; what is wrong with it otherwise ("must be …").
using Apply = std::optional<std::string> (*)(Configuration&, const RawValue&);

struct ConfigurationKey {
    std::string_view section;
    std::string_view name;
    Apply apply;
};

/// All keys but those of [[peer]] and [[user]].
[[nodiscard]] std::span<const ConfigurationKey> configuration_keys();
[[nodiscard]] const ConfigurationKey* find_key(std::string_view section, std::string_view name);

[[nodiscard]] bool is_section(std::string_view section);
/// Sections and keys of the design that this version does not serve yet ("tls", "storage.quota").
[[nodiscard]] bool is_later(std::string_view dotted);

/// What to say of a key that is none: where it belongs, or what it may have been.
[[nodiscard]] std::string unknown_key(std::string_view section, std::string_view name);
[[nodiscard]] std::string unknown_section(std::string_view section);

/// One word of `allow`. What is wrong with it otherwise.
[[nodiscard]] std::optional<std::string> allow(Rights& rights, std::string_view word);

}  // namespace sagitta::app
