#include "service/completion_watch.h"

#include <algorithm>
#include <utility>

#include "core/log.h"
#include "dicom/uid.h"

namespace sagitta::service {
namespace {

constexpr auto kForgetEvery = std::chrono::hours(1);

std::int64_t now_utc() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

CompletionWatch::CompletionWatch(storage::ProcedureStepLog& log, const storage::InstanceIndex& index,
                                 CompletionWatchSettings settings)
    : log_(log), index_(index), settings_(std::move(settings)) {}

CompletionWatch::~CompletionWatch() {
    stop();
}

Result<void> CompletionWatch::start() {
    if (auto taken = take_new_ones(); !taken) return taken;
    thread_ = std::thread([this] { run(); });
    return {};
}

void CompletionWatch::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
        changed_.notify_all();
    }
    if (thread_.joinable()) thread_.join();
}

void CompletionWatch::step_ended() {
    const std::lock_guard lock(mutex_);
    step_ended_ = true;
    changed_.notify_all();
}

void CompletionWatch::run() {
    std::unique_lock lock(mutex_);
    while (!stopping_) {
        const bool new_ones = std::exchange(step_ended_, false);
        lock.unlock();
        if (new_ones) {
            if (auto taken = take_new_ones(); !taken) log::error("mpps: {}", taken.error().message());
        }
        if (Clock::now() >= next_forgetting_) forget_old_ones();
        const auto due = look();
        lock.lock();
        changed_.wait_until(lock, due, [this] { return stopping_ || step_ended_; });
    }
}

Result<void> CompletionWatch::take_new_ones() {
    auto steps = log_.awaited();
    if (!steps) return std::move(steps).error();
    for (const auto& step : *steps) {
        Awaited fresh;
        fresh.changed = step.changed;
        fresh.pause = settings_.look;
        awaited_.try_emplace(step.id, std::move(fresh));
    }
    return {};
}

void CompletionWatch::forget_old_ones() {
    next_forgetting_ = Clock::now() + kForgetEvery;
    const auto keep = std::chrono::duration_cast<std::chrono::seconds>(settings_.keep);
    auto forgotten = log_.forget_before(now_utc() - keep.count());
    if (!forgotten) log::error("mpps: {}", forgotten.error().message());
    if (forgotten && *forgotten != 0) log::info("mpps: {} steps forgotten, older than mpps.keep", *forgotten);
}

/// At all that is due; when to look again.
CompletionWatch::Clock::time_point CompletionWatch::look() {
    auto next = next_forgetting_;
    for (auto at = awaited_.begin(); at != awaited_.end();) {
        auto& [id, awaited] = *at;
        if (Clock::now() >= awaited.due) {
            auto done = look_at(id, awaited);
            if (!done) log::error("mpps={}: {}", id, done.error().message());
            if (done && *done) {
                at = awaited_.erase(at);
                continue;
            }
            awaited.due = Clock::now() + awaited.pause;
            awaited.pause = std::min(awaited.pause * 2, settings_.longest_look);
        }
        next = std::min(next, awaited.due);
        ++at;
    }
    return next;
}

Result<bool> CompletionWatch::look_at(std::int64_t id, Awaited& awaited) {
    const bool late = std::chrono::seconds(now_utc() - awaited.changed) >= settings_.patience;
    const bool tells = late && !awaited.told;
    if (!awaited.one_missing.empty() && !tells) {
        auto found = index_.find_instance(*dicom::Uid::parse(awaited.one_missing));
        if (!found) return std::move(found).error();
        if (!*found) return false;
    }
    auto step = log_.find(id);
    if (!step) return std::move(step).error();
    if (!*step) return true;  // forgotten
    auto progress = progress_of(std::move(**step), index_);
    if (!progress) return std::move(progress).error();
    if (!progress->has_arrived()) {
        awaited.one_missing = progress->missing.front();
        if (tells)
            log::warning("mpps={} {}: {} of {} instances are missing", id, to_string(progress->step.state),
                         progress->missing.size(), progress->expected.size());
        awaited.told = awaited.told || tells;
        return false;
    }
    if (settings_.on_arrival) {
        if (auto taken = settings_.on_arrival(*progress); !taken) return std::move(taken).error();
    }
    if (auto set = log_.set_arrived(id, now_utc()); !set) return std::move(set).error();
    log::info("mpps={} {}: all {} instances are here", id, to_string(progress->step.state),
              progress->expected.size());
    return true;
}

}  // namespace sagitta::service
