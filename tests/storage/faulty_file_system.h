// A file system that fails at the n-th call and, at a power cut, loses what was not synced.
#pragma once

#include <algorithm>
#include <atomic>
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

    /// Whether it makes holes.
    void punches(bool does) { punches_ = does; }

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
        bool replaced = false;   ///< a file of that name, which held `before`
        std::string moved_from;  ///< renamed, and not known to be durable in both folders
        std::set<std::string> folders_to_sync;
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
        if (change.created || !change.moved_from.empty()) {
            if (change.created)
                (void)real_.remove(change.path).has_value();
            else
                (void)real_.rename(change.path, change.moved_from).has_value();
            if (!change.replaced) return;
            auto file = real_.open(change.path, OpenMode::create);
            const std::span<const std::byte> part(change.before);
            if (file) (void)(*file)->write_at(0, {&part, 1}).has_value();
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
    std::atomic<bool> punches_{true};
    std::size_t at_;
    mutable std::mutex mutex_;
    std::size_t calls_ = 0;
    std::vector<Change> changes_;
    std::set<FaultyFile*> open_;
};

}  // namespace sagitta::storage::testing

#include "tests/storage/faulty_file.h"
