#include "service/retrieve_scp.h"

#include <memory>
#include <set>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "service/dimse_status.h"
#include "service/identifier.h"
#include "service/outgoing_queue.h"
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
    // As StorePipeline::run.
    virtual Task<Result<void>> store_all(net::dimse::NextStore next, net::dimse::OnStored on_stored) = 0;
    // After an error: false when that ended the association.
    [[nodiscard]] virtual bool is_open() const { return true; }
    // A fresh association instead of one that ended at once because it was old.
    virtual Task<bool> reopen() { co_return false; }
};

class GetSink final : public InstanceSink {
public:
    explicit GetSink(net::dimse::GetResponder& out) : out_(out) {}

    [[nodiscard]] std::vector<std::string> accepted(const dicom::Uid& sop_class_uid) const override {
        return out_.transfer_syntaxes_for(sop_class_uid);
    }
    Task<Result<void>> store_all(net::dimse::NextStore next, net::dimse::OnStored on_stored) override {
        return out_.store_all(std::move(next), std::move(on_stored));
    }

private:
    net::dimse::GetResponder& out_;
};

class MoveSink final : public InstanceSink {
public:
    MoveSink(net::scu::ClientPool& pool, net::scu::Address address, net::scu::ClientSettings settings,
             std::vector<net::scu::WantedContext> wanted)
        : pool_(pool),
          address_(std::move(address)),
          settings_(std::move(settings)),
          wanted_(std::move(wanted)) {}

    void set_originator(const net::ul::AeTitle& title, std::uint16_t message_id) {
        originator_ = title;
        message_id_ = message_id;
    }

