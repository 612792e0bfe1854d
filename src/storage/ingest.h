// Group commit: whatever waits when a batch has been written is the next batch, with one disk sync and
// one index transaction; a batch is indexed while the next one is written. Internal to storage.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "core/result.h"
#include "storage/archive.h"
#include "storage/beside.h"
#include "storage/file_system.h"
#include "storage/index_writer.h"
#include "storage/layout.h"
#include "storage/member_writer.h"
#include "storage/room.h"

namespace sagitta::storage {

/// Owns the ingest thread, and another one that indexes beside it. The file system outlives it.
class Ingest {
public:
    Ingest(const ArchiveOptions& options, FileSystem& file_system, Layout layout,
           std::unique_ptr<IndexWriter> index, std::unique_ptr<MemberWriter> writer);
    ~Ingest();
    Ingest(const Ingest&) = delete;
    Ingest& operator=(const Ingest&) = delete;

    /// As Archive::submit. Thread-safe.
    [[nodiscard]] Result<void> submit(IncomingInstance instance, IngestCompletion done);

    /// Runs `task` on the ingest thread, behind what is being stored now, and waits for it. Its errors
    /// are no failure of the archive when they are not_found, invalid_argument, refused, unsupported or
    /// no_space: then it has left nothing half done. Thread-safe. Errors also: shutting_down, io_failure.
    using Task = std::function<Result<void>(IndexWriter&, MemberWriter&)>;
    [[nodiscard]] Result<void> exclusively(Task task);

    /// The volume got its manifest: the next transaction says so. Thread-safe.
    void mark_sealed(std::uint32_t volume);

    /// As Keeper::set_room. Thread-safe.
    void set_room(const Room& room);
    [[nodiscard]] Room room() const;

    [[nodiscard]] ArchiveStatus status() const;

    /// Finishes the queue and ends the thread. Idempotent; one thread.
    void close();

private:
    struct Pending {
        IncomingInstance instance;
        IngestCompletion done;
        std::uint64_t checksum = 0;
        std::int64_t received = 0;
        std::uint64_t cost = 0;  ///< bytes of the budget
    };
    /// What is to be done with one instance of a batch, and what came of it.
    struct Verdict {
        IngestOutcome outcome = IngestOutcome::stored;
        bool write = false;  ///< goes to the volume
        std::size_t as = 0;  ///< otherwise: shares the fate of this one of the batch (itself: none)
        std::optional<Error> error;
    };
    using Batch = std::vector<Pending>;
    /// A batch, and what is to become of it.
    struct Judged {
        Batch batch;
        std::vector<Verdict> verdicts;
        std::vector<std::size_t> written{};  ///< those of it that go to the volume
        Placement placement{};               ///< once they are there, durably
    };
    struct PendingTask {
        Task run;
        std::promise<Result<void>> done;
    };

    void run();
    Batch take_batch();
    void process(Batch batch);
    bool may_follow(const Batch& batch) const;
    bool nothing_waits() const;
    Result<std::vector<Verdict>> judge(Batch& batch);
    Result<std::optional<Error>> refuse(const Pending& pending);
    Result<Verdict> judge_one(const Pending& pending, std::size_t n, Batch& batch,
                              const std::unordered_map<std::string_view, std::size_t>& in_batch);
    Result<Verdict> judge_conflict(const Pending& pending, const Pending* earlier,
                                   const StoredDataSet& present, Verdict verdict);
    Result<void> keep_replaced(const Pending* earlier, const dicom::Uid& uid, const StoredDataSet& present);
    Result<void> store(Judged& judged);
    Result<void> write_beside_indexing(Judged& judged, const std::vector<NewMember>& members,
                                       std::uint64_t bytes);
    Result<Placement> write(const std::vector<NewMember>& members, std::uint64_t bytes,
                            SpooledInstance* spooled);
    void settle();
    void conclude(Result<void> indexed);
    Result<void> index_and_answer(Judged& judged);
    Result<void> index_batch(const Judged& judged);
    Result<void> write_seals(const std::vector<std::uint32_t>& sealed);
    void refuse_all(Batch batch, const Error& error);
    void answer(Judged& judged);
    void fail(const Error& error);
    void flush_seals();
    void run_tasks();

    const ArchiveOptions options_;
    FileSystem& file_system_;
    const Layout layout_;
    std::unique_ptr<IndexWriter> index_;    // ingest thread, and beside_ while that writes
    std::unique_ptr<MemberWriter> writer_;  // ingest thread only
    std::optional<Judged> unindexed_;       // the same; on disk, neither indexed nor answered
    Beside beside_;

    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Pending> queue_;
    std::deque<PendingTask> tasks_;
    std::vector<std::uint32_t> sealed_;
    ArchiveStatus status_;
    Room room_;
    /// Begun by the batch that is judged, and so in need of no more room.
    std::set<std::string, std::less<>> begun_studies_;
    bool closing_ = false;
    std::thread thread_;
};

}  // namespace sagitta::storage
