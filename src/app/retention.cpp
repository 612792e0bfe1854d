#include "app/retention.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "core/log.h"
#include "dicom/generated/tags.h"
#include "storage/keeper.h"
#include "storage/stored_header.h"
#include "storage/study_age.h"

namespace sagitta::app {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

/// What the rules are asked about; nothing when the study is gone or its header cannot be read.
Result<std::optional<storage::StoredHeader>> description(const storage::Archive& archive,
                                                         const std::string& study_uid) {
    storage::Query query;
    query.level = storage::Level::study;
    query.keys = {{tags::StudyInstanceUID, Vr::UI, dicom::MatchKind::single_value, {study_uid}}};
    query.want_instance = true;
    std::optional<storage::InstanceLocation> instance;
    std::string modalities;
    auto found = archive.index().find(query, [&](const storage::Match& match) {
        if (match.instance != nullptr) instance = *match.instance;
        modalities = match.value(tags::ModalitiesInStudy);
        return false;
    });
    if (!found) return std::move(found).error();
    if (!instance) return std::optional<storage::StoredHeader>();
    auto header = storage::read_header(archive.store(), *instance);
    if (!header && header.error().code == Errc::io_failure) return std::move(header).error();
    if (!header) {
        log::warning("retention: a study is kept, its header cannot be read: volume={} offset={}",
                     instance->volume, instance->offset);
        return std::optional<storage::StoredHeader>();
    }
    header->data_set.set_text(tags::ModalitiesInStudy, Vr::CS, modalities);
    return std::optional(std::move(*header));
}

}  // namespace

Result<RetentionReport> apply_retention(const storage::Archive& archive, Deletion& deletion,
                                        const std::string& data_dir, std::span<const Retention> rules,
                                        std::chrono::seconds undelete_for, std::int64_t now,
                                        const std::function<bool()>& stopping) {
    RetentionReport report;
    std::optional<std::chrono::seconds> shortest;
    for (const auto& rule : rules) {
        if (rule.keep_for) shortest = std::min(shortest.value_or(*rule.keep_for), *rule.keep_for);
    }
    if (!shortest) return report;
    auto studies = storage::quiet_studies(data_dir, now - shortest->count());
    if (!studies) return std::move(studies).error();
    for (const auto& study : *studies) {
        if (stopping()) break;
        auto described = description(archive, study.study_instance_uid);
        if (!described) return std::move(described).error();
        if (!*described) continue;
        const auto rule = std::find_if(rules.begin(), rules.end(), [&](const Retention& candidate) {
            return candidate.match.matches((*described)->data_set);
        });
        if (rule == rules.end() || !rule->keep_for) continue;
        if (study.last_arrival + rule->keep_for->count() > now) continue;
        storage::Scope scope;
        scope.study_instance_uids.push_back(study.study_instance_uid);
        auto removed = deletion.remove(scope, {undelete_for, false});
        if (!removed && removed.error().code == Errc::not_found) continue;
        if (!removed && removed.error().code == Errc::refused) {
            ++report.kept_protected;
            continue;
        }
        if (!removed) return std::move(removed).error();
        ++report.studies;
        report.instances += removed->instances;
        report.bytes += removed->bytes;
    }
    return report;
}

}  // namespace sagitta::app
