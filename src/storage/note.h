// What volumes say beyond instances: notes of what was deleted, restored, protected and
// completed, one line for each. Pure: text in, values out (docs/STORAGE_FORMAT.md, "Notes").
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/tar.h"

namespace sagitta::storage {

enum class NoteKind : std::uint8_t {
    deleted,    ///< the member at `offset` of `volume` is served no more
    restored,   ///< it is what it was before it was deleted
    protect,    ///< the study is neither recycled nor expired
    unprotect,  ///< it is like any other again
    completed,  ///< all is there that a performed procedure step says it made
};

struct NoteLine {
    NoteKind kind = NoteKind::deleted;
    std::string study_uid;
    std::string series_uid;    ///< empty where the line is about a study
    std::string sop_uid;       ///< completed: of the procedure step
    std::uint32_t volume = 0;  ///< where the member lies: offset and length of its data
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::int64_t when = 0;    ///< seconds since 1970, UTC
    std::int64_t until = 0;   ///< deleted: until when it can be restored
    std::uint64_t place = 0;  ///< of the line in the note; only parse_note fills it in
};

[[nodiscard]] std::string note_text(std::span<const NoteLine> lines);

/// Errors: malformed (not one of ours, or of a later version), with the offset of the line.
[[nodiscard]] Result<std::vector<NoteLine>> parse_note(std::string_view text);

/// The member that holds `text`: header filled in.
[[nodiscard]] TarMember note_member(std::string_view text, std::int64_t when);
[[nodiscard]] bool is_note_member(const TarMember& member) noexcept;

}  // namespace sagitta::storage
