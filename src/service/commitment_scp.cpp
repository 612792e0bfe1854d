#include "service/commitment_scp.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/log.h"
#include "dicom/generated/uids.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::service {
namespace {

using net::dimse::EventReport;
using net::dimse::Outcome;
using net::dimse::Status;

constexpr std::uint16_t kRequestCommitment = 1;  // the only action type (PS3.4 J.3.2)

std::int64_t now_utc() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

Outcome refusal(const Error& error) {
    switch (error.code) {
        case Errc::invalid_argument: return {Status::invalid_argument_value, error.message()};
        case Errc::limit_exceeded:
        case Errc::no_space: return {Status::resource_limitation, error.message()};
        default: return {Status::processing_failure, error.message()};
    }
}

/// To somebody who did not wait, on an association of our own in the SCP role.
Task<Result<Outcome>> deliver(net::scu::Address requestor, net::scu::ClientSettings settings,
                              EventReport report) {
    net::scu::WantedContext wish;
    wish.sop_class_uid = report.sop_class_uid.str();
    wish.transfer_syntaxes = {std::string(dicom::explicit_vr_little_endian().uid),
                              std::string(dicom::implicit_vr_little_endian().uid)};
    wish.as_scp = true;
    wish.as_scu = false;
    std::vector<net::scu::WantedContext> wanted{wish};
    auto opened =
        co_await net::scu::Client::open(std::move(requestor), std::move(settings), std::move(wanted));
    if (!opened) co_return std::move(opened).error();
    auto& client = **opened;
    net::scu::NormalizedOperation operation;
    operation.sop_class_uid = report.sop_class_uid;
    operation.sop_instance_uid = report.sop_instance_uid;
    operation.type_id = report.event_type_id;
    operation.data_set = std::move(report.information);
    auto outcome = co_await client.report(operation);
    if (client.is_open()) {
        auto released = co_await client.release();
        if (!released) log::debug("commitment: {}", released.error().message());
    }
    co_return outcome;
}

}  // namespace

CommitmentScp::CommitmentScp(storage::CommitmentLog& log, const storage::InstanceCheck& instances,
                             WorkerPool& workers, CommitmentScpSettings settings)
    : log_(log), instances_(instances), workers_(workers), settings_(std::move(settings)) {}

CommitmentScp::~CommitmentScp() {
    stop(std::chrono::milliseconds(0));
}

Result<void> CommitmentScp::start(net::ul::IoThreads& io) {
    auto left = log_.open_requests();
    if (!left) return std::move(left).error();
    if (!left->empty())
        log::info("commitment: {} requests of an earlier run are to be reported", left->size());
    for (auto& request : *left) enqueue(std::move(request), nullptr);
    io_ = &io;
    thread_ = std::thread([this] { run(); });
    return {};
}

void CommitmentScp::stop(std::chrono::milliseconds grace) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (!thread_.joinable()) return;
    thread_.join();
    std::unique_lock lock(mutex_);
    changed_.wait_for(lock, grace, [this] { return find(Stage::on_its_way) == transactions_.end(); });
    lock.unlock();
    settle_answered();
}

Task<Outcome> CommitmentScp::action(const net::dimse::AssociationInfo& association,
                                    net::dimse::NormalizedRequest request,
                                    std::shared_ptr<net::dimse::EventChannel> back) {
    if (!(request.sop_instance_uid == dicom::uids::StorageCommitmentPushModelInstance))
        co_return Outcome(Status::no_such_sop_instance, "not the well-known SOP Instance");
    if (request.type_id != kRequestCommitment)
        co_return Outcome(Status::no_such_action, "the only action is type 1");
    auto understood = read_commitment_request(request);
    if (!understood) co_return refusal(understood.error());
    if (understood->references.size() > settings_.max_instances)
        co_return Outcome(Status::resource_limitation,
                          fmt::format("more than {} instances in one request", settings_.max_instances));
    understood->requestor = association.calling.str();
    understood->received = now_utc();
    const auto instances = understood->references.size();
    auto work = [this, request = std::move(*understood), way_back = std::move(back)]() mutable {
        return keep(std::move(request), std::move(way_back));
    };
    const auto id = co_await workers_.run(std::move(work));
    if (!id) {
        log::error("association={} commitment not accepted: {}", association.id, id.error().message());
        co_return refusal(id.error());
    }
    log::info("association={} commitment={} of {} instances", association.id, *id, instances);
    co_return Outcome();
}

