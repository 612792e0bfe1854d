// What `sagitta store --resume FILE` remembers: a line of JSON for each instance that was answered.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <unordered_set>

#include "core/result.h"
#include "net/dimse/status.h"
#include "store_plan.h"

namespace sagitta::tools {

/// Thread-safe once opened. A record that lacks its last lines (the machine lost power) costs that these
/// files are sent again.
class StoreRecord {
public:
    StoreRecord() = default;
    ~StoreRecord();
    StoreRecord(const StoreRecord&) = delete;
    StoreRecord& operator=(const StoreRecord&) = delete;

    /// Reads what is there, makes the file otherwise; `peer` is the node as the user wrote it. Errors:
    /// io_failure, malformed (a file of something else).
    [[nodiscard]] Result<void> open(const std::string& path, std::string peer);
    [[nodiscard]] bool is_open() const { return file_ >= 0; }
    /// The peer has taken this very file: path, size and time are those of the record.
    [[nodiscard]] bool has(const FileToSend& file) const;
    /// The peer's answer for it. Success and warnings count as taken.
    void add(const FileToSend& file, const net::dimse::Outcome& outcome);
    /// Errors: io_failure, also of an add() before.
    [[nodiscard]] Result<void> finish();

private:
    [[nodiscard]] std::string key(const FileToSend& file) const;

    std::string peer_;
    std::unordered_set<std::string> taken_;
    std::mutex mutex_;
    int file_ = -1;
    int failed_ = 0;  ///< errno of a write that failed
};

}  // namespace sagitta::tools
