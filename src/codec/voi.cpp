#include "codec/voi.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "dicom/generated/tags.h"

namespace sagitta::codec {

namespace tags = dicom::tags;

namespace {

constexpr std::size_t kMostWindows = 1024;

VoiFunction voi_function(std::string_view term) {
    if (term == "SIGMOID") return VoiFunction::sigmoid;
    if (term == "LINEAR_EXACT") return VoiFunction::linear_exact;
    return VoiFunction::linear;
}

double ramp(double fraction) noexcept {
    return std::clamp(fraction, 0.0, 1.0);
}

/// A table's entry as a fraction of the highest it can be.
double entry(const LookupTable& table, double input) noexcept {
    if (!(std::abs(input) < 1e15)) input = input > 0 ? 1e15 : -1e15;
    return static_cast<double>(table.at(static_cast<std::int64_t>(std::floor(input + 0.5)))) /
           table.max_value();
}

}  // namespace

double Window::operator()(double number) const noexcept {
    if (std::isnan(number)) return 0;
    switch (function) {
        case VoiFunction::sigmoid: return 1 / (1 + std::exp(-4 * (number - center) / width));
        case VoiFunction::linear:
            // The formula of PS3.3 C.11.2.1.2.1 has no meaning for widths below 1.
            if (width > 1) return ramp((number - (center - 0.5)) / (width - 1) + 0.5);
            if (width == 1) return number <= center - 0.5 ? 0 : 1;
            break;
        case VoiFunction::linear_exact: break;
    }
    return ramp((number - center) / width + 0.5);
}

Result<VoiChoices> voi_choices(const FunctionalGroups& groups, std::uint32_t frame, bool negative) {
    VoiChoices choices;
    const auto level = groups.level_of(frame, tags::FrameVOILUTSequence);
    const VoiFunction function = voi_function(level.text(tags::VOILUTFunction));
    for (std::size_t n = 0; n < kMostWindows; ++n) {
        const auto center = decimal(level, tags::WindowCenter, n);
        const auto width = decimal(level, tags::WindowWidth, n);
        if (!center || !width) break;
        if (*width > 0) choices.windows.push_back({*center, *width, function});
    }
    const auto sequence = level.find(tags::VOILUTSequence);
    if (!sequence || sequence->vr() != dicom::Vr::SQ) return choices;
    for (const auto item : sequence->children()) {
        auto table = read_lookup_table(item.children(), {tags::LUTDescriptor, tags::LUTData, {}}, negative);
        if (!table) {
            return std::move(table).error().within("VOILUTSequence[" + std::to_string(choices.tables.size()) +
                                                   "]");
        }
        choices.tables.push_back(std::move(*table));
    }
    return choices;
}

Window window_of(const ValueRange& range) noexcept {
    const double width = range.highest - range.lowest;
    if (!(width > 0) || !std::isfinite(width)) return {range.lowest, 1, VoiFunction::linear_exact};
    return {range.lowest + width / 2, width, VoiFunction::linear_exact};
}

Window automatic_window(std::span<double> numbers, double ignored_percent) {
    const auto end =
        std::partition(numbers.begin(), numbers.end(), [](double number) { return std::isfinite(number); });
    numbers = numbers.first(static_cast<std::size_t>(end - numbers.begin()));
    if (numbers.empty()) return window_of({0, 0});
    const double share = std::clamp(ignored_percent, 0.0, 50.0) / 100;
    const auto ignored = static_cast<std::size_t>(share * static_cast<double>(numbers.size() - 1));
    if (ignored == 0) {
        const auto [lowest, highest] = std::minmax_element(numbers.begin(), numbers.end());
        return window_of({*lowest, *highest});
    }
    const auto low = numbers.begin() + static_cast<std::ptrdiff_t>(ignored);
    const auto high = numbers.end() - static_cast<std::ptrdiff_t>(ignored) - 1;
    std::nth_element(numbers.begin(), low, numbers.end());
    const double lowest = *low;
    std::nth_element(low, high, numbers.end());
    return window_of({lowest, *high});
}

double Presentation::operator()(double fraction) const noexcept {
    if (table) fraction = entry(*table, fraction * static_cast<double>(table->entries.size() - 1));
    return inverse ? 1 - fraction : fraction;
}

Result<Presentation> presentation(const dicom::DataSet& data_set, Photometric photometric) {
    Presentation made;
    const auto shape = data_set.text(tags::PresentationLUTShape);
    made.inverse = shape == "INVERSE" || (shape != "IDENTITY" && photometric == Photometric::monochrome1);
    const auto sequence = data_set.find(tags::PresentationLUTSequence);
    if (!sequence || sequence->vr() != dicom::Vr::SQ || !sequence->has_children()) return made;
    const auto item = (*sequence->children().begin()).children();
    auto table = read_lookup_table(item, {tags::LUTDescriptor, tags::LUTData, {}}, false);
    if (!table) return std::move(table).error().within("PresentationLUTSequence[0]");
    table->first_mapped = 0;
    made.table = std::move(*table);
    return made;
}

double GrayscalePipeline::operator()(double stored) const noexcept {
    const double number = modality(stored);
    const double fraction = std::holds_alternative<Window>(voi) ? std::get<Window>(voi)(number)
                                                                : entry(std::get<LookupTable>(voi), number);
    return presentation(fraction);
}

}  // namespace sagitta::codec
