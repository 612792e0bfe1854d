// The directory of a file-set (PS3.3 Annex F, PS3.10 section 8): a DICOMDIR read as a tree of
// directory records, and File IDs found on disk. Writing one: dicomdir_writer.h.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/error.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/part10.h"

namespace sagitta::dicom {

/// One record (PS3.3 F.3.2.2), in its place in the tree.
struct DirectoryRecord {
    static constexpr std::uint32_t kNone = UINT32_MAX;

    std::uint64_t offset = 0;      ///< of its item in the file
    std::uint32_t row = 0;         ///< of its item in the data set
    std::uint32_t parent = kNone;  ///< index of the record above; none for the root's
    std::uint32_t subtree = 0;     ///< how many records behind it lie below it
    std::uint32_t depth = 0;
    std::string type;                  ///< (0004,1430): PATIENT, STUDY, SERIES, IMAGE …
    std::vector<std::string> file_id;  ///< components of (0004,1500); empty without a file
};

struct FileSet {
    ParsedFile file;
    /// Those in use, every record before those below it, siblings in the order of their links.
    std::vector<DirectoryRecord> records;
    std::vector<Error> warnings;       ///< of the links; of the parser they are in `file`
    bool in_order_of_records = false;  ///< the links were unusable, the hierarchy is that of the types

    /// The keys of a record: its patient, study … attributes.
    [[nodiscard]] ElementRange keys(const DirectoryRecord& record) const noexcept {
        return Element(file.data_set, record.row).children();
    }
};

/// Whether the file meta information, or else the data set, says Media Storage Directory.
[[nodiscard]] bool is_dicomdir(const FileLayout& layout) noexcept;

/// `bytes` is a whole DICOMDIR; `keep_alive` as in parse_data_set. Records are reached by their
/// offsets from the beginning of the file. When these do not lead to every record in use, because
/// they point nowhere, to each other in a circle, or were never set, the order of the records and
/// their types make the tree, and a warning says so. Errors: those of parse_file; malformed when it
/// is no directory.
[[nodiscard]] Result<FileSet> read_dicomdir(std::span<const std::byte> bytes,
                                            const ParseOptions& options = {},
                                            std::shared_ptr<const void> keep_alive = nullptr);

/// Finds the files of File IDs below the folder of a DICOMDIR, as media have them: in upper or lower
/// case, with the version `;1` of ISO 9660 (PS3.10 8.2, PS3.12). Remembers folders; not thread-safe.
class FileIdResolver {
public:
    explicit FileIdResolver(const std::string& folder);

    /// Errors: not_found; refused when a component or a link would lead out of the folder.
    [[nodiscard]] Result<std::string> find(std::span<const std::string> file_id);

private:
    std::filesystem::path folder_;
    std::map<std::filesystem::path, std::map<std::string, std::string>> names_;  ///< by folded name
};

}  // namespace sagitta::dicom
