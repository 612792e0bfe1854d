// Messages on their way to the collector, in a file, so that neither a collector that is down nor a process
// that is killed loses them. Framed as on the wire: "LENGTH SP MESSAGE".
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sagitta::audit {

/// Not thread-safe.
class Spool {
public:
    /// `path` holds the messages, `path`.sent how much of it is done; both for their owner alone. What a
    /// killed process left half written is cut off. Errors: io_failure.
    [[nodiscard]] static Result<Spool> open(const std::string& path, std::uint64_t max_bytes);
    Spool(Spool&& other) noexcept;
    Spool& operator=(Spool&&) = delete;
    ~Spool();

    /// Survives a killed process, and power loss after sync(). Errors: limit_exceeded, io_failure; the
    /// message is not in the spool then.
    [[nodiscard]] Result<void> add(std::string_view message);
    /// The oldest message that is not done; nothing when there is none.
    [[nodiscard]] Result<std::optional<std::string>> front();
    /// The message that front() gave is done.
    [[nodiscard]] Result<void> pop();
    /// Does nothing when nothing was added. Errors: io_failure.
    [[nodiscard]] Result<void> sync();
    [[nodiscard]] bool empty() const noexcept { return done_ == end_; }

private:
    Spool(int file, int mark, std::uint64_t max_bytes) : file_(file), mark_(mark), max_bytes_(max_bytes) {}
    Result<void> recover();
    Result<void> write_mark();
    /// Where the frame at `offset` ends and its message begins; nothing when it is not whole.
    struct Frame {
        std::uint64_t begin = 0;
        std::uint64_t end = 0;
    };
    [[nodiscard]] std::optional<Frame> frame_at(std::uint64_t offset) const;

    int file_ = -1;
    int mark_ = -1;
    std::uint64_t max_bytes_;
    std::uint64_t done_ = 0;
    std::uint64_t end_ = 0;
    bool is_synced_ = true;
};

}  // namespace sagitta::audit
