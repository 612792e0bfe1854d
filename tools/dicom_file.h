// DICOM files as the commands read them: whole in memory, or only their beginning.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/parser.h"
#include "dicom/part10.h"

namespace sagitta::tools {

struct FileInMemory {
    std::shared_ptr<const ByteBuffer> bytes;
    dicom::FileLayout layout;
    std::uint64_t meta_offset = 0;  ///< of the first byte of the meta information
    std::uint64_t file_bytes = 0;   ///< of the whole file, when only its beginning was read
};

/// At most `max_bytes` of the file. Errors: not_found, io_failure (a folder, too), and those of
/// read_file_layout, all with the path.
[[nodiscard]] Result<FileInMemory> load_file(const std::string& path, std::uint64_t max_bytes = UINT64_MAX);

/// The readable part of the data set; warnings say what is wrong with the rest, with the offset in
/// the file.
[[nodiscard]] Result<dicom::ParsedDataSet> parse_leniently(const FileInMemory& file,
                                                           bool stop_before_pixel_data = false);

}  // namespace sagitta::tools
