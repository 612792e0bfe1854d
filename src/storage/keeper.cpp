#include "storage/keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <set>
#include <utility>

#include "core/bytes.h"
#include "core/log.h"
#include "storage/compaction.h"
#include "storage/deleted_files.h"
#include "storage/deletion_index.h"
#include "storage/index_writer.h"
#include "storage/ingest.h"
#include "storage/member_writer.h"
#include "storage/note.h"
#include "storage/note_replay.h"
#include "storage/purge.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kPurgedAtOnce = 256;  // ingest waits for so many

std::int64_t now_seconds() {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

KeeperReport report_of(const std::vector<NoteLine>& lines) {
    KeeperReport report;
    std::set<std::string> studies;
    std::set<std::string_view> instances;
    for (const auto& line : lines) {
        report.bytes += line.length;
        studies.insert(line.study_uid);
        instances.insert(line.sop_uid);
    }
    report.instances = instances.size();
    report.study_uids.assign(studies.begin(), studies.end());
    return report;
}

/// What follows an append must happen or end the ingest; only a full disk can be answered by taking it back.
Error final_error(Error error) {
    if (error.code != Errc::no_space) error.code = Errc::io_failure;
    return error;
}

}  // namespace

Keeper::Keeper(StorageLayout how, FileSystem& file_system, Layout layout, Ingest& ingest, VolumeUse& use)
    : how_(how), file_system_(file_system), layout_(std::move(layout)), ingest_(ingest), use_(use) {}

Result<void> Keeper::run(const Work& work) {
    return ingest_.exclusively([&work](IndexWriter& index, MemberWriter& writer) -> Result<void> {
        auto deletions = index.deletions();
        if (!deletions) return std::move(deletions).error();
        return work(index, **deletions, writer);
    });
}

/// Volume, sync, index: as a batch of instances; with files of their own those move in between. no_space:
/// nothing of it happened.
Result<void> Keeper::write_note(IndexWriter& index, MemberWriter& writer,
                                const std::vector<NoteLine>& lines) {
    const auto text = note_text(lines);
    NewMember member{note_member(text, now_seconds()), as_bytes(text), {}, {}};
    if (auto room = writer.reserve(tar_footprint(text.size())); !room) return final_error(room.error());
    auto placement = writer.append({&member, 1});
    if (!placement) return final_error(placement.error());
    DeletedFiles files(file_system_, layout_);
    auto done = how_ == StorageLayout::files ? files.move(lines) : Result<void>();
    if (done) done = index_note(index, *placement, text);
    if (done) return done;
    index.rollback();
    if (done.error().code == Errc::no_space) {
        if (auto undone = files.undo(); !undone) return final_error(undone.error());
        if (auto undone = writer.undo_append(); !undone) return final_error(undone.error());
    }
    return final_error(done.error());
}

Result<void> Keeper::index_note(IndexWriter& index, const Placement& placement, const std::string& text) {
    auto lines = parse_note(text);
    if (!lines) return std::move(lines).error();
    const auto members = storage::members_of(how_, file_system_, layout_);
    std::vector<std::string> damage;
    auto done = index.begin();
    if (done) {
        done = apply_note(*members, index, {placement.volume, placement.offsets.front(), text.size()}, *lines,
                          damage);
    }
    if (done) done = index.set_mark({placement.volume, placement.end, false});
    if (done) done = index.commit();
    for (const auto& sentence : damage) log::error("storage: damage: {}", sentence);
    return done;
}

Result<KeeperReport> Keeper::remove(const Scope& scope, const RemovalOptions& options) {
    KeeperReport report;
    auto done = run([&](IndexWriter& index, DeletionIndex& deletions, MemberWriter& writer) -> Result<void> {
        auto lines = deletions.members_of(scope);
        if (!lines) return std::move(lines).error();
        if (lines->empty()) return Error(Errc::not_found, "no such instances are stored");
        report = report_of(*lines);
        for (const auto& study : report.study_uids) {
            auto is = options.even_protected ? Result<bool>(false) : deletions.is_protected(study);
            if (!is) return std::move(is).error();
            if (*is) return Error(Errc::refused, fmt::format("study {} is protected", study));
        }
        const auto now = now_seconds();
        for (auto& line : *lines) {
            line.kind = NoteKind::deleted;
            line.when = now;
            line.until = now + options.undo_for.count();
        }
        return write_note(index, writer, *lines);
    });
    if (!done) return std::move(done).error();
    log::info("storage: deleted instances={} studies={} bytes={}", report.instances, report.study_uids.size(),
              report.bytes);
    return report;
}

