#include "service/retrieve_scp.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "service/dimse_status.h"
#include "service/identifier.h"
#include "service/outgoing.h"
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

// One context for each way a stored SOP class is encoded, and what everybody must take (PS3.5 10.1), for
// destinations that do not take that.
std::vector<net::scu::WantedContext> wanted_for(const std::vector<InstanceLocation>& instances) {
    std::set<std::pair<std::string_view, std::string_view>> pairs;
    for (const auto& instance : instances)
        pairs.emplace(instance.sop_class_uid, instance.transfer_syntax_uid);
    std::vector<net::scu::WantedContext> wanted;
    for (const auto& [sop_class, syntax] : pairs) {
        net::scu::WantedContext context;
        context.sop_class_uid = std::string(sop_class);
        context.transfer_syntaxes = {std::string(syntax), std::string(dicom::explicit_vr_little_endian().uid),
                                     std::string(dicom::implicit_vr_little_endian().uid)};
        wanted.push_back(std::move(context));
    }
    return wanted;
}

// Where a retrieve's instances go: back on the same association, or to a move destination.
class InstanceSink {
public:
    virtual ~InstanceSink() = default;
    // The transfer syntaxes in which it takes that SOP class.
    [[nodiscard]] virtual std::vector<std::string> accepted(const dicom::Uid& sop_class_uid) const = 0;
    virtual Task<Result<Outcome>> send(const InstanceLocation& instance, Outgoing& outgoing) = 0;
    // After an error: whether a next instance has a chance.
    [[nodiscard]] virtual bool is_open() const = 0;
};

class GetSink final : public InstanceSink {
public:
    explicit GetSink(net::dimse::GetResponder& out) : out_(out) {}

    [[nodiscard]] std::vector<std::string> accepted(const dicom::Uid& sop_class_uid) const override {
        return out_.transfer_syntaxes_for(sop_class_uid);
    }
    Task<Result<Outcome>> send(const InstanceLocation& instance, Outgoing& outgoing) override {
        net::dimse::SubOperation operation;
        operation.sop_class_uid = *dicom::Uid::parse(instance.sop_class_uid);
        operation.sop_instance_uid = outgoing.sop_instance_uid;
        operation.transfer_syntax_uid = outgoing.transfer_syntax_uid;
        operation.payload = outgoing.payload.get();
        auto answer = co_await out_.store(std::move(operation));
        open_ = answer.has_value() || answer.error().code == Errc::unsupported;
        co_return answer;
    }
    [[nodiscard]] bool is_open() const override { return open_; }

private:
    net::dimse::GetResponder& out_;
    bool open_ = true;
};

class MoveSink final : public InstanceSink {
public:
    MoveSink(const net::ul::AeTitle& originator, std::uint16_t message_id)
        : originator_(originator), message_id_(message_id) {}

    // Errors: why the destination cannot be reached.
    Task<Result<void>> open(net::scu::Address address, net::scu::ClientSettings settings,
                            std::vector<net::scu::WantedContext> wanted) {
        auto opened =
            co_await net::scu::Client::open(std::move(address), std::move(settings), std::move(wanted));
        if (!opened) co_return std::move(opened).error();
        client_ = std::move(*opened);
        co_return Result<void>();
    }
    [[nodiscard]] std::vector<std::string> accepted(const dicom::Uid& sop_class_uid) const override {
        std::vector<std::string> syntaxes;
        for (const auto& context : client_->contexts()) {
            if (context.abstract_syntax == sop_class_uid.view()) syntaxes.push_back(context.transfer_syntax);
        }
        return syntaxes;
    }
    Task<Result<Outcome>> send(const InstanceLocation& instance, Outgoing& outgoing) override {
        net::scu::StoreOperation operation;
        operation.sop_class_uid = *dicom::Uid::parse(instance.sop_class_uid);
        operation.sop_instance_uid = outgoing.sop_instance_uid;
        operation.transfer_syntax_uid = outgoing.transfer_syntax_uid;
        operation.move_originator = originator_;
        operation.move_originator_message_id = message_id_;
        auto answer = co_await client_->store(std::move(operation), *outgoing.payload);
        if (!answer && answer.error().code != Errc::unsupported) client_.reset();
        co_return answer;
    }
    [[nodiscard]] bool is_open() const override { return client_ != nullptr; }

    Task<void> release() {
        if (!client_) co_return;
        auto released = co_await client_->release();
        if (!released) log::debug("move destination: {}", released.error().message());
    }

private:
    net::ul::AeTitle originator_;
    std::uint16_t message_id_;
    std::unique_ptr<net::scu::Client> client_;
};

// The sub-operations of one retrieve and what is known of them.
struct Retrieval {
    explicit Retrieval(std::size_t total) : progress(total) {}

    void failed(const dicom::Uid& sop_instance, std::string why) {
        progress.failed(sop_instance);
        if (first_failure.empty()) first_failure = std::move(why);
    }
    void answered(const dicom::Uid& sop_instance, const Outcome& answer) {
        progress.answered(sop_instance, answer.status);
        if (answer.status == Status::success || !first_failure.empty()) return;
        first_failure =
            fmt::format("a C-STORE sub-operation was answered {:04X}", net::dimse::code(answer.status));
    }

