// What lies in DATA/quarantine, for an operator to decide about: with the archive that is open, or one that
// nobody has open.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/uid.h"
#include "storage/archive.h"

namespace sagitta::storage {

struct Quarantined {
    enum class Kind : std::uint8_t {
        instance,    ///< a whole Part 10 file, under `sop_instance_uid`
        torn_end,    ///< bytes cut from the end of a volume
        unfinished,  ///< never acknowledged; free to drop
    };
    std::string name;  ///< in DATA/quarantine
    Kind kind = Kind::unfinished;
    std::uint64_t bytes = 0;
    std::int64_t modified = 0;  ///< seconds since 1970, UTC
    dicom::Uid sop_instance_uid;
};

/// Sorted by name; files that are not ours are left out. Errors: not_found, io_failure.
[[nodiscard]] Result<std::vector<Quarantined>> list_quarantine(const std::string& data_dir);

/// The one of that name. Errors: not_found, io_failure.
[[nodiscard]] Result<Quarantined> find_quarantined(const std::string& data_dir, std::string_view name);

/// Serves the instance; one of its SOP Instance UID that was served takes its place in quarantine. A crash
/// leaves both, and accepting again finishes it. Waits for the disk. Errors: those of Archive::submit, also
/// not_found, invalid_argument (no instance), unsupported (with StorageLayout::files another one is served).
[[nodiscard]] Result<IngestOutcome> accept_quarantined(Archive& archive, const std::string& data_dir,
                                                       std::string_view name,
                                                       FileSystem* file_system = nullptr);

/// The same with an archive that is opened for it. `options` as for Archive::open; layout and on_conflict do
/// not matter. Errors: also already_exists (archive in use).
[[nodiscard]] Result<IngestOutcome> accept_quarantined(ArchiveOptions options, std::string_view name);

/// Removes it for good. Errors: not_found, io_failure.
[[nodiscard]] Result<void> drop_quarantined(Archive& archive, const std::string& data_dir,
                                            std::string_view name);

/// The same of an archive that nobody has open. Errors: also already_exists (archive in use).
[[nodiscard]] Result<void> drop_quarantined(const std::string& data_dir, std::string_view name,
                                            FileSystem* file_system = nullptr);

}  // namespace sagitta::storage
