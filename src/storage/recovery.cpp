#include "storage/recovery.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "storage/member_reader.h"
#include "storage/note.h"
#include "storage/note_replay.h"
#include "storage/purge.h"
#include "storage/quarantine.h"
#include "storage/volume_scanner.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kMembersPerTransaction = 1000;
constexpr std::uint64_t kMembersPerTransactionFromNothing = 20'000;  // no crash is to be survived
constexpr std::size_t kPiece = 1u << 20;

/// One volume from its mark to its end.
class VolumeRecovery {
public:
    VolumeRecovery(FileSystem& file_system, const Layout& layout, IndexWriter& index, bool from_nothing,
                   RecoveredVolumes& all)
        : file_system_(file_system), layout_(layout), index_(index), from_nothing_(from_nothing), all_(all) {}

    Result<void> run(const VolumeMark& mark) {
        number_ = mark.number;
        auto file = file_system_.open(layout_.volume(number_), OpenMode::read_write);
        if (!file) return std::move(file).error();
        file_ = std::move(*file);
        auto length = file_->size();
        if (!length) return std::move(length).error();
        length_ = *length;
        if (length_ < mark.indexed_to) return too_short(mark);
        good_end_ = data_end_ = mark.indexed_to;
        if (mark.sealed) {
            sealed_ = true;
            return {};
        }
        if (auto done = index_members(); !done) {
            index_.rollback();
            return done;
        }
        return cut_torn_end();
    }

    bool sealed() const { return sealed_; }
    std::uint64_t good_end() const { return good_end_; }

private:
    Result<void> too_short(const VolumeMark& mark) const {
        return Error(
            Errc::corrupt,
            fmt::format("{} has {} bytes, but {} were stored in it: restore the volume from a backup, or run "
                        "`sagitta reindex` to go on with what is left",
                        layout_.volume(number_), length_, mark.indexed_to));
    }

    Result<void> index_members() {
        if (auto begun = index_.begin(); !begun) return begun;
        MemberReader reader(*file_, good_end_, length_);
        while (true) {
            auto read = reader.next();
            if (!read) return std::move(read).error();
            if (!*read) break;
            if (auto done = take(**read); !done) return done;
            if (in_transaction_ <
                (from_nothing_ ? kMembersPerTransactionFromNothing : kMembersPerTransaction))
                continue;
            if (auto done = commit(); !done) return done;
            if (auto begun = index_.begin(); !begun) return begun;
        }
        return commit();
    }

    Result<void> take(ReadMember& read) {
        const auto& found = read.found;
        if (found.kind == ScannedMember::Kind::damaged) {
            pending_damage_.push_back(fmt::format("{} bytes {} to {}: {}", layout_.volume(number_),
                                                  found.header_offset, found.end, found.reason));
            return {};
        }
        // Something good follows, so what was wrong before it is damage and not a torn end.
        for (auto& damage : pending_damage_) all_.report.damage.push_back(std::move(damage));
        pending_damage_.clear();
        Result<void> taken;
        if (found.kind == ScannedMember::Kind::instance) taken = add(found, *read.record);
        if (found.kind == ScannedMember::Kind::note) taken = replay(found, read.note);
        if (found.kind == ScannedMember::Kind::purged && !found.reason.empty()) taken = finish_purge(found);
        if (!taken) return taken;
        good_end_ = found.end;
        if (found.kind == ScannedMember::Kind::manifest) {
            sealed_ = true;
        } else {
            data_end_ = found.end;
        }
        return {};
    }

    Result<void> add(const ScannedMember& found, Result<InstanceRecord>& record) {
        const auto size = found.member.size;
        if (!record && record.error().code == Errc::io_failure) return std::move(record).error();
        if (!record) {
            all_.report.damage.push_back(fmt::format("{} byte {}: not indexed: {}", layout_.volume(number_),
                                                     found.data_offset(), record.error().message()));
            return {};
        }
        if (!from_nothing_) {
            if (auto done = write_again(found); !done) return done;
        }
        auto replaced = index_.insert({&*record, number_, found.data_offset(), size, found.member.modified});
        if (!replaced) return std::move(replaced).error();
        if (*replaced) ++all_.superseded;
        ++all_.report.instances_indexed;
        ++in_transaction_;
        return {};
    }

    Result<void> replay(const ScannedMember& found, const ByteBuffer& text) {
        auto lines = parse_note(as_text(text.span()));
        if (!lines) {
            all_.report.damage.push_back(fmt::format("{} byte {}: {}", layout_.volume(number_),
                                                     found.data_offset(), lines.error().message()));
            return {};
        }
        if (!from_nothing_) {
            if (auto done = write_again(found); !done) return done;
        }
        ++in_transaction_;
        const auto members = members_of(StorageLayout::volumes, file_system_, layout_);
        return apply_note(*members, index_, {number_, found.data_offset(), found.member.size}, *lines,
                          all_.report.damage);
    }

    /// Its header was changed, and then the power went: nobody is to find the bytes.
    Result<void> finish_purge(const ScannedMember& found) {
        written_again_ = true;
        auto erased = erase(*file_, found.data_offset(), found.member.size);
        if (!erased) return std::move(erased).error();
        return {};
    }

