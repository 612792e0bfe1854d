// With `layout = "files"`: where the file of each line of the list lies. What is deleted leaves the tree for
// DATA/deleted, under the number of its line, until it is restored or purged
// (docs/adr/0012-deleted-files.md). Internal to storage.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "storage/file_list.h"
#include "storage/file_system.h"
#include "storage/keeper.h"
#include "storage/layout.h"
#include "storage/note.h"

namespace sagitta::storage {

/// DATA/deleted/000000000000002a.dcm
[[nodiscard]] std::string deleted_path(const Layout& layout, std::uint64_t line);
/// Errors: those of opening it but not_found.
[[nodiscard]] Result<bool> is_there(FileSystem& file_system, const std::string& path);

/// One thread, that which writes notes. Everything is durable on return.
class DeletedFiles {
public:
    /// The references outlive it.
    DeletedFiles(FileSystem& file_system, const Layout& layout);

    /// The files of `lines`, just noted as deleted, leave the tree; of restored ones, they come back. Other
    /// lines are passed over. After an error some have moved: move them back with undo().
    [[nodiscard]] Result<void> move(std::span<const NoteLine> lines);
    /// Takes back the last move(), as far as it came. Errors: then nothing is known.
    [[nodiscard]] Result<void> undo();

    /// Leaves those instances of `lines` whose files can be brought back.
    [[nodiscard]] Result<void> keep_intact(std::vector<NoteLine>& lines) const;

    /// Removes the files. Whoever reads one of them has it open and goes on.
    [[nodiscard]] Result<void> purge(std::span<const NoteLine> lines, PurgeReport& report);

private:
    struct Step {
        std::string from, to;
    };
    [[nodiscard]] Result<void> rename(const Step& step, std::set<std::string>& folders);
    [[nodiscard]] Result<void> sync(const std::set<std::string>& folders);

    FileSystem& file_system_;
    const Layout& layout_;
    std::vector<Step> moved_;
};

/// Where the notes from a place in the list on want files to be, of which a crash may have moved some. What
/// the list says later counts, and a file that came later under the same name stays.
class FilePlaces {
public:
    /// Reads the list from `from` on. Errors: those of read_list.
    [[nodiscard]] static Result<FilePlaces> of(const File& list, std::uint64_t from);

    /// Moves what is not where it belongs, durably.
    [[nodiscard]] Result<void> settle(FileSystem& file_system, const Layout& layout) const;
    /// Noted as deleted, and not restored since.
    [[nodiscard]] bool is_deleted(std::uint64_t line) const;

private:
    struct Last {
        NoteKind kind = NoteKind::deleted;
        std::uint64_t noted_at = 0;
        std::string path;
        bool is_taken = false;  ///< its name, by a later line
    };
    std::map<std::uint64_t, Last> last_;  ///< by line
};

}  // namespace sagitta::storage
