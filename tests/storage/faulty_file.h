// The files of a FaultyFileSystem, and what it does with their names. Included by faulty_file_system.h.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/storage/faulty_file_system.h"

namespace sagitta::storage::testing {

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
        std::erase_if(owner_.changes_,
                      [&](const Change& c) { return c.path == path_ && !c.created && c.moved_from.empty(); });
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
        if (!owner_.punches_) return false;
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
    Change move;
    move.path = to;
    move.moved_from = from;
    move.folders_to_sync = {from.substr(0, from.rfind('/')), to.substr(0, to.rfind('/'))};
    if (const auto there = real_.open(to, OpenMode::read)) {
        move.replaced = true;
        move.before.resize((*there)->size().value_or(0));
        (void)(*there)->read_at(0, move.before).has_value();
    }
    auto done = real_.rename(from, to);
    if (!done) return done;
    const std::lock_guard lock(mutex_);
    bool is_new = false;
    // What was written to the one it replaces is of no interest any more.
    std::erase_if(changes_,
                  [&](const Change& c) { return c.path == to && !c.created && c.moved_from.empty(); });
    for (auto& change : changes_) {
        if (change.path != from) continue;
        change.path = to;  // a new file's name is not yet durable
        if (!change.created) continue;
        is_new = true;
        change.replaced = move.replaced;
        change.before = move.before;
    }
    if (!is_new) changes_.push_back(std::move(move));
    for (auto* file : open_) {
        if (file->path() == from) file->renamed(to);
    }
    return done;
}

inline Result<void> FaultyFileSystem::sync_directory(const std::string& path) {
    if (auto failed = step(false)) return *failed;
    const std::lock_guard lock(mutex_);
    std::erase_if(changes_, [&](Change& c) {
        if (!c.moved_from.empty()) {
            c.folders_to_sync.erase(path);
            return c.folders_to_sync.empty();
        }
        return c.created && c.path.substr(0, c.path.rfind('/')) == path;
    });
    return {};
}

}  // namespace sagitta::storage::testing