Result<std::int64_t> CommitmentScp::keep(storage::CommitmentRequest request,
                                         std::shared_ptr<net::dimse::EventChannel> back) {
    const std::lock_guard log_lock(log_mutex_);
    {
        const std::lock_guard lock(mutex_);
        if (transactions_.size() >= settings_.max_requests)
            return Error(Errc::limit_exceeded, "too many requests wait to be reported");
    }
    auto id = log_.add(request);
    if (!id) return id;
    request.id = *id;
    enqueue(std::move(request), std::move(back));
    return id;
}

void CommitmentScp::enqueue(storage::CommitmentRequest request,
                            std::shared_ptr<net::dimse::EventChannel> back) {
    const std::lock_guard lock(mutex_);
    request.references.clear();
    const auto known = std::find_if(transactions_.begin(), transactions_.end(),
                                    [&](const Transaction& one) { return one.request.id == request.id; });
    if (known == transactions_.end()) {
        transactions_.push_back({std::move(request), std::move(back), Clock::now(), settings_.retry});
    } else {  // asked again: there is somebody to tell
        known->back = std::move(back);
        known->due = Clock::now();
        known->asked_again = known->stage == Stage::on_its_way;
        if (!known->asked_again) known->stage = Stage::waiting;
    }
    changed_.notify_all();
}

// ---- the thread that checks, and knows what is due

void CommitmentScp::run() {
    while (!stopping_) {
        settle_answered();
        std::unique_lock lock(mutex_);
        if (stopping_ || find(Stage::answered) != transactions_.end()) continue;
        const auto next = next_due();
        if (next == transactions_.end()) {
            changed_.wait(lock);
        } else if (next->due > Clock::now()) {
            changed_.wait_until(lock, next->due);
        } else {
            begin_report(*next, lock);
        }
    }
}

CommitmentScp::Transactions::iterator CommitmentScp::find(Stage stage) {
    return std::find_if(transactions_.begin(), transactions_.end(),
                        [&](const Transaction& one) { return one.stage == stage; });
}

CommitmentScp::Transactions::iterator CommitmentScp::next_due() {
    auto best = transactions_.end();
    for (auto at = transactions_.begin(); at != transactions_.end(); ++at) {
        if (at->stage != Stage::waiting || (!at->back && busy_.contains(at->request.requestor))) continue;
        if (best == transactions_.end() || at->due < best->due) best = at;
    }
    return best;
}

void CommitmentScp::settle_answered() {
    const std::lock_guard log_lock(log_mutex_);  // nobody asks again in between
    std::unique_lock lock(mutex_);
    for (auto at = find(Stage::answered); at != transactions_.end(); at = find(Stage::answered)) {
        const auto id = at->request.id;
        lock.unlock();
        auto removed = log_.remove(id);
        lock.lock();
        if (!removed) log::error("commitment={}: {}", id, removed.error().message());
        transactions_.erase(at);
    }
}

bool CommitmentScp::is_given_up(const storage::CommitmentRequest& request) const {
    return std::chrono::seconds(now_utc() - request.received) > settings_.give_up;
}

void CommitmentScp::begin_report(Transaction& transaction, std::unique_lock<std::mutex>& lock) {
    transaction.stage = Stage::on_its_way;
    const auto back = std::exchange(transaction.back, nullptr);
    if (!back) busy_.insert(transaction.request.requestor);
    lock.unlock();
    auto report = check(transaction.request);
    if (!report) {
        concluded(transaction, back != nullptr, std::move(report).error());
    } else if (back) {
        back->report(std::move(*report), [this, &transaction](const Result<Outcome>& outcome) {
            concluded(transaction, true, outcome);
        });
    } else {
        report_anew(transaction, std::move(*report));
    }
    lock.lock();
}

