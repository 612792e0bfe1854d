#include "deid/dummy.h"

#include <array>
#include <cstddef>
#include <vector>

#include "dicom/generated/tags.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

void add_uint16(dicom::DataSetBuilder& builder, dicom::Tag tag, std::uint8_t value) {
    const std::array<std::byte, 2> bytes{std::byte{value}, std::byte{0}};
    builder.add(tag, Vr::US, bytes);
}

void add_dummy_text_item(dicom::DataSetBuilder& builder) {
    builder.begin_sequence(tags::ContentSequence);
    builder.begin_item();
    builder.add_text(tags::RelationshipType, Vr::CS, "CONTAINS");
    builder.add_text(tags::ValueType, Vr::CS, "TEXT");
    builder.begin_sequence(tags::ConceptNameCodeSequence);
    add_code_item(builder, {"121106", "DCM", "Comment"});
    builder.end();
    builder.add_text(tags::TextValue, Vr::UT, kRemovedText);
    builder.end();
    builder.end();
}

// The layer must be one of the Graphic Layer Module, where its name stays.
void add_dummy_point(dicom::DataSetBuilder& builder, const dicom::Element& original) {
    std::string layer(kRemovedText);
    for (const auto& item : original.children()) {
        if (const auto found = item.children().find(tags::GraphicLayer)) layer = found->text();
        break;
    }
    builder.begin_sequence(tags::GraphicAnnotationSequence);
    builder.begin_item();
    builder.add_text(tags::GraphicLayer, Vr::CS, layer);
    builder.begin_sequence(tags::GraphicObjectSequence);
    builder.begin_item();
    builder.add_text(tags::GraphicAnnotationUnits, Vr::CS, "DISPLAY");
    add_uint16(builder, tags::GraphicDimensions, 2);
    add_uint16(builder, tags::NumberOfGraphicPoints, 1);
    builder.add(tags::GraphicData, Vr::FL, std::array<std::byte, 8>{});
    builder.add_text(tags::GraphicType, Vr::CS, "POINT");
    for (int open = 0; open < 4; ++open) builder.end();
}

}  // namespace

std::string_view dummy_text(Vr vr) noexcept {
    switch (vr) {
        case Vr::AE:
        case Vr::CS:
        case Vr::LO:
        case Vr::LT:
        case Vr::PN:
        case Vr::SH:
        case Vr::ST:
        case Vr::UC:
        case Vr::UT: return kRemovedText;
        case Vr::UR: return "urn:removed";
        case Vr::AS: return "000Y";
        case Vr::DA: return "20000101";
        case Vr::TM: return "000000";
        case Vr::DT: return "20000101000000";
        case Vr::DS:
        case Vr::IS: return "0";
        default: return {};
    }
}

void add_dummy(dicom::DataSetBuilder& builder, dicom::Tag tag, Vr vr) {
    if (const auto text = dummy_text(vr); !text.empty()) return builder.add_text(tag, vr, text);
    const std::vector<std::byte> zeros(std::max<std::size_t>(dicom::swap_unit(vr), 2));
    builder.add(tag, vr, zeros);
}

bool add_dummy_content(dicom::DataSetBuilder& builder, const dicom::Element& original) {
    if (original.tag() == tags::ContentSequence) {
        add_dummy_text_item(builder);
        return true;
    }
    if (original.tag() == tags::GraphicAnnotationSequence) {
        add_dummy_point(builder, original);
        return true;
    }
    return false;
}

void add_code_item(dicom::DataSetBuilder& builder, const Code& code) {
    builder.begin_item();
    builder.add_text(tags::CodeValue, Vr::SH, code.value);
    builder.add_text(tags::CodingSchemeDesignator, Vr::SH, code.scheme);
    builder.add_text(tags::CodeMeaning, Vr::LO, code.meaning);
    builder.end();
}

}  // namespace sagitta::deid
