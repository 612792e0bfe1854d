#include "missing_instances.h"

#include <algorithm>
#include <map>
#include <utility>

#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::tools {
namespace {

namespace tags = dicom::tags;
namespace uids = dicom::uids;
using dicom::DataSet;
using dicom::Uid;
using dicom::Vr;

constexpr std::size_t kMaxContexts = 127;  // 128 less one for the model
constexpr std::size_t kUidsAtOnce = 64;
constexpr std::size_t kMaxInstances = 1'000'000;  // a peer that lists for ever

Uid find_model(const Query& query) {
    return *Uid::parse(query.patient_root ? uids::PatientRootQueryRetrieveInformationModelFind
                                          : uids::StudyRootQueryRetrieveInformationModelFind);
}

std::vector<Uid> uids_of(const DataSet& data_set, dicom::Tag tag) {
    std::vector<Uid> found;
    const auto element = data_set.find(tag);
    if (!element) return found;
    for (std::size_t n = 0; !element->text(n).empty(); ++n) {
        if (auto uid = Uid::parse(element->text(n))) found.push_back(*uid);
    }
    return found;
}

// The identifier of one level below what is known: unique keys above, and what is to come back.
DataSet level_identifier(const Query& query, std::string_view level,
                         const std::vector<std::pair<dicom::Tag, Uid>>& above) {
    DataSet identifier;
    identifier.set_text(tags::QueryRetrieveLevel, Vr::CS, level);
    if (query.patient_root)
        identifier.set_text(tags::PatientID, Vr::LO, query.identifier.text(tags::PatientID));
    for (const auto& [tag, uid] : above) identifier.set_text(tag, Vr::UI, uid.view());
    return identifier;
}

// Asks one level and collects what `read` makes of each answer.
Task<Result<void>> ask(net::scu::Client& client, const Query& query, const DataSet& identifier,
                       const std::function<void(const DataSet&)>& read) {
    std::size_t answers = 0;
    net::scu::OnMatch on_match = [&read, &answers](const DataSet& match) -> Task<bool> {
        read(match);
        co_return ++answers < kMaxInstances;
    };
    auto outcome = co_await client.find(find_model(query), identifier, on_match);
    if (!outcome) co_return std::move(outcome).error();
    if (outcome->status != net::dimse::Status::success) co_return Error(Errc::refused, describe(*outcome));
    co_return Result<void>();
}

// The UIDs the query names at a level, or all the peer has there.
Task<Result<std::vector<Uid>>> uids_at(net::scu::Client& client, const Query& query, std::string_view level,
                                       dicom::Tag tag, const std::vector<std::pair<dicom::Tag, Uid>>& above) {
    auto named = uids_of(query.identifier, tag);
    if (!named.empty()) co_return named;
    DataSet identifier = level_identifier(query, level, above);
    identifier.set_text(tag, Vr::UI, {});
    std::vector<Uid> found;
    const std::function<void(const DataSet&)> read = [&found, tag](const DataSet& match) {
        if (auto uid = match.uid(tag)) found.push_back(*uid);
    };
    auto asked = co_await ask(client, query, identifier, read);
    if (!asked) co_return std::move(asked).error();
    co_return found;
}

Task<Result<void>> list_series(net::scu::Client& client, const Query& query, Uid study, Uid series,
                               const std::set<Uid>& received, std::vector<RemoteInstance>& missing) {
    const std::vector<std::pair<dicom::Tag, Uid>> above{{tags::StudyInstanceUID, study},
                                                        {tags::SeriesInstanceUID, series}};
    DataSet identifier = level_identifier(query, "IMAGE", above);
    identifier.set_text(tags::SOPInstanceUID, Vr::UI, query.identifier.text(tags::SOPInstanceUID));
    identifier.set_text(tags::SOPClassUID, Vr::UI, {});
    identifier.set_text(tags::AvailableTransferSyntaxUID, Vr::UI, {});
    const std::function<void(const DataSet&)> read = [&](const DataSet& match) {
        const auto sop_instance = match.uid(tags::SOPInstanceUID);
        const auto sop_class = match.uid(tags::SOPClassUID);
        if (!sop_instance || !sop_class || received.contains(*sop_instance)) return;
        RemoteInstance instance{study, series, *sop_instance, *sop_class, {}};
        for (const Uid& syntax : uids_of(match, tags::AvailableTransferSyntaxUID)) {
            instance.transfer_syntaxes.push_back(syntax.str());
        }
        missing.push_back(std::move(instance));
    };
    co_return co_await ask(client, query, identifier, read);
}

bool is_current_syntax(const dicom::TransferSyntax& syntax) {
    const auto* entry = dicom::find_uid(syntax.uid);
    return entry != nullptr && (!entry->retired || syntax.uid == uids::ExplicitVRBigEndian);
}

// (class, syntax) pairs an instance may come in.
std::vector<std::pair<std::string, std::string>> pairs_of(const RemoteInstance& instance) {
    std::vector<std::pair<std::string, std::string>> pairs;
    for (const auto& syntax : instance.transfer_syntaxes)
        pairs.emplace_back(instance.sop_class.str(), syntax);
    if (!pairs.empty()) return pairs;
    for (const auto& syntax : dicom::transfer_syntaxes()) {
        if (is_current_syntax(syntax)) pairs.emplace_back(instance.sop_class.str(), std::string(syntax.uid));
    }
    return pairs;
}

}  // namespace