Result<storage::InstanceState> CommitmentScp::state_of(const storage::CommitmentReference& reference,
                                                       std::string_view requestor) const {
    using storage::InstanceState;
    auto state = instances_.check(reference.sop_class_uid, reference.sop_instance_uid);
    if (!state || *state != InstanceState::unknown) return state;
    for (const auto& other : settings_.find_other_names(requestor, reference.sop_instance_uid)) {
        state = instances_.check(reference.sop_class_uid, other);
        if (!state || *state != InstanceState::unknown) return state;
    }
    return state;
}

void CommitmentScp::report_anew(Transaction& transaction, EventReport report) {
    const auto calling = net::ul::AeTitle::parse(transaction.request.requestor);
    auto requestor = calling ? settings_.find_requestor(*calling) : std::nullopt;
    if (!requestor)
        return concluded(transaction, false, Error(Errc::not_found, "the requestor is no configured peer"));
    auto work = [this, &transaction, address = std::move(*requestor), client = settings_.client,
                 report = std::move(report)]() mutable -> Task<void> {
        const auto outcome = co_await deliver(std::move(address), std::move(client), std::move(report));
        concluded(transaction, false, outcome);
    };
    net::ul::spawn_on(io_->next_executor(), std::move(work));
}

Result<EventReport> CommitmentScp::check(const storage::CommitmentRequest& request) const {
    using storage::InstanceState;
    auto references = log_.references(request.id);
    if (!references) return std::move(references).error();
    std::vector<CommitmentResult> results;
    results.reserve(references->size());
    for (auto& reference : *references) {
        if (stopping_) return Error(Errc::shutting_down, "the node stops");
        const auto state = state_of(reference, request.requestor);
        if (!state) return Error(state.error());
        CommitmentResult result{std::move(reference), 0};
        if (*state == InstanceState::damaged) result.failure_reason = kProcessingFailure;
        if (*state == InstanceState::unknown) result.failure_reason = kNoSuchObjectInstance;
        if (*state == InstanceState::other_class) result.failure_reason = kClassInstanceConflict;
        if (*state == InstanceState::damaged)
            log::error("commitment={}: an instance is not as it came: run `sagitta verify`", request.id);
        results.push_back(std::move(result));
    }
    return commitment_report(request.transaction_uid, results);
}

/// On any thread.
void CommitmentScp::concluded(Transaction& transaction, bool over_back_channel,
                              const Result<Outcome>& outcome) {
    const std::lock_guard lock(mutex_);
    const auto id = transaction.request.id;
    const bool answered = outcome.has_value() && outcome->status == Status::success;
    const bool asked_again = std::exchange(transaction.asked_again, false);
    if (!over_back_channel) busy_.erase(transaction.request.requestor);
    if (answered) log::info("commitment={} reported", id);
    if (asked_again || (!answered && over_back_channel)) {  // gone, or not listening: there is another way
        transaction.stage = Stage::waiting;
        transaction.due = Clock::now();
    } else if (answered) {
        transaction.stage = Stage::answered;
    } else {
        const std::string why = outcome ? fmt::format("answered {:04X}", net::dimse::code(outcome->status))
                                        : outcome.error().message();
        const bool given_up = is_given_up(transaction.request);
        log::warning("commitment={} not reported{}: {}", id, given_up ? ", given up" : "", log::escaped(why));
        transaction.stage = given_up ? Stage::answered : Stage::waiting;
        transaction.due = Clock::now() + transaction.pause;
        transaction.pause = std::min(transaction.pause * 2, settings_.longest_retry);
    }
    changed_.notify_all();
}

}  // namespace sagitta::service
