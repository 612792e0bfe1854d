#include "service/availability_scu.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "dicom/generated/uids.h"
#include "dicom/transfer_syntax.h"
#include "net/scu/normalized.h"

namespace sagitta::service {
namespace {

using net::dimse::Status;

constexpr std::uint64_t kEventsAtOnce = 5000;
constexpr std::uint64_t kNoticesAtOnce = 20;  // over one association

std::int64_t now_utc() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

/// The last event there is.
Result<std::uint64_t> last_event(const storage::InstanceIndex& index) {
    std::uint64_t from = 0;
    std::uint64_t to = std::uint64_t{1} << 62;
    while (from < to) {
        const auto middle = from + (to - from) / 2;
        auto events = index.events(middle, 1);
        if (!events) return std::move(events).error();
        if (events->empty()) to = middle;
        if (!events->empty()) from = events->back().number;
    }
    return from;
}

bool is_told(const net::dimse::Outcome& outcome) {
    return outcome.status == Status::success || outcome.status == Status::duplicate_sop_instance ||
           net::dimse::is_warning(outcome.status);
}

}  // namespace

AvailabilityScu::AvailabilityScu(storage::NoticeLog& notices, storage::ProcedureStepLog& steps,
                                 const storage::InstanceIndex& index, AvailabilityScuSettings settings)
    : notices_(notices), steps_(steps), index_(index), settings_(std::move(settings)) {
    for (const auto& address : settings_.peers) {
        Peer peer;
        peer.address = address;
        peer.pause = settings_.retry;
        peers_.emplace(address.called.str(), std::move(peer));
    }
}

AvailabilityScu::~AvailabilityScu() {
    stop(std::chrono::milliseconds(0));
}

Result<void> AvailabilityScu::start(net::ul::IoThreads& io) {
    if (peers_.empty()) return {};
    io_ = &io;
    auto cursor = notices_.cursor();
    if (!cursor) return std::move(cursor).error();
    if (!*cursor || settings_.quiet == std::chrono::milliseconds(0)) {
        auto last = last_event(index_);
        if (!last) return std::move(last).error();
        if (auto set = notices_.set_cursor(*last); !set) return set;
        *cursor = *last;
    }
    cursor_ = read_to_ = **cursor;
    thread_ = std::thread([this] { run(); });
    return {};
}

void AvailabilityScu::stop(std::chrono::milliseconds grace) {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (!thread_.joinable()) return;
    thread_.join();
    std::unique_lock lock(mutex_);
    const auto is_busy = [](const auto& one) { return one.second.busy; };
    const auto on_their_way = [&] {
        return static_cast<std::size_t>(std::count_if(peers_.begin(), peers_.end(), is_busy));
    };
    changed_.wait_for(lock, grace, [&] { return on_their_way() == finished_.size(); });
    lock.unlock();
    settle_finished();
}

Result<void> AvailabilityScu::step_arrived(const StepProgress& progress) {
    if (peers_.empty() || progress.expected.empty()) return {};
    auto studies = studies_of(progress, index_);
    if (!studies) return std::move(studies).error();
    for (const auto& study : *studies) {
        if (auto added = notices_.add(notices_of(study, progress.step.sop_instance_uid)); !added)
            return added;
    }
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    changed_.notify_all();
    return {};
}

std::vector<storage::Notice> AvailabilityScu::notices_of(const std::string& study_instance_uid,
                                                         const std::string& step_instance_uid) const {
    std::vector<storage::Notice> notices;
    for (const auto& address : settings_.peers) {
        storage::Notice notice;
        notice.peer = address.called.str();
        notice.sop_instance_uid = dicom::Uid::generate().str();
        notice.study_instance_uid = study_instance_uid;
        notice.step_instance_uid = step_instance_uid;
        notice.created = now_utc();
        notices.push_back(std::move(notice));
    }
    return notices;
}

void AvailabilityScu::run() {
    const bool reads = settings_.quiet != std::chrono::milliseconds(0);
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        wanted_ = false;
        lock.unlock();
        settle_finished();
        Result<void> done;
        if (reads) done = read_events();
        if (done && reads) done = tell_quiet_studies();
        if (done) done = send_due();
        if (!done) log::error("availability: {}", done.error().message());
        lock.lock();
        changed_.wait_for(lock, settings_.look, [this] { return stopping_ || wanted_; });
    }
}

