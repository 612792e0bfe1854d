#include "service/large_object.h"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "service/await.h"
#include "service/dimse_status.h"
#include "service/filing.h"
#include "storage/long_data_set.h"

namespace sagitta::service {
namespace {

using net::dimse::AssociationInfo;
using net::dimse::Outcome;
using net::dimse::StoreRequest;

/// Of one object, between the network and the disk.
constexpr std::uint64_t kMostWaitingBytes = 4u << 20;

/// Shared by the receiver and what it has posted to the writers; the writers never wait for each other.
class Writing : public std::enable_shared_from_this<Writing> {
public:
    using Done = std::function<void(Result<storage::IncomingInstance>)>;

    Writing(LargeObjectPlace place, const AssociationInfo& association, StoreRequest request,
            std::function<void()> on_room)
        : place_(place),
          meta_(meta_of(request, association)),
          request_(std::move(request)),
          on_room_(std::move(on_room)) {}

    void add(ByteBuffer bytes) {
        const std::lock_guard lock(mutex_);
        if (error_) return;
        waiting_bytes_ += bytes.size();
        waiting_.push_back(std::move(bytes));
        go_on();
    }
    bool wants_more() const {
        const std::lock_guard lock(mutex_);
        return waiting_bytes_ < kMostWaitingBytes;
    }
    void finish(Done done) {
        const std::lock_guard lock(mutex_);
        done_ = std::move(done);
        go_on();
    }
    /// Nobody waits for it any more, and nobody may be called.
    void abandon() {
        const std::lock_guard lock(mutex_);
        on_room_ = nullptr;
        done_ = nullptr;
        abandoned_ = true;
        waiting_.clear();
        go_on();  // removing a large file takes its time
    }

private:
    void go_on() {
        if (!std::exchange(running_, true)) post();
    }
    void post() {
        place_.writers.post([self = shared_from_this()] { self->run(); });
    }

    /// One piece; then others have their turn, however fast this one comes.
    void run() {
        std::unique_lock lock(mutex_);
        if (!abandoned_ && !waiting_.empty()) write_first(lock);
        if (!abandoned_ && !waiting_.empty()) return post();
        if (abandoned_) {
            lock.unlock();
            spooled_.reset();
        } else if (!done_) {
            running_ = false;
        } else {
            auto done = std::exchange(done_, nullptr);
            lock.unlock();
            auto instance = whole();
            spooled_.reset();  // what is refused is gone before the answer
            done(std::move(instance));
        }
    }

    void write_first(std::unique_lock<std::mutex>& lock) {
        const auto piece = std::move(waiting_.front());
        waiting_.pop_front();
        lock.unlock();
        auto written = write(piece);
        lock.lock();
        if (!written && !error_) error_ = std::move(written).error();
        const bool was_full = waiting_bytes_ >= kMostWaitingBytes;
        waiting_bytes_ -= piece.size();
        if (was_full && waiting_bytes_ < kMostWaitingBytes && on_room_) on_room_();
    }

    Result<void> write(const ByteBuffer& piece) {
        if (failed_) return {};
        auto written = begun();
        if (written) written = spooled_->append(piece.span());
        if (written) return written;
        failed_ = true;
        spooled_.reset();  // the room it took is free at once
        return written;
    }

    Result<void> begun() {
        if (spooled_) return {};
        auto spooled = place_.archive.spool(dicom::make_file_header(meta_).span());
        if (!spooled) return std::move(spooled).error();
        spooled_ = std::move(*spooled);
        return {};
    }

    /// Synced here, so that the one thread that files all instances need not wait for so much.
    Result<storage::IncomingInstance> whole() {
        if (error_) return *error_;
        if (auto synced = spooled_->sync(); !synced) return std::move(synced).error();
        auto read = parsed();
        if (!read) return std::move(read).error();
        if (auto same = check_identity(read->data_set, request_); !same) return std::move(same).error();
        auto record = storage::record_of_spooled(*spooled_, *read, request_.transfer_syntax_uid);
        if (!record) return std::move(record).error();
        storage::IncomingInstance instance;
        instance.record = std::move(*record);
        instance.spooled = std::move(spooled_);
        return instance;
    }

    Result<storage::LongDataSet> parsed() const {
        ByteBuffer begin;
        const auto at = spooled_->offset() + spooled_->file_header_length();
        auto got = spooled_->file().read_at(at, begin.prepare(kSniffedBytes));
        if (!got) return std::move(got).error();
        begin.commit(*got);
        auto syntax = dicom::encoding_of(request_.transfer_syntax_uid, begin.span());
        if (!syntax) return std::move(syntax).error();
        storage::LongDataSetOptions options;
        options.max_depth = place_.settings.sequence_depth;
        auto read = storage::read_long_data_set(*spooled_, **syntax, options);
        if (!read) return unreadable(std::move(read).error());
        return read;
    }

    static constexpr std::size_t kSniffedBytes = 4096;

    const LargeObjectPlace place_;
    const dicom::FileMeta meta_;
    const StoreRequest request_;
    std::unique_ptr<storage::SpooledInstance> spooled_;  // of the writer that runs
    bool failed_ = false;                                // the same

    mutable std::mutex mutex_;
    std::deque<ByteBuffer> waiting_;
    std::uint64_t waiting_bytes_ = 0;
    std::function<void()> on_room_;
    Done done_;
    std::optional<Error> error_;
    bool running_ = false;
    bool abandoned_ = false;
};

class LargeObject final : public net::dimse::ObjectReceiver {
public:
    LargeObject(LargeObjectPlace place, const AssociationInfo& association, StoreRequest request,
                std::function<void()> on_room)
        : place_(place),
          association_(association),
          writing_(std::make_shared<Writing>(place, association, std::move(request), std::move(on_room))) {}
    ~LargeObject() override { writing_->abandon(); }

    void add(ByteBuffer bytes) override { writing_->add(std::move(bytes)); }
    bool wants_more() const override { return writing_->wants_more(); }
    Task<Outcome> finish() override {
        auto finish = [this](auto done) {
            writing_->finish(std::move(done));
            return Result<void>();
        };
        auto instance = co_await await_callback<Result<storage::IncomingInstance>>(std::move(finish));
        if (!instance) co_return store_outcome(instance.error());
        co_return co_await file(place_.archive, place_.settings, association_, std::move(*instance));
    }

private:
    const LargeObjectPlace place_;
    const AssociationInfo& association_;
    const std::shared_ptr<Writing> writing_;
};

}  // namespace

std::unique_ptr<net::dimse::ObjectReceiver> receive_large_object(LargeObjectPlace place,
                                                                 const AssociationInfo& association,
                                                                 StoreRequest request,
                                                                 std::function<void()> on_room) {
    return std::make_unique<LargeObject>(place, association, std::move(request), std::move(on_room));
}

}  // namespace sagitta::service
