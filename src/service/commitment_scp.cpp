#include "service/commitment_scp.h"

#include <algorithm>
#include <utility>

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
    const bool argument = error.code == Errc::invalid_argument;
    return {argument ? Status::invalid_argument_value : Status::processing_failure, error.message()};
}

/// To somebody who did not wait, on an association of our own in the SCP role.
Task<Result<Outcome>> report_anew(net::scu::Address requestor, net::scu::ClientSettings settings,
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
    changed_.wait_for(lock, grace, [this] {
        return std::none_of(transactions_.begin(), transactions_.end(),
                            [](const Transaction& one) { return one.stage == Stage::on_its_way; });
    });
    settle_answered(lock);
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
    understood->requestor = association.calling.str();
    understood->received = now_utc();
    auto write = [this, kept = *understood] { return log_.add(kept); };
    auto id = co_await workers_.run(std::move(write));
    if (!id) co_return refusal(id.error());
    understood->id = *id;
    log::info("association={} commitment={} of {} instances", association.id, *id,
              understood->references.size());
    enqueue(std::move(*understood), std::move(back));
    co_return Outcome();
}

void CommitmentScp::enqueue(storage::CommitmentRequest request,
                            std::shared_ptr<net::dimse::EventChannel> back) {
    const std::lock_guard lock(mutex_);
    const auto known = std::find_if(transactions_.begin(), transactions_.end(),
                                    [&](const Transaction& one) { return one.request.id == request.id; });
    if (known == transactions_.end()) {
        transactions_.push_back({std::move(request), std::move(back), Clock::now(), settings_.retry});
    } else if (known->stage == Stage::waiting) {  // asked again: there is somebody to tell
        known->back = std::move(back);
        known->due = Clock::now();
    }
    changed_.notify_all();
}

// ---- the thread that checks, and knows what is due

void CommitmentScp::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        settle_answered(lock);
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

CommitmentScp::Transactions::iterator CommitmentScp::next_due() {
    auto best = transactions_.end();
    for (auto at = transactions_.begin(); at != transactions_.end(); ++at) {
        if (at->stage == Stage::waiting && (best == transactions_.end() || at->due < best->due)) best = at;
    }
    return best;
}

void CommitmentScp::settle_answered(std::unique_lock<std::mutex>& lock) {
    for (auto at = transactions_.begin(); at != transactions_.end();) {
        if (at->stage != Stage::answered) {
            ++at;
            continue;
        }
        const auto id = at->request.id;
        lock.unlock();
        auto removed = log_.remove(id);
        lock.lock();
        if (!removed) log::error("commitment={}: {}", id, removed.error().message());
        at = transactions_.erase(at);
    }
}

bool CommitmentScp::is_given_up(const storage::CommitmentRequest& request) const {
    return std::chrono::seconds(now_utc() - request.received) > settings_.give_up;
}

void CommitmentScp::begin_report(Transaction& transaction, std::unique_lock<std::mutex>& lock) {
    transaction.stage = Stage::on_its_way;
    const auto back = std::exchange(transaction.back, nullptr);
    lock.unlock();
    auto report = check(transaction.request);
    auto done = [this, &transaction, through = back != nullptr](const Result<Outcome>& outcome) {
        concluded(transaction, through, outcome);
    };
    const auto calling = net::ul::AeTitle::parse(transaction.request.requestor);
    const auto requestor = calling ? settings_.find_requestor(*calling) : std::nullopt;
    if (back) {
        back->report(std::move(report), std::move(done));
    } else if (!requestor) {
        done(Error(Errc::not_found, "the requestor is no configured peer"));
    } else {
        auto deliver = [address = *requestor, client = settings_.client, report = std::move(report),
                        done = std::move(done)]() mutable -> Task<void> {
            auto outcome = co_await report_anew(std::move(address), std::move(client), std::move(report));
            done(outcome);
        };
        net::ul::spawn_on(io_->next_executor(), std::move(deliver));
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

EventReport CommitmentScp::check(const storage::CommitmentRequest& request) const {
    using storage::InstanceState;
    std::vector<CommitmentResult> results;
    for (const auto& reference : request.references) {
        CommitmentResult result{reference, 0};
        const auto state = state_of(reference, request.requestor);
        if (!state || *state == InstanceState::damaged) result.failure_reason = kProcessingFailure;
        if (state && *state == InstanceState::unknown) result.failure_reason = kNoSuchObjectInstance;
        if (state && *state == InstanceState::other_class) result.failure_reason = kClassInstanceConflict;
        if (state && *state == InstanceState::damaged)
            log::error("commitment={}: an instance is not as it came: run `sagitta verify`", request.id);
        if (!state) log::error("commitment={}: {}", request.id, state.error().message());
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
    if (answered) {
        log::info("commitment={} reported", id);
        transaction.stage = Stage::answered;
    } else if (over_back_channel) {  // gone, or not listening: there is another way
        transaction.stage = Stage::waiting;
        transaction.due = Clock::now();
    } else {
        const std::string why = outcome ? "answered " + std::to_string(net::dimse::code(outcome->status))
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
