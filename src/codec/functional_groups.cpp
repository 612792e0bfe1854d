#include "codec/functional_groups.h"

#include <cmath>

#include "dicom/generated/tags.h"
#include "dicom/number_string.h"
#include "dicom/number_view.h"

namespace sagitta::codec {

namespace tags = dicom::tags;
using dicom::Element;
using dicom::ElementRange;
using dicom::Tag;

namespace {

std::optional<ElementRange> first_item(const ElementRange& level, Tag sequence) {
    const auto element = level.find(sequence);
    if (!element || element->vr() != dicom::Vr::SQ || !element->has_children()) return std::nullopt;
    return (*element->children().begin()).children();
}

template <dicom::Number T>
std::optional<double> binary(const Element& element, std::size_t n) {
    const dicom::NumberView<T> numbers(element.value(), element.node().big_endian);
    if (n >= numbers.size()) return std::nullopt;
    return static_cast<double>(numbers[n]);
}

}  // namespace

FunctionalGroups::FunctionalGroups(const dicom::DataSet& data_set) : data_set_(&data_set) {
    const auto per_frame = data_set.find(tags::PerFrameFunctionalGroupsSequence);
    if (per_frame && per_frame->vr() == dicom::Vr::SQ) {
        for (const Element item : per_frame->children()) frames_.push_back(item.index());
    }
    const auto shared = data_set.find(tags::SharedFunctionalGroupsSequence);
    if (shared && shared->vr() == dicom::Vr::SQ && shared->has_children())
        shared_ = (*shared->children().begin()).index();
}

std::optional<ElementRange> FunctionalGroups::find(std::uint32_t frame, Tag group) const {
    if (frame < frames_.size()) {
        if (auto own = first_item(Element(*data_set_, frames_[frame]).children(), group)) return own;
    }
    if (!shared_) return std::nullopt;
    return first_item(Element(*data_set_, *shared_).children(), group);
}

ElementRange FunctionalGroups::level_of(std::uint32_t frame, Tag group) const {
    return find(frame, group).value_or(data_set_->elements());
}

std::optional<double> decimal(const ElementRange& level, Tag tag, std::size_t n) {
    const auto element = level.find(tag);
    if (!element) return std::nullopt;
    std::optional<double> number;
    if (element->vr() == dicom::Vr::FD) {
        number = binary<double>(*element, n);
    } else if (element->vr() == dicom::Vr::FL) {
        number = binary<float>(*element, n);
    } else if (element->vr() == dicom::Vr::DS || element->vr() == dicom::Vr::IS) {
        if (const auto parsed = dicom::DecimalString::parse(element->text(n))) number = parsed->value;
    }
    if (number && !std::isfinite(*number)) return std::nullopt;
    return number;
}

std::optional<std::vector<double>> decimals(const ElementRange& level, Tag tag, std::size_t count) {
    std::vector<double> all;
    for (std::size_t n = 0; n < count; ++n) {
        const auto number = decimal(level, tag, n);
        if (!number) return std::nullopt;
        all.push_back(*number);
    }
    if (decimal(level, tag, count)) return std::nullopt;
    return all;
}

}  // namespace sagitta::codec
