#include "dicom/series.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "dicom/generated/tags.h"
#include "dicom/values.h"

namespace sagitta::dicom {
namespace {

constexpr double kSamePositionMm = 0.01;
constexpr double kSameDirection = 1e-3;  // of the cosines of an orientation
constexpr double kSameSpacing = 1e-3;    // of pixels, relative
constexpr double kEvenSpacing = 0.02;    // of positions, relative to their median
constexpr std::uint64_t kMostMissing = 1u << 20;

using Kind = SeriesFinding::Kind;
using Vector = std::array<double, 3>;

template <std::size_t Size>
std::optional<std::array<double, Size>> decimals(const Values& values, Tag tag) {
    const auto numbers = values.all<DecimalString>(tag);
    if (!numbers || numbers->size() != Size) return std::nullopt;
    std::array<double, Size> all{};
    for (std::size_t n = 0; n < Size; ++n) all[n] = (*numbers)[n].value;
    return all;
}

double dot(const Vector& a, const Vector& b) {
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

/// Of rows and columns; none when they do not span a plane.
std::optional<Vector> normal_of(const std::array<double, 6>& o) {
    const Vector normal = {o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5], o[0] * o[4] - o[1] * o[3]};
    const double length = std::sqrt(dot(normal, normal));
    if (!(length > 0.5 && length < 1.5)) return std::nullopt;
    return Vector{normal[0] / length, normal[1] / length, normal[2] / length};
}

template <std::size_t Size>
bool near(const std::array<double, Size>& a, const std::array<double, Size>& b, double tolerance) {
    for (std::size_t n = 0; n < Size; ++n) {
        if (!(std::abs(a[n] - b[n]) <= tolerance)) return false;
    }
    return true;
}

/// Component by component as numbers, so that .9 comes before .10.
bool uid_less(const Uid& left, const Uid& right) {
    std::string_view a = left.view();
    std::string_view b = right.view();
    while (!a.empty() && !b.empty()) {
        auto x = a.substr(0, a.find('.'));
        auto y = b.substr(0, b.find('.'));
        a.remove_prefix(std::min(a.size(), x.size() + 1));
        b.remove_prefix(std::min(b.size(), y.size() + 1));
        x.remove_prefix(std::min(x.find_first_not_of('0'), x.size()));
        y.remove_prefix(std::min(y.find_first_not_of('0'), y.size()));
        if (x.size() != y.size()) return x.size() < y.size();
        if (x != y) return x < y;
    }
    return a.empty() && !b.empty();
}

bool number_less(const SeriesInstance& a, const SeriesInstance& b) {
    if (a.instance_number != b.instance_number) return a.instance_number < b.instance_number;
    return uid_less(a.sop_instance_uid, b.sop_instance_uid);
}

/// The first instance that is unlike the first of all.
template <class Same>
void find_mixed(Series& series, Kind kind, Same same) {
    for (std::size_t n = 1; n < series.instances.size(); ++n) {
        if (same(series.instances.front(), series.instances[n])) continue;
        series.findings.push_back({kind, n});
        return;
    }
}

bool same_orientation(const SeriesInstance& a, const SeriesInstance& b) {
    if (!a.orientation || !b.orientation) return a.orientation.has_value() == b.orientation.has_value();
    return near(*a.orientation, *b.orientation, kSameDirection);
}

bool same_pixel_spacing(const SeriesInstance& a, const SeriesInstance& b) {
    if (!a.pixel_spacing_mm || !b.pixel_spacing_mm)
        return a.pixel_spacing_mm.has_value() == b.pixel_spacing_mm.has_value();
    return near(
        *a.pixel_spacing_mm, *b.pixel_spacing_mm,
        kSameSpacing * std::max(std::abs((*a.pixel_spacing_mm)[0]), std::abs((*a.pixel_spacing_mm)[1])));
}

/// The common normal of all images, when they have one and a position each.
std::optional<Vector> common_normal(const std::vector<SeriesInstance>& instances) {
    const auto& first = instances.front();
    const bool placed = std::all_of(instances.begin(), instances.end(), [&](const SeriesInstance& instance) {
        return instance.orientation && instance.position_mm && instance.frames == 1 &&
               same_orientation(first, instance);
    });
    return placed ? normal_of(*first.orientation) : std::nullopt;
}

void judge_distances(Series& series, const std::vector<double>& distances) {
    std::vector<double> steps;  // between different positions
    for (std::size_t n = 1; n < distances.size(); ++n) {
        const double step = distances[n] - distances[n - 1];
        if (step > kSamePositionMm) steps.push_back(step);
    }
    if (!steps.empty()) {
        const auto middle = steps.begin() + static_cast<std::ptrdiff_t>((steps.size() - 1) / 2);
        std::nth_element(steps.begin(), middle, steps.end());
        series.spacing_mm = *middle;
    }
    for (std::size_t n = 1; n < distances.size(); ++n) {
        const double step = distances[n] - distances[n - 1];
        if (step <= kSamePositionMm) {
            series.findings.push_back({Kind::same_position, n});
            continue;
        }
        const double spacing = series.spacing_mm.value_or(0);  // none where positions are beyond numbers
        const double whole = std::round(step / spacing);
        const double tolerance = std::max(kSamePositionMm, kEvenSpacing * spacing * whole);
        if (!(std::abs(step - whole * spacing) <= tolerance)) {
            series.findings.push_back({Kind::uneven_spacing, n});
        } else if (whole > 1) {
            const auto missing = static_cast<std::uint64_t>(std::min(whole - 1, double{kMostMissing}));
            series.findings.push_back({Kind::gap, n, missing});
        }
    }
}

void sort_in_space(Series& series, const Vector& normal) {
    struct Placed {
        double distance;
        SeriesInstance instance;
    };
    std::vector<Placed> placed;
    for (auto& instance : series.instances) {
        const double distance = dot(normal, *instance.position_mm);
        placed.push_back({distance, std::move(instance)});
    }
    const auto by_distance = [](const Placed& a, const Placed& b) { return a.distance < b.distance; };
    const auto by_number = [](const Placed& a, const Placed& b) {
        return number_less(a.instance, b.instance);
    };
    std::sort(placed.begin(), placed.end(), by_distance);
    // What lies at one position but for rounding is in the order of its numbers.
    for (auto first = placed.begin(); first != placed.end();) {
        auto last = first + 1;
        while (last != placed.end() && last->distance - (last - 1)->distance <= kSamePositionMm) ++last;
        std::sort(first, last, by_number);
        first = last;
    }
    series.instances.clear();
    std::vector<double> distances;
    for (auto& [distance, instance] : placed) {
        distances.push_back(distances.empty() ? distance : std::max(distance, distances.back()));
        series.instances.push_back(std::move(instance));
    }
    judge_distances(series, distances);
}

void judge_numbers(Series& series) {
    for (std::size_t n = 1; n < series.instances.size(); ++n) {
        const auto before = static_cast<std::uint64_t>(*series.instances[n - 1].instance_number);
        const std::uint64_t step = static_cast<std::uint64_t>(*series.instances[n].instance_number) - before;
        if (step == 0) series.findings.push_back({Kind::same_position, n});
        if (step > 1) series.findings.push_back({Kind::gap, n, std::min(step - 1, kMostMissing)});
    }
}

void sort(Series& series) {
    auto& instances = series.instances;
    std::sort(instances.begin(), instances.end(), number_less);
    if (const auto normal = common_normal(instances)) {
        series.order = SeriesOrder::geometry;
        sort_in_space(series, *normal);
    } else if (std::all_of(instances.begin(), instances.end(),
                           [](const auto& instance) { return instance.instance_number.has_value(); })) {
        series.order = SeriesOrder::instance_number;
        judge_numbers(series);
    } else {
        std::sort(instances.begin(), instances.end(), [](const auto& a, const auto& b) {
            return uid_less(a.sop_instance_uid, b.sop_instance_uid);
        });
    }
    find_mixed(series, Kind::mixed_orientation, same_orientation);
    find_mixed(series, Kind::mixed_pixel_spacing, same_pixel_spacing);
    find_mixed(series, Kind::mixed_size, [](const SeriesInstance& a, const SeriesInstance& b) {
        return a.rows == b.rows && a.columns == b.columns;
    });
}

}  // namespace

Result<SeriesInstance> series_instance(const DataSet& header, std::string path) {
    SeriesInstance instance;
    instance.path = std::move(path);
    const auto series = header.uid(tags::SeriesInstanceUID);
    const auto sop = header.uid(tags::SOPInstanceUID);
    if (!series) return Error(Errc::not_found, "no Series Instance UID");
    if (!sop) return Error(Errc::not_found, "no SOP Instance UID");
    instance.series_instance_uid = *series;
    instance.sop_instance_uid = *sop;
    instance.study_instance_uid = header.uid(tags::StudyInstanceUID).value_or(Uid());
    instance.sop_class_uid = header.uid(tags::SOPClassUID).value_or(Uid());
    instance.modality = std::string(header.text(tags::Modality));
    instance.instance_number = header.integer(tags::InstanceNumber);
    instance.rows = header.integer(tags::Rows).value_or(0);
    instance.columns = header.integer(tags::Columns).value_or(0);
    instance.frames = header.integer(tags::NumberOfFrames).value_or(1);
    const Values values(header);
    instance.position_mm = decimals<3>(values, tags::ImagePositionPatient);
    instance.orientation = decimals<6>(values, tags::ImageOrientationPatient);
    instance.pixel_spacing_mm = decimals<2>(values, tags::PixelSpacing);
    return instance;
}

std::vector<Series> sort_into_series(std::vector<SeriesInstance> instances) {
    std::vector<Series> all;
    std::map<std::pair<Uid, Uid>, std::size_t> by_uid;
    for (SeriesInstance& instance : instances) {
        const auto [place, is_new] = by_uid.try_emplace(
            std::pair(instance.study_instance_uid, instance.series_instance_uid), all.size());
        if (is_new) {
            Series& series = all.emplace_back();
            series.study_instance_uid = instance.study_instance_uid;
            series.series_instance_uid = instance.series_instance_uid;
            series.modality = instance.modality;
        }
        all[place->second].instances.push_back(std::move(instance));
    }
    for (Series& series : all) {
        std::set<Uid> seen;
        std::vector<SeriesInstance> once;
        for (SeriesInstance& instance : series.instances) {
            auto& place = seen.insert(instance.sop_instance_uid).second ? once : series.duplicates;
            place.push_back(std::move(instance));
        }
        series.instances = std::move(once);
        sort(series);
    }
    return all;
}

std::string_view to_string(SeriesFinding::Kind kind) noexcept {
    switch (kind) {
        case Kind::gap: return "gap";
        case Kind::uneven_spacing: return "uneven_spacing";
        case Kind::same_position: return "same_position";
        case Kind::mixed_orientation: return "mixed_orientation";
        case Kind::mixed_pixel_spacing: return "mixed_pixel_spacing";
        case Kind::mixed_size: return "mixed_size";
    }
    return "unknown";
}

}  // namespace sagitta::dicom
