#include "codec/volume.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include <fmt/format.h>

namespace sagitta::codec {
namespace {

using Vector = std::array<double, 3>;

constexpr double kMostLeaning = 0.1;  // of a pixel, by which slices may lie beside each other
constexpr std::size_t kMostFindingsTold = 12;
constexpr std::array<std::string_view, 11> kKinds = {
    "gap",       "uneven_spacing", "same_position", "mixed_orientation", "mixed_pixel_spacing", "mixed_size",
    "duplicate", "no_geometry",    "sheared",       "shifted",           "mixed_unit"};

Vector minus(const Vector& a, const Vector& b) {
    return {a[0] - b[0], a[1] - b[1], a[2] - b[2]};
}
Vector times(const Vector& a, double factor) {
    return {a[0] * factor + 0.0, a[1] * factor + 0.0, a[2] * factor + 0.0};  // no negative zero
}
double dot(const Vector& a, const Vector& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}
double length(const Vector& a) {
    return std::sqrt(dot(a, a));
}
Vector cross(const Vector& a, const Vector& b) {
    return {a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]};
}
Vector unit(const Vector& a) {
    return times(a, 1 / length(a));
}

std::string name_of(const VolumeSlice& slice) {
    return fmt::format("{} frame {}", slice.path, slice.frame + 1);
}

/// The slices in the order of dicom::sort_into_series, which is asked as if each were an instance of its
/// own; what it found is told of them.
dicom::Series sort_slices(std::vector<VolumeSlice>& slices) {
    std::vector<dicom::SeriesInstance> instances;
    for (std::size_t n = 0; n < slices.size(); ++n) {
        dicom::SeriesInstance instance;
        instance.series_instance_uid = *dicom::Uid::parse("1");
        instance.sop_instance_uid = *dicom::Uid::parse(fmt::format("1.{}", n));
        instance.path = std::to_string(n);
        instance.instance_number = slices[n].number;
        instance.rows = slices[n].format.rows;
        instance.columns = slices[n].format.columns;
        instance.position_mm = slices[n].position_mm;
        instance.orientation = slices[n].orientation;
        instance.pixel_spacing_mm = slices[n].pixel_spacing_mm;
        instances.push_back(std::move(instance));
    }
    auto sorted = std::move(dicom::sort_into_series(std::move(instances)).front());
    std::vector<VolumeSlice> in_order;
    for (const auto& instance : sorted.instances)
        in_order.push_back(std::move(slices[std::stoul(instance.path)]));
    slices = std::move(in_order);
    return sorted;
}

bool is_one_stack(const dicom::Series& sorted) {
    return std::none_of(sorted.findings.begin(), sorted.findings.end(),
                        [](const dicom::SeriesFinding& finding) {
                            return finding.kind == dicom::SeriesFinding::Kind::same_position ||
                                   finding.kind == dicom::SeriesFinding::Kind::mixed_orientation;
                        });
}

/// Slices of which several lie at one place, or otherwise, are told apart by stack, time, echo, segment.
Result<std::vector<VolumeSlice>> choose_stack(std::vector<VolumeSlice> slices, std::uint32_t wanted) {
    std::map<std::vector<std::int64_t>, std::vector<VolumeSlice>> stacks;
    for (VolumeSlice& slice : slices) {
        auto& stack = stacks[slice.stack];
        stack.push_back(std::move(slice));
    }
    if (wanted > stacks.size()) {
        return Error(Errc::invalid_argument, fmt::format("no stack {}, there are {}", wanted, stacks.size()));
    }
    if (stacks.size() == 1) return std::move(stacks.begin()->second);
    if (wanted != 0) return std::move(std::next(stacks.begin(), wanted - 1)->second);
    std::string text =
        fmt::format("{} stacks that differ in stack, time, echo or segment; choose one:", stacks.size());
    std::uint32_t number = 0;
    for (const auto& [key, stack] : stacks) {
        if (++number > kMostFindingsTold) {
            text += " …";
            break;
        }
        text += fmt::format("{} {} ({} slices)", number == 1 ? "" : ",", number, stack.size());
    }
    return Error(Errc::invalid_argument, text);
}

void tell(Volume& volume, std::string_view kind, std::string text) {
    volume.findings.push_back({std::string(kind), std::move(text)});
}

void tell_series_findings(Volume& volume, const dicom::Series& sorted) {
    using Kind = dicom::SeriesFinding::Kind;
    for (const auto& finding : sorted.findings) {
        const auto name = name_of(volume.slices[finding.instance]);
        const auto kind = to_string(finding.kind);
        switch (finding.kind) {
            case Kind::gap:
                tell(volume, kind, fmt::format("{} missing before {}", finding.missing, name));
                break;
            case Kind::uneven_spacing: tell(volume, kind, "another distance before " + name); break;
            case Kind::same_position: tell(volume, kind, name + " lies where the one before it lies"); break;
            case Kind::mixed_orientation: tell(volume, kind, name + " lies otherwise than the first"); break;
            case Kind::mixed_pixel_spacing: tell(volume, kind, name + " has pixels of another size"); break;
            case Kind::mixed_size: tell(volume, kind, name + " has other rows and columns"); break;
        }
    }
}

/// Origin, spacing and direction of slices that were sorted in space.
void place(Volume& volume, const dicom::Series& sorted) {
    const VolumeSlice& first = volume.slices.front();
    if (first.pixel_spacing_mm) {
        volume.spacing_mm[0] = (*first.pixel_spacing_mm)[1];
        volume.spacing_mm[1] = (*first.pixel_spacing_mm)[0];
    }
    volume.spacing_mm[2] = sorted.spacing_mm.value_or(first.thickness_mm.value_or(1));
    if (sorted.order != dicom::SeriesOrder::geometry) {
        tell(volume, "no_geometry",
             "the slices have no common orientation and a position each; sorted by number");
        return;
    }
    volume.placed = true;
    volume.origin_mm = *first.position_mm;
    const auto& o = *first.orientation;
    const Vector row = unit({o[0], o[1], o[2]});
    const Vector column = unit({o[3], o[4], o[5]});
    const Vector normal = unit(cross(row, column));
    volume.direction = {row, column, normal};
    const Vector way = minus(*volume.slices.back().position_mm, *first.position_mm);
    const double distance = dot(way, normal);
    if (!(distance > 0)) return;
    const double tolerance = kMostLeaning * std::min(volume.spacing_mm[0], volume.spacing_mm[1]);
    const auto aside = [&](const Vector& from, const Vector& along) {
        return length(minus(from, times(along, dot(from, normal) / dot(along, normal))));
    };
    const bool leans = aside(way, normal) > tolerance;
    if (leans) {
        volume.direction[2] = unit(way);
        volume.spacing_mm[2] /= dot(volume.direction[2], normal);
        tell(volume, "sheared", "the stack leans: its slices do not lie above each other");
    }
    for (const VolumeSlice& slice : volume.slices) {
        if (aside(minus(*slice.position_mm, *first.position_mm), volume.direction[2]) <= tolerance) continue;
        tell(volume, "shifted", name_of(slice) + " lies beside the stack");
        break;
    }
}

/// The type of the numbers, their unit, and what of them is padding.
void choose_numbers(Volume& volume, const VolumeOptions& options) {
    const VolumeSlice& first = volume.slices.front();
    volume.unit = first.unit;
    volume.padding = first.padding;
    ValueRange range{INFINITY, -INFINITY};
    bool integers = true;
    for (const VolumeSlice& slice : volume.slices) {
        integers = integers && slice.integers && slice.range;
        if (slice.range) {
            range.lowest = std::min(range.lowest, slice.range->lowest);
            range.highest = std::max(range.highest, slice.range->highest);
        }
        if (slice.unit != volume.unit) {
            tell(volume, "mixed_unit", name_of(slice) + " has another Rescale Type");
            break;
        }
    }
    volume.type = options.type.value_or(integers ? smallest_integer(range) : NumberType::float32);
}

}  // namespace

