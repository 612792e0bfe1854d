// Whether a peer moves its bytes fast enough, judged only over time spent waiting for it. Pure: the
// clock is the caller's.
#pragma once

#include <chrono>
#include <cstdint>

namespace sagitta::net::ul {

/// One direction of one connection. Waiting adds up over as many turns as it takes, so that many short
/// waits for a peer that trickles count like a long one.
class RateWatch {
public:
    using TimePoint = std::chrono::steady_clock::time_point;
    using Duration = std::chrono::steady_clock::duration;

    /// `bytes_per_second` 0 watches nothing.
    RateWatch(std::uint64_t bytes_per_second, Duration window) : rate_(bytes_per_second), window_(window) {}

    [[nodiscard]] bool is_on() const noexcept { return rate_ != 0; }
    [[nodiscard]] bool is_waiting() const noexcept { return waiting_; }
    void begin(TimePoint now) noexcept {
        if (waiting_) return;
        waiting_ = true;
        since_ = now;
    }
    void end(TimePoint now) noexcept {
        if (waiting_) waited_ += now - since_;
        waiting_ = false;
    }
    void moved(std::uint64_t bytes) noexcept { bytes_ += bytes; }
    /// When judge() is due if the waiting goes on.
    [[nodiscard]] TimePoint due() const noexcept { return since_ + (window_ - waited_); }

    /// True: a whole window was waited, and too little came of it. After a window a new one begins.
    [[nodiscard]] bool is_too_slow(TimePoint now) noexcept {
        const Duration waited = waited_ + (waiting_ ? now - since_ : Duration::zero());
        if (!is_on() || waited < window_) return false;
        const bool slow = !is_enough(bytes_, waited);
        waited_ = Duration::zero();
        since_ = now;
        bytes_ = 0;
        return slow;
    }
    /// Whether `bytes` in `time` are what is asked for.
    [[nodiscard]] bool is_enough(std::uint64_t bytes, Duration time) const noexcept {
        const double seconds = std::chrono::duration<double>(time).count();
        return is_on() && static_cast<double>(bytes) >= static_cast<double>(rate_) * seconds;
    }

private:
    std::uint64_t rate_;
    Duration window_;
    Duration waited_ = Duration::zero();
    TimePoint since_{};
    std::uint64_t bytes_ = 0;
    bool waiting_ = false;
};

}  // namespace sagitta::net::ul
