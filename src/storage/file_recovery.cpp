#include "storage/file_recovery.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/bytes.h"
#include "storage/deleted_files.h"
#include "storage/digest.h"
#include "storage/file_list.h"
#include "storage/member_record.h"
#include "storage/note_replay.h"
#include "storage/quarantine.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kFilesPerTransaction = 1000;
constexpr std::size_t kPiece = 1u << 20;

bool is_about_the_file(const Error& error) {
    return error.code != Errc::io_failure && error.code != Errc::no_space;
}

/// Rows in transactions of a thousand.
class Rows {
public:
    Rows(FileSystem& file_system, const Layout& layout, IndexWriter& index, RecoveredVolumes& all)
        : members_(members_of(StorageLayout::files, file_system, layout)), index_(index), all_(all) {}

    Result<void> add(const InstanceRecord& record, const ListedFile& file, const ListLine& line) {
        if (auto begun = begin(); !begun) return begun;
        auto replaced = index_.insert({&record, kFileListNumber, line.offset, file.length, file.received});
        if (!replaced) return std::move(replaced).error();
        if (*replaced) ++all_.superseded;
        ++all_.report.instances_indexed;
        if (++count_ % kFilesPerTransaction != 0) return {};
        return commit(line.end);
    }
    Result<void> add(const ListedNote& note) {
        if (auto begun = begin(); !begun) return begun;
        return apply_note(*members_, index_, {kFileListNumber, note.offset, note.length}, note.lines,
                          all_.report.damage);
    }
    Result<void> commit(std::uint64_t indexed_to) {
        if (auto begun = begin(); !begun) return begun;
        open_ = false;
        if (auto marked = index_.set_mark({kFileListNumber, indexed_to, false}); !marked) return marked;
        return index_.commit();
    }

private:
    Result<void> begin() {
        if (open_) return {};
        if (auto begun = index_.begin(); !begun) return begun;
        open_ = true;
        return {};
    }

    const std::unique_ptr<MemberSource> members_;
    IndexWriter& index_;
    RecoveredVolumes& all_;
    std::uint64_t count_ = 0;
    bool open_ = false;
};

Result<InstanceRecord> record_of(const File& file, std::uint64_t length) {
    ByteBuffer head;
    auto read =
        file.read_at(0, head.prepare(static_cast<std::size_t>(std::min<std::uint64_t>(length, kPiece))));
    if (!read) return std::move(read).error();
    head.commit(*read);
    return record_of_member(file, 0, length, std::as_const(head).span());
}

/// After a failed sync the page cache may hold lines that the disk does not. They were not yet promised
/// to anyone; written again and synced, they may be.
Result<void> write_again(File& list, std::uint64_t from, std::uint64_t to) {
    std::vector<std::byte> piece(kPiece);
    for (auto at = from; at < to;) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, to - at));
        auto read = list.read_at(at, std::span(piece).first(wanted));
        if (!read) return std::move(read).error();
        if (*read == 0) return Error(Errc::io_failure, "the list of files has become shorter", at);
        const std::array parts{std::span<const std::byte>(piece).first(*read)};
        if (auto written = list.write_at(at, parts); !written) return written;
        at += *read;
    }
    return list.sync();
}

struct Lines {
    std::uint64_t end = 0;  ///< of the last that is one; what is behind it was never acknowledged
    bool damaged = false;   ///< something before it is none
};

Result<Lines> look_at_lines(const File& list, std::uint64_t from) {
    Lines lines{from, false};
    auto read = read_list(list, from, [&](const ListLine& line) -> Result<void> {
        if (!line.is_ours()) return {};
        lines.damaged = lines.damaged || line.offset != lines.end;
        lines.end = line.end;
        return {};
    });
    if (!read) return std::move(read).error();
    return lines;
}

/// Takes the lines of the list into the index.
class TailRecovery {
public:
    TailRecovery(FileSystem& file_system, const Layout& layout, FilePlaces places, IndexWriter& index,
                 RecoveredVolumes& all)
        : file_system_(file_system),
          layout_(layout),
          places_(std::move(places)),
          rows_(file_system, layout, index, all),
          report_(all.report) {}

