// A file's bytes as an instance for the archive.
#pragma once

#include <cstdint>
#include <optional>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "storage/archive.h"

namespace sagitta::media {

struct ObjectLimits {
    std::uint64_t max_object_bytes = 2ull << 30;
    std::uint32_t sequence_depth = 64;
};

struct FileObject {
    storage::IncomingInstance instance;
    bool has_pixels = false;
    bool is_image = false;  ///< by its Image Pixel attributes (PS3.3 C.7.6.3)
};

/// `file` is a whole file, with or without File Meta Information. The data set stays as it is, byte for
/// byte; the File Meta Information is made anew and keeps what else the file's said. Nothing: a DICOMDIR.
/// Errors: those of dicom::parse_file and storage::extract_record.
[[nodiscard]] Result<std::optional<FileObject>> object_of(ByteBuffer file, const ObjectLimits& limits);

/// What Orthanc compressed: eight bytes of length (little endian), then a zlib stream. Errors: malformed,
/// truncated, limit_exceeded.
[[nodiscard]] Result<ByteBuffer> inflate_attachment(const ByteBuffer& attachment, std::uint64_t max_bytes);

}  // namespace sagitta::media
