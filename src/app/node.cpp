#include "app/node.h"

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include <sys/stat.h>

#include "app/access_rules.h"
#include "app/archive_options.h"
#include "app/deid_projects.h"
#include "app/user_identities.h"
#include "core/freed_memory.h"
#include "core/log.h"
#include "core/worker_pool.h"
#include "net/dimse/server.h"
#include "net/ul/io_threads.h"
#include "service/commitment_scp.h"
#include "service/query_scp.h"
#include "service/retrieve_scp.h"
#include "service/storage_scp.h"
#include "service/worklist_scp.h"
#include "storage/archive.h"
#include "storage/commitment_log.h"
#include "storage/instance_check.h"

namespace sagitta::app {
namespace {

net::ul::AssociationSettings association_settings(const Limits& limits) {
    net::ul::AssociationSettings settings;
    settings.artim_timeout = limits.artim_timeout;
    settings.idle_timeout = limits.idle_timeout;
    return settings;
}

net::dimse::ServerSettings server_settings(const Configuration& configuration) {
    net::dimse::ServerSettings settings;
    settings.listener.bind_address = configuration.node.bind;
    settings.listener.port = configuration.node.port;
    settings.listener.max_associations = configuration.limits.associations;
    settings.listener.max_pdu_bytes = configuration.limits.max_pdu;
    settings.listener.association = association_settings(configuration.limits);
    settings.max_object_bytes = configuration.limits.max_object;
    settings.response_timeout = configuration.limits.response_timeout;
    return settings;
}

net::scu::ClientSettings client_settings(const Configuration& configuration) {
    net::scu::ClientSettings settings;
    settings.calling = configuration.node.ae_title;
    settings.association = association_settings(configuration.limits);
    settings.max_pdu_bytes = configuration.limits.max_pdu;
    settings.response_timeout = configuration.limits.response_timeout;
    return settings;
}

/// `configuration` outlives the answer.
service::FindDestination find_peer(const Configuration& configuration) {
    return [&peers =
                configuration.peers](const net::ul::AeTitle& wanted) -> std::optional<net::scu::Address> {
        const auto found = std::find_if(peers.begin(), peers.end(),
                                        [&](const Peer& peer) { return peer.address.ae_title == wanted; });
        if (found == peers.end()) return std::nullopt;
        net::scu::Address address;
        address.called = found->address.ae_title;
        address.host = found->address.host;
        address.port = found->address.port;
        return address;
    };
}

service::RetrieveScpSettings retrieve_settings(const Configuration& configuration,
                                               const DeidProjects& projects) {
    service::RetrieveScpSettings settings;
    settings.client = client_settings(configuration);
    settings.find_destination = find_peer(configuration);
    // By name alone: a peer that comes from elsewhere gets no more than it would from home.
    settings.find_project = [&peers = configuration.peers,
                             &projects](const net::ul::AeTitle& wanted) -> deid::Project* {
        const auto found = std::find_if(peers.begin(), peers.end(), [&](const Peer& peer) {
            return peer.address.ae_title == wanted && !peer.deidentify.empty();
        });
        return found == peers.end() ? nullptr : projects.find(found->deidentify);
    };
    return settings;
}

service::CommitmentScpSettings commitment_settings(const Configuration& configuration,
                                                   std::vector<service::SenderRule> senders) {
    service::CommitmentScpSettings settings;
    settings.client = client_settings(configuration);
    settings.find_requestor = find_peer(configuration);
    settings.find_other_names = [senders = std::move(senders)](std::string_view requestor,
                                                               std::string_view sop_instance_uid) {
        return service::other_names(senders, requestor, sop_instance_uid);
    };
    settings.retry = configuration.commitment.retry;
    settings.longest_retry = std::max(settings.longest_retry, settings.retry);
    settings.give_up = configuration.commitment.give_up;
    settings.max_instances = configuration.commitment.max_instances;
    settings.max_requests = configuration.commitment.max_requests;
    return settings;
}

void report(const storage::RecoveryReport& recovery) {
    if (recovery.index_rebuilt) log::warning("the index was rebuilt from the volumes");
    if (recovery.instances_indexed != 0) {
        log::info("recovery: {} instances in volumes were not yet indexed", recovery.instances_indexed);
    }
    if (recovery.bytes_truncated != 0) {
        log::info("recovery: {} bytes of an unfinished, never acknowledged batch removed",
                  recovery.bytes_truncated);
    }
    for (const auto& damage : recovery.damage) log::error("damage: {}", damage);
}

// Blocked before the first thread exists, so that every thread inherits it and one waits.
sigset_t block_signals() {
    std::signal(SIGPIPE, SIG_IGN);
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    return signals;
}

void wait_for_the_end(const sigset_t& signals) {
    while (true) {
        int signal = 0;
        if (sigwait(&signals, &signal) != 0) continue;
        if (signal != SIGHUP) {
            log::info("stopping: signal {}", signal);
            return;
        }
        log::warning("SIGHUP ignored: the configuration is read at start-up only");
    }
}

}  // namespace

int serve(const Configuration& configuration) {
    keep_freed_memory();
    const sigset_t signals = block_signals();
    log::set_level(configuration.log_level);
    umask(S_IWGRP | S_IRWXO);  // archive and index hold patient data: nothing for others

    auto opened = storage::Archive::open(archive_options(configuration));
    if (!opened) {
        log::error("archive {}: {}", configuration.node.data, opened.error().message());
        return 1;
    }
    const std::unique_ptr<storage::Archive> archive = std::move(*opened);
    report(archive->recovery());

    DeidProjects projects;
    if (auto ready = projects.open(configuration); !ready) {
        log::error("{}", ready.error().message());
        return 1;
    }
    WorkerPool workers(configuration.worker_threads);
    AccessRules access(configuration);
    UserIdentities identities(configuration, workers);
    ReportingGate gate(access, projects, workers);
    const auto senders = projects.rules(configuration.senders);
    service::StorageScp storage_scp(*archive, workers, {configuration.limits.sequence_depth, senders});
    service::QueryScp query_scp(archive->index(), archive->store(), workers,
                                {configuration.node.ae_title.str(), configuration.limits.max_matches});
    service::RetrieveScp retrieve_scp(archive->index(), archive->store(), workers,
                                      retrieve_settings(configuration, projects));

    service::Worklist worklist(worklist_folder(configuration));
    service::WorklistScp worklist_scp(worklist, workers, query_scp, configuration.limits.max_matches);

    auto commitments = storage::CommitmentLog::open(configuration.node.data);
    if (!commitments) {
        log::error("{}", commitments.error().message());
        return 1;
    }
    const auto instances = storage::InstanceCheck::make(configuration.node.data, archive->store());
    service::CommitmentScp commitment_scp(**commitments, *instances, workers,
                                          commitment_settings(configuration, senders));

    net::dimse::Handlers handlers;
    handlers.gate = &gate;
    if (!configuration.users.empty()) handlers.identity = &identities;
    handlers.store = &storage_scp;
    handlers.find = &worklist_scp;
    handlers.get = &retrieve_scp;
    handlers.move = &retrieve_scp;
    handlers.action = &commitment_scp;

    net::ul::IoThreads io(configuration.network_threads);
    net::dimse::Server server(io, server_settings(configuration), handlers);
    auto started = commitment_scp.start(io);
    if (started) started = server.start();
    if (!started) {
        log::error("{}", started.error().message());
        commitment_scp.stop({});
        return 1;
    }
    log::info("{} listening on {}:{}, archive {}", configuration.node.ae_title.view(),
              configuration.node.bind, server.port(), configuration.node.data);
    wait_for_the_end(signals);
    server.stop(configuration.limits.shutdown_grace);
    commitment_scp.stop(configuration.limits.shutdown_grace);
    archive->close();
    log::info("stopped");
    return 0;
}

}  // namespace sagitta::app
