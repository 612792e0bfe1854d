#include "codec/frame_pipeline.h"

#include <algorithm>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "codec/native_pixels.h"

namespace sagitta::codec {
namespace {

// A frame done, or the wider format that its samples need.
struct Done {
    RecodedFrame frame;
    std::optional<PixelFormat> wider;
};

bool same_shape(const PixelFormat& a, const PixelFormat& b) {
    return a.rows == b.rows && a.columns == b.columns && a.samples_per_pixel == b.samples_per_pixel &&
           a.bits_allocated == b.bits_allocated && a.sample == b.sample && a.photometric == b.photometric;
}

bool fits(const PixelFormat& format, const PixelFormat& into) {
    if (format.is_signed == into.is_signed) return format.bits_stored <= into.bits_stored;
    return into.is_signed && into.bits_stored == into.bits_allocated;
}

PixelFormat wider_of(const PixelFormat& a, const PixelFormat& b) {
    PixelFormat wide = a;
    wide.is_signed = a.is_signed || b.is_signed;
    wide.bits_stored = a.is_signed == b.is_signed ? std::max(a.bits_stored, b.bits_stored) : a.bits_allocated;
    wide.high_bit = static_cast<std::uint16_t>(wide.bits_stored - 1);
    return wide;
}

// Does frames in any order on several threads and hands them over in theirs. At most two frames for each
// thread are done and not handed over.
class InOrder {
public:
    using Produce = std::function<Result<Done>(std::uint32_t)>;

    InOrder(std::uint32_t first, std::uint32_t last, unsigned threads, Produce produce)
        : next_(first), last_(last), ring_(std::size_t{threads} * 2), produce_(std::move(produce)) {
        taken_ = first;
        for (unsigned n = 0; n < threads; ++n) threads_.emplace_back([this] { work(); });
    }
    ~InOrder() {
        {
            const std::lock_guard lock(mutex_);
            stopped_ = true;
        }
        changed_.notify_all();
        for (auto& thread : threads_) thread.join();
    }
    InOrder(const InOrder&) = delete;
    InOrder& operator=(const InOrder&) = delete;

    // The next one; waits for it.
    Result<Done> take() {
        std::unique_lock lock(mutex_);
        auto& slot = ring_[taken_ % ring_.size()];
        changed_.wait(lock, [&] { return slot.has_value(); });
        Result<Done> done = std::move(*slot);
        slot.reset();
        ++taken_;
        lock.unlock();
        changed_.notify_all();
        return done;
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        while (true) {
            changed_.wait(lock,
                          [this] { return stopped_ || next_ == last_ || next_ - taken_ < ring_.size(); });
            if (stopped_ || next_ == last_) return;
            const std::uint32_t number = next_++;
            lock.unlock();
            Result<Done> done = produce_(number);
            lock.lock();
            ring_[number % ring_.size()].emplace(std::move(done));
            changed_.notify_all();
        }
    }

    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint32_t next_;
    std::uint32_t last_;
    std::uint32_t taken_ = 0;
    bool stopped_ = false;
    std::vector<std::optional<Result<Done>>> ring_;
    Produce produce_;
    std::vector<std::thread> threads_;
};

class Recoder {
public:
    Recoder(const FrameSource& source, const Recoding& recoding) : source_(source), recoding_(recoding) {}

    Result<void> run(FrameTarget& target) {
        while (true) {
            auto first = recode(0);
            if (!first) return std::move(first).error();
            if (!wanted_) wanted_ = first_format_;
            auto wider = pass(std::move(first->frame), target);
            if (!wider) return std::move(wider).error();
            if (!*wider) return {};
            wanted_ = **wider;
        }
    }

private:
    using Wider = std::optional<PixelFormat>;

    // All frames once; stops when one of them does not fit.
    Result<Wider> pass(RecodedFrame first, FrameTarget& target) {
        const std::uint32_t count = source_.frame_count();
        if (auto begun = target.begin(first.written, count); !begun) return std::move(begun).error();
        if (auto taken = target.frame(std::move(first)); !taken) return std::move(taken).error();
        if (count == 1) return Wider();
        const auto hand_over = [&](Result<Done> done) -> Result<Wider> {
            if (!done) return std::move(done).error();
            if (done->wider) return done->wider;
            if (auto taken = target.frame(std::move(done->frame)); !taken) return std::move(taken).error();
            return Wider();
        };
        if (recoding_.threads <= 1) {
            for (std::uint32_t n = 1; n < count; ++n) {
                auto handed = hand_over(recode(n));
                if (!handed || *handed) return handed;
            }
            return Wider();
        }
        InOrder frames(1, count, recoding_.threads, [this](std::uint32_t n) { return recode(n); });
        for (std::uint32_t n = 1; n < count; ++n) {
            auto handed = hand_over(frames.take());
            if (!handed || *handed) return handed;
        }
        return Wider();
    }

    Result<Done> recode(std::uint32_t number) {
        auto frame = source_.decode(number, recoding_.decode);
        if (!frame) return std::move(frame).error();
        // Decoded, every pixel has its own chrominance.
        if (frame->format.photometric == Photometric::ybr_full_422)
            frame->format.photometric = Photometric::ybr_full;
        if (!wanted_) {
            first_format_ = frame->format;
            if (recoding_.encoder != nullptr && frame->format.sample != SampleType::integer)
                return Error(Errc::unsupported, "floating point pixels are never encapsulated (PS3.5 8.2)");
            if (recoding_.encoder != nullptr) {
                if (auto why = recoding_.encoder->refuses(frame->format, recoding_.target)) return *why;
            }
        } else {
            if (!same_shape(frame->format, *wanted_)) {
                return Error(Errc::mismatch, "frame " + std::to_string(number) +
                                                 " has another shape or colour than the first");
            }
            if (!fits(frame->format, *wanted_)) return Done{{}, wider_of(*wanted_, frame->format)};
            frame->format = *wanted_;
        }
        return encode(*frame, number);
    }

    Result<Done> encode(const Frame& frame, std::uint32_t number) const {
        Done done;
        done.frame.written = frame.format;
        if (recoding_.encoder == nullptr) {
            done.frame.bytes = pack_native(frame);
            return done;
        }
        auto bytes = recoding_.encoder->encode(frame, recoding_.target, recoding_.encode, done.frame.written);
        if (!bytes) return std::move(bytes).error().within("frame " + std::to_string(number));
        done.frame.bytes = std::move(*bytes);
        return done;
    }

    const FrameSource& source_;
    const Recoding& recoding_;
    PixelFormat first_format_;           // written while there is one thread
    std::optional<PixelFormat> wanted_;  // of all frames
};

}  // namespace

Result<void> recode_frames(const FrameSource& source, const Recoding& recoding, FrameTarget& target) {
    if (source.frame_count() == 0) return Error(Errc::truncated, "pixel data without a whole frame");
    return Recoder(source, recoding).run(target);
}

}  // namespace sagitta::codec
