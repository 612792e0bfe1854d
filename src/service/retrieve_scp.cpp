#include "service/retrieve_scp.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "service/dimse_status.h"
#include "service/identifier.h"
#include "service/stored_payload.h"
#include "service/sub_operations.h"

namespace sagitta::service {
namespace {

using net::dimse::AssociationInfo;
using net::dimse::Outcome;
using net::dimse::RetrieveOutcome;
using net::dimse::Status;
using storage::InstanceLocation;

RetrieveOutcome refused(Outcome outcome) {
    RetrieveOutcome answer;
    answer.outcome = std::move(outcome);
    return answer;
}

// One context for each way a stored SOP class is encoded.
std::vector<net::scu::WantedContext> wanted_for(const std::vector<InstanceLocation>& instances) {
    std::set<std::pair<std::string_view, std::string_view>> pairs;
    for (const auto& instance : instances) pairs.emplace(instance.sop_class_uid, instance.transfer_syntax_uid);
    std::vector<net::scu::WantedContext> wanted;
    for (const auto& [sop_class, syntax] : pairs) {
        net::scu::WantedContext context;
        context.sop_class_uid = std::string(sop_class);
        context.transfer_syntaxes.emplace_back(syntax);
        wanted.push_back(std::move(context));
    }
    return wanted;
}

std::string store_failure(Status status) {
    return fmt::format("a C-STORE sub-operation was answered {:04X}", net::dimse::code(status));
}

}  // namespace

Task<Result<std::vector<InstanceLocation>>> RetrieveScp::located(const net::dimse::QueryRequest& request) {
    auto identifier = read_identifier(request.identifier.span(), *request.syntax, request.sop_class_uid);
    if (!identifier) co_return std::move(identifier).error();
    auto scope = retrieve_scope(*identifier);
    if (!scope) co_return std::move(scope).error();
    auto look_up = [this, wanted = std::move(*scope)] { return index_.locate(wanted); };
    co_return co_await workers_.run(std::move(look_up));
}

Task<RetrieveOutcome> RetrieveScp::get(const AssociationInfo& association, net::dimse::QueryRequest request,
                                       net::dimse::GetResponder& out) {
    auto instances = co_await located(request);
    if (!instances) {
        log::warning("assoc={} peer={} get refused: {}", association.id, association.peer_address,
                     instances.error().message());
        co_return refused(query_outcome(instances.error()));
    }
    SubOperations progress(instances->size());
    std::string first_failure;
    bool cancelled = false;
    for (const InstanceLocation& instance : *instances) {
        cancelled = out.cancelled();
        if (cancelled) break;
        StoredPayload payload(store_, workers_, instance);
        net::dimse::SubOperation operation;
        operation.sop_class_uid = *dicom::Uid::parse(instance.sop_class_uid);
        operation.sop_instance_uid = instance.sop_instance_uid;
        operation.transfer_syntax_uid = instance.transfer_syntax_uid;
        operation.payload = &payload;
        auto answer = co_await out.store(std::move(operation));
        if (answer) {
            progress.answered(instance.sop_instance_uid, answer->status);
            if (answer->status != Status::success && first_failure.empty()) first_failure = store_failure(answer->status);
        } else if (answer.error().code == Errc::unsupported) {
            progress.failed(instance.sop_instance_uid);
            if (first_failure.empty()) first_failure = "no accepted context for a stored SOP Class and syntax";
        } else {
            co_return refused(query_outcome(answer.error()));  // the association is over
        }
        auto told = co_await out.pending(progress.counts());
        if (!told) break;
    }
    log::info("assoc={} get instances={} failed={}", association.id, instances->size(), progress.counts().failed);
    co_return progress.outcome(cancelled, std::move(first_failure));
}

Task<RetrieveOutcome> RetrieveScp::move(const AssociationInfo& association, net::dimse::QueryRequest request,
                                        net::ul::AeTitle destination, net::dimse::MoveResponder& out) {
    const auto address = settings_.find_destination(destination);
    if (!address) {
        log::warning("assoc={} peer={} move refused: destination {} is no configured peer", association.id,
                     association.peer_address, destination.view());
        co_return refused(Outcome(Status::move_destination_unknown, "move destination is not a configured peer"));
    }
    auto instances = co_await located(request);
    if (!instances) {
        log::warning("assoc={} peer={} move refused: {}", association.id, association.peer_address,
                     instances.error().message());
        co_return refused(query_outcome(instances.error()));
    }
    SubOperations progress(instances->size());
    std::string first_failure;
    std::unique_ptr<net::scu::Client> client;
    if (!instances->empty()) {
        auto wanted = wanted_for(*instances);
        auto opened = co_await net::scu::Client::open(*address, settings_.client, std::move(wanted));
        if (!opened) {
            log::warning("assoc={} move to {} failed: {}", association.id, destination.view(), opened.error().message());
            first_failure = "destination: " + opened.error().context;
        } else {
            client = std::move(*opened);
        }
    }
    bool cancelled = false;
    for (const InstanceLocation& instance : *instances) {
        cancelled = out.cancelled();
        if (cancelled) break;
        if (!client) {
            progress.failed(instance.sop_instance_uid);
            continue;
        }
        StoredPayload payload(store_, workers_, instance);
        net::scu::StoreOperation operation;
        operation.sop_class_uid = *dicom::Uid::parse(instance.sop_class_uid);
        operation.sop_instance_uid = instance.sop_instance_uid;
        operation.transfer_syntax_uid = instance.transfer_syntax_uid;
        operation.move_originator = association.calling;
        operation.move_originator_message_id = request.message_id;
        auto answer = co_await client->store(std::move(operation), payload);
        if (answer) {
            progress.answered(instance.sop_instance_uid, answer->status);
            if (answer->status != Status::success && first_failure.empty()) first_failure = store_failure(answer->status);
        } else {
            progress.failed(instance.sop_instance_uid);
            if (first_failure.empty()) first_failure = "destination: " + answer.error().context;
            if (answer.error().code != Errc::unsupported) client.reset();
        }
        auto told = co_await out.pending(progress.counts());
        if (!told) break;
    }
    if (client) {
        auto released = co_await client->release();
        if (!released) log::debug("assoc={} move release: {}", association.id, released.error().message());
    }
    log::info("assoc={} move to {} instances={} failed={}", association.id, destination.view(), instances->size(),
              progress.counts().failed);
    co_return progress.outcome(cancelled, std::move(first_failure));
}

}  // namespace sagitta::service
