#include "app/step_services.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "storage/keeper.h"

namespace sagitta::app {
namespace {

service::ProcedureStepScpSettings scp_settings(const Configuration& configuration,
                                               const std::vector<service::SenderRule>& senders,
                                               service::CompletionWatch& completion) {
    service::ProcedureStepScpSettings settings;
    settings.strict = configuration.mpps.strict;
    settings.max_object_bytes = configuration.mpps.max_object;
    settings.max_in_progress = configuration.mpps.max_in_progress;
    settings.is_deidentified = [senders](std::string_view calling) {
        return !service::other_names(senders, calling, "1").empty();
    };
    settings.gets_deidentified = [&peers = configuration.peers](std::string_view calling) {
        return std::any_of(peers.begin(), peers.end(), [&](const Peer& peer) {
            return peer.address.ae_title == calling && !peer.deidentify.empty();
        });
    };
    settings.on_final_state = [&completion] { completion.step_ended(); };
    return settings;
}

Result<void> note_completion(const service::StepProgress& progress, storage::Keeper& keeper) {
    const auto& step = progress.step;
    if (step.state != storage::StepState::completed || step.study_instance_uids.empty()) return {};
    return keeper.note_completion(step.study_instance_uids, step.sop_instance_uid);
}

service::CompletionWatchSettings watch_settings(const Configuration& configuration,
                                                service::AvailabilityScu& availability,
                                                storage::Keeper& keeper) {
    service::CompletionWatchSettings settings;
    settings.patience = configuration.mpps.patience;
    settings.keep = configuration.mpps.keep;
    settings.on_arrival = [&availability, &keeper](const service::StepProgress& progress) {
        if (auto noted = note_completion(progress, keeper); !noted) return noted;
        return availability.step_arrived(progress);
    };
    return settings;
}

service::AvailabilityScuSettings availability_settings(const Configuration& configuration,
                                                       const net::scu::ClientSettings& client,
                                                       const TlsContexts& tls) {
    service::AvailabilityScuSettings settings;
    settings.client = client;
    for (const auto& peer : configuration.peers) {
        const auto same_name = [&](const auto& known) { return known.called == peer.address.ae_title; };
        if (!peer.notify || std::any_of(settings.peers.begin(), settings.peers.end(), same_name)) continue;
        net::scu::Address address;
        address.called = peer.address.ae_title;
        address.host = peer.address.host;
        address.port = peer.address.port;
        if (peer.tls) {
            address.tls = tls.requestor;
            address.tls_identity = peer.certificate;
        }
        settings.peers.push_back(std::move(address));
    }
    settings.retrieve_ae_title = configuration.node.ae_title.str();
    settings.quiet = configuration.availability.quiet;
    settings.retry = configuration.availability.retry;
    settings.longest_retry = std::max(settings.longest_retry, settings.retry);
    settings.give_up = configuration.availability.give_up;
    return settings;
}

}  // namespace

StepServices::StepServices(std::unique_ptr<storage::ProcedureStepLog> steps,
                           std::unique_ptr<storage::NoticeLog> notices, const Configuration& configuration,
                           const net::scu::ClientSettings& client, const TlsContexts& tls,
                           const std::vector<service::SenderRule>& senders, storage::Archive& archive,
                           WorkerPool& workers)
    : steps_(std::move(steps)),
      notices_(std::move(notices)),
      availability_(*notices_, *steps_, archive.index(), availability_settings(configuration, client, tls)),
      completion_(*steps_, archive.index(), watch_settings(configuration, availability_, archive.keeper())),
      scp_(*steps_, workers, scp_settings(configuration, senders, completion_)) {}

Result<std::unique_ptr<StepServices>> StepServices::open(const Configuration& configuration,
                                                         const net::scu::ClientSettings& client,
                                                         const TlsContexts& tls,
                                                         const std::vector<service::SenderRule>& senders,
                                                         storage::Archive& archive, WorkerPool& workers) {
    auto steps = storage::ProcedureStepLog::open(configuration.node.data);
    if (!steps) return std::move(steps).error();
    auto notices = storage::NoticeLog::open(configuration.node.data);
    if (!notices) return std::move(notices).error();
    return std::unique_ptr<StepServices>(new StepServices(
        std::move(*steps), std::move(*notices), configuration, client, tls, senders, archive, workers));
}

Result<void> StepServices::start(net::ul::IoThreads& io) {
    if (auto started = availability_.start(io); !started) return started;
    return completion_.start();
}

void StepServices::stop(std::chrono::milliseconds grace) {
    completion_.stop();
    availability_.stop(grace);
}

}  // namespace sagitta::app
