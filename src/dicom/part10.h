// DICOM files (PS3.10 section 7): preamble, File Meta Information, data set.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/parser.h"
#include "dicom/transfer_syntax.h"
#include "dicom/uid.h"

namespace sagitta::dicom {

/// Our name in (0002,0012) and on associations (PS3.7 D.3.3.2); under 2.25 (PS3.5 B.2).
inline constexpr std::string_view kImplementationClassUid = "2.25.257758801102337156206168961896526374761";
inline constexpr std::string_view kImplementationVersionName = "SAGITTA_0_1";

/// Where things are in a file: nothing of the data set has been parsed yet.
struct FileLayout {
    DataSet meta;                            ///< group 0002; empty when the file has none
    std::uint64_t data_set_offset = 0;       ///< of the first byte behind the meta information
    const TransferSyntax* syntax = nullptr;  ///< of the data set; guessed when there is no meta
    std::string transfer_syntax_uid;         ///< as the file names it; may be private
    bool has_preamble = false;
};

/// Finds the parts of a file of which `bytes` is the beginning (a few KiB are enough).
/// Errors: truncated, malformed; unsupported for a transfer syntax whose encoding is unknown.
[[nodiscard]] Result<FileLayout> read_file_layout(std::span<const std::byte> bytes);

/// How a data set with this Transfer Syntax UID is encoded. An unknown UID is taken as explicit VR
/// little endian when `data_set` begins like it (PS3.5 A.4), else it is unsupported; an empty one
/// is guessed from the bytes.
[[nodiscard]] Result<const TransferSyntax*> encoding_of(std::string_view transfer_syntax_uid,
                                                        std::span<const std::byte> data_set);

struct ParsedFile {
    FileLayout layout;
    DataSet data_set;
    std::vector<Error> warnings;
};

/// A whole file in memory; `keep_alive` as in parse_data_set.
[[nodiscard]] Result<ParsedFile> parse_file(std::span<const std::byte> bytes,
                                            const ParseOptions& options = {},
                                            std::shared_ptr<const void> keep_alive = nullptr);

/// The whole file at `path`, owned by the result. Errors: not_found, io_failure, and parse_file's.
[[nodiscard]] Result<ParsedFile> read_file(const std::string& path, const ParseOptions& options = {});

struct HeaderOptions {
    std::span<const Tag> only;                      ///< as in ParseOptions
    bool keep_readable_part = true;                 ///< as in ParseOptions
    std::size_t first_read_bytes = 16 * 1024;       ///< enough for most; more is read when needed
    std::uint64_t max_header_bytes = 256ull << 20;  ///< of all before the pixel data that is read
    /// Values of the top level of so many bytes (at least 64 KiB) are left in the file: see
    /// FileHeader::large_values. 0: all are read. Not of a deflated file.
    std::uint64_t large_value_bytes = 0;
};

/// A value left where it lies in its file.
struct ValueInFile {
    Tag tag;
    Vr vr = Vr::none;
    std::uint64_t offset_bytes = 0;
    std::uint64_t length_bytes = 0;  ///< of an encapsulated one: to the end of the file
    bool encapsulated = false;       ///< fragments (PS3.5 A.4)
};

/// Everything before the pixel data; of the file little more is read than that, a deflated one whole.
struct FileHeader {
    FileLayout layout;
    DataSet data_set;
    std::vector<Error> warnings;
    std::uint64_t file_bytes = 0;
    /// What HeaderOptions::large_value_bytes left in the file; `data_set` has these elements empty.
    std::vector<ValueInFile> large_values;
    /// (7FE0,0008), (7FE0,0009) or (7FE0,0010); nothing when there is none, or the file is deflated.
    std::optional<ValueInFile> pixel_data;
    /// Where group 7FE0 begins in the file, or the data set ends; 0 for a deflated one.
    std::uint64_t pixel_group_offset = 0;
};

/// Errors: those of read_file, and limit_exceeded.
[[nodiscard]] Result<FileHeader> read_file_header(const std::string& path, const HeaderOptions& options = {});

/// At most `max_bytes` of such a value from its `from`-th byte on. Errors: not_found, io_failure.
[[nodiscard]] Result<ByteBuffer> read_value(const std::string& path, const ValueInFile& value,
                                            std::uint64_t from, std::uint64_t max_bytes);

/// What the File Meta Information of a new file says.
struct FileMeta {
    Uid sop_class_uid;
    Uid sop_instance_uid;
    std::string transfer_syntax_uid;
    std::string source_ae_title;  ///< (0002,0016); left out when empty
};

/// What it must say of this data set (PS3.10 7.1); UIDs that the data set lacks are those of `previous`,
/// the meta information it was read with. Errors: malformed when one is missing or is no UID.
[[nodiscard]] Result<FileMeta> file_meta_of(const DataSet& data_set, std::string transfer_syntax_uid,
                                            const DataSet& previous = {});

/// Preamble, "DICM" and group 0002, ready to stand before the data set's bytes. What `previous` says
/// beyond the elements made here, such as (0002,0016) and (0002,0102), is kept.
[[nodiscard]] ByteBuffer make_file_header(const FileMeta& meta, const DataSet& previous = {});

}  // namespace sagitta::dicom
