#include "app/house_keeping.h"

#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <utility>

#include "app/retention.h"
#include "core/log.h"
#include "storage/keeper.h"
#include "storage/study_age.h"

namespace sagitta::app {
namespace {

constexpr std::chrono::seconds kTick{1};
constexpr int kTicksPerPurge = 60;
constexpr std::size_t kStudiesAtOnce = 100;

std::uint64_t free_bytes(const std::string& path) {
    struct statvfs status {};
    if (statvfs(path.c_str(), &status) != 0) return UINT64_MAX;  // unknown: writing will tell
    return std::uint64_t{status.f_bavail} * status.f_frsize;
}

std::uint64_t beyond(std::uint64_t value, std::uint64_t limit) {
    return value > limit ? value - limit : 0;
}

}  // namespace

HouseKeeping::HouseKeeping(storage::Archive& archive, Deletion& deletion, std::string data_dir,
                           const StorageSettings& settings, std::span<const Retention> retentions)
    : archive_(archive),
      deletion_(deletion),
      data_dir_(std::move(data_dir)),
      settings_(settings),
      retentions_(retentions) {
    keep_quota();  // before anything is received
    thread_ = std::thread([this] { run(); });
}

HouseKeeping::~HouseKeeping() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
}

bool HouseKeeping::has_quota() const noexcept {
    return settings_.quota != 0 || settings_.quota_studies != 0 || settings_.min_free != 0;
}

void HouseKeeping::run() {
    for (int tick = 0;; ++tick) {
        if (tick % kTicksPerPurge == 0) {
            delete_what_is_over();
            purge();
        }
        keep_quota();
        std::unique_lock lock(mutex_);
        if (wake_.wait_for(lock, kTick, [this] { return stopping_; })) return;
    }
}

void HouseKeeping::delete_what_is_over() {
    if (retentions_.empty()) return;
    const auto stopping = [this] {
        const std::lock_guard lock(mutex_);
        return stopping_;
    };
    const auto undelete_for = std::chrono::duration_cast<std::chrono::seconds>(settings_.undelete_for);
    const auto done = apply_retention(archive_, deletion_, data_dir_, retentions_, undelete_for,
                                      std::time(nullptr), stopping);
    if (!done) {
        log::error("retention: {}", done.error().message());
    } else if (done->studies != 0) {
        log::info("retention: deleted studies={} instances={} bytes={}", done->studies, done->instances,
                  done->bytes);
    }
}

void HouseKeeping::purge() {
    const auto done = archive_.keeper().purge(std::time(nullptr));
    if (!done) {
        log::error("storage: purging what was deleted failed: {}", done.error().message());
    } else if (done->members != 0) {
        log::info("storage: purged instances={} bytes={} not_given_back={}", done->members, done->bytes,
                  done->not_given_back);
    }
    if (done && done->compacted != 0) log::info("storage: compacted volumes, bytes={}", done->compacted);
}

void HouseKeeping::keep_quota() {
    if (!has_quota()) return;
    const auto status = archive_.status();
    const bool looks_again = !full_.empty() && ++ticks_since_count_ >= kTicksPerCount;
    if (status.batches == seen_batches_ && !looks_again) return;
    auto now = counted_ ? balance(at_most(status)) : Balance();
    // Studies that begin are counted as they come; at_most() takes every instance for one.
    if (settings_.quota_policy == QuotaPolicy::refuse) now.room.studies = archive_.keeper().room().studies;
    if (!counted_ || looks_again || (full_.empty() && now.is_passed())) {
        auto counted = count();
        if (!counted) {
            log::error("storage: keeping the quota failed: {}", counted.error().message());
            return;
        }
        counted_ = *counted;
        ticks_since_count_ = 0;
        auto with_queue = *counted_;
        with_queue.used += waiting(status);
        now = balance(with_queue);
    }
    Result<void> done;
    if (settings_.quota_policy == QuotaPolicy::refuse)
        refuse_beyond(now);
    else if (now.bytes != 0 || now.studies != 0)
        done = recycle(now);
    if (done)
        seen_batches_ = status.batches;
    else
        log::error("storage: keeping the quota failed: {}", done.error().message());
}

/// Bytes that come in any case; who may be refused takes its room when its turn comes.
std::uint64_t HouseKeeping::waiting(const storage::ArchiveStatus& status) const {
    return settings_.quota_policy == QuotaPolicy::refuse ? 0 : status.queued_bytes;
}

/// As counted, and as if all that came since were of new studies.
HouseKeeping::Count HouseKeeping::at_most(const storage::ArchiveStatus& status) const {
    auto most = *counted_;
    most.used += status.stored_bytes - counted_->stored_bytes + waiting(status);
    most.studies += status.stored_instances - counted_->stored_instances;
    return most;
}

Result<HouseKeeping::Count> HouseKeeping::count() const {
    const auto status = archive_.status();  // what is stored meanwhile counts twice, never not at all
    auto counts = archive_.index().counts();
    if (!counts) return std::move(counts).error();
    auto deleted = archive_.keeper().deleted();
    if (!deleted) return std::move(deleted).error();
    Count all{counts->bytes, counts->studies, status.stored_bytes, status.stored_instances};
    for (const auto& study : *deleted) all.used += study.bytes;
    return all;
}

HouseKeeping::Balance HouseKeeping::balance(const Count& count) const {
    Balance balance;
    if (settings_.quota != 0) {
        balance.bytes = beyond(count.used, settings_.quota);
        balance.room.bytes = beyond(settings_.quota, count.used);
    }
    if (settings_.min_free != 0) {
        const auto left = free_bytes(data_dir_);
        balance.bytes = std::max(balance.bytes, beyond(settings_.min_free, left));
        balance.room.bytes = std::min(balance.room.bytes, beyond(left, settings_.min_free));
    }
    if (settings_.quota_studies != 0) {
        balance.studies = beyond(count.studies, settings_.quota_studies);
        balance.room.studies = beyond(settings_.quota_studies, count.studies);
    }
    return balance;
}

void HouseKeeping::refuse_beyond(const Balance& balance) {
    archive_.keeper().set_room(balance.room);
    const std::string_view full = balance.room.bytes == 0     ? "instances are refused"
                                  : balance.room.studies == 0 ? "what would begin a study is refused"
                                                              : "";
    if (full == std::exchange(full_, full)) return;
    log::warning("storage: {}{}", full.empty() ? "there is room again" : "the quota is reached: ", full);
}

Result<void> HouseKeeping::recycle(const Balance& beyond) {
    auto studies = storage::oldest_studies(data_dir_, kStudiesAtOnce);
    if (!studies) return std::move(studies).error();
    std::uint64_t count = 0, bytes = 0;
    for (const auto& study : *studies) {
        if (bytes >= beyond.bytes && count >= beyond.studies) break;
        storage::Scope scope;
        scope.study_instance_uids.push_back(study.study_instance_uid);
        auto removed = deletion_.remove(scope, {});
        if (!removed && removed.error().code == Errc::not_found) continue;
        if (!removed) return std::move(removed).error();
        ++count;
        bytes += removed->bytes;
    }
    if (count == 0) {
        log::warning("storage: the quota is passed, and no study may be recycled");
        return {};
    }
    log::info("storage: recycled studies={} bytes={}", count, bytes);
    purge();
    return {};
}

}  // namespace sagitta::app
