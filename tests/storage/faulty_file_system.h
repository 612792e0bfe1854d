// A file system that fails at the n-th call and, at a power cut, loses what was not synced.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "storage/file_system.h"

namespace sagitta::storage::testing {

/// Wraps the real one and keeps the means to undo everything not yet synced. Thread-safe.
class FaultyFileSystem final : public FileSystem {
public:
    enum class Fault {
        none,
        power_cut,  ///< the n-th call and all behind it fail
        error,      ///< only the n-th call fails, with io_failure
        disk_full,  ///< only the n-th call fails, if it is a write, with no_space
    };

    FaultyFileSystem(Fault fault, std::size_t at) : fault_(fault), at_(at) {}

    std::size_t calls() const {
        const std::lock_guard lock(mutex_);
        return calls_;
    }

    /// While it is quiet nothing fails and no call counts: for looking at what is there.
    void be_quiet(bool quiet) {
        const std::lock_guard lock(mutex_);
        quiet_ = quiet;
    }

    /// The machine loses power: undoes unsynced changes, newest first. Of the blocks of unsynced
    /// writes those that `survives(n)` accepts stay: a disk writes in any order.
    template <class Survives>
    void lose_power(Survives survives) {
        const std::lock_guard lock(mutex_);
        std::size_t n = 0;
        for (auto change = changes_.rbegin(); change != changes_.rend(); ++change) undo(*change, survives, n);
        changes_.clear();
    }

    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Result<void> sync_directory(const std::string& path) override;
    Result<void> make_directory(const std::string& path) override {
        if (auto failed = step(false)) return *failed;
        return real_.make_directory(path);
    }
    Result<std::vector<std::string>> list(const std::string& path) override {
        if (auto failed = step(false)) return *failed;
        return real_.list(path);
    }
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> remove(const std::string& path) override {
        if (auto failed = step(true)) return *failed;
        return real_.remove(path);
    }

private:
    static constexpr std::uint64_t kSector = 512;
    class FaultyFile;
    struct Change {
        std::string path;
        bool created = false;
        bool replaced = false;  ///< an empty file of that name
        std::uint64_t offset = 0;
        std::vector<std::byte> before;  ///< the bytes that were there
        std::uint64_t size_before = 0;
        std::uint64_t written = 0;
    };

    std::optional<Error> step(bool writes) {
        const std::lock_guard lock(mutex_);
        if (quiet_) return std::nullopt;
        const auto call = calls_++;
        if (fault_ == Fault::power_cut && call >= at_) return Error(Errc::io_failure, "power cut");
        if (fault_ == Fault::error && call == at_) return Error(Errc::io_failure, "injected error");
        if (fault_ == Fault::disk_full && call == at_ && writes)
            return Error(Errc::no_space, "injected: disk full");
        return std::nullopt;
    }

    template <class Survives>
    void undo(const Change& change, Survives survives, std::size_t& n) {
        if (change.created) {
            (void)real_.remove(change.path).has_value();
            if (change.replaced) (void)real_.open(change.path, OpenMode::create).has_value();
            return;
        }
        auto file = real_.open(change.path, OpenMode::read_write);
        if (!file) return;
        std::uint64_t kept = change.size_before;
        for (std::uint64_t at = 0; at < change.written; at += kSector) {
            const auto end = std::min(at + kSector, change.written);
            if (survives(n++)) {
                kept = std::max(kept, change.offset + end);
                continue;
            }
            std::vector<std::byte> old(end - at);  // zeros: the length was written, the data was not
            for (std::uint64_t i = at; i < end && i < change.before.size(); ++i)
                old[i - at] = change.before[i];
            const std::span<const std::byte> part(old);
            (void)(*file)->write_at(change.offset + at, {&part, 1}).has_value();
        }
        if (change.written == 0 && !change.before.empty()) {  // a truncation
            const std::span<const std::byte> part(change.before);
            (void)(*file)->write_at(change.offset, {&part, 1}).has_value();
        }
        auto size = (*file)->size();
        if (size && *size > kept) (void)(*file)->truncate(kept).has_value();
    }

