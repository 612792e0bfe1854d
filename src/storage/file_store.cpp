#include "storage/file_store.h"

#include <algorithm>
#include <utility>

#include "storage/deleted_files.h"
#include "storage/file_list.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kOpenFiles = 64;

}  // namespace

FileStore::FileStore(FileSystem& file_system, Layout layout)
    : file_system_(file_system), layout_(std::move(layout)) {}

Result<ByteBuffer> FileStore::read(const InstanceLocation& instance, std::uint64_t offset,
                                   std::uint64_t max_bytes) const {
    ByteBuffer buffer;
    const auto wanted = offset < instance.length ? std::min(max_bytes, instance.length - offset) : 0;
    auto done = read_into(instance, offset, buffer.prepare(static_cast<std::size_t>(wanted)));
    if (!done) return std::move(done).error();
    buffer.commit(*done);
    return buffer;
}

Result<std::size_t> FileStore::read_into(const InstanceLocation& instance, std::uint64_t offset,
                                         std::span<std::byte> into) const {
    if (offset >= instance.length || into.empty()) return std::size_t{0};
    const auto wanted =
        static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), instance.length - offset));
    auto found = file(instance);
    if (!found) return std::move(found).error();
    auto done = (*found)->read_at(offset, into.first(wanted));
    if (done && *done < wanted) return Error(Errc::corrupt, "a stored file has become shorter", offset);
    return done;
}

Result<std::optional<FileRange>> FileStore::file_range(const InstanceLocation& instance) const {
    auto found = file(instance);
    if (!found) return std::move(found).error();
    auto size = (*found)->size();
    if (!size) return std::move(size).error();
    if (*size < instance.length) return Error(Errc::corrupt, "a stored file has become shorter", *size);
    const int descriptor = (*found)->descriptor();
    if (descriptor < 0) return std::optional<FileRange>();
    FileRange range{std::move(*found), descriptor, 0, instance.length};
    return std::optional<FileRange>(std::move(range));
}

Result<std::uint64_t> FileStore::checksum(const InstanceLocation& instance) const {
    auto line = line_of(instance);
    if (!line) return std::move(line).error();
    if (auto there = file(instance); !there) return std::move(there).error();
    return line->checksum;
}

Result<ListedFile> FileStore::line_of(const InstanceLocation& instance) const {
    auto lines = list();
    if (!lines) return std::move(lines).error();
    auto line = read_list_line(**lines, instance.offset);
    if (line && line->length != instance.length)
        return Error(Errc::corrupt, "the list of files is not that of the index", instance.offset);
    return line;
}

Result<std::shared_ptr<const File>> FileStore::list() const {
    const std::lock_guard lock(mutex_);
    if (list_) return list_;
    auto file = file_system_.open(layout_.file_list(), OpenMode::read);
    if (!file) return std::move(file).error();
    list_ = std::move(*file);
    return list_;
}

Result<std::shared_ptr<const File>> FileStore::file(const InstanceLocation& instance) const {
    {
        const std::lock_guard lock(mutex_);
        if (const auto known = open_.find(instance.offset); known != open_.end()) return known->second;
    }
    auto line = line_of(instance);
    if (!line) return std::move(line).error();
    auto file = file_system_.open(layout_.files() + "/" + line->path, OpenMode::read);
    // Deleted since it was looked up: what has its name now, if anything, is another one.
    auto deleted = file_system_.open(deleted_path(layout_, instance.offset), OpenMode::read);
    if (deleted) file = std::move(deleted);
    if (!file) return std::move(file).error();
    std::shared_ptr<const File> shared = std::move(*file);
    const std::lock_guard lock(mutex_);
    if (!open_.emplace(instance.offset, shared).second) return shared;
    opened_.push_back(instance.offset);
    if (opened_.size() > kOpenFiles) {
        open_.erase(opened_.front());
        opened_.pop_front();
    }
    return shared;
}

}  // namespace sagitta::storage
