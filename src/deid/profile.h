// What somebody asks for: the options of PS3.15 E.3, rules of their own before the table, and what
// becomes of what cannot be decided. Values only; how a file is read is profile_file.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "deid/pixel_areas.h"
#include "deid/profile_table.h"
#include "deid/pseudonyms.h"
#include "dicom/match_rule.h"

namespace sagitta::deid {

/// What is done to an attribute in the end; `keep` of a sequence goes on inside.
enum class Action : std::uint8_t { keep, remove, empty, dummy, uid, clean, shift, hash, set };
/// "K", "X", "Z", "D", "U", "C", "shift", "hash", "set".
[[nodiscard]] std::string_view to_string(Action action) noexcept;
[[nodiscard]] std::optional<Action> parse_action(std::string_view word) noexcept;

/// Tags by digits of which some may be anything: "(60xx,3000)".
struct TagPattern {
    std::uint32_t value = 0;
    std::uint32_t mask = 0xffffffffu;
    [[nodiscard]] bool matches(Tag tag) const noexcept { return (tag.value & mask) == value; }
};

/// One [[rule]]. What is empty asks nothing; lists mean any of.
struct Rule {
    std::vector<TagPattern> tags;
    std::vector<std::string> keywords;  ///< with * and ?
    std::vector<std::string> creators;  ///< with * and ?; then only private elements are meant
    std::vector<Vr> vrs;
    dicom::MatchRule match;  ///< of the whole instance
    Action action = Action::keep;
    std::string value;  ///< of `set`, in UTF-8
    std::uint32_t line = 0;
};

struct Profile {
    enum class Unknown : std::uint8_t { remove, clean };
    enum class AtRisk : std::uint8_t { quarantine, keep };
    enum class Encapsulated : std::uint8_t { refuse, keep };

    std::string name = "basic";
    std::string file;    ///< where it came from; stands before line numbers
    std::string digest;  ///< SHA-256 of the file
    OptionSet options;
    std::vector<Rule> rules;
    std::vector<PixelRule> pixels;                     ///< of the option clean-pixel-data
    Unknown unknown = Unknown::remove;                 ///< public attributes that no dictionary knows
    AtRisk at_risk = AtRisk::quarantine;               ///< images that may show what nobody masked
    Encapsulated encapsulated = Encapsulated::refuse;  ///< documents whose bytes nobody can read
    std::string pseudonym_table;                       ///< CSV file, empty: none
    bool table_only = false;                           ///< a patient missing from the table is refused
};

}  // namespace sagitta::deid
