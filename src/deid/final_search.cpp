#include "deid/final_search.h"

#include <algorithm>
#include <string_view>

#include "deid/markers.h"
#include "deid/report.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/writer.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;

constexpr std::size_t kMaxHits = 10'000;

bool is_number(Vr vr) {
    switch (vr) {
        case Vr::AT:
        case Vr::FD:
        case Vr::FL:
        case Vr::OD:
        case Vr::OF:
        case Vr::OL:
        case Vr::OV:
        case Vr::OW:
        case Vr::SL:
        case Vr::SS:
        case Vr::SV:
        case Vr::UL:
        case Vr::US:
        case Vr::UV: return true;
        default: return false;
    }
}

// Whether a hit in a value of that VR means anything. Dates and numbers were checked when they were
// written: digits in them are theirs. Short strings turn up by chance among binary numbers.
bool means_something(const Residue::Hit& hit, Vr vr) {
    if (is_number(vr)) return hit.length >= 6;
    switch (vr) {
        case Vr::UI:
        case Vr::DA:
        case Vr::TM:
        case Vr::DT:
        case Vr::AS: return !hit.digits;
        case Vr::DS:
        case Vr::IS: return !hit.digits || (hit.length >= 8 && hit.kind != IdentityKind::date);
        default: return true;
    }
}

std::uint32_t top_row(const dicom::DataSet& data_set, std::uint32_t row) {
    std::uint32_t top = 0;
    for (const auto& element : data_set.elements()) {
        if (element.index() > row) break;
        top = element.index();
    }
    return top;
}

bool is_pixels(const dicom::DataSet& data_set, std::uint32_t row) {
    return data_set.nodes()[top_row(data_set, row)].tag.group() == 0x7fe0;
}

// What we write ourselves, and would be found with patients called Basic or Equipment.
bool is_ours(const dicom::DataSet& data_set, std::uint32_t row) {
    const Tag tag = data_set.nodes()[top_row(data_set, row)].tag;
    return is_marker(tag) || tag == tags::ContributingEquipmentSequence || tag == tags::SpecificCharacterSet;
}

std::string_view kind_name(IdentityKind kind) {
    switch (kind) {
        case IdentityKind::name: return "a name";
        case IdentityKind::id: return "an identifier";
        case IdentityKind::phone: return "a telephone number";
        case IdentityKind::institution: return "an institution";
        case IdentityKind::device: return "a device";
        case IdentityKind::date: return "a date";
        case IdentityKind::text: return "an address or the like";
    }
    return "something";
}

// The leaf whose value holds the hit; rows are in the order of their bytes.
std::optional<std::uint32_t> row_of(const dicom::DataSet& data_set, const Residue::Hit& hit) {
    const auto nodes = data_set.nodes();
    for (std::uint32_t row = 0; row < nodes.size(); ++row) {
        const auto& node = nodes[row];
        if (node.subtree != 0 || node.vr == Vr::SQ) continue;
        if (hit.offset >= node.offset && hit.offset + hit.length <= node.offset + node.length) return row;
    }
    return std::nullopt;
}

Tag parent_of(const dicom::DataSet& data_set, std::uint32_t row) {
    const auto nodes = data_set.nodes();
    for (std::uint32_t before = row; before-- > 0;) {
        if (nodes[before].vr == Vr::SQ && before + nodes[before].subtree >= row) return nodes[before].tag;
    }
    return {};
}

// Pixel data comes last but for what little may stand behind it (PS3.5 8.1.2); then all is searched.
std::size_t pixel_bytes_at_end(const dicom::DataSet& data_set, std::size_t all) {
    std::uint64_t pixels = 0;
    for (const auto& element : data_set.elements()) {
        if (element.tag().group() != 0x7fe0) {
            pixels = 0;
        } else if (element.has_children()) {
            for (const auto& fragment : element.children()) pixels += fragment.length();
        } else {
            pixels += element.length();
        }
    }
    return static_cast<std::size_t>(std::min<std::uint64_t>(pixels, all));
}

// Of kept CS the common terms were let through by the copy.
bool is_let_through(const dicom::Element& element) {
    return element.vr() == Vr::CS && dicom::find_tag(element.tag()) != nullptr;
}

}  // namespace

Result<std::optional<std::string>> find_residue(const dicom::DataSet& data_set,
                                                std::span<const std::byte> bytes,
                                                const dicom::TransferSyntax& syntax, const Residue& residue) {
    const dicom::TransferSyntax* encoding = &syntax;
    ByteBuffer inflated;
    if (syntax.deflated) {
        encoding = &dicom::explicit_vr_little_endian();
        if (auto written = dicom::write_data_set(data_set, *encoding, inflated); !written)
            return written.error();
        bytes = inflated.span();
    }
    const std::size_t searched = bytes.size() - pixel_bytes_at_end(data_set, bytes.size());
    const auto hits = residue.search(bytes.first(searched), kMaxHits);
    if (hits.empty()) return std::optional<std::string>();
    const auto parsed = dicom::parse_data_set(bytes, *encoding);
    if (!parsed) return Error(parsed.error()).within("the result cannot be read");
    for (const auto& hit : hits) {
        const auto row = row_of(parsed->data_set, hit);
        if (!row) continue;
        const dicom::Element element(parsed->data_set, *row);
        if (is_pixels(parsed->data_set, *row) || !means_something(hit, element.vr()) ||
            is_ours(parsed->data_set, *row) || is_let_through(element))
            continue;
        const Tag parent = parent_of(parsed->data_set, *row);
        return std::optional(attribute_name(parent, element.tag()) + " still holds " +
                             std::string(kind_name(hit.kind)) + " of the original");
    }
    if (hits.size() == kMaxHits) return std::optional(std::string("more places to look at than can be"));
    return std::optional<std::string>();
}

}  // namespace sagitta::deid