    Result<void> take(const ListLine& line) {
        if (line.note && !line.note->is_understood) {
            report_.damage.push_back(fmt::format("{} byte {}: a note that this version does not understand",
                                                 layout_.file_list(), line.offset));
        }
        if (line.note) return rows_.add(*line.note);
        if (!line.file) return {};
        const bool deleted = places_.is_deleted(line.offset);
        const auto path =
            deleted ? deleted_path(layout_, line.offset) : layout_.files() + "/" + line.file->path;
        auto proved = prove_file(file_system_, path, *line.file);
        if (!proved && proved.error().code == Errc::not_found && deleted) return {};  // purged
        if (!proved && !is_about_the_file(proved.error())) return proved;
        if (!proved) {
            report_.damage.push_back(fmt::format("{}: {}", path, proved.error().message()));
            return {};
        }
        auto file = file_system_.open(path, OpenMode::read);
        if (!file) return std::move(file).error();
        auto record = record_of(**file, line.file->length);
        if (record) return rows_.add(*record, *line.file, line);
        if (!is_about_the_file(record.error())) return std::move(record).error();
        report_.damage.push_back(fmt::format("{}: not indexed: {}", path, record.error().message()));
        return {};
    }
    Result<void> commit(std::uint64_t end) { return rows_.commit(end); }

private:
    FileSystem& file_system_;
    const Layout& layout_;
    const FilePlaces places_;
    Rows rows_;
    RecoveryReport& report_;
};

Result<void> recover_tail(FileSystem& file_system, const Layout& layout, IndexWriter& index,
                          std::uint64_t mark, RecoveredVolumes& all) {
    auto list = file_system.open(layout.file_list(), OpenMode::read_write);
    if (!list && list.error().code == Errc::not_found && mark == 0) return {};
    auto length = list ? (*list)->size() : Result<std::uint64_t>(0);
    if (!length) return std::move(length).error();
    if ((!list && list.error().code == Errc::not_found) || (list && *length < mark)) {
        return Error(Errc::corrupt, layout.file_list() + " is missing or too short");
    }
    if (!list) return std::move(list).error();
    auto lines = look_at_lines(**list, mark);
    if (!lines) return std::move(lines).error();
    if (lines->damaged) return Error(Errc::corrupt, layout.file_list() + " is damaged");
    const auto end = lines->end;
    if (end < *length) {
        if (auto cut = (*list)->truncate(end); !cut) return cut;
        all.report.bytes_truncated += *length - end;
    }
    if (mark < *length) {
        if (auto written = write_again(**list, mark, end); !written) return written;
    }
    all.open_tail = end;
    if (end == mark) return {};
    auto places = FilePlaces::of(**list, mark);
    if (!places) return std::move(places).error();
    if (auto settled = places->settle(file_system, layout); !settled) return settled;
    TailRecovery tail(file_system, layout, std::move(*places), index, all);
    auto read = read_list(**list, mark, [&](const ListLine& line) { return tail.take(line); });
    if (read) read = tail.commit(end);
    if (!read) index.rollback();
    return read;
}

/// The tree, file by file.
class Rebuild {
public:
    Rebuild(FileSystem& file_system, const Layout& layout, IndexWriter& index, File& list,
            RecoveredVolumes& all)
        : file_system_(file_system),
          layout_(layout),
          index_(index),
          list_(list),
          rows_(file_system, layout, index, all),
          all_(all) {}

    Result<void> run(const std::function<void(std::string_view)>& progress) {
        auto studies = file_system_.list(layout_.files());
        if (!studies) return std::move(studies).error();
        for (const auto& study : *studies) {
            if (auto done = take_study(study); !done) return done;
            if (progress && ++studies_ % 1000 == 0) {
                progress(
                    fmt::format("{} studies, {} instances indexed", studies_, all_.report.instances_indexed));
            }
        }
        if (auto done = keep_protected(); !done) return done;
        if (auto done = keep_deleted(); !done) return done;
        return rows_.commit(end_);
    }
    std::uint64_t end() const { return end_; }

private:
    Result<void> take_study(const std::string& study) {
        if (!dicom::Uid::parse(study)) return {};
        auto all_series = file_system_.list(layout_.files() + "/" + study);
        if (!all_series) return std::move(all_series).error();
        for (const auto& series : *all_series) {
            if (!dicom::Uid::parse(series)) continue;
            auto names = file_system_.list(layout_.files() + "/" + study + "/" + series);
            if (!names) return std::move(names).error();
            for (const auto& name : *names) {
                const auto path = fmt::format("{}/{}/{}", study, series, name);
                if (!is_listed_path(path)) continue;
                if (auto done = take(path); !done) return done;
            }
        }
        return {};
    }

