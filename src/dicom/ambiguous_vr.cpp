#include "dicom/ambiguous_vr.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/number_string.h"
#include "dicom/private_block.h"
#include "dicom/walk.h"

namespace sagitta::dicom {
namespace {

/// The levels around an element, its own first.
class Surroundings {
public:
    explicit Surroundings(const Element& element) : path_(path_to(element)) {
        for (auto step = path_.rbegin(); step != path_.rend(); ++step)
            levels_.push_back(step->item.children());
        levels_.push_back(element.owner().elements());
    }

    [[nodiscard]] const ElementRange& own() const { return levels_.front(); }
    /// The sequence it lies in; no tag on the top level.
    [[nodiscard]] Tag sequence() const { return path_.empty() ? Tag() : path_.back().sequence.tag(); }

    [[nodiscard]] std::optional<Element> nearest(Tag tag) const {
        for (const ElementRange& level : levels_) {
            if (auto found = level.find(tag); found && !found->empty()) return found;
        }
        return std::nullopt;
    }
    [[nodiscard]] std::optional<std::int64_t> integer(Tag tag) const {
        const auto found = nearest(tag);
        return found ? found->integer() : std::nullopt;
    }
    [[nodiscard]] std::optional<double> decimal(Tag tag) const {
        const auto found = nearest(tag);
        const auto number = found ? DecimalString::parse(found->text(0)) : std::nullopt;
        return number ? std::optional(number->value) : std::nullopt;
    }

private:
    std::vector<WalkStep> path_;
    std::vector<ElementRange> levels_;
};

Vr pixel_vr(const Surroundings& around) {
    return around.integer(tags::PixelRepresentation) == 1 ? Vr::SS : Vr::US;
}

/// What goes into a VOI LUT is what the modality transformation makes (PS3.3 C.11.2.1.1).
Vr voi_lut_vr(const Surroundings& around) {
    if (around.nearest(tags::ModalityLUTSequence)) return Vr::US;
    const auto intercept = around.decimal(tags::RescaleIntercept);
    if (!intercept) return pixel_vr(around);
    const auto type = around.nearest(tags::RescaleType);
    if (type && type->text() == "HU") return Vr::SS;
    const double slope = around.decimal(tags::RescaleSlope).value_or(1);
    const auto bits =
        static_cast<int>(std::clamp<std::int64_t>(around.integer(tags::BitsStored).value_or(16), 1, 32));
    const bool is_signed = pixel_vr(around) == Vr::SS;
    const double least = is_signed ? -std::ldexp(1.0, bits - 1) : 0;
    const double most = std::ldexp(1.0, is_signed ? bits - 1 : bits) - 1;
    return std::min(slope * least, slope * most) + *intercept < 0 ? Vr::SS : Vr::US;
}

Vr descriptor_vr(const Surroundings& around) {
    if (around.sequence() == tags::VOILUTSequence) return voi_lut_vr(around);
    if (around.sequence() == tags::PresentationLUTSequence) return Vr::US;  // PS3.3 C.11.4.1, C.11.6.1.1
    return pixel_vr(around);
}

/// PS3.6: US VM 1-n or OW VM 1. A table of one entry is a number; US has no room for a long one.
Vr table_vr(const Surroundings& around, Tag descriptor, const Element& table) {
    const auto described = around.own().find(descriptor);
    const auto entries = described ? described->integer(0) : std::nullopt;
    if (entries == 1) return Vr::US;
    return table.vr() == Vr::US && table.length() <= UINT16_MAX ? Vr::US : Vr::OW;
}

/// Of OB and OW, by the size of one sample; 8 bits may be either (PS3.5 A.2).
Vr sample_vr(std::optional<std::int64_t> bits_allocated, Vr own) {
    if (bits_allocated && *bits_allocated > 8) return Vr::OW;
    return own == Vr::OB ? Vr::OB : Vr::OW;
}

Vr waveform_vr(const Surroundings& around, Vr own) {
    const auto bits = around.integer(tags::WaveformBitsAllocated);
    if (!bits) return own == Vr::OB ? Vr::OB : Vr::OW;
    return *bits > 8 ? Vr::OW : Vr::OB;
}

Vr private_vr(const Element& element, const Surroundings& around) {
    const auto creator = private_creator_of(around.own(), element.tag());
    const auto entry = creator ? find_private_tag(creator->text(), element.tag()) : std::nullopt;
    if (!entry || entry->vr == Vr::SQ) return Vr::UN;  // items are the parser's business
    if (element.length() % swap_unit(entry->vr) != 0) return Vr::UN;
    if (!entry->ambiguous_vr) return entry->vr;
    return entry->vr == Vr::US ? pixel_vr(around) : Vr::OW;
}

}  // namespace

Vr resolved_vr(const Element& element) {
    const Tag tag = element.tag();
    const Vr own = element.vr();
    if (tag.is_private()) return own == Vr::UN ? private_vr(element, Surroundings(element)) : own;
    const auto* entry = find_tag(tag);
    if (entry == nullptr || !entry->ambiguous_vr) return own;
    if (element.has_children() || element.node().undefined_length) return own;  // encapsulated
    const Surroundings around(element);
    switch (tag.value) {
        case tags::LUTDescriptor.value: return descriptor_vr(around);
        case tags::LUTData.value: return table_vr(around, tags::LUTDescriptor, element);
        case tags::GrayLookupTableData.value:
            return table_vr(around, tags::GrayLookupTableDescriptor, element);
        case tags::PixelData.value: return sample_vr(around.integer(tags::BitsAllocated), own);
        case tags::WaveformData.value:
        case tags::WaveformPaddingValue.value:
        case tags::ChannelMinimumValue.value:
        case tags::ChannelMaximumValue.value: return waveform_vr(around, own);
        default: break;
    }
    return entry->vr == Vr::OB ? sample_vr(std::nullopt, own) : pixel_vr(around);
}

}  // namespace sagitta::dicom
