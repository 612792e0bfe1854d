// Rebuilding and checking an archive that nobody has open.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "storage/archive.h"

namespace sagitta::storage {

class FileSystem;

/// With files of their own, or volumes: what the archive there began with. Volumes where there is none.
/// Errors: io_failure.
[[nodiscard]] Result<StorageLayout> layout_of(const std::string& data_dir);

struct ReindexReport {
    std::uint64_t instances = 0;
    std::uint64_t superseded = 0;  ///< members whose SOP Instance UID has a later member
    std::uint64_t damaged = 0;     ///< members or gaps that could not be read
};

/// Builds a new index from the volumes beside the old one and puts it in its place. `progress` gets
/// lines for an operator. Errors: already_exists (archive in use), io_failure, no_space.
[[nodiscard]] Result<ReindexReport> reindex(const std::string& data_dir,
                                            const std::function<void(std::string_view)>& progress,
                                            FileSystem* file_system = nullptr);

struct VerifyReport {
    std::uint64_t volumes = 0;
    std::uint64_t instances = 0;
    std::uint64_t bytes = 0;
    std::uint64_t problems = 0;  ///< zero: everything is as it was stored
};

/// Reads every byte: tar structure, member checksums, manifests of sealed volumes, and that index
/// and volumes agree both ways. Changes nothing. `problem` gets one sentence for each damage.
/// Errors: already_exists (archive in use), io_failure, not_found (no archive there).
[[nodiscard]] Result<VerifyReport> verify(const std::string& data_dir,
                                          const std::function<void(std::string_view)>& problem,
                                          FileSystem* file_system = nullptr);

}  // namespace sagitta::storage