    /// What can still be read of the list says who was protected: noted anew.
    Result<void> keep_protected() {
        auto old = file_system_.open(layout_.file_list(), OpenMode::read);
        if (!old && old.error().code == Errc::not_found) return {};
        if (!old) return std::move(old).error();
        std::map<std::string, NoteLine> protect;
        auto read = read_list(**old, 0, [&](const ListLine& line) -> Result<void> {
            if (!line.note) return {};
            for (const auto& note : line.note->lines) {
                if (note.kind == NoteKind::protect) protect[note.study_uid] = note;
                if (note.kind == NoteKind::unprotect) protect.erase(note.study_uid);
            }
            return {};
        });
        if (!read || protect.empty()) return read;
        std::vector<NoteLine> lines;
        for (const auto& [study, line] : protect) lines.push_back(line);
        const auto text = note_text(lines);
        const auto listed = make_list_note(text);
        const std::array parts{as_bytes(listed)};
        if (auto written = list_.write_at(end_, parts); !written) return written;
        end_ += listed.size();
        auto parsed = parse_note(text);
        if (!parsed) return std::move(parsed).error();
        return rows_.add({end_ - text.size(), text.size(), std::move(*parsed), true});
    }

    /// Until when they can be restored is not known any more, nor their places: they are put aside, not
    /// purged.
    Result<void> keep_deleted() {
        auto names = file_system_.list(layout_.deleted());
        if (!names && names.error().code == Errc::not_found) return {};
        if (!names) return std::move(names).error();
        std::uint64_t kept = 0;
        for (const auto& name : *names) {
            const auto path = layout_.deleted() + "/" + name;
            auto file = file_system_.open(path, OpenMode::read);
            if (!file) return std::move(file).error();
            auto length = (*file)->size();
            if (!length) return std::move(length).error();
            auto record = record_of(**file, *length);
            if (!record && !is_about_the_file(record.error())) return std::move(record).error();
            if (!record) continue;
            auto done = keep_copy_aside(file_system_, layout_, {record->sop_instance_uid, record->digest},
                                        **file, 0, *length);
            if (done) done = file_system_.remove(path);
            if (!done) return done;
            ++kept;
        }
        if (kept == 0) return {};
        all_.report.damage.push_back(fmt::format(
            "{} deleted files, not yet purged, are in quarantine: the list that names them is lost", kept));
        return file_system_.sync_directory(layout_.deleted());
    }

    Result<void> take(const std::string& path) {
        auto file = file_system_.open(layout_.files() + "/" + path, OpenMode::read);
        if (!file) return std::move(file).error();
        auto length = (*file)->size();
        if (!length) return std::move(length).error();
        auto record = record_of(**file, *length);
        if (!record && !is_about_the_file(record.error())) return std::move(record).error();
        if (record && !path.ends_with("/" + record->sop_instance_uid.str() + ".dcm")) {
            record = Error(Errc::mismatch, "is named like another SOP Instance");
        }
        if (!record) {
            all_.report.damage.push_back(
                fmt::format("{}/{}: not indexed: {}", layout_.files(), path, record.error().message()));
            return {};
        }
        auto newer = is_newer(path, record->sop_instance_uid);
        if (!newer) return std::move(newer).error();
        if (!*newer) {
            ++all_.superseded;
            return {};
        }
        return add(*record, **file, {path, *length, 0, modified(path)});
    }

    Result<void> add(const InstanceRecord& record, const File& file, ListedFile listed) {
        PieceDigest digest;
        std::vector<std::byte> piece(
            static_cast<std::size_t>(std::clamp<std::uint64_t>(listed.length, 1, kPiece)));
        for (std::uint64_t at = 0; at < listed.length;) {
            auto read = file.read_at(at, piece);
            if (!read) return std::move(read).error();
            if (*read == 0) return Error(Errc::io_failure, "a stored file has become shorter");
            digest.add(std::span<const std::byte>(piece).first(*read));
            at += *read;
        }
        listed.checksum = digest.member_checksum();
        const auto text = make_list_line(listed);
        const std::array parts{as_bytes(text)};
        if (auto written = list_.write_at(end_, parts); !written) return written;
        const ListLine line{end_, end_ + text.size(), listed, {}};
        end_ = line.end;
        return rows_.add(record, listed, line);
    }

    /// A crash may have left one that was never acknowledged beside one that was, in another study.
    Result<bool> is_newer(const std::string& path, const dicom::Uid& uid) {
        auto stored = index_.stored(uid);
        if (!stored) return std::move(stored).error();
        if (!*stored) return true;
        auto other = read_list_line(list_, (*stored)->offset);
        if (!other) return std::move(other).error();
        return exactly_modified(path) >= exactly_modified(other->path);
    }

