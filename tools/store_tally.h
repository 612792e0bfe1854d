// What became of the files of a `sagitta store`: counted, told, and shown while it goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "net/dimse/status.h"
#include "store_plan.h"
#include "store_record.h"
#include "terminal.h"

namespace sagitta::tools {

/// Thread-safe.
class Tally {
public:
    Tally(const StorePlan& plan, StoreRecord& record, bool json)
        : plan_(plan), record_(record), json_(json), start_(std::chrono::steady_clock::now()) {}

    /// The peer's answer.
    void answered(const FileToSend& file, const net::dimse::Outcome& outcome);
    void failed(const std::string& path, const std::string& why);
    /// Files that were not even tried, for one reason.
    void failed(std::uint64_t files, const std::string& why);
    /// Taken by the peer in an earlier run.
    void known(const FileToSend& file);
    /// The last line, and the exit status.
    int finish();

private:
    void tell(const std::string& path, std::string_view what, const std::string& why);
    void show_progress();
    [[nodiscard]] double seconds() const;

    const StorePlan& plan_;
    StoreRecord& record_;
    bool json_;
    std::chrono::steady_clock::time_point start_;
    std::mutex mutex_;
    Progress progress_;
    std::uint64_t sent_ = 0;
    std::uint64_t warnings_ = 0;
    std::uint64_t failed_ = 0;
    std::uint64_t known_ = 0;
    std::uint64_t bytes_ = 0;
    std::uint64_t known_bytes_ = 0;
    std::string told_;
};

}  // namespace sagitta::tools
