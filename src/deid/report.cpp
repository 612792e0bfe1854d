#include "deid/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dicom/dictionary.h"

namespace sagitta::deid {
namespace {

std::string name_of(Tag tag) {
    const auto* entry = dicom::find_tag(tag);
    return entry == nullptr || entry->keyword.empty() ? dicom::to_string(tag) : std::string(entry->keyword);
}

std::vector<std::string> option_names(const OptionSet& options) {
    std::vector<std::string> names;
    for (std::uint8_t index = 0; index < kOptionCount; ++index) {
        const auto option = static_cast<Option>(index);
        if (options.contains(option)) names.emplace_back(to_string(option));
    }
    return names;
}

nlohmann::json to_json(const ResidueCounts& counts) {
    return {{"names", counts.names}, {"ids", counts.ids}, {"dates", counts.dates}, {"other", counts.other}};
}

}  // namespace

std::string attribute_name(Tag parent, Tag tag) {
    return parent == Tag() ? name_of(tag) : name_of(parent) + "." + name_of(tag);
}

void Report::add(const std::string& study, const InstanceReport& instance) {
    Study& into = studies_[study];
    ++into.instances;
    into.kept += instance.kept;
    into.pixel_masks += instance.pixel_masks;
    for (const auto& done : instance.done) {
        Key key(done.parent, done.tag, to_string(done.decision, profile_), to_string(done.action));
        ++into.done[std::move(key)];
    }
    for (const auto& cut : instance.cut) {
        ResidueCounts& counts = into.cut[{cut.parent, cut.tag}];
        counts.names += cut.counts.names;
        counts.ids += cut.counts.ids;
        counts.dates += cut.counts.dates;
        counts.other += cut.counts.other;
    }
}

void Report::add_quarantined(const std::string& study, const std::string& sop_instance_uid,
                             std::string reason) {
    studies_[study].quarantined.emplace_back(sop_instance_uid, std::move(reason));
}

void Report::add_unreadable(std::uint64_t number, std::string reason) {
    unreadable_.emplace_back(number, std::move(reason));
}

std::string Report::json() const {
    nlohmann::json studies = nlohmann::json::array();
    for (const auto& [uid, study] : studies_) {
        nlohmann::json attributes = nlohmann::json::array();
        for (const auto& [key, count] : study.done) {
            const auto& [parent, tag, decision, action] = key;
            attributes.push_back({{"attribute", attribute_name(parent, tag)},
                                  {"tag", dicom::to_string(tag)},
                                  {"decided_by", decision},
                                  {"action", action},
                                  {"count", count}});
        }
        nlohmann::json residue = nlohmann::json::array();
        for (const auto& [where, counts] : study.cut)
            residue.push_back(
                {{"attribute", attribute_name(where.first, where.second)}, {"cut", to_json(counts)}});
        nlohmann::json quarantined = nlohmann::json::array();
        for (const auto& [instance, reason] : study.quarantined)
            quarantined.push_back({{"sop_instance_uid", instance}, {"reason", reason}});
        studies.push_back({{"study_instance_uid", uid},
                           {"instances", study.instances},
                           {"elements_kept", study.kept},
                           {"pixel_masks", study.pixel_masks},
                           {"attributes", std::move(attributes)},
                           {"residue", std::move(residue)},
                           {"quarantined", std::move(quarantined)}});
    }
    nlohmann::json unreadable = nlohmann::json::array();
    for (const auto& [number, reason] : unreadable_)
        unreadable.push_back({{"file", number}, {"reason", reason}});
    const nlohmann::json report = {{"profile", profile_.name},
                                   {"profile_sha256", profile_.digest},
                                   {"options", option_names(profile_.options)},
                                   {"table", fmt::format("PS3.15 {} Table E.1-1", kTableEdition)},
                                   {"key", key_identifier_},
                                   {"studies", std::move(studies)},
                                   {"unreadable", std::move(unreadable)}};
    return report.dump(2) + "\n";
}

std::string Report::text() const {
    std::string out =
        fmt::format("De-identification by profile {} (SHA-256 {})\nOptions: {}\nKey: {}\n", profile_.name,
                    profile_.digest, fmt::join(option_names(profile_.options), ", "), key_identifier_);
    for (const auto& [uid, study] : studies_) {
        out +=
            fmt::format("\nStudy {}\n  {} instances written, {} quarantined, {} elements kept as they were\n",
                        uid, study.instances, study.quarantined.size(), study.kept);
        for (const auto& [key, count] : study.done) {
            const auto& [parent, tag, decision, action] = key;
            out += fmt::format("  {:>6} x {:<5} {}  [{}]\n", count, action, attribute_name(parent, tag),
                               decision);
        }
        for (const auto& [where, c] : study.cut) {
            out += fmt::format("  cut out of {}: {} names, {} identifiers, {} dates, {} others\n",
                               attribute_name(where.first, where.second), c.names, c.ids, c.dates, c.other);
        }
        for (const auto& [instance, reason] : study.quarantined)
            out += fmt::format("  QUARANTINED {}: {}\n", instance, reason);
    }
    for (const auto& [number, reason] : unreadable_)
        out += fmt::format("\nUNREADABLE file {}: {}\n", number, reason);
    return out;
}

}  // namespace sagitta::deid
