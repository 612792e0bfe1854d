// What a file is, told from its first bytes. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace sagitta::media {

enum class FileKind : std::uint8_t {
    part_10,             ///< has the prefix of PS3.10 7.1
    bare_data_set,       ///< may be a data set without File Meta Information
    container,           ///< tar or zip
    orthanc_compressed,  ///< an attachment as Orthanc keeps it with StorageCompression
    other,
};

/// Bytes that tell_kind needs of the beginning of a file (or all of a shorter one).
inline constexpr std::size_t kKindHeadBytes = 512;

/// `file_name` is the last part of its path: Orthanc names attachments by UUIDs.
[[nodiscard]] FileKind tell_kind(std::span<const std::byte> head, std::string_view file_name) noexcept;

/// 8-4-4-4-12 hexadecimal digits and nothing else.
[[nodiscard]] bool is_uuid(std::string_view file_name) noexcept;

}  // namespace sagitta::media
