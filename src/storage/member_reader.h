// Reads the members of a volume ahead of who indexes them: proved, and their records taken out, on a thread
// of its own. Internal to storage.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "storage/file_system.h"
#include "storage/instance_record.h"
#include "storage/volume_scanner.h"

namespace sagitta::storage {

struct ReadMember {
    ScannedMember found;
    std::optional<Result<InstanceRecord>> record;  ///< of an instance
    ByteBuffer note;                               ///< all of a note
};

/// One thread asks. `volume` outlives it; what is changed in the volume behind what next() gave back is
/// the asker's.
class MemberReader {
public:
    MemberReader(const File& volume, std::uint64_t from, std::uint64_t volume_length);
    ~MemberReader();
    MemberReader(const MemberReader&) = delete;
    MemberReader& operator=(const MemberReader&) = delete;

    /// As VolumeScanner::next; null at the end. What it gives is valid until it is asked again.
    [[nodiscard]] Result<ReadMember*> next();

private:
    void run();
    [[nodiscard]] Result<bool> read_some(std::vector<ReadMember>& into);
    [[nodiscard]] bool hand_over(std::vector<ReadMember> batch, bool is_last, std::optional<Error> failure);

    const File& volume_;
    std::atomic<bool> stopping_{false};
    VolumeScanner scanner_;  // of the thread alone

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<std::vector<ReadMember>> waiting_;
    bool ended_ = false;
    std::optional<Error> failure_;   ///< behind all that waits
    std::vector<ReadMember> spent_;  ///< freed by the thread that made them, which has more time

    std::vector<ReadMember> batch_;  // of the asker
    std::size_t at_ = 0;
    std::thread thread_;
};

}  // namespace sagitta::storage
