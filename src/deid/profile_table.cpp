#include "deid/profile_table.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <span>

namespace sagitta::deid {
namespace {

struct SopClassIod {
    std::string_view uid;
    std::uint8_t iod;
};
struct TypeRow {
    Tag tag;
    Tag parent;
    AttributeType type;
    std::array<std::uint64_t, 3> iods;
};
struct SafeRow {
    std::string_view creator;
    std::uint32_t key;  // group and the last two digits of the element
    Vr vr;
};
struct IdentifyingRow {
    Tag tag;
    IdentityKind kind;
};

#include "deid/generated/tables.inc"

struct OptionRow {
    std::string_view name;
    MethodCode code;
};
constexpr OptionRow kOptions[kOptionCount] = {
    {"retain-safe-private", {"113111", "Retain Safe Private Option"}},
    {"retain-uids", {"113110", "Retain UIDs Option"}},
    {"retain-device", {"113109", "Retain Device Identity Option"}},
    {"retain-institution", {"113112", "Retain Institution Identity Option"}},
    {"retain-patient-characteristics", {"113108", "Retain Patient Characteristics Option"}},
    {"retain-full-dates", {"113106", "Retain Longitudinal Temporal Information Full Dates Option"}},
    {"retain-modified-dates", {"113107", "Retain Longitudinal Temporal Information Modified Dates Option"}},
    {"clean-descriptors", {"113105", "Clean Descriptors Option"}},
    {"clean-structured-content", {"113104", "Clean Structured Content Option"}},
    {"clean-graphics", {"113103", "Clean Graphics Option"}},
    {"clean-pixel-data", {"113101", "Clean Pixel Data Option"}},
};

const TableRow* find_row(std::span<const TableRow> rows, Tag tag) noexcept {
    const auto after = std::upper_bound(rows.begin(), rows.end(), tag,
                                        [](Tag wanted, const TableRow& row) { return wanted < row.tag; });
    if (after != rows.begin()) {
        const TableRow& row = *std::prev(after);
        if ((tag.value & row.mask) == row.tag.value) return &row;
    }
    // Repeating groups: 50xx and 60xx.
    if (const auto head = tag.group() & 0xff00u; head != 0x5000 && head != 0x6000) return nullptr;
    for (const TableRow& row : rows) {
        if (row.mask != 0xffffffffu && (tag.value & row.mask) == row.tag.value) return &row;
    }
    return nullptr;
}

}  // namespace

std::string_view to_string(Option option) noexcept {
    return kOptions[static_cast<std::size_t>(option)].name;
}

std::optional<Option> parse_option(std::string_view name) noexcept {
    for (std::size_t index = 0; index < kOptionCount; ++index) {
        if (kOptions[index].name == name) return static_cast<Option>(index);
    }
    return std::nullopt;
}

MethodCode method_code(Option option) noexcept {
    return kOptions[static_cast<std::size_t>(option)].code;
}

std::string_view to_string(TableAction action) noexcept {
    switch (action) {
        case TableAction::remove: return "X";
        case TableAction::empty: return "Z";
        case TableAction::dummy: return "D";
        case TableAction::uid: return "U";
        case TableAction::keep: return "K";
        case TableAction::clean: return "C";
        case TableAction::hash: return "hash";
        case TableAction::empty_or_dummy: return "Z/D";
        case TableAction::remove_or_empty: return "X/Z";
        case TableAction::remove_or_dummy: return "X/D";
        case TableAction::remove_empty_or_dummy: return "X/Z/D";
        case TableAction::remove_empty_or_uid: return "X/Z/U*";
    }
    return "?";
}

const TableRow* find_profile_row(Tag tag) noexcept {
    return tag.is_private() ? nullptr : find_row(kProfile, tag);
}

const TableRow* find_other_row(Tag tag) noexcept {
    return tag.is_private() ? nullptr : find_row(kOthers, tag);
}

std::optional<std::uint8_t> iod_of(std::string_view sop_class_uid) noexcept {
    const auto found =
        std::lower_bound(std::begin(kIods), std::end(kIods), sop_class_uid,
                         [](const SopClassIod& row, std::string_view uid) { return row.uid < uid; });
    if (found == std::end(kIods) || found->uid != sop_class_uid) return std::nullopt;
    return found->iod;
}

AttributeType attribute_type(Tag tag, Tag parent, std::optional<std::uint8_t> iod) noexcept {
    auto row = std::lower_bound(std::begin(kTypes), std::end(kTypes), tag,
                                [](const TypeRow& candidate, Tag wanted) { return candidate.tag < wanted; });
    for (; row != std::end(kTypes) && row->tag == tag; ++row) {
        if (row->parent != parent) continue;
        if (parent != Tag()) return row->type;
        if (iod && (row->iods[*iod / 64] >> (*iod % 64) & 1) != 0) return row->type;
    }
    return AttributeType::unknown;
}

std::optional<Vr> safe_private(std::string_view creator, Tag tag) noexcept {
    const std::uint32_t key = std::uint32_t{tag.group()} << 8 | (tag.element() & 0xffu);
    const auto before = [](const SafeRow& row, const std::pair<std::string_view, std::uint32_t>& wanted) {
        return row.creator != wanted.first ? row.creator < wanted.first : row.key < wanted.second;
    };
    const auto found =
        std::lower_bound(std::begin(kSafePrivate), std::end(kSafePrivate), std::pair{creator, key}, before);
    if (found == std::end(kSafePrivate) || found->creator != creator || found->key != key)
        return std::nullopt;
    return found->vr;
}

std::optional<IdentityKind> identifying(Tag tag) noexcept {
    const auto found =
        std::lower_bound(std::begin(kIdentifying), std::end(kIdentifying), tag,
                         [](const IdentifyingRow& row, Tag wanted) { return row.tag < wanted; });
    if (found == std::end(kIdentifying) || found->tag != tag) return std::nullopt;
    return found->kind;
}

}  // namespace sagitta::deid