std::span<const std::string_view> volume_finding_kinds() noexcept {
    return kKinds;
}

Result<Volume> stack_slices(const dicom::Series& series, std::vector<VolumeSlice> slices,
                            const VolumeOptions& options) {
    if (slices.empty()) return Error(Errc::not_found, "no slices");
    auto sorted = sort_slices(slices);
    if (options.stack != 0 || !is_one_stack(sorted)) {
        auto chosen = choose_stack(std::move(slices), options.stack);
        if (!chosen) return std::move(chosen).error();
        slices = std::move(*chosen);
        sorted = sort_slices(slices);
    }
    Volume volume;
    volume.study_instance_uid = series.study_instance_uid;
    volume.series_instance_uid = series.series_instance_uid;
    volume.modality = series.modality;
    volume.slices = std::move(slices);
    volume.rows = volume.slices.front().format.rows;
    volume.columns = volume.slices.front().format.columns;
    for (const auto& duplicate : series.duplicates)
        tell(volume, "duplicate", duplicate.path + " is an instance that is already there");
    tell_series_findings(volume, sorted);
    place(volume, sorted);
    choose_numbers(volume, options);
    return volume;
}

Result<Volume> plan_volume(const dicom::Series& series, const VolumeOptions& options) {
    std::vector<VolumeSlice> slices;
    for (const auto& instance : series.instances) {
        auto of_file = slices_of_file(instance.path, options.limits);
        if (!of_file) return std::move(of_file).error();
        std::move(of_file->begin(), of_file->end(), std::back_inserter(slices));
    }
    return stack_slices(series, std::move(slices), options);
}

std::optional<Error> refuse_findings(const Volume& volume, const std::set<std::string>& allowed) {
    std::string text;
    std::size_t refused = 0;
    for (const VolumeFinding& finding : volume.findings) {
        // Slices of different sizes are no array, whatever anybody allows.
        if (allowed.contains(finding.kind) && finding.kind != "mixed_size") continue;
        if (++refused <= kMostFindingsTold)
            text += fmt::format("{}{}: {}", text.empty() ? "" : "; ", finding.kind, finding.text);
    }
    if (refused == 0) return std::nullopt;
    if (refused > kMostFindingsTold) text += fmt::format("; and {} more", refused - kMostFindingsTold);
    return Error(Errc::mismatch, text);
}

}  // namespace sagitta::codec