/// Leaves those whose headers say that their bytes are there, with what they superseded.
Result<void> Keeper::keep_intact(std::vector<NoteLine>& lines) {
    if (how_ == StorageLayout::files) return DeletedFiles(file_system_, layout_).keep_intact(lines);
    std::set<std::string> gone;
    std::unique_ptr<File> file;
    std::uint32_t number = 0;
    for (const auto& line : lines) {
        if (!file || number != line.volume) {
            auto opened = file_system_.open(layout_.volume(line.volume), OpenMode::read);
            if (!opened) return std::move(opened).error();
            file = std::move(*opened);
            number = line.volume;
        }
        TarBlock block{};
        auto read = file->read_at(line.offset - kTarBlock, block);
        if (!read) return std::move(read).error();
        const auto member = parse_tar_header(block);
        if (!member || !is_instance_member(*member) || member->size != line.length) gone.insert(line.sop_uid);
    }
    std::erase_if(lines, [&](const NoteLine& line) { return gone.contains(line.sop_uid); });
    return {};
}

Result<KeeperReport> Keeper::restore(const Scope& scope) {
    if (!scope.patient_ids.empty())
        return Error(Errc::invalid_argument, "what was deleted is known by its UIDs, not by patients");
    KeeperReport report;
    auto done = run([&](IndexWriter& index, DeletionIndex& deletions, MemberWriter& writer) -> Result<void> {
        auto lines = deletions.restorable(scope);
        if (!lines) return std::move(lines).error();
        if (auto kept = keep_intact(*lines); !kept) return kept;
        if (lines->empty()) return Error(Errc::not_found, "nothing of it can be restored");
        report = report_of(*lines);
        const auto now = now_seconds();
        for (auto& line : *lines) {
            line.kind = NoteKind::restored;
            line.when = now;
            line.until = 0;
        }
        return write_note(index, writer, *lines);
    });
    if (!done) return std::move(done).error();
    log::info("storage: restored instances={} studies={} bytes={}", report.instances,
              report.study_uids.size(), report.bytes);
    return report;
}

/// The answer is those whose bytes are gone, or can never be found.
Result<std::vector<NoteLine>> Keeper::take_bytes(const std::vector<NoteLine>& members, PurgeReport& report) {
    if (how_ == StorageLayout::volumes) return purge_members(file_system_, layout_, members, use_, report);
    if (auto done = DeletedFiles(file_system_, layout_).purge(members, report); !done)
        return std::move(done).error();
    return members;
}

/// Sealed volumes only: nobody writes to those but a purge. What goes wrong costs room, nothing else.
void Keeper::compact(PurgeReport& report) {
    auto volumes = volumes_to_compact(file_system_, layout_);
    if (volumes && volumes->empty()) return;
    std::set<std::uint32_t> sealed;
    auto done = run([&](IndexWriter& index, DeletionIndex&, MemberWriter&) -> Result<void> {
        auto marks = index.marks();
        if (!marks) return std::move(marks).error();
        for (const auto& mark : *marks) {
            if (mark.sealed) sealed.insert(mark.number);
        }
        return {};
    });
    if (!volumes) done = volumes.error();
    if (done) {
        for (const auto number : *volumes) {
            if (!sealed.contains(number)) continue;
            auto left_out = compact_volume(file_system_, layout_, number);
            // Also when it could not be made durable: the name may have changed hands.
            use_.note_replaced(number);
            if (left_out) report.compacted += *left_out;
            if (!left_out) done = left_out.error();
        }
    }
    if (!done) log::warning("storage: compacting volumes failed: {}", done.error().message());
}

