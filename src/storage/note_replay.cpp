#include "storage/note_replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "core/byte_buffer.h"
#include "storage/deleted_files.h"
#include "storage/deletion_index.h"
#include "storage/file_list.h"
#include "storage/member_record.h"
#include "storage/tar.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kHead = 64u << 10;  // read first; most headers fit

Result<std::optional<MemberSource::Found>> record_in(const File& file, std::uint64_t offset,
                                                     std::uint64_t length, std::int64_t received) {
    ByteBuffer head;
    auto read = file.read_at(offset, head.prepare(static_cast<std::size_t>(std::min(length, kHead))));
    if (!read) return std::move(read).error();
    head.commit(*read);
    auto record = record_of_member(file, offset, length, std::as_const(head).span());
    if (!record && record.error().code == Errc::io_failure) return std::move(record).error();
    if (!record) return std::optional<MemberSource::Found>();
    return std::optional(MemberSource::Found{std::move(*record), received});
}

class VolumeMembers final : public MemberSource {
public:
    VolumeMembers(FileSystem& file_system, const Layout& layout)
        : file_system_(file_system), layout_(layout) {}

    Result<std::optional<Found>> read(const IndexedMember& place) override {
        auto file = volume(place.volume);
        if (!file && file.error().code == Errc::not_found) return std::optional<Found>();
        if (!file) return std::move(file).error();
        TarBlock block{};
        if (place.offset < kTarBlock) return std::optional<Found>();
        auto read = (*file)->read_at(place.offset - kTarBlock, block);
        if (!read) return std::move(read).error();
        const auto member = *read == kTarBlock ? parse_tar_header(block) : std::nullopt;
        if (!member || !is_instance_member(*member) || member->size != place.length)
            return std::optional<Found>();
        return record_in(**file, place.offset, place.length, member->modified);
    }

private:
    Result<File*> volume(std::uint32_t number) {
        if (file_ && number == number_) return file_.get();
        auto file = file_system_.open(layout_.volume(number), OpenMode::read);
        if (!file) return std::move(file).error();
        file_ = std::move(*file);
        number_ = number;
        return file_.get();
    }

    FileSystem& file_system_;
    const Layout& layout_;
    std::unique_ptr<File> file_;
    std::uint32_t number_ = 0;
};

class FileMembers final : public MemberSource {
public:
    FileMembers(FileSystem& file_system, const Layout& layout) : file_system_(file_system), layout_(layout) {}

    Result<std::optional<Found>> read(const IndexedMember& place) override {
        if (!list_) {
            auto list = file_system_.open(layout_.file_list(), OpenMode::read);
            if (!list) return std::move(list).error();
            list_ = std::move(*list);
        }
        auto line = read_list_line(*list_, place.offset);
        if (!line && line.error().code == Errc::corrupt) return std::optional<Found>();
        if (!line) return std::move(line).error();
        auto file = file_system_.open(deleted_path(layout_, place.offset), OpenMode::read);
        if (!file && file.error().code == Errc::not_found)
            file = file_system_.open(layout_.files() + "/" + line->path, OpenMode::read);
        if (!file && file.error().code == Errc::not_found) return std::optional<Found>();
        if (!file) return std::move(file).error();
        auto size = (*file)->size();
        if (!size) return std::move(size).error();
        if (*size != place.length) return std::optional<Found>();
        return record_in(**file, 0, place.length, line->received);
    }

private:
    FileSystem& file_system_;
    const Layout& layout_;
    std::unique_ptr<File> list_;
};

class Replay {
public:
    Replay(MemberSource& members, IndexWriter& index, const IndexedMember& note,
           std::vector<std::string>& damage)
        : members_(members), index_(index), note_(note), damage_(damage) {}

    Result<void> run(const std::vector<NoteLine>& lines) {
        if (auto done = refresh(); !done) return done;
        std::vector<const NoteLine*> again;
        for (const auto& line : lines) {
            Result<void> done;
            switch (line.kind) {
                case NoteKind::deleted: done = deletions_->remove(line, note_); break;
                case NoteKind::protect:
                case NoteKind::unprotect: done = deletions_->set_protected(line); break;
                case NoteKind::completed: done = deletions_->note_completion(line, note_); break;
                case NoteKind::restored: {
                    auto served = deletions_->restore(line, note_);
                    if (!served) return std::move(served).error();
                    if (*served) again.push_back(&line);
                    break;
                }
            }
            if (!done) return done;
        }
        for (const auto* line : again) {
            if (auto done = serve(*line); !done) return done;
        }
        return settle(again);
    }

private:
    Result<void> refresh() {
        auto deletions = index_.deletions();
        if (!deletions) return std::move(deletions).error();
        deletions_ = *deletions;
        return {};
    }

    Result<void> serve(const NoteLine& line) {
        auto found = members_.read({line.volume, line.offset, line.length});
        if (!found) return std::move(found).error();
        if (!*found) {
            damage_.push_back(fmt::format("volume {} byte {}: restored, but no intact instance is there",
                                          line.volume, line.offset));
            return {};
        }
        auto row =
            index_.insert({&(*found)->record, line.volume, line.offset, line.length, (*found)->received});
        if (!row) return std::move(row).error();
        return {};
    }

    /// Attributes are those of the instance that lies first, wherever it can be read: an index built
    /// when the bytes of the others are gone says the same.
    Result<void> settle(const std::vector<const NoteLine*>& again) {
        if (auto done = refresh(); !done) return done;  // with what `serve` has counted
        for (const auto* line : again) {
            if (auto done = deletions_->touch(line->series_uid); !done) return done;
        }
        auto left = deletions_->settle();
        if (!left) return std::move(left).error();
        for (const auto& entity : *left) {
            auto found = members_.read(entity.first);
            if (!found) return std::move(found).error();
            if (!*found) continue;
            if (auto done = deletions_->describe(entity, (*found)->record); !done) return done;
        }
        return {};
    }

    MemberSource& members_;
    IndexWriter& index_;
    const IndexedMember& note_;
    std::vector<std::string>& damage_;
    DeletionIndex* deletions_ = nullptr;
};

}  // namespace

std::unique_ptr<MemberSource> members_of(StorageLayout how, FileSystem& file_system, const Layout& layout) {
    if (how == StorageLayout::files) return std::make_unique<FileMembers>(file_system, layout);
    return std::make_unique<VolumeMembers>(file_system, layout);
}

Result<void> apply_note(MemberSource& members, IndexWriter& index, const IndexedMember& note,
                        const std::vector<NoteLine>& lines, std::vector<std::string>& damage) {
    return Replay(members, index, note, damage).run(lines);
}

}  // namespace sagitta::storage
