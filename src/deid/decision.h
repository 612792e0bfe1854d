// What happens to one attribute, and who says so: the first rule of the profile that matches, else the
// table of the standard, else what its VR allows. Pure; knows attributes, not their values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "deid/profile.h"

namespace sagitta::deid {

/// What an attribute is and where it stands.
struct AttributeFacts {
    Tag tag;
    Vr vr = Vr::none;
    Tag parent;                       ///< the sequence around it; Tag() at the top level
    std::string_view creator;         ///< of a private element
    bool stated_safe = false;         ///< by (0008,0300) of the data set (PS3.15 E.3.10)
    std::optional<std::uint8_t> iod;  ///< of the instance
};

struct Decision {
    enum class Source : std::uint8_t {
        rule,             ///< `number` counts them from 0
        table,            ///< PS3.15 Table E.1-1
        own_table,        ///< src/deid/tables/other_attributes.tsv
        safe_private,     ///< Table E.3.10-1 or (0008,0300)
        private_element,  ///< nobody says that it is safe
        not_in_dictionary,
        vr,  ///< no table lists it
    };

    Action action = Action::remove;
    Source source = Source::vr;
    std::uint16_t number = 0;
    TableAction cell = TableAction::keep;  ///< of a table
    Vr vr = Vr::none;                      ///< what the value is to be taken for
};

/// The rules that apply to an instance at all, by what they `match`.
class ActiveRules {
public:
    ActiveRules(const Profile& profile, const dicom::DataSet& instance);
    [[nodiscard]] std::optional<std::uint16_t> first(const AttributeFacts& facts) const;

private:
    const Profile& profile_;
    std::vector<std::uint16_t> active_;
};

[[nodiscard]] Decision decide(const Profile& profile, const ActiveRules& rules, const AttributeFacts& facts);

/// A combined action where the attribute has that type; unknown becomes a dummy (PS3.15 E.1.1).
[[nodiscard]] Action resolved(TableAction cell, AttributeType type, Vr vr);

/// "rule 2 (research.toml:14)", "PS3.15 Table E.1-1: X/Z/D" …
[[nodiscard]] std::string to_string(const Decision& decision, const Profile& profile);

}  // namespace sagitta::deid