    std::filesystem::file_time_type exactly_modified(const std::string& path) const {
        std::error_code wrong;
        return std::filesystem::last_write_time(layout_.files() + "/" + path, wrong);
    }
    std::int64_t modified(const std::string& path) const {
        using namespace std::chrono;
        return floor<seconds>(file_clock::to_sys(exactly_modified(path))).time_since_epoch().count();
    }

    FileSystem& file_system_;
    const Layout& layout_;
    IndexWriter& index_;
    File& list_;
    Rows rows_;
    RecoveredVolumes& all_;
    std::uint64_t end_ = 0;
    std::uint64_t studies_ = 0;
};

Result<void> remove_if_there(FileSystem& file_system, const std::string& path) {
    auto done = file_system.remove(path);
    if (!done && done.error().code == Errc::not_found) return {};
    return done;
}

/// A crash among these leaves no index, which the next start answers by building one.
Result<void> put_in_place(FileSystem& file_system, const Layout& layout, bool with_list) {
    auto done = Result<void>();
    for (const auto* suffix : {"", "-wal", "-shm"}) {
        if (done) done = remove_if_there(file_system, layout.index() + suffix);
    }
    if (done && with_list) done = file_system.rename(layout.file_list() + ".new", layout.file_list());
    if (done) done = file_system.rename(layout.index() + ".new", layout.index());
    if (done) done = file_system.sync_directory(layout.data_dir);
    return done;
}

/// Nothing of the list is lost, as far as it can tell itself. Otherwise the tree is asked, where files may
/// lie that were never acknowledged.
Result<bool> list_is_whole(FileSystem& file_system, const Layout& layout) {
    auto list = file_system.open(layout.file_list(), OpenMode::read);
    if (!list && list.error().code == Errc::not_found) return false;
    if (!list) return std::move(list).error();
    auto length = (*list)->size();
    if (!length) return std::move(length).error();
    auto lines = look_at_lines(**list, 0);
    if (!lines) return std::move(lines).error();
    return *length != 0 && lines->end == *length && !lines->damaged;
}

Result<RecoveredVolumes> index_tree(FileSystem& file_system, const Layout& layout, IndexWriter& index,
                                    const std::function<void(std::string_view)>& progress) {
    const auto fresh = layout.file_list() + ".new";
    if (auto done = remove_if_there(file_system, fresh); !done) return std::move(done).error();
    auto list = file_system.open(fresh, OpenMode::create);
    if (!list) return std::move(list).error();
    RecoveredVolumes all;
    Rebuild rebuild(file_system, layout, index, **list, all);
    auto done = rebuild.run(progress);
    if (done) done = (*list)->sync();
    if (!done) return std::move(done).error();
    all.open_volume = kFileListNumber;
    all.open_exists = true;
    all.open_tail = rebuild.end();
    return all;
}

}  // namespace

Result<RecoveredVolumes> recover_files(FileSystem& file_system, const Layout& layout, IndexWriter& index) {
    auto marks = index.marks();
    if (!marks) return std::move(marks).error();
    RecoveredVolumes all;
    all.open_volume = kFileListNumber;
    all.open_exists = true;
    const auto mark = marks->empty() ? 0 : marks->front().indexed_to;
    if (auto done = recover_tail(file_system, layout, index, mark, all); !done)
        return std::move(done).error();
    return all;
}

Result<RecoveredVolumes> rebuild_files(FileSystem& file_system, const Layout& layout,
                                       const std::function<void(std::string_view)>& progress) {
    const auto fresh = layout.index() + ".new";
    if (auto done = remove_if_there(file_system, fresh); !done) return std::move(done).error();
    auto whole = list_is_whole(file_system, layout);
    if (!whole) return std::move(whole).error();
    auto index = IndexWriter::open(fresh, IndexWriter::Purpose::rebuild);
    if (!index) return std::move(index).error();
    auto all = *whole ? recover_files(file_system, layout, **index)
                      : index_tree(file_system, layout, **index, progress);
    if (!all) return all;
    if (auto done = (*index)->optimize(); !done) return std::move(done).error();
    index->reset();
    auto file = file_system.open(fresh, OpenMode::read_write);
    if (!file) return std::move(file).error();
    auto done = (*file)->sync();
    if (done) done = put_in_place(file_system, layout, !*whole);
    if (!done) return std::move(done).error();
    all->report.index_rebuilt = true;
    return all;
}

}  // namespace sagitta::storage
