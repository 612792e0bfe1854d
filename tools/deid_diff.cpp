#include "deid_diff.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "dicom/value_text.h"
#include "dicom/walk.h"

namespace sagitta::tools {
namespace {

constexpr std::size_t kShownBytes = 64;

struct Shown {
    dicom::Vr vr = dicom::Vr::none;
    std::uint64_t bytes = 0;
    std::string value;  // as it is, to compare; decoded and short, to print
    std::string text;
};

std::map<std::string, Shown> values_of(const dicom::DataSet& data_set) {
    std::map<std::string, Shown> found;
    for (dicom::Walk walk(data_set); walk.next();) {
        const auto element = walk.element();
        if (element.has_children() && element.vr() != dicom::Vr::SQ) {
            walk.skip_inside();
            continue;
        }
        Shown shown;
        shown.vr = element.vr();
        shown.bytes = element.length();
        if (element.vr() != dicom::Vr::SQ) {
            shown.value = element.text();
            const auto set =
                dicom::character_set_of(walk.level(), dicom::character_set_of(data_set.elements(), {}));
            shown.text = dicom::is_text(element.vr())
                             ? dicom::printable(dicom::decoded_text(element, set)).substr(0, kShownBytes)
                             : fmt::format("{} bytes", element.length());
        }
        found.insert_or_assign(walk.path_text(), std::move(shown));
    }
    return found;
}

std::string side(const std::optional<Shown>& shown, bool show_values) {
    if (!shown) return "-";
    if (shown->vr == dicom::Vr::SQ) return "sequence";
    if (shown->bytes == 0) return "empty";
    return show_values ? fmt::format("'{}'", shown->text) : fmt::format("{} bytes", shown->bytes);
}

}  // namespace

std::string diff(const dicom::DataSet& before, const dicom::DataSet& after, bool show_values) {
    const auto old_values = values_of(before);
    const auto new_values = values_of(after);
    std::map<std::string, std::pair<std::optional<Shown>, std::optional<Shown>>> both;
    for (const auto& [path, shown] : old_values) both[path].first = shown;
    for (const auto& [path, shown] : new_values) both[path].second = shown;
    std::string out;
    for (const auto& [path, sides] : both) {
        const auto& [old_side, new_side] = sides;
        const bool same =
            old_side && new_side && old_side->value == new_side->value && old_side->vr == new_side->vr;
        if (same) continue;
        const auto vr = old_side ? old_side->vr : new_side->vr;
        out += fmt::format("  {} {}: {} -> {}\n", path, dicom::to_string(vr), side(old_side, show_values),
                           side(new_side, show_values));
    }
    return out;
}

}  // namespace sagitta::tools
