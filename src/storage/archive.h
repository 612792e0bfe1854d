// The archive: takes SOP Instances in durably, many per disk sync, and opens the two ways to look
// at them, InstanceStore (bytes) and InstanceIndex (queries). Knows nothing of the network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/tag.h"
#include "storage/instance_index.h"
#include "storage/instance_record.h"
#include "storage/instance_store.h"
#include "storage/spooled_instance.h"

namespace sagitta::storage {

class FileSystem;
class Keeper;

/// What happens to another data set under a SOP Instance UID that is stored already.
enum class OnConflict : std::uint8_t {
    keep,     ///< the first stays served, the newcomer is kept in DATA/quarantine
    replace,  ///< the newcomer is served once a copy of the first is in DATA/quarantine
};

/// How SOP Instances lie on disk. An archive keeps the one it began with.
enum class StorageLayout : std::uint8_t {
    volumes,  ///< appended to tar files
    files,    ///< a file each; only with OnConflict::keep
};

struct ArchiveOptions {
    std::string data_dir;
    StorageLayout layout = StorageLayout::volumes;
    std::uint64_t volume_size = 4ull << 30;  ///< a volume that would pass it is sealed
    OnConflict on_conflict = OnConflict::keep;
    std::uint64_t memory_budget = 256ull << 20;  ///< bytes of instances waiting; more are refused
    std::size_t max_batch_count = 1024;
    std::uint64_t max_batch_bytes = 64ull << 20;
    /// A batch of so many bytes is written past the operating system's page cache; 0: none is.
    std::uint64_t direct_write_from = 256ull << 10;
    /// Attributes that are found fast although they are no column of the index: as AttributeIndexer has it.
    /// Nothing: those of before stay, and wait for who names them.
    std::optional<std::vector<dicom::Tag>> indexed_attributes = std::nullopt;
    FileSystem* file_system = nullptr;  ///< null: the real one. Outlives the archive
};

/// See IncomingInstance::data_set.
[[nodiscard]] std::size_t front_room(std::size_t file_header_bytes) noexcept;

/// One SOP Instance on its way in: the two parts of its Part 10 file, and its index row.
struct IncomingInstance {
    ByteBuffer file_header;  ///< dicom::make_file_header
    /// As received. With front_room(file_header.size()) bytes of room in front and enough behind it is
    /// written from where it is, without a copy; front and what is behind belong to the archive.
    ByteBuffer data_set;
    InstanceRecord record;  ///< extract_record of them
    /// One too large for memory is in this file instead (Archive::spool), and both buffers are empty.
    std::unique_ptr<SpooledInstance> spooled = {};
    /// An operator's decision for this one, in place of ArchiveOptions::on_conflict; `replace` only with
    /// StorageLayout::volumes.
    std::optional<OnConflict> on_conflict = {};
    /// The caller keeps a limit of its own for what waits: memory_budget is for the others.
    bool has_own_budget = false;
};

enum class IngestOutcome : std::uint8_t {
    stored,
    duplicate_identical,   ///< the same data set is stored already; nothing was written
    conflict_quarantined,  ///< differs from the stored one, which stays served (OnConflict::keep)
    conflict_replaced,     ///< took the place of the stored one (OnConflict::replace)
};

/// Called exactly once per accepted submission, on a thread of the archive: must not block or throw.
using IngestCompletion = std::function<void(Result<IngestOutcome>)>;

/// What opening the archive found beyond the index, for the operator.
struct RecoveryReport {
    std::uint64_t instances_indexed = 0;  ///< lay in volumes but not yet in the index
    std::uint64_t bytes_truncated = 0;    ///< torn end of the last batch, never acknowledged
    bool index_rebuilt = false;           ///< the index was missing or unreadable
    std::vector<std::string> damage;      ///< one sentence each; no patient data
};

struct ArchiveStatus {
    std::uint64_t queued_instances = 0;
    std::uint64_t queued_bytes = 0;
    std::uint64_t batches = 0;
    std::uint64_t stored_instances = 0;  ///< newly, since the archive was opened
    std::uint64_t stored_bytes = 0;      ///< of their files
    bool failed = false;                 ///< refuses everything until restarted
    std::string failure;                 ///< why, when failed
};

/// One per data directory, across processes. Thread-safe.
class Archive {
public:
    /// Takes the lock, opens or rebuilds the index, repairs what a crash left, starts the ingest
    /// thread. Blocks. Errors: invalid_argument, already_exists (in use by another process),
    /// unsupported (written by a newer version, or in the other layout), corrupt (a volume is missing or too
    /// short), io_failure, no_space.
    [[nodiscard]] static Result<std::unique_ptr<Archive>> open(ArchiveOptions options);

    /// Finishes what was submitted.
    virtual ~Archive() = default;

    /// Queues one instance; never blocks on the disk. `done` gets `stored` only when bytes and index
    /// row survive power loss, and a query made then sees them; else Errc::no_space (disk full;
    /// later ones may succeed) or io_failure (see ArchiveStatus::failed; without it, what was to be
    /// replaced could not be copied to quarantine and stays served). Refused here, without a
    /// call of `done`: limit_exceeded (memory_budget), io_failure, shutting_down, invalid_argument
    /// (record and bytes disagree).
    [[nodiscard]] virtual Result<void> submit(IncomingInstance instance, IngestCompletion done) = 0;

    /// Begins a file for an instance that is written as it comes, to be submitted when it is whole: it costs
    /// nothing of the memory budget. Thread-safe; does not outlive the archive. Errors: no_space, io_failure.
    [[nodiscard]] virtual Result<std::unique_ptr<SpooledInstance>> spool(
        std::span<const std::byte> file_header) = 0;

    [[nodiscard]] virtual const InstanceStore& store() const noexcept = 0;
    [[nodiscard]] virtual const InstanceIndex& index() const noexcept = 0;
    /// Deletes, restores, protects (keeper.h).
    [[nodiscard]] virtual Keeper& keeper() noexcept = 0;
    [[nodiscard]] virtual ArchiveStatus status() const = 0;
    [[nodiscard]] virtual const RecoveryReport& recovery() const noexcept = 0;

    /// Refuses new instances, finishes the queued ones, closes volumes. Idempotent; blocks.
    virtual void close() = 0;
};

}  // namespace sagitta::storage