    SubOperations progress;
    std::string first_failure;
    bool cancelled = false;
};

/// Where instances come from, and what is done to them on the way.
struct Outbound {
    const storage::InstanceStore& store;
    WorkerPool& workers;
    deid::Project* project = nullptr;
    std::uint64_t association = 0;
};

// Sends all of them in turn; what cannot be sent is counted as failed.
Task<void> send_all(Retrieval& retrieval, const std::vector<InstanceLocation>& instances, Outbound outbound,
                    InstanceSink& sink, net::dimse::MoveResponder& out) {
    for (const InstanceLocation& instance : instances) {
        retrieval.cancelled = out.cancelled();
        if (retrieval.cancelled) co_return;
        if (!sink.is_open()) {
            retrieval.failed(instance.sop_instance_uid, "the association ended");
            continue;
        }
        Recipient recipient;
        recipient.accepted = sink.accepted(*dicom::Uid::parse(instance.sop_class_uid));
        recipient.project = outbound.project;
        recipient.association = outbound.association;
        auto outgoing =
            co_await outgoing_instance(outbound.store, outbound.workers, instance, std::move(recipient));
        if (!outgoing) {
            log::warning("association={} an instance was not sent: {}", outbound.association,
                         outgoing.error().message());
            retrieval.failed(instance.sop_instance_uid, outgoing.error().context);
        } else if (auto answer = co_await sink.send(instance, *outgoing)) {
            retrieval.answered(instance.sop_instance_uid, *answer);
        } else {
            retrieval.failed(instance.sop_instance_uid, answer.error().context);
        }
        auto told = co_await out.pending(retrieval.progress.counts());
        if (!told) co_return;
    }
}

std::string deidentified_by(const deid::Project* project) {
    return project == nullptr ? "" : " deidentified=" + project->name();
}

void rename(std::vector<dicom::Uid>& uids, const deid::Project& project) {
    for (auto& uid : uids) {
        if (const auto other = dicom::Uid::parse(project.new_uid(uid.view()))) uid = *other;
    }
}

}  // namespace

Task<Result<std::vector<InstanceLocation>>> RetrieveScp::located(const net::dimse::QueryRequest& request) {
    auto identifier = read_identifier(request.identifier.span(), *request.syntax, request.sop_class_uid,
                                      request.extensions);
    if (!identifier) co_return std::move(identifier).error();
    auto scope = retrieve_scope(*identifier);
    if (!scope) co_return std::move(scope).error();
    auto look_up = [this, wanted = std::move(*scope)] { return index_.locate(wanted); };
    co_return co_await workers_.run(std::move(look_up));
}

Task<RetrieveOutcome> RetrieveScp::get(const AssociationInfo& association, net::dimse::QueryRequest request,
                                       net::dimse::GetResponder& out) {
    auto instances = co_await located(request);
    if (!instances) co_return refused(query_outcome(instances.error()));
    Retrieval retrieval(instances->size());
    GetSink sink(out);
    Outbound outbound{store_, workers_, settings_.find_project(association.calling), association.id};
    co_await send_all(retrieval, *instances, outbound, sink, out);
    log::info("association={} get instances={} failed={}{}", association.id, instances->size(),
              retrieval.progress.counts().failed, deidentified_by(outbound.project));
    auto answer = retrieval.progress.outcome(retrieval.cancelled, std::move(retrieval.first_failure));
    // Who gets pseudonyms is told no original UID.
    if (outbound.project != nullptr) rename(answer.failed_sop_instance_uids, *outbound.project);
    co_return answer;
}

Task<RetrieveOutcome> RetrieveScp::move(const AssociationInfo& association, net::dimse::QueryRequest request,
                                        net::ul::AeTitle destination, net::dimse::MoveResponder& out) {
    const auto address = settings_.find_destination(destination);
    if (!address) {
        co_return refused(
            Outcome(Status::move_destination_unknown, "move destination is not a configured peer"));
    }
    auto instances = co_await located(request);
    if (!instances) co_return refused(query_outcome(instances.error()));
    Retrieval retrieval(instances->size());
    MoveSink sink(association.calling, request.message_id);
    if (!instances->empty()) {
        auto wanted = wanted_for(*instances);
        auto opened = co_await sink.open(*address, settings_.client, std::move(wanted));
        if (!opened) {
            log::warning("association={} move to {} failed: {}", association.id, destination.view(),
                         opened.error().message());
            retrieval.first_failure = "destination: " + opened.error().context;
        }
    }
    Outbound outbound{store_, workers_, settings_.find_project(destination), association.id};
    co_await send_all(retrieval, *instances, outbound, sink, out);
    co_await sink.release();
    log::info("association={} move to {} instances={} failed={}{}", association.id, destination.view(),
              instances->size(), retrieval.progress.counts().failed, deidentified_by(outbound.project));
    auto answer = retrieval.progress.outcome(retrieval.cancelled, std::move(retrieval.first_failure));
    if (const auto* project = settings_.find_project(association.calling))
        rename(answer.failed_sop_instance_uids, *project);
    co_return answer;
}

}  // namespace sagitta::service
