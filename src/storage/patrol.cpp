#include "storage/patrol.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <utility>

#include "core/log.h"
#include "storage/change_feed.h"

namespace sagitta::storage {
namespace {

using namespace std::chrono_literals;

constexpr std::uint64_t kEventsAtOnce = 256;
constexpr auto kSaveEvery = 10s;
constexpr auto kAfterAnError = 1min;
/// The wall clock can be set: nobody sleeps longer than this without looking at it.
constexpr auto kLongestSleep = 1min;

std::string path_of(const std::string& data_dir) {
    return data_dir + "/patrol";
}

std::int64_t now_seconds() {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

std::optional<PatrolState> read_patrol_state(const std::string& data_dir) {
    std::ifstream file(path_of(data_dir));
    PatrolState state;
    if (!(file >> state.began >> state.is_under_way >> state.after >> state.instances >> state.bytes >>
          state.damaged >> state.completed >> state.completed_instances >> state.completed_damaged)) {
        return std::nullopt;
    }
    return state;
}

Patrol::Patrol(const InstanceIndex& index, const InstanceCheck& check, PatrolSettings settings)
    : index_(index), check_(check), settings_(std::move(settings)) {}

Patrol::~Patrol() {
    stop();
}

void Patrol::start() {
    if (settings_.every == 0ms || thread_.joinable()) return;
    thread_ = std::thread([this] { run(); });
}

void Patrol::stop() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void Patrol::run() {
    if (const auto earlier = read_patrol_state(settings_.data_dir)) {
        state_ = *earlier;
    } else {
        state_.began = now_seconds();
        save();
    }
    while (wait_for_the_next_pass()) {
        while (state_.is_under_way) {
            if (!read_some()) return save();
        }
    }
}

bool Patrol::wait_for_the_next_pass() {
    if (state_.is_under_way) return pause(0ms);
    const auto every = std::chrono::duration_cast<std::chrono::seconds>(settings_.every).count();
    while (true) {
        const auto left = std::chrono::seconds(state_.began + every - now_seconds());
        if (left <= 0s) break;
        if (!pause(std::min<Clock::duration>(left, kLongestSleep))) return false;
    }
    state_.began = now_seconds();
    state_.is_under_way = true;
    state_.after = state_.instances = state_.bytes = state_.damaged = 0;
    save();
    return true;
}

bool Patrol::read_some() {
    const auto events = index_.events(state_.after, kEventsAtOnce);
    if (!events) {
        log::warning("patrol: waits: {}", events.error().message());
        return pause(kAfterAnError);
    }
    if (events->empty()) {
        complete();
        return true;
    }
    for (const auto& event : *events) {
        // One that is served no longer is found where it came again, or not at all.
        if (!event.study_instance_uid.empty()) read_again(event.sop_instance_uid);
        state_.after = event.number;
        if (Clock::now() >= next_save_) save();
        const auto ahead = paid_until_ - Clock::now();
        if (!pause(std::max(ahead, Clock::duration::zero()))) return false;
    }
    return true;
}

void Patrol::read_again(const std::string& sop_instance_uid) {
    const auto uid = dicom::Uid::parse(sop_instance_uid);
    if (!uid) return;
    const auto found = index_.find_instance(*uid);
    if (!found || !*found) return;
    const auto& location = **found;
    const auto state = check_.check(location.sop_class_uid, sop_instance_uid);
    if (!state) {
        log::warning("patrol: an instance could not be looked up: {}", state.error().message());
        return;
    }
    ++state_.instances;
    state_.bytes += location.length;
    const auto still = index_.find_instance(*uid);
    if (still && !*still) return;  // deleted while it was read
    if (*state == InstanceState::damaged) {
        ++state_.damaged;
        log::error("patrol: damaged: the instance of {} bytes at byte {} of volume {}", location.length,
                   location.offset, location.volume);
    }
    if (settings_.bytes_per_second == 0) return;
    const std::chrono::duration<double> price(static_cast<double>(location.length) /
                                              static_cast<double>(settings_.bytes_per_second));
    paid_until_ = std::max(paid_until_, Clock::now()) + std::chrono::duration_cast<Clock::duration>(price);
}

void Patrol::complete() {
    state_.is_under_way = false;
    state_.completed = now_seconds();
    state_.completed_instances = state_.instances;
    state_.completed_damaged = state_.damaged;
    save();
    const auto line = fmt::format("patrol: {} instances ({} bytes) read again, {} damaged", state_.instances,
                                  state_.bytes, state_.damaged);
    if (state_.damaged != 0)
        log::error("{}", line);
    else
        log::info("{}", line);
}

/// Renamed into place; not synced, since a pass that begins again does no harm.
void Patrol::save() {
    next_save_ = Clock::now() + kSaveEvery;
    const auto path = path_of(settings_.data_dir);
    {
        std::ofstream file(path + ".new", std::ios::trunc);
        file << fmt::format("{} {} {} {} {} {} {} {} {}\n", state_.began, state_.is_under_way ? 1 : 0,
                            state_.after, state_.instances, state_.bytes, state_.damaged, state_.completed,
                            state_.completed_instances, state_.completed_damaged);
        if (!file.flush()) return log::warning("patrol: {} cannot be written", path);
    }
    if (std::rename((path + ".new").c_str(), path.c_str()) != 0)
        log::warning("patrol: {} cannot be written", path);
}

bool Patrol::pause(Clock::duration time) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, time, [this] { return stopping_; });
}

}  // namespace sagitta::storage
