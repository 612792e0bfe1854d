// The list of an archive with `layout = "files"`: one line for each file, in the order they came, and
// between them the notes of what was deleted, restored, protected and completed. It finds files by number,
// and says after a crash which were complete. Internal to storage.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/layout.h"
#include "storage/note.h"

namespace sagitta::storage {

/// What the index calls the volume of all files: their places are offsets in the list.
inline constexpr std::uint32_t kFileListNumber = 1;
/// No line is longer, with its newline.
inline constexpr std::size_t kLongestListLine = 320;

struct ListedFile {
    std::string path;  ///< below DATA/files: three UIDs
    std::uint64_t length = 0;
    std::uint64_t checksum = 0;  ///< member_checksum
    std::int64_t received = 0;   ///< seconds since 1970, UTC
};

/// Length, checksum, time and path, separated by tabs, with a newline.
[[nodiscard]] std::string make_list_line(const ListedFile& file);
/// Without the newline. Empty when it is none, or its path is no three UIDs.
[[nodiscard]] std::optional<ListedFile> parse_list_line(std::string_view line);
/// "1.2/1.2.3/1.2.3.4.dcm".
[[nodiscard]] bool is_listed_path(std::string_view path) noexcept;

/// The note with the line that stands before it: as one, so that all of it is there or nothing.
[[nodiscard]] std::string make_list_note(std::string_view text);

struct ListedNote {
    std::uint64_t offset = 0;  ///< of its text
    std::uint64_t length = 0;
    std::vector<NoteLine> lines;
    bool is_understood = true;  ///< else it is of a later version, and no lines are known
};
struct ListLine {
    std::uint64_t offset = 0;
    std::uint64_t end = 0;  ///< behind the newline, or behind all of a note
    std::optional<ListedFile> file;
    std::optional<ListedNote> note;  ///< neither: no line of ours

    [[nodiscard]] bool is_ours() const noexcept { return file || note; }
};
/// All lines and notes from `from` on; what follows the last newline is none. `each` ends it with an error.
[[nodiscard]] Result<void> read_list(const File& list, std::uint64_t from,
                                     const std::function<Result<void>(const ListLine&)>& each);
/// The line at `offset`. Errors: corrupt, io_failure.
[[nodiscard]] Result<ListedFile> read_list_line(const File& list, std::uint64_t offset);

/// Reads all of the file at `path`. Errors: corrupt when length or checksum are others, not_found,
/// io_failure.
[[nodiscard]] Result<void> prove_file(FileSystem& file_system, const std::string& path,
                                      const ListedFile& file);

/// The data directory was begun with `layout = "files"`, or with volumes. Errors: io_failure.
[[nodiscard]] Result<bool> has_files(FileSystem& file_system, const Layout& layout);

}  // namespace sagitta::storage
