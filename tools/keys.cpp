#include "keys.h"

#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/bytes.h"
#include "core/log.h"
#include "dicom/dictionary.h"
#include "dicom/edit.h"
#include "dicom/generated/tags.h"
#include "dicom/text.h"
#include "dicom/utf8.h"

namespace sagitta::tools {
namespace tags = dicom::tags;

Result<dicom::Tag> parse_keyword(std::string_view text) {
    if (const auto tag = dicom::parse_tag(text)) return *tag;
    std::string what = fmt::format("'{}' is no keyword and no tag", log::escaped(text));
    if (const auto nearest = dicom::suggest_keyword(text); !nearest.empty()) {
        what += fmt::format(", did you mean {}?", nearest);
    }
    return Error(Errc::invalid_argument, std::move(what));
}

namespace {

bool is_nested(std::string_view key) {
    return key.substr(0, key.find('=')).find('.') != std::string_view::npos;
}

// `Sequence.Keyword=value`: of the sequence's one item (PS3.4 C.2.2.2.6).
Result<dicom::Edit> nested_key(std::string_view key) {
    const auto equals = key.find('=');
    std::string path;
    for (const char c : key.substr(0, equals)) {
        if (c == '.' && !path.empty() && path.back() != ']') path += "[0]";
        path += c;
    }
    auto parsed = dicom::parse_path(path);
    if (!parsed) return std::move(parsed).error();
    dicom::Edit edit;
    edit.path = std::move(*parsed);
    if (equals != std::string_view::npos) edit.value = std::string(key.substr(equals + 1));
    return edit;
}

}  // namespace

Result<void> add_key(std::string_view text, dicom::DataSet& identifier) {
    const auto equals = text.find('=');
    const auto tag = parse_keyword(text.substr(0, equals));
    if (!tag) return tag.error();
    const std::string_view value =
        equals == std::string_view::npos ? std::string_view() : text.substr(equals + 1);
    const auto* entry = dicom::find_tag(*tag);
    const dicom::Vr vr = entry != nullptr ? entry->vr : dicom::Vr::UN;
    if (!dicom::is_valid_utf8(value)) {
        return Error(Errc::invalid_argument, fmt::format("the value of {} is not UTF-8", to_string(*tag)));
    }
    if (value.empty()) {
        if (vr == dicom::Vr::SQ) {
            identifier.set_empty_sequence(*tag);
        } else {
            identifier.set_text(*tag, vr, {});
        }
        return {};
    }
    if (!dicom::is_text(vr)) {
        return Error(Errc::invalid_argument, fmt::format("{} has VR {}: a value of it cannot be asked for",
                                                         to_string(*tag), to_string(vr)));
    }
    identifier.set_text(*tag, vr, value);
    return {};
}

Result<dicom::DataSet> make_identifier(std::span<const std::string> keys) {
    dicom::DataSet identifier;
    bool needs_utf8 = false;
    std::vector<dicom::Edit> nested;
    for (const auto& key : keys) {
        if (is_nested(key)) {
            auto edit = nested_key(key);
            if (!edit) return std::move(edit).error();
            nested.push_back(std::move(*edit));
        } else if (auto added = add_key(key, identifier); !added) {
            return std::move(added).error();
        }
        needs_utf8 = needs_utf8 || !dicom::is_ascii(key);
    }
    if (needs_utf8) identifier.set_text(tags::SpecificCharacterSet, dicom::Vr::CS, "ISO_IR 192");
    dicom::EditOptions options;
    options.check_values = false;  // wildcards and ranges
    return dicom::apply_edits(identifier, nested, options);
}

std::string level_name(std::string_view word) {
    if (word == "patient") return "PATIENT";
    if (word == "study") return "STUDY";
    if (word == "series") return "SERIES";
    if (word == "image" || word == "instance") return "IMAGE";
    return {};
}

std::string deepest_level(const dicom::DataSet& identifier) {
    if (!identifier.text(tags::SOPInstanceUID).empty()) return "IMAGE";
    if (!identifier.text(tags::SeriesInstanceUID).empty()) return "SERIES";
    if (!identifier.text(tags::StudyInstanceUID).empty()) return "STUDY";
    if (!identifier.text(tags::PatientID).empty()) return "PATIENT";
    return {};
}

}  // namespace sagitta::tools
