#include "storage/note_replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "core/byte_buffer.h"
#include "storage/deletion_index.h"
#include "storage/member_record.h"
#include "storage/tar.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kHead = 64u << 10;  // read first; most headers fit

/// Members on disk, by their places.
class Members {
public:
    Members(FileSystem& file_system, const Layout& layout) : file_system_(file_system), layout_(layout) {}

    struct Found {
        InstanceRecord record;
        std::int64_t received = 0;
    };

    /// Nothing when no instance is there, or none that can be read.
    Result<std::optional<Found>> read(const IndexedMember& place) {
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
        ByteBuffer head;
        const auto wanted = static_cast<std::size_t>(std::min(place.length, kHead));
        read = (*file)->read_at(place.offset, head.prepare(wanted));
        if (!read) return std::move(read).error();
        head.commit(*read);
        auto record = record_of_member(**file, place.offset, place.length, head.span());
        if (!record && record.error().code == Errc::io_failure) return std::move(record).error();
        if (!record) return std::optional<Found>();
        return std::optional<Found>(Found{std::move(*record), member->modified});
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

class Replay {
public:
    Replay(FileSystem& file_system, const Layout& layout, IndexWriter& index, const IndexedMember& note,
           std::vector<std::string>& damage)
        : members_(file_system, layout), layout_(layout), index_(index), note_(note), damage_(damage) {}

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
            damage_.push_back(fmt::format("{} byte {}: restored, but no intact instance is there",
                                          layout_.volume(line.volume), line.offset));
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

    Members members_;
    const Layout& layout_;
    IndexWriter& index_;
    const IndexedMember& note_;
    std::vector<std::string>& damage_;
    DeletionIndex* deletions_ = nullptr;
};

}  // namespace

Result<void> apply_note(FileSystem& file_system, const Layout& layout, IndexWriter& index,
                        const IndexedMember& note, const std::vector<NoteLine>& lines,
                        std::vector<std::string>& damage) {
    return Replay(file_system, layout, index, note, damage).run(lines);
}

}  // namespace sagitta::storage