    FileSystem& real_ = real_file_system();
    Fault fault_;
    bool quiet_ = false;
    std::size_t at_;
    mutable std::mutex mutex_;
    std::size_t calls_ = 0;
    std::vector<Change> changes_;
    std::set<FaultyFile*> open_;
};

class FaultyFileSystem::FaultyFile final : public File {
public:
    FaultyFile(FaultyFileSystem& owner, std::string path, std::unique_ptr<File> real)
        : owner_(owner), path_(std::move(path)), real_(std::move(real)) {
        const std::lock_guard lock(owner_.mutex_);
        owner_.open_.insert(this);
    }
    ~FaultyFile() override {
        const std::lock_guard lock(owner_.mutex_);
        owner_.open_.erase(this);
    }
    const std::string& path() const { return path_; }
    void renamed(const std::string& to) { path_ = to; }

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
        if (auto failed = owner_.step(false)) return *failed;
        return real_->read_at(offset, into);
    }
    Result<void> write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) override {
        std::uint64_t length = 0;
        for (const auto part : parts) length += part.size();
        auto failed = owner_.step(true);
        // A failed write may have done half, but not of a sector: disks write these whole or not at all.
        if (failed) length = length <= kSector && offset % kSector == 0 ? 0 : length / 2;
        remember(offset, length);
        if (!failed) return real_->write_at(offset, parts);
        std::vector<std::byte> half;
        for (const auto part : parts) half.insert(half.end(), part.begin(), part.end());
        const auto some = std::span<const std::byte>(half).first(length);
        (void)real_->write_at(offset, {&some, 1}).has_value();
        return *failed;
    }
    Result<void> sync() override {
        if (auto failed = owner_.step(false)) return *failed;
        const std::lock_guard lock(owner_.mutex_);
        std::erase_if(owner_.changes_, [&](const Change& c) { return c.path == path_ && !c.created; });
        return {};
    }
    Result<void> truncate(std::uint64_t length) override {
        if (auto failed = owner_.step(true)) return *failed;
        auto size = real_->size();
        if (size && *size > length) remember(length, 0);
        return real_->truncate(length);
    }
    Result<bool> punch(std::uint64_t offset, std::uint64_t length) override {
        if (auto failed = owner_.step(true)) return *failed;
        remember(offset, length);
        return real_->punch(offset, length);
    }
    Result<std::uint64_t> size() const override {
        if (auto failed = owner_.step(false)) return *failed;
        return real_->size();
    }

private:
    void remember(std::uint64_t offset, std::uint64_t written) {
        Change change;
        change.path = path_;
        change.offset = offset;
        change.size_before = real_->size().value_or(0);
        change.written = written;
        const auto behind = change.size_before > offset ? change.size_before - offset : 0;
        change.before.resize(written == 0 ? behind : std::min(behind, written));
        (void)real_->read_at(offset, change.before).has_value();
        const std::lock_guard lock(owner_.mutex_);
        owner_.changes_.push_back(std::move(change));
    }

    FaultyFileSystem& owner_;
    std::string path_;
    std::unique_ptr<File> real_;
};

inline Result<std::unique_ptr<File>> FaultyFileSystem::open(const std::string& path, OpenMode mode) {
    if (auto failed = step(mode == OpenMode::create)) return *failed;
    auto file = real_.open(path, mode);
    if (!file) return file;
    if (mode == OpenMode::create) {
        const std::lock_guard lock(mutex_);
        Change change;
        change.path = path;
        change.created = true;
        changes_.push_back(std::move(change));
    }
    return std::unique_ptr<File>(std::make_unique<FaultyFile>(*this, path, std::move(*file)));
}

inline Result<void> FaultyFileSystem::rename(const std::string& from, const std::string& to) {
    if (auto failed = step(true)) return *failed;
    const bool replaces = real_.open(to, OpenMode::read).has_value();
    auto done = real_.rename(from, to);
    if (!done) return done;
    const std::lock_guard lock(mutex_);
    for (auto& change : changes_) {
        if (change.path != from) continue;
        change.path = to;  // a new file's name is not yet durable
        if (change.created) change.replaced = replaces;
    }
    for (auto* file : open_) {
        if (file->path() == from) file->renamed(to);
    }
    return done;
}

inline Result<void> FaultyFileSystem::sync_directory(const std::string& path) {
    if (auto failed = step(false)) return *failed;
    const std::lock_guard lock(mutex_);
    std::erase_if(changes_,
                  [&](const Change& c) { return c.created && c.path.substr(0, c.path.rfind('/')) == path; });
    return {};
}

}  // namespace sagitta::storage::testing