// ---- studies that have become quiet

Result<void> AvailabilityScu::read_events() {
    while (true) {
        auto events = index_.events(read_to_, kEventsAtOnce);
        if (!events) return std::move(events).error();
        for (const auto& event : *events) {
            if (auto taken = take(event); !taken) return taken;
            read_to_ = event.number;
        }
        if (events->size() < kEventsAtOnce) return {};
        const std::lock_guard lock(mutex_);
        if (stopping_) return {};
    }
}

Result<void> AvailabilityScu::take(const storage::Event& event) {
    const bool came = event.kind == storage::EventKind::stored ||
                      event.kind == storage::EventKind::replaced ||
                      event.kind == storage::EventKind::restored;
    if (!came || event.study_instance_uid.empty()) return {};
    const auto [at, is_new] = studies_.try_emplace(event.study_instance_uid);
    Study& study = at->second;
    if (is_new) {
        auto seen = notices_.seen_of(event.study_instance_uid);
        if (!seen) {
            studies_.erase(at);
            return std::move(seen).error();
        }
        study.seen = *seen;
        study.first = event.number;
    }
    study.last = event.number;
    study.changed = std::max(study.changed, event.time);
    return {};
}

Result<void> AvailabilityScu::tell_quiet_studies() {
    const auto quiet = std::chrono::ceil<std::chrono::seconds>(settings_.quiet);
    for (auto at = studies_.begin(); at != studies_.end();) {
        const auto& [uid, study] = *at;
        const bool told = study.last <= study.seen;
        if (!told && std::chrono::seconds(now_utc() - study.changed) < quiet) {
            ++at;
            continue;
        }
        if (!told) {
            auto instances = instances_to_tell(uid, {}, steps_, index_);
            if (!instances) return std::move(instances).error();
            std::vector<storage::Notice> notices;
            if (!instances->empty()) notices = notices_of(uid, {});
            if (auto added = notices_.add(notices, uid, study.last); !added) return added;
        }
        at = studies_.erase(at);
    }
    auto reached = read_to_;
    for (const auto& [uid, study] : studies_) reached = std::min(reached, study.first - 1);
    if (reached <= cursor_) return {};
    cursor_ = reached;
    return notices_.set_cursor(reached);
}

// ---- telling

Result<void> AvailabilityScu::send_due() {
    std::vector<std::string> due;
    {
        const std::lock_guard lock(mutex_);
        for (const auto& [name, peer] : peers_)
            if (!peer.busy && Clock::now() >= peer.due) due.push_back(name);
    }
    for (const auto& name : due) {
        auto delivery = delivery_to(name);
        if (!delivery) return std::move(delivery).error();
        if ((*delivery)->messages.empty()) continue;
        const std::lock_guard lock(mutex_);
        Peer& peer = peers_.at(name);
        peer.busy = true;
        auto work = [this, address = peer.address, held = std::move(*delivery)]() -> Task<void> {
            held->outcome = co_await deliver(address, *held);
            const std::lock_guard done(mutex_);
            finished_.push_back(held);
            wanted_ = true;
            changed_.notify_all();
        };
        net::ul::spawn_on(io_->next_executor(), std::move(work));
    }
    return {};
}

Result<std::shared_ptr<AvailabilityScu::Delivery>> AvailabilityScu::delivery_to(const std::string& peer) {
    auto delivery = std::make_shared<Delivery>();
    delivery->peer = peer;
    auto notices = notices_.waiting(peer, kNoticesAtOnce);
    if (!notices) return std::move(notices).error();
    for (auto& notice : *notices) {
        auto parts = parts_of(notice);
        if (!parts) return std::move(parts).error();
        if (parts->empty()) {  // nothing of it is there any more, or a step told it meanwhile
            if (auto removed = notices_.remove(notice); !removed) return std::move(removed).error();
            continue;
        }
        Message message;
        message.notice = std::move(notice);
        message.parts = std::move(*parts);
        delivery->messages.push_back(std::move(message));
    }
    return delivery;
}