Task<Result<std::vector<RemoteInstance>>> missing_instances(const Caller& caller, const Query& query,
                                                            const std::set<Uid>& received) {
    net::scu::WantedContext wish;
    wish.sop_class_uid = find_model(query).str();
    wish.transfer_syntaxes = {std::string(uids::ExplicitVRLittleEndian),
                              std::string(uids::ImplicitVRLittleEndian)};
    const std::vector<net::scu::WantedContext> wanted{wish};
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) co_return std::move(opened).error();
    auto& client = **opened;
    std::vector<RemoteInstance> missing;
    const std::vector<std::pair<dicom::Tag, Uid>> top;
    auto studies = co_await uids_at(client, query, "STUDY", tags::StudyInstanceUID, top);
    if (!studies) co_return std::move(studies).error();
    for (const Uid& study : *studies) {
        const std::vector<std::pair<dicom::Tag, Uid>> above{{tags::StudyInstanceUID, study}};
        auto all_series = co_await uids_at(client, query, "SERIES", tags::SeriesInstanceUID, above);
        if (!all_series) co_return std::move(all_series).error();
        for (const Uid& series : *all_series) {
            auto listed = co_await list_series(client, query, study, series, received, missing);
            if (!listed) co_return std::move(listed).error();
        }
    }
    (void)co_await client.release();
    co_return missing;
}

std::vector<RetrieveGroup> group_by_contexts(std::vector<RemoteInstance> instances) {
    std::vector<RetrieveGroup> groups;
    std::set<std::pair<std::string, std::string>> offered;
    for (auto& instance : instances) {
        std::vector<std::pair<std::string, std::string>> added;
        for (auto& pair : pairs_of(instance)) {
            if (!offered.contains(pair)) added.push_back(std::move(pair));
        }
        if (groups.empty() || offered.size() + added.size() > kMaxContexts) {
            groups.emplace_back();
            offered.clear();
            added = pairs_of(instance);
        }
        for (auto& pair : added) {
            net::scu::WantedContext context;
            context.sop_class_uid = pair.first;
            context.transfer_syntaxes = {pair.second};
            context.as_scp = true;
            groups.back().contexts.push_back(std::move(context));
            offered.insert(std::move(pair));
        }
        groups.back().instances.push_back(std::move(instance));
    }
    return groups;
}

std::vector<DataSet> image_identifiers(const RetrieveGroup& group, const Query& query) {
    std::map<std::pair<Uid, Uid>, std::vector<std::string>> by_series;
    for (const auto& instance : group.instances) {
        auto& lists = by_series[{instance.study, instance.series}];
        const bool full =
            lists.empty() ||
            static_cast<std::size_t>(std::count(lists.back().begin(), lists.back().end(), '\\')) + 1 >=
                kUidsAtOnce;
        if (full) {
            lists.push_back(instance.sop_instance.str());
        } else {
            lists.back() += "\\" + instance.sop_instance.str();
        }
    }
    std::vector<DataSet> identifiers;
    for (const auto& [series, lists] : by_series) {
        const std::vector<std::pair<dicom::Tag, Uid>> above{{tags::StudyInstanceUID, series.first},
                                                            {tags::SeriesInstanceUID, series.second}};
        for (const auto& list : lists) {
            identifiers.push_back(level_identifier(query, "IMAGE", above));
            identifiers.back().set_text(tags::SOPInstanceUID, Vr::UI, list);
        }
    }
    return identifiers;
}

}  // namespace sagitta::tools
