// PS3.15 Table E.1-1 and the tables around it, as data: what the Basic Profile and its options do to an
// attribute, which type it has in an IOD, which private elements are safe. Knows no profile file.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dicom/tag.h"
#include "dicom/vr.h"

namespace sagitta::deid {

using dicom::Tag;
using dicom::Vr;

/// The edition that src/deid/tables/confidentiality_profile.tsv was taken from.
inline constexpr std::string_view kTableEdition = "2024e";

/// The options of PS3.15 E.3. The order is that of the bits in the tables.
enum class Option : std::uint8_t {
    retain_safe_private,
    retain_uids,
    retain_device,
    retain_institution,
    retain_patient_characteristics,
    retain_full_dates,
    retain_modified_dates,
    clean_descriptors,
    clean_structured_content,
    clean_graphics,
    clean_pixel_data,
};
inline constexpr std::uint8_t kOptionCount = 11;

/// As in a profile file: "retain-safe-private".
[[nodiscard]] std::string_view to_string(Option option) noexcept;
[[nodiscard]] std::optional<Option> parse_option(std::string_view name) noexcept;
/// Its code in CID 7050 (PS3.16), and what the code means.
struct MethodCode {
    std::string_view value;
    std::string_view meaning;
};
[[nodiscard]] MethodCode method_code(Option option) noexcept;
inline constexpr MethodCode kBasicProfileCode{"113100", "Basic Application Confidentiality Profile"};

class OptionSet {
public:
    constexpr OptionSet() = default;
    constexpr explicit OptionSet(std::uint16_t bits) : bits_(bits) {}
    constexpr void insert(Option option) {
        bits_ = static_cast<std::uint16_t>(bits_ | (1u << static_cast<unsigned>(option)));
    }
    [[nodiscard]] constexpr bool contains(Option option) const {
        return (bits_ >> static_cast<unsigned>(option) & 1u) != 0;
    }
    [[nodiscard]] constexpr bool intersects(std::uint16_t bits) const { return (bits_ & bits) != 0; }

private:
    std::uint16_t bits_ = 0;
};

/// A cell of the table (PS3.15 Table E.1-1a). The combined ones are decided by the type of the attribute.
enum class TableAction : std::uint8_t {
    remove,
    empty,
    dummy,
    uid,
    keep,
    clean,
    hash,  ///< none of the standard's: a keyed pseudonym, for identifiers that others refer to
    empty_or_dummy,
    remove_or_empty,
    remove_or_dummy,
    remove_empty_or_dummy,
    remove_empty_or_uid,
};
/// "X", "Z/D" …
[[nodiscard]] std::string_view to_string(TableAction action) noexcept;

struct TableRow {
    Tag tag;  ///< of a repeating group: with zeros where any digit may stand
    std::uint32_t mask;
    TableAction basic;
    std::uint16_t kept_by;     ///< bits of options with K
    std::uint16_t cleaned_by;  ///< bits of options with C
};

/// The row of Table E.1-1; null when it has none. Private tags have none.
[[nodiscard]] const TableRow* find_profile_row(Tag tag) noexcept;
/// Our own decision about a standard attribute that Table E.1-1 does not list.
[[nodiscard]] const TableRow* find_other_row(Tag tag) noexcept;

/// How an attribute must be present (PS3.5 7.4), conditional ones as if the condition held.
enum class AttributeType : std::uint8_t { unknown, type1, type2, type3 };

/// Numbers of IODs are below this.
inline constexpr int kIodCount = 192;
/// The number of the IOD that a SOP Class has; empty when its attributes are not known.
[[nodiscard]] std::optional<std::uint8_t> iod_of(std::string_view sop_class_uid) noexcept;
/// `parent` is the sequence around it, Tag() at the top level. Nested: of all IODs the strictest.
[[nodiscard]] AttributeType attribute_type(Tag tag, Tag parent, std::optional<std::uint8_t> iod) noexcept;

/// The VR that PS3.15 Table E.3.10-1 states for a private element that is safe; else nothing.
[[nodiscard]] std::optional<Vr> safe_private(std::string_view creator, Tag tag) noexcept;

/// What an attribute says about somebody: how it is looked for in other texts.
enum class IdentityKind : std::uint8_t { name, id, phone, text, institution, device, date };
[[nodiscard]] std::optional<IdentityKind> identifying(Tag tag) noexcept;

}  // namespace sagitta::deid