Result<std::vector<dicom::DataSet>> AvailabilityScu::parts_of(const storage::Notice& notice) {
    const auto& study = notice.study_instance_uid;
    const auto& step = notice.step_instance_uid;
    auto instances = instances_to_tell(study, step, steps_, index_);
    if (!instances) return std::move(instances).error();
    std::vector<dicom::DataSet> parts;
    for (auto at = instances->begin(); at != instances->end();) {
        const auto left = static_cast<std::size_t>(instances->end() - at);
        const auto end = at + static_cast<std::ptrdiff_t>(std::min(settings_.max_instances, left));
        parts.push_back(availability_of(study, step, {at, end}, settings_.retrieve_ae_title));
        at = end;
    }
    return parts;
}

Task<Result<void>> AvailabilityScu::deliver(net::scu::Address address, Delivery& delivery) const {
    net::scu::WantedContext wish;
    wish.sop_class_uid = std::string(dicom::uids::InstanceAvailabilityNotification);
    wish.transfer_syntaxes = {std::string(dicom::explicit_vr_little_endian().uid),
                              std::string(dicom::implicit_vr_little_endian().uid)};
    std::vector<net::scu::WantedContext> wanted{wish};
    auto opened = co_await net::scu::Client::open(std::move(address), settings_.client, std::move(wanted));
    if (!opened) co_return std::move(opened).error();
    auto& client = **opened;
    Result<void> outcome;
    for (auto& message : delivery.messages) {
        message.told = true;
        std::string uid = message.notice.sop_instance_uid;
        for (auto& part : message.parts) {
            net::scu::NormalizedOperation operation;
            operation.sop_class_uid = *dicom::Uid::parse(wish.sop_class_uid);
            operation.sop_instance_uid = *dicom::Uid::parse(uid);
            operation.data_set = std::move(part);
            uid = dicom::Uid::generate().str();
            auto response = co_await net::scu::n_create(client, operation);
            if (!response) {
                message.told = false;
                co_return std::move(response).error();
            }
            if (is_told(response->outcome)) continue;
            message.told = false;
            outcome = Error(Errc::refused,
                            fmt::format("answered {:04X}", net::dimse::code(response->outcome.status)));
            break;
        }
    }
    auto released = co_await client.release();
    if (!released) log::debug("availability: {}", released.error().message());
    co_return outcome;
}

void AvailabilityScu::settle_finished() {
    Deliveries finished;
    {
        const std::lock_guard lock(mutex_);
        finished = std::exchange(finished_, {});
    }
    for (const auto& delivery : finished) {
        if (auto settled = settle(*delivery); !settled)
            log::error("availability: {}", settled.error().message());
        const std::lock_guard lock(mutex_);
        Peer& peer = peers_.at(delivery->peer);
        peer.busy = false;
        if (delivery->outcome) {
            peer.pause = settings_.retry;
            peer.due = Clock::now();
        } else {
            peer.due = Clock::now() + peer.pause;
            peer.pause = std::min(peer.pause * 2, settings_.longest_retry);
        }
    }
}

Result<void> AvailabilityScu::settle(const Delivery& delivery) {
    std::size_t told = 0, given_up = 0;
    for (const auto& message : delivery.messages) {
        const bool old = std::chrono::seconds(now_utc() - message.notice.created) > settings_.give_up;
        if (!message.told && !old) continue;
        if (auto removed = notices_.remove(message.notice); !removed) return removed;
        ++(message.told ? told : given_up);
    }
    if (told != 0) log::info("availability: {} notices to {}", told, delivery.peer);
    if (!delivery.outcome)
        log::warning("availability: {} of {} notices to {} not told{}: {}", delivery.messages.size() - told,
                     delivery.messages.size(), delivery.peer,
                     given_up == 0 ? "" : fmt::format(", {} of them given up", given_up),
                     log::escaped(delivery.outcome.error().message()));
    return {};
}

}  // namespace sagitta::service
