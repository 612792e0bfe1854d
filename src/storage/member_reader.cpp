#include "storage/member_reader.h"

#include <utility>

#include "storage/member_record.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kMembersOfABatch = 64;
constexpr std::size_t kMostBatches = 4;

}  // namespace

MemberReader::MemberReader(const File& volume, std::uint64_t from, std::uint64_t volume_length)
    : volume_(volume),
      scanner_(volume, from, volume_length, {.stop = &stopping_}),
      thread_([this] { run(); }) {}

MemberReader::~MemberReader() {
    {
        const std::lock_guard lock(mutex_);
        stopping_ = true;
    }
    changed_.notify_all();
    thread_.join();
}

Result<ReadMember*> MemberReader::next() {
    if (at_ == batch_.size()) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, [this] { return !waiting_.empty() || ended_; });
        if (waiting_.empty()) {
            if (failure_) return *failure_;
            return static_cast<ReadMember*>(nullptr);
        }
        spent_ = std::exchange(batch_, std::move(waiting_.front()));
        waiting_.pop_front();
        at_ = 0;
        lock.unlock();
        changed_.notify_all();
    }
    return &batch_[at_++];
}

void MemberReader::run() {
    while (true) {
        std::vector<ReadMember> batch;
        auto more = read_some(batch);
        const bool is_last = !more || !*more;
        auto failure = more ? std::nullopt : std::optional<Error>(std::move(more).error());
        if (!hand_over(std::move(batch), is_last, std::move(failure)) || is_last) return;
    }
}

/// False at the end of the volume.
Result<bool> MemberReader::read_some(std::vector<ReadMember>& into) {
    into.reserve(kMembersOfABatch);
    while (into.size() < kMembersOfABatch) {
        auto found = scanner_.next();
        if (!found) return std::move(found).error();
        if (!*found) return false;
        ReadMember member;
        member.found = std::move(**found);
        if (member.found.kind == ScannedMember::Kind::instance) {
            member.record = record_of_member(volume_, member.found.data_offset(), member.found.member.size,
                                             scanner_.head());
        } else if (member.found.kind == ScannedMember::Kind::note) {
            auto text = scanner_.read_all(member.found);
            if (!text) return std::move(text).error();
            member.note = std::move(*text);
        }
        into.push_back(std::move(member));
    }
    return true;
}

/// False when it is to stop.
bool MemberReader::hand_over(std::vector<ReadMember> batch, bool is_last, std::optional<Error> failure) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return waiting_.size() < kMostBatches || stopping_; });
    if (stopping_) return false;
    if (!batch.empty()) waiting_.push_back(std::move(batch));
    ended_ = is_last;
    failure_ = std::move(failure);
    const auto spent = std::exchange(spent_, {});
    lock.unlock();
    changed_.notify_all();
    return true;
}

}  // namespace sagitta::storage
