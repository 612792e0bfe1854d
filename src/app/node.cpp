#include "app/node.h"

#include <algorithm>
#include <csignal>
#include <memory>
#include <optional>
#include <utility>

#include <sys/resource.h>
#include <sys/stat.h>

#include "app/access_rules.h"
#include "app/archive_administration.h"
#include "app/archive_options.h"
#include "app/audit_handlers.h"
#include "app/audit_trail.h"
#include "app/control_server.h"
#include "app/deid_projects.h"
#include "app/deletion.h"
#include "app/house_keeping.h"
#include "app/listening.h"
#include "app/step_services.h"
#include "app/tls_files.h"
#include "app/user_identities.h"
#include "core/freed_memory.h"
#include "core/log.h"
#include "core/worker_pool.h"
#include "net/ul/io_threads.h"
#include "service/commitment_scp.h"
#include "service/query_scp.h"
#include "service/retrieve_scp.h"
#include "service/storage_scp.h"
#include "service/worklist_scp.h"
#include "storage/archive.h"
#include "storage/commitment_log.h"
#include "storage/instance_check.h"
#include "storage/patrol.h"
#include "trace/trace_folder.h"

namespace sagitta::app {
namespace {

net::scu::ClientSettings client_settings(const Configuration& configuration) {
    net::scu::ClientSettings settings;
    settings.calling = configuration.node.ae_title;
    settings.association = association_settings(configuration.limits);
    settings.max_pdu_bytes = configuration.limits.max_pdu;
    settings.operations_window = configuration.limits.operations_window;
    settings.response_timeout = configuration.limits.response_timeout;
    return settings;
}

/// `configuration` outlives the answer.
service::FindDestination find_peer(const Configuration& configuration, const TlsContexts& contexts) {
    return [&peers = configuration.peers,
            tls = contexts.requestor](const net::ul::AeTitle& wanted) -> std::optional<net::scu::Address> {
        const auto found = std::find_if(peers.begin(), peers.end(),
                                        [&](const Peer& peer) { return peer.address.ae_title == wanted; });
        if (found == peers.end()) return std::nullopt;
        net::scu::Address address;
        address.called = found->address.ae_title;
        address.host = found->address.host;
        address.port = found->address.port;
        if (found->tls) {
            address.tls = tls;
            address.tls_identity = found->certificate;
        }
        return address;
    };
}

service::RetrieveScpSettings retrieve_settings(const Configuration& configuration,
                                               const DeidProjects& projects, const TlsContexts& tls) {
    service::RetrieveScpSettings settings;
    settings.client = client_settings(configuration);
    settings.pool.max_per_peer = configuration.limits.associations_to_peer;
    settings.pool.keep = configuration.limits.keep_associations;
    settings.pool.patience = configuration.limits.response_timeout;
    settings.find_destination = find_peer(configuration, tls);
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
                                                   std::vector<service::SenderRule> senders,
                                                   const TlsContexts& tls) {
    service::CommitmentScpSettings settings;
    settings.client = client_settings(configuration);
    settings.find_requestor = find_peer(configuration, tls);
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

storage::PatrolSettings patrol_settings(const Configuration& configuration) {
    storage::PatrolSettings settings;
    settings.data_dir = configuration.node.data;
    settings.every = configuration.patrol.every;
    settings.bytes_per_second = configuration.patrol.rate;
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

/// Connections are descriptors: as many as the system grants without being asked for more.
void allow_many_connections() {
    rlimit limit{};
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

/// Without it the node does the rest all the same.
std::unique_ptr<ControlServer> listen_to_administrators(const Configuration& configuration,
                                                        storage::Archive& archive, audit::AuditTrail* trail) {
    auto socket = ControlSocket::listen(configuration.node.data);
    if (!socket) {
        log::warning("control: no commands are taken while the node runs: {}", socket.error().message());
        return nullptr;
    }
    auto administration = [&configuration, &archive, trail](const std::string& account) {
        ArchiveAdministration::Settings settings;
        settings.trail = trail;
        settings.by.ae_title = configuration.node.ae_title.str();
        settings.by.user = account;
        settings.import_memory = configuration.storage.memory_budget / 4;
        return std::make_unique<ArchiveAdministration>(archive, configuration, std::move(settings));
    };
    return std::make_unique<ControlServer>(std::move(*socket), std::move(administration));
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
    allow_many_connections();
    umask(S_IWGRP | S_IRWXO);  // archive and index hold patient data: nothing for others

    auto options = archive_options(configuration);
    options.indexed_attributes = configuration.storage.index;
    auto opened = storage::Archive::open(std::move(options));
    if (!opened) {
        log::error("archive {}: {}", configuration.node.data, opened.error().message());
        return 1;
    }
    const std::unique_ptr<storage::Archive> archive = std::move(*opened);
    report(archive->recovery());

    const auto tls = open_tls(configuration);
    if (!tls) {
        log::error("{}", tls.error().message());
        return 1;
    }
    for (const auto& warning : check_tls(configuration).warnings) log::warning("{}", warning);

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
    std::shared_ptr<trace::TraceFolder> trace;
    if (!configuration.trace_folder.empty()) {
        auto opened_trace = trace::TraceFolder::open(configuration.trace_folder);
        if (!opened_trace) {
            log::error("{}", opened_trace.error().message());
            return 1;
        }
        trace = std::move(*opened_trace);
        log::warning("associations are traced in {}: slower, and for as long as somebody looks for a fault",
                     configuration.trace_folder);
    }
    const auto trail = open_audit_trail(configuration);
    if (!trail) {
        log::error("{}", trail.error().message());
        return 1;
    }
    std::optional<AuditHandlers> auditing;
    if (*trail) auditing.emplace(**trail, configuration.node.ae_title.str());
    service::StorageScpSettings storing;
    storing.sequence_depth = configuration.limits.sequence_depth;
    storing.senders = senders;
    if (auditing) {
        storing.on_filed = [&auditing](const auto& association, const auto& instance) {
            auditing->filed(association, instance);
        };
    }
    service::StorageScp storage_scp(*archive, workers, std::move(storing));
    service::QueryScp query_scp(archive->index(), archive->store(), workers,
                                {configuration.node.ae_title.str(), configuration.limits.max_matches});
    auto retrieving = retrieve_settings(configuration, projects, *tls);
    retrieving.client.association.observers = trace.get();
    service::RetrieveScp retrieve_scp(archive->index(), archive->store(), workers, std::move(retrieving));

    service::Worklist worklist(worklist_folder(configuration));
    service::WorklistScp worklist_scp(worklist, workers, query_scp, configuration.limits.max_matches);

    auto commitments = storage::CommitmentLog::open(configuration.node.data);
    if (!commitments) {
        log::error("{}", commitments.error().message());
        return 1;
    }
    const auto instances = storage::InstanceCheck::make(configuration.node.data, archive->store());
    auto committing = commitment_settings(configuration, senders, *tls);
    committing.client.association.observers = trace.get();
    service::CommitmentScp commitment_scp(**commitments, *instances, workers, std::move(committing));

    auto notifying = client_settings(configuration);
    notifying.association.observers = trace.get();
    auto steps = StepServices::open(configuration, notifying, *tls, senders, *archive, workers);
    if (!steps) {
        log::error("{}", steps.error().message());
        return 1;
    }

    net::dimse::Handlers handlers;
    handlers.gate = &gate;
    if (!configuration.users.empty()) handlers.identity = &identities;
    handlers.store = &storage_scp;
    handlers.find = &worklist_scp;
    handlers.get = &retrieve_scp;
    handlers.move = &retrieve_scp;
    handlers.action = &commitment_scp;
    handlers.instance = &(*steps)->handler();
    if (auditing) handlers = auditing->stand_before(handlers);

    net::ul::IoThreads io(configuration.network_threads);
    Listening ports(io, configuration, *tls, handlers, trace.get());
    audit::Node ourselves;
    ourselves.ae_title = configuration.node.ae_title.str();
    Deletion deletion(*archive, trail->get(), ourselves);
    std::optional<HouseKeeping> house;
    house.emplace(*archive, deletion, configuration.node.data, configuration.storage,
                  configuration.retentions);
    auto control = listen_to_administrators(configuration, *archive, trail->get());
    auto started = commitment_scp.start(io);
    if (started) started = (*steps)->start(io);
    if (started) started = ports.start();
    if (!started) {
        log::error("{}", started.error().message());
        commitment_scp.stop({});
        (*steps)->stop({});
        return 1;
    }
    if (auditing) auditing->activity(true);
    storage::Patrol patrol(archive->index(), *instances, patrol_settings(configuration));
    patrol.start();
    wait_for_the_end(signals);
    patrol.stop();
    control.reset();
    ports.stop(configuration.limits.shutdown_grace);
    retrieve_scp.close();
    if (auditing) auditing->activity(false);
    commitment_scp.stop(configuration.limits.shutdown_grace);
    (*steps)->stop(configuration.limits.shutdown_grace);
    house.reset();
    archive->close();
    log::info("stopped");
    return 0;
}

}  // namespace sagitta::app
