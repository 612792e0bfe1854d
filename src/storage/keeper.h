// What is done with instances once they are stored: deleting them, with a while in which that can be
// undone, and protecting studies from it. How is docs/adr/0010-deletion.md, and with
// `layout = "files"` 0012-deleted-files.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "storage/archive.h"
#include "storage/deleted_study.h"
#include "storage/layout.h"
#include "storage/query.h"
#include "storage/room.h"

namespace sagitta::storage {

class Ingest;
class IndexWriter;
class DeletionIndex;
class MemberWriter;
class VolumeUse;
struct InstanceRecord;
struct NoteLine;
struct Placement;

struct RemovalOptions {
    std::chrono::seconds undo_for{0};  ///< 0: the next purge takes the bytes
    bool even_protected = false;
};

/// What was deleted or restored.
struct KeeperReport {
    std::uint64_t instances = 0;
    std::uint64_t bytes = 0;              ///< of their files
    std::vector<std::string> study_uids;  ///< they belonged to; sorted
};

struct PurgeReport {
    std::uint64_t members = 0;
    std::uint64_t bytes = 0;
    std::uint64_t not_given_back = 0;  ///< bytes overwritten where the file system makes no holes
    std::uint64_t compacted = 0;       ///< bytes given back by copies of volumes that leave them out
    std::uint64_t left_alone = 0;      ///< members whose header is damaged: nothing was written there
    std::uint64_t being_read = 0;  ///< members in volumes that are being sent from: the next purge takes them
};

/// Thread-safe. Calls wait for their turn on the ingest thread and for the disk: what they report is
/// durable. Errors everywhere: no_space, io_failure (see ArchiveStatus::failed), shutting_down.
class Keeper {
public:
    Keeper(StorageLayout how, FileSystem& file_system, Layout layout, Ingest& ingest, VolumeUse& use);

    /// All instances in `scope`, or none. Errors: not_found, refused (a study is protected).
    [[nodiscard]] Result<KeeperReport> remove(const Scope& scope, const RemovalOptions& options);

    /// Serves again what was deleted last in `scope` (which names no patients) and has not been purged; not
    /// what is stored again. Errors: not_found (nothing of it can be restored).
    [[nodiscard]] Result<KeeperReport> restore(const Scope& scope);

    /// Takes the bytes of what was to be restored no longer than `until` (seconds since 1970, UTC). What a
    /// crash interrupts or somebody is reading is left to the next purge.
    [[nodiscard]] Result<PurgeReport> purge(std::int64_t until);

    /// What can be restored.
    [[nodiscard]] Result<std::vector<DeletedStudy>> deleted();

    /// Errors: invalid_argument (no UIDs).
    [[nodiscard]] Result<void> set_protected(std::span<const std::string> study_uids, bool is_protected);
    [[nodiscard]] Result<std::vector<std::string>> protected_studies();

    /// Notes that all is there which the Performed Procedure Step of that SOP Instance UID says was made of
    /// these studies: an event of the change feed for each. Errors: invalid_argument (no UIDs).
    [[nodiscard]] Result<void> note_completion(std::span<const std::string> study_uids,
                                               const std::string& step_uid);

    /// Removes a file of DATA/quarantine for good. With `served`, only when that is what is served under its
    /// SOP Instance UID at that moment; the answer is whether it was removed. Errors: also not_found.
    [[nodiscard]] Result<bool> remove_quarantined(const std::string& name, const InstanceRecord* served);

    /// From now on so much is taken; more is refused with no_space.
    void set_room(const Room& room);
    /// What is left of it: less what was taken since.
    [[nodiscard]] Room room() const;

private:
    using Work = std::function<Result<void>(IndexWriter&, DeletionIndex&, MemberWriter&)>;
    Result<void> run(const Work& work);
    Result<void> write_note(IndexWriter& index, MemberWriter& writer, const std::vector<NoteLine>& lines);
    Result<void> index_note(IndexWriter& index, const Placement& placement, const std::string& text);
    Result<std::vector<NoteLine>> take_bytes(const std::vector<NoteLine>& members, PurgeReport& report);
    void compact(PurgeReport& report);
    Result<void> note_studies(std::span<const std::string> study_uids, NoteLine line);
    Result<void> keep_intact(std::vector<NoteLine>& lines);

    StorageLayout how_;
    FileSystem& file_system_;
    Layout layout_;
    Ingest& ingest_;
    VolumeUse& use_;
    std::mutex purging_;
};

}  // namespace sagitta::storage
