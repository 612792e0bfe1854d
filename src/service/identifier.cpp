#include "service/identifier.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/parser.h"

namespace sagitta::service {
namespace {

using dicom::Element;
using dicom::Tag;
using dicom::Vr;
using storage::Level;
namespace tags = dicom::tags;
namespace uids = dicom::uids;

constexpr std::array<std::pair<std::string_view, Level>, 4> kLevels{{{"PATIENT", Level::patient},
                                                                     {"STUDY", Level::study},
                                                                     {"SERIES", Level::series},
                                                                     {"IMAGE", Level::image}}};

// Kept by the index beside its columns: lists and counts of what lies below (PS3.4 C.3.4).
constexpr std::array<std::pair<Tag, Level>, 8> kDerived{{
    {tags::ModalitiesInStudy, Level::study},
    {tags::SOPClassesInStudy, Level::study},
    {tags::NumberOfPatientRelatedStudies, Level::patient},
    {tags::NumberOfPatientRelatedSeries, Level::patient},
    {tags::NumberOfPatientRelatedInstances, Level::patient},
    {tags::NumberOfStudyRelatedSeries, Level::study},
    {tags::NumberOfStudyRelatedInstances, Level::study},
    {tags::NumberOfSeriesRelatedInstances, Level::series},
}};

bool is_count(Tag tag) {
    return tag >= tags::NumberOfPatientRelatedStudies && tag <= tags::NumberOfSeriesRelatedInstances;
}

std::optional<Model> model_of(const dicom::Uid& sop_class) {
    const std::string_view uid = sop_class.view();
    if (uid.starts_with("1.2.840.10008.5.1.4.1.2.1.")) return Model::patient_root;
    if (uid.starts_with("1.2.840.10008.5.1.4.1.2.2.")) return Model::study_root;
    if (uid.starts_with("1.2.840.10008.5.1.4.1.2.3.")) return Model::patient_study_only;
    return std::nullopt;
}

// The level an attribute belongs to, when the index knows.
std::optional<Level> index_level(Tag tag) {
    for (const auto& [derived, level] : kDerived) {
        if (derived == tag) return level;
    }
    for (const auto& column : storage::index_columns()) {
        if (column.tag == tag) return column.level;
    }
    return std::nullopt;
}

Source source_of(Tag tag, Level asked) {
    if (tag == tags::QueryRetrieveLevel) return Source::level;
    if (tag == tags::RetrieveAETitle) return Source::retrieve;
    if (tag == tags::InstanceAvailability) return Source::available;
    if (tag == tags::AvailableTransferSyntaxUID)
        return asked == Level::image ? Source::syntax : Source::nothing;
    const auto level = index_level(tag);
    if (!level) return Source::header;
    return *level <= asked ? Source::index : Source::nothing;
}

bool is_matched(Tag tag) {
    return tag != tags::QueryRetrieveLevel && tag != tags::SpecificCharacterSet &&
           tag != tags::RetrieveAETitle && tag != tags::InstanceAvailability &&
           tag != tags::AvailableTransferSyntaxUID && tag != tags::TimezoneOffsetFromUTC &&
           !tag.is_group_length() && !is_count(tag);
}

// Identifiers come with UN or wrong VRs; the dictionary knows better.
Vr vr_of(const Element& element) {
    const auto* entry = dicom::find_tag(element.tag());
    return entry != nullptr && !entry->ambiguous_vr && entry->vr != Vr::none ? entry->vr : element.vr();
}

// The value as UTF-8 text, numbers in binary VRs as decimals.
std::string text_of(const Element& element, Vr vr, const dicom::CharacterSet& character_set) {
    if (dicom::uses_character_set(vr)) return character_set.to_utf8(element.text(), vr);
    if (dicom::is_text(vr) || vr == Vr::UN) return std::string(element.text());
    std::string text;
    for (std::size_t n = 0; const auto number = element.integer(n); ++n) {
        if (n > 0) text += '\\';
        text += std::to_string(*number);
    }
    return text;
}

Result<dicom::MatchKey> match_key(const Element& element, const dicom::CharacterSet& character_set) {
    const Vr vr = vr_of(element);
    auto key = dicom::parse_match_key(element.tag(), vr, text_of(element, vr, character_set));
    if (!key) return Error(Errc::invalid_argument, to_string(element.tag()) + " " + key.error().context);
    return key;
}

// Takes a key of the index; the others are left in `header_keys`.
Result<void> add_key(Identifier& identifier, const Element& element, const dicom::CharacterSet& character_set,
                     dicom::DataSet& header_keys) {
    const Vr vr = vr_of(element);
    const Tag tag = element.tag();
    if (tag.is_group_length() || tag == tags::SpecificCharacterSet) return {};
    const Source source = source_of(tag, identifier.level);
    identifier.returns.push_back({tag, vr, source});
    if (!is_matched(tag)) return {};
    if (source == Source::header) {
        header_keys.set(element);
        return {};
    }
    auto key = match_key(element, character_set);
    if (!key) return std::move(key).error();
    if (key->kind == dicom::MatchKind::universal) return {};
    if (tag == tags::Modality && identifier.level == Level::study) {
        key->tag = tags::ModalitiesInStudy;  // what everybody who asks this at study level means
    } else if (source == Source::nothing) {
        return {};  // an attribute of a level below cannot restrict this one
    }
    identifier.keys.push_back(std::move(*key));
    return {};
}

// The keys that the stored header is asked about, as one matcher; none when they restrict nothing.
Result<void> set_header_keys(Identifier& identifier, dicom::DataSet header_keys,
                             std::string_view character_set) {
    if (header_keys.empty()) return {};
    if (!character_set.empty()) header_keys.set_text(tags::SpecificCharacterSet, Vr::CS, character_set);
    auto matcher = dicom::DataSetMatcher::parse(header_keys);
    if (!matcher) return std::move(matcher).error();
    if (!matcher->is_universal()) identifier.header_keys = std::move(*matcher);
    return {};
}

Result<void> read_level(Identifier& identifier, const dicom::DataSet& data_set) {
    identifier.level_text = std::string(data_set.text(tags::QueryRetrieveLevel));
    const auto* found = std::find_if(kLevels.begin(), kLevels.end(),
                                     [&](const auto& entry) { return entry.first == identifier.level_text; });
    if (found == kLevels.end()) {
        return Error(Errc::invalid_argument, identifier.level_text.empty()
                                                 ? "Query/Retrieve Level (0008,0052) missing"
                                                 : "unknown Query/Retrieve Level (0008,0052)");
    }
    identifier.level = found->second;
    const bool fits = (identifier.model == Model::patient_root) ||
                      (identifier.model == Model::study_root && identifier.level != Level::patient) ||
                      (identifier.model == Model::patient_study_only && identifier.level <= Level::study);
    if (!fits) return Error(Errc::invalid_argument, "the information model has no such Query/Retrieve Level");
    return {};
}

// PS3.4 C.4.1.2.1: the unique keys of the levels above must be there. An empty one restricts nothing.
Result<void> check_unique_keys(const Identifier& identifier, const dicom::DataSet& data_set) {
    const auto top = identifier.model == Model::study_root ? Level::study : Level::patient;
    for (auto level = top; level < identifier.level;
         level = static_cast<Level>(static_cast<int>(level) + 1)) {
        if (!data_set.contains(unique_key(level))) {
            return Error(Errc::invalid_argument, "unique key " + to_string(unique_key(level)) + " missing");
        }
    }
    return {};
}

}  // namespace

Tag unique_key(Level level) noexcept {
    switch (level) {
        case Level::patient: return tags::PatientID;
        case Level::study: return tags::StudyInstanceUID;
        case Level::series: return tags::SeriesInstanceUID;
        case Level::image: break;
    }
    return tags::SOPInstanceUID;
}

Result<Identifier> read_identifier(std::span<const std::byte> bytes, const dicom::TransferSyntax& syntax,
                                   const dicom::Uid& sop_class_uid) {
    const auto model = model_of(sop_class_uid);
    if (!model) return Error(Errc::invalid_argument, "no Query/Retrieve SOP Class");
    dicom::ParseOptions options;
    options.max_depth = 8;
    options.max_elements = 100'000;
    options.max_inflated_bytes = 16u << 20;
    auto parsed = dicom::parse_data_set(bytes, syntax, options);
    if (!parsed) return std::move(parsed).error().within("identifier");
    const dicom::DataSet& data_set = parsed->data_set;

    Identifier identifier;
    identifier.model = *model;
    if (auto read = read_level(identifier, data_set); !read) return std::move(read).error();
    if (auto checked = check_unique_keys(identifier, data_set); !checked) return std::move(checked).error();
    const auto terms = data_set.text(tags::SpecificCharacterSet);
    const auto character_set = dicom::CharacterSet::parse(terms);
    dicom::DataSet header_keys;
    for (const Element element : data_set.elements()) {
        auto added = add_key(identifier, element, character_set, header_keys);
        if (!added) return std::move(added).error();
    }
    auto set = set_header_keys(identifier, std::move(header_keys), terms);
    if (!set) return std::move(set).error();
    return identifier;
}

Result<storage::Scope> retrieve_scope(const Identifier& identifier) {
    storage::Scope scope;
    const std::array<std::pair<Level, std::vector<std::string>*>, 4> lists{
        {{Level::patient, &scope.patient_ids},
         {Level::study, &scope.study_instance_uids},
         {Level::series, &scope.series_instance_uids},
         {Level::image, &scope.sop_instance_uids}}};
    for (const auto& [level, list] : lists) {
        const Tag tag = unique_key(level);
        if (level > identifier.level) break;
        for (const auto& key : identifier.keys) {
            if (key.tag != tag) continue;
            if (key.kind != dicom::MatchKind::single_value && key.kind != dicom::MatchKind::list) {
                return Error(Errc::invalid_argument,
                             "unique key " + to_string(tag) + " must be a value or a list");
            }
            *list = key.values;
        }
        if (level == identifier.level && list->empty()) {
            return Error(Errc::invalid_argument, "unique key " + to_string(tag) + " missing");
        }
    }
    return scope;
}

}  // namespace sagitta::service
