// Where an export goes. Internal to media.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"
#include "media/byte_source.h"

namespace sagitta::media {

enum class PutOutcome : std::uint8_t { written, already_there };

/// One thread. Destroyed without `finish`, it leaves nothing unfinished behind.
class ExportTarget {
public:
    virtual ~ExportTarget() = default;

    /// `data` has exactly `size_bytes`. Errors: already_exists (other content), refused (out of the folder):
    /// this one is not written; io_failure, no_space: no other one will be either.
    [[nodiscard]] virtual Result<PutOutcome> put(const std::string& name, std::uint64_t size_bytes,
                                                 ByteSource& data) = 0;
    /// What was put has its names on stable storage, as far as names are given one by one.
    [[nodiscard]] virtual Result<void> settle() = 0;
    /// A file of ours that may take the place of an earlier one: the DICOMDIR.
    [[nodiscard]] virtual Result<void> put_own(const std::string& name, std::span<const std::byte> bytes) = 0;
    /// Everything put is on stable storage.
    [[nodiscard]] virtual Result<void> finish() = 0;
    /// After a stop: what is there of the whole stays (a folder) or goes (one file). Files that stay.
    [[nodiscard]] virtual std::uint64_t stop() = 0;
};

/// By the name of `output`. Errors: those of the file system.
[[nodiscard]] Result<std::unique_ptr<ExportTarget>> open_target(const std::string& output);

}  // namespace sagitta::media