    // Errors: why the destination cannot be reached.
    Task<Result<void>> open(bool only_new = false) {
        auto opened = co_await pool_.lease(address_, settings_, wanted_, only_new);
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
    Task<Result<void>> store_all(net::dimse::NextStore next, net::dimse::OnStored on_stored) override {
        if (!client_) co_return Error(Errc::connection_lost, "there is no association");
        net::dimse::NextStore named = [this, &next]() -> Task<std::optional<net::dimse::OutgoingStore>> {
            auto store = co_await next();
            if (store) {
                store->move_originator = originator_;
                store->move_originator_message_id = message_id_;
            }
            co_return store;
        };
        auto done = co_await client_->store_all(std::move(named), std::move(on_stored));
        co_return done;
    }

    [[nodiscard]] bool is_open() const override { return client_ && client_->is_open(); }
    Task<bool> reopen() override {
        if (!client_ || !client_.is_used()) co_return false;
        auto opened = co_await open(true);
        co_return opened.has_value();
    }

private:
    net::scu::ClientPool& pool_;
    net::scu::Address address_;
    net::scu::ClientSettings settings_;
    std::vector<net::scu::WantedContext> wanted_;
    net::ul::AeTitle originator_;
    std::uint16_t message_id_ = 0;
    net::scu::Lease client_;
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

// Sends all of them; what cannot be sent is counted as failed.
class Sending {
public:
    Sending(Retrieval& retrieval, const std::vector<InstanceLocation>& instances,
            net::dimse::MoveResponder& out, std::uint64_t association)
        : retrieval_(retrieval), instances_(instances), out_(out), association_(association) {}

    // True when it is to be tried once more, from the beginning: nobody has answered anything.
    Task<bool> run(InstanceSink& sink, OutgoingQueue& queue) {
        net::dimse::NextStore next = [this, &queue] { return this->next(queue); };
        net::dimse::OnStored on_stored = [this, &sink](std::size_t index, Result<Outcome> answer) {
            return stored(sink, *given_[index], std::move(answer));
        };
        auto done = co_await sink.store_all(std::move(next), std::move(on_stored));
        co_await queue.stop();
        if (!done && !touched_ && !retrieval_.cancelled) {
            const bool again = co_await sink.reopen();
            if (again) co_return true;
        }
        for (const auto* instance : lost_)
            retrieval_.failed(instance->sop_instance_uid, done ? std::string() : done.error().context);
        if (done || retrieval_.cancelled) co_return false;
        for (; at_ < instances_.size(); ++at_)
            retrieval_.failed(instances_[at_].sop_instance_uid, done.error().context);
        co_return false;
    }

private:
    Task<std::optional<net::dimse::OutgoingStore>> next(OutgoingQueue& queue) {
        std::optional<net::dimse::OutgoingStore> store;
        while (at_ < instances_.size()) {
            retrieval_.cancelled = out_.cancelled();
            if (retrieval_.cancelled) co_return store;
            auto outgoing = co_await queue.next();
            const InstanceLocation& instance = instances_[at_++];
            if (outgoing) {
                given_.push_back(&instance);
                store.emplace();
                store->sop_class_uid = *dicom::Uid::parse(instance.sop_class_uid);
                store->sop_instance_uid = outgoing->sop_instance_uid;
                store->transfer_syntax_uid = std::move(outgoing->transfer_syntax_uid);
                store->payload = std::move(outgoing->payload);
                co_return store;
            }
            log::warning("association={} an instance was not sent: {}", association_,
                         outgoing.error().message());
            co_await failed(instance, outgoing.error());
        }
        co_return store;
    }

    Task<void> stored(InstanceSink& sink, const InstanceLocation& instance, Result<Outcome> answer) {
        if (!answer && !sink.is_open()) {
            lost_.push_back(&instance);
            co_return;
        }
        if (!answer) {
            co_await failed(instance, answer.error());
            co_return;
        }
        touched_ = true;
        retrieval_.answered(instance.sop_instance_uid, *answer);
        co_await tell();
    }

    Task<void> failed(const InstanceLocation& instance, Error why) {
        touched_ = true;
        retrieval_.failed(instance.sop_instance_uid, std::move(why.context));
        co_await tell();
    }

    // Nobody listens when it fails: the association's end is noticed elsewhere.
    Task<void> tell() {
        auto told = co_await out_.pending(retrieval_.progress.counts());
        static_cast<void>(told);
    }

    Retrieval& retrieval_;
    const std::vector<InstanceLocation>& instances_;
    net::dimse::MoveResponder& out_;
    std::uint64_t association_;
    std::vector<const InstanceLocation*> given_;
    std::vector<const InstanceLocation*> lost_;  // the association ended before an answer
    std::size_t at_ = 0;
    bool touched_ = false;  // something is counted already
};

Task<void> send_all(Retrieval& retrieval, const std::vector<InstanceLocation>& instances, Outbound outbound,
                    InstanceSink& sink, net::dimse::MoveResponder& out) {
    auto executor = co_await asio::this_coro::executor;
    OutgoingQueue::Accepted accepted = [&sink](const InstanceLocation& instance) {
        return sink.accepted(*dicom::Uid::parse(instance.sop_class_uid));
    };
    bool again = true;
    while (again) {
        OutgoingQueue queue(executor, outbound, instances, accepted);
        Sending sending(retrieval, instances, out, outbound.association);
        again = co_await sending.run(sink, queue);
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
    MoveSink sink(pool_, *address, settings_.client, wanted_for(*instances));
    sink.set_originator(association.calling, request.message_id);
    if (!instances->empty()) {
        auto opened = co_await sink.open();
        if (!opened) {
            log::warning("association={} move to {} failed: {}", association.id, destination.view(),
                         opened.error().message());
            retrieval.first_failure = "destination: " + opened.error().context;
        }
    }
    Outbound outbound{store_, workers_, settings_.find_project(destination), association.id};
    co_await send_all(retrieval, *instances, outbound, sink, out);
    log::info("association={} move to {} instances={} failed={}{}", association.id, destination.view(),
              instances->size(), retrieval.progress.counts().failed, deidentified_by(outbound.project));
    auto answer = retrieval.progress.outcome(retrieval.cancelled, std::move(retrieval.first_failure));
    if (const auto* project = settings_.find_project(association.calling))
        rename(answer.failed_sop_instance_uids, *project);
    co_return answer;
}

}  // namespace sagitta::service
