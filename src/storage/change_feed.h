// What has happened in the archive, as events with ascending numbers. An event's number is the place in
// the volumes where what happened is written, so it survives restarts, power loss and rebuilt indexes.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/instance_index.h"

namespace sagitta::storage {

enum class EventKind : std::uint8_t {
    stored,     ///< an instance was stored under a SOP Instance UID that was free
    replaced,   ///< an instance took the place of another one of the same SOP Instance UID
    deleted,    ///< an instance is served no more
    restored,   ///< an instance that was deleted is served again
    completed,  ///< all instances are there that a performed procedure step names; at least once for each
                ///< step
};

/// Stable lower-case name, for JSON and tables.
[[nodiscard]] std::string_view to_string(EventKind kind) noexcept;

/// Numbers ascend; they do not follow each other without gaps.
struct Event {
    std::uint64_t number = 0;  ///< event_number() of the place
    EventKind kind = EventKind::stored;
    std::string sop_instance_uid;     ///< completed: of the Modality Performed Procedure Step
    std::string series_instance_uid;  ///< stored, replaced: empty when the instance is no longer served
    std::string study_instance_uid;   ///< the same
    std::int64_t time = 0;            ///< seconds since 1970, UTC
};

/// Bytes of a volume that numbers tell apart: 1 TiB.
inline constexpr unsigned kOffsetBits = 40;

[[nodiscard]] constexpr std::uint64_t event_number(std::uint32_t volume, std::uint64_t offset) noexcept {
    return std::uint64_t{volume} << kOffsetBits | (offset & ((std::uint64_t{1} << kOffsetBits) - 1));
}

/// The index of an archive that may be open elsewhere, for reading. Errors: not_found, unsupported (of
/// another version than this program's), corrupt, io_failure.
[[nodiscard]] Result<std::unique_ptr<InstanceIndex>> open_index_of(const std::string& data_dir);

}  // namespace sagitta::storage