    /// After a failed sync the page cache may hold what the disk does not. These bytes were not yet
    /// promised to anyone; written again and synced, they may be.
    Result<void> write_again(const ScannedMember& found) {
        written_again_ = true;
        const auto end = found.data_offset() + found.member.size;
        piece_.resize(kPiece);
        for (auto at = found.header_offset; at < end;) {
            const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, end - at));
            auto read = file_->read_at(at, std::span(piece_).first(wanted));
            if (!read) return std::move(read).error();
            if (*read == 0)
                return Error(Errc::io_failure, layout_.volume(number_) + " has become shorter", at);
            const std::array parts{std::span<const std::byte>(piece_).first(*read)};
            if (auto written = file_->write_at(at, parts); !written) return written;
            at += *read;
        }
        return {};
    }

    Result<void> commit() {
        if (good_end_ > length_) {  // the last member lacks only padding
            if (auto padded = file_->truncate(good_end_); !padded) return padded;
            length_ = good_end_;
            written_again_ = true;
        }
        if (std::exchange(written_again_, false)) {
            if (auto synced = file_->sync(); !synced) return synced;
        }
        in_transaction_ = 0;
        if (auto done = index_.set_mark({number_, data_end_, sealed_}); !done) return done;
        return index_.commit();
    }

    Result<void> cut_torn_end() {
        if (sealed_ || good_end_ >= length_) return {};
        if (from_nothing_) {
            if (auto kept = keep_torn_end(); !kept) return kept;
        }
        if (auto cut = file_->truncate(good_end_); !cut) return cut;
        if (auto synced = file_->sync(); !synced) return synced;
        all_.report.bytes_truncated += length_ - good_end_;
        return {};
    }
    Result<void> keep_torn_end();

    FileSystem& file_system_;
    const Layout& layout_;
    IndexWriter& index_;
    bool from_nothing_;
    RecoveredVolumes& all_;
    std::uint32_t number_ = 0;
    std::unique_ptr<File> file_;
    std::uint64_t length_ = 0;
    std::uint64_t good_end_ = 0;  // behind the last good member, the manifest included
    std::uint64_t data_end_ = 0;  // behind the last good member but the manifest
    std::uint64_t in_transaction_ = 0;
    bool sealed_ = false;
    bool written_again_ = false;
    std::vector<std::string> pending_damage_;
    std::vector<std::byte> piece_;
};

Result<void> VolumeRecovery::keep_torn_end() {
    all_.report.damage.push_back(fmt::format("{} bytes {} to {} hold no whole member; kept in quarantine",
                                             layout_.volume(number_), good_end_, length_));
    return storage::keep_torn_end(file_system_, layout_, {number_, good_end_, length_});
}

Result<std::map<std::uint32_t, VolumeMark>> volumes_with_marks(FileSystem& file_system, const Layout& layout,
                                                               IndexWriter& index) {
    auto numbers = list_volumes(file_system, layout);
    if (!numbers) return std::move(numbers).error();
    auto marks = index.marks();
    if (!marks) return std::move(marks).error();
    std::map<std::uint32_t, VolumeMark> volumes;
    for (const auto number : *numbers) volumes[number].number = number;
    for (const auto& mark : *marks) {
        const auto known = volumes.find(mark.number);
        if (known == volumes.end()) {
            return Error(Errc::corrupt,
                         fmt::format("{} is missing: restore it from a backup, or run `sagitta "
                                     "reindex` to go on without what it holds",
                                     layout.volume(mark.number)));
        }
        known->second = mark;
    }
    return volumes;
}

}  // namespace

Result<RecoveredVolumes> recover(FileSystem& file_system, const Layout& layout, IndexWriter& index,
                                 bool from_nothing, const std::function<void(std::string_view)>& progress) {
    RecoveredVolumes all;
    auto volumes = volumes_with_marks(file_system, layout, index);
    if (!volumes) return std::move(volumes).error();
    for (const auto& [number, mark] : *volumes) {
        VolumeRecovery recovery(file_system, layout, index, from_nothing, all);
        const auto before = all.report.instances_indexed;
        if (auto done = recovery.run(mark); !done) return std::move(done).error();
        if (progress) {
            progress(fmt::format("{}: {} instances indexed", layout.volume(number),
                                 all.report.instances_indexed - before));
        }
        const bool last = number == volumes->rbegin()->first;
        if (!last && !recovery.sealed()) all.unsealed.push_back(number);
        if (!last) continue;
        all.open_exists = !recovery.sealed();
        all.open_volume = recovery.sealed() ? number + 1 : number;
        all.open_tail = recovery.sealed() ? 0 : recovery.good_end();
    }
    return all;
}

Result<RecoveredVolumes> rebuild_index(FileSystem& file_system, const Layout& layout,
                                       const std::function<void(std::string_view)>& progress) {
    const auto fresh = layout.index() + ".new";
    auto remove = [&](const std::string& path) -> Result<void> {
        auto done = file_system.remove(path);
        if (!done && done.error().code == Errc::not_found) return {};
        return done;
    };
    if (auto done = remove(fresh); !done) return std::move(done).error();
    auto index = IndexWriter::open(fresh, IndexWriter::Purpose::rebuild);
    if (!index) return std::move(index).error();
    auto all = recover(file_system, layout, **index, true, progress);
    if (!all) return all;
    if (auto done = (*index)->optimize(); !done) return std::move(done).error();
    index->reset();
    auto file = file_system.open(fresh, OpenMode::read_write);
    if (!file) return std::move(file).error();
    auto done = (*file)->sync();
    // A crash among these leaves no index, which the next start answers by building one.
    if (done) done = remove(layout.index());
    if (done) done = remove(layout.index() + "-wal");
    if (done) done = remove(layout.index() + "-shm");
    if (done) done = file_system.rename(fresh, layout.index());
    if (done) done = file_system.sync_directory(layout.data_dir);
    if (!done) return std::move(done).error();
    all->report.index_rebuilt = true;
    return all;
}

}  // namespace sagitta::storage
