#include "deid/deidentifier.h"

#include <algorithm>
#include <utility>

#include "deid/copier.h"
#include "deid/final_search.h"
#include "deid/identity.h"
#include "deid/markers.h"
#include "deid/original_attributes.h"
#include "deid/pixel_masker.h"
#include "deid/residue.h"
#include "deid/risk.h"
#include "dicom/generated/tags.h"
#include "dicom/writer.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;

Deidentified& quarantine(Deidentified& result, std::string reason) {
    result.quarantined = std::move(reason);
    result.data_set = dicom::DataSet();
    result.bytes.clear();
    result.mappings.clear();
    return result;
}

Result<void> encode(const dicom::DataSet& data_set, const dicom::TransferSyntax& syntax, ByteBuffer& out) {
    dicom::WriteOptions options;
    options.form = dicom::WriteOptions::Form::canonical;
    return dicom::write_data_set(data_set, syntax, out, options);
}

void add_mappings(Deidentified& result, const dicom::DataSet& original, const CopyContext& context,
                  const Copier& copier) {
    result.mappings.push_back({Mapping::Kind::patient, context.patient_pseudonym,
                               original_attributes(original, Mapping::Kind::patient, context.shift_days)});
    result.mappings.push_back({Mapping::Kind::study, result.study_instance_uid,
                               original_attributes(original, Mapping::Kind::study, context.shift_days)});
    for (const auto& [old_uid, new_uid] : copier.uids())
        result.mappings.push_back({Mapping::Kind::uid, new_uid, old_uid});
}

}  // namespace

Deidentifier::Deidentifier(Profile profile, Pseudonyms pseudonyms, DeidentifierOptions options)
    : profile_(std::move(profile)),
      pseudonyms_(std::move(pseudonyms)),
      options_(options),
      markers_(make_markers(profile_)) {
    if (options_.pixels != nullptr || !profile_.options.contains(Option::clean_pixel_data)) return;
    masker_ = std::make_shared<PixelMasker>(profile_.pixels);
    options_.pixels = masker_.get();
}

Result<Deidentified> Deidentifier::apply(const dicom::DataSet& original,
                                         const dicom::TransferSyntax& syntax) const {
    if (original.contains(tags::DirectoryRecordSequence))
        return Error(Errc::unsupported, "a DICOMDIR is no instance: make a new one of the results");
    const auto sop_class = original.uid(tags::SOPClassUID);
    if (!sop_class || !original.uid(tags::SOPInstanceUID))
        return Error(Errc::malformed, "is no instance: SOP Class UID or SOP Instance UID is missing");
    const bool keep_uids = profile_.options.contains(Option::retain_uids);
    const auto new_uid = [&](dicom::Tag tag) {
        const auto old = original.text(tag);
        return keep_uids ? std::string(old) : pseudonyms_.uid(old);
    };
    Deidentified result;
    result.sop_class_uid = sop_class->str();
    result.sop_instance_uid = new_uid(tags::SOPInstanceUID);
    result.series_instance_uid = new_uid(tags::SeriesInstanceUID);
    result.study_instance_uid = new_uid(tags::StudyInstanceUID);

    const auto risk = pixel_risk(original);
    const bool at_risk = risk && (profile_.at_risk == Profile::AtRisk::quarantine ||
                                  profile_.options.contains(Option::clean_pixel_data));
    if (at_risk && options_.pixels == nullptr)
        return std::move(quarantine(result, "pixels at risk: " + std::string(*risk)));
    if (has_encapsulated_document(original) && profile_.encapsulated == Profile::Encapsulated::refuse)
        return std::move(quarantine(result, "an encapsulated document, which cannot be searched"));

    const Identity identity = harvest(original, profile_.options);
    if (!identity.complete)
        return std::move(quarantine(result, "more names and identifiers than can be looked for"));
    auto patient = pseudonyms_.patient(identity.patient);
    if (!patient) return std::move(quarantine(result, patient.error().context));
    const Residue residue(identity);
    const ActiveRules rules(profile_, original);
    const CopyContext context{profile_,
                              pseudonyms_,
                              identity,
                              residue,
                              rules,
                              std::move(*patient),
                              pseudonyms_.shift_days(identity.patient),
                              iod_of(result.sop_class_uid)};
    Copier copier(original, context, result.report);
    result.data_set = copier.run();
    for (const auto& marker : markers_.elements()) result.data_set.set(marker);

    if (options_.pixels != nullptr) {
        const auto cleaned = options_.pixels->clean(original, syntax, result.data_set);
        if (!cleaned) return std::move(quarantine(result, "pixels: " + cleaned.error().context));
        result.report.pixel_masks = cleaned->masks;
        if (at_risk && !cleaned->safe)
            return std::move(quarantine(result, "pixels at risk: " + std::string(*risk)));
    }
    if (auto written = encode(result.data_set, syntax, result.bytes); !written) return written.error();
    auto found = find_residue(result.data_set, result.bytes.span(), syntax, residue);
    if (!found) return std::move(found).error();
    if (*found) return std::move(quarantine(result, **found));
    result.sop_instance_uid = std::string(result.data_set.text(tags::SOPInstanceUID));
    result.series_instance_uid = std::string(result.data_set.text(tags::SeriesInstanceUID));
    result.study_instance_uid = std::string(result.data_set.text(tags::StudyInstanceUID));
    if (options_.mappings) add_mappings(result, original, context, copier);
    return result;
}

}  // namespace sagitta::deid