Result<PurgeReport> Keeper::purge(std::int64_t until) {
    const std::lock_guard one_after_the_other(purging_);
    PurgeReport report;
    bool more = true;
    while (more) {
        auto done = run([&](IndexWriter& index, DeletionIndex& deletions, MemberWriter&) -> Result<void> {
            auto members = deletions.due(until, kPurgedAtOnce);
            if (!members) return std::move(members).error();
            more = false;
            if (members->empty()) return {};
            auto finished = take_bytes(*members, report);
            if (!finished) return final_error(finished.error());
            more = members->size() == kPurgedAtOnce && finished->size() == members->size();
            auto forgotten = index.begin();
            for (const auto& member : *finished) {
                if (forgotten) forgotten = deletions.forget(member);
            }
            if (forgotten) forgotten = index.commit();
            if (!forgotten) index.rollback();
            return forgotten;
        });
        if (!done) return std::move(done).error();
    }
    if (how_ == StorageLayout::volumes) compact(report);
    if (report.left_alone != 0) {
        log::error("storage: {} deleted members have damaged headers: their bytes stay", report.left_alone);
    }
    return report;
}

Result<std::vector<DeletedStudy>> Keeper::deleted() {
    std::vector<DeletedStudy> all;
    auto done = run([&](IndexWriter&, DeletionIndex& deletions, MemberWriter&) -> Result<void> {
        auto read = deletions.deleted();
        if (!read) return std::move(read).error();
        all = std::move(*read);
        return {};
    });
    if (!done) return std::move(done).error();
    return all;
}

Result<void> Keeper::set_protected(std::span<const std::string> study_uids, bool is_protected) {
    NoteLine line;
    line.kind = is_protected ? NoteKind::protect : NoteKind::unprotect;
    return note_studies(study_uids, std::move(line));
}

Result<void> Keeper::note_completion(std::span<const std::string> study_uids, const std::string& step_uid) {
    const auto step = dicom::Uid::parse(step_uid);
    if (!step || step->empty()) return Error(Errc::invalid_argument, "a step is named by its UID");
    NoteLine line;
    line.kind = NoteKind::completed;
    line.sop_uid = step->str();
    return note_studies(study_uids, std::move(line));
}

/// `line` for each of them.
Result<void> Keeper::note_studies(std::span<const std::string> study_uids, NoteLine line) {
    std::vector<NoteLine> lines;
    line.when = now_seconds();
    for (const auto& uid : study_uids) {
        const auto parsed = dicom::Uid::parse(uid);
        if (!parsed || parsed->empty()) return Error(Errc::invalid_argument, "a study is named by its UID");
        line.study_uid = parsed->str();
        lines.push_back(line);
    }
    if (lines.empty()) return Error(Errc::invalid_argument, "no study is named");
    return run([&](IndexWriter& index, DeletionIndex&, MemberWriter& writer) {
        return write_note(index, writer, lines);
    });
}

/// On the ingest thread: nothing takes the place of what is served meanwhile and relies on the file.
Result<bool> Keeper::remove_quarantined(const std::string& name, const InstanceRecord* served) {
    Result<bool> removed = false;
    auto done = run([&](IndexWriter& index, DeletionIndex&, MemberWriter&) -> Result<void> {
        if (served != nullptr) {
            auto now = index.stored(served->sop_instance_uid);
            if (!now) return std::move(now).error();
            if (!*now || (*now)->digest != served->digest) return {};
        }
        // What goes wrong here is no failure of the archive.
        auto gone = file_system_.remove(layout_.quarantine() + "/" + name);
        if (gone) gone = file_system_.sync_directory(layout_.quarantine());
        removed = gone ? Result<bool>(true) : Result<bool>(std::move(gone).error());
        return {};
    });
    if (!done) return std::move(done).error();
    return removed;
}

void Keeper::set_room(const Room& room) {
    ingest_.set_room(room);
}

Room Keeper::room() const {
    return ingest_.room();
}

Result<std::vector<std::string>> Keeper::protected_studies() {
    std::vector<std::string> all;
    auto done = run([&](IndexWriter&, DeletionIndex& deletions, MemberWriter&) -> Result<void> {
        auto read = deletions.protected_studies();
        if (!read) return std::move(read).error();
        all = std::move(*read);
        return {};
    });
    if (!done) return std::move(done).error();
    return all;
}

}  // namespace sagitta::storage
