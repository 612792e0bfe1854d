// Files that hold files: tar (also gzipped), zip, and a single gzipped file. What libarchive knows of them
// stays in container.cpp.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "core/result.h"
#include "media/byte_source.h"

namespace sagitta::media {

/// How many bytes of the beginning looks_like_container needs.
inline constexpr std::size_t kContainerHeadBytes = 512;

/// By the beginning of a file: zip, gzip or POSIX tar.
[[nodiscard]] bool looks_like_container(std::span<const std::byte> head) noexcept;

/// Gets each regular file in turn, by the name it has inside; says false to stop.
using EachMember = std::function<bool(const std::string& name, ByteSource& data)>;

/// Nothing is extracted to disk, links are passed over. Errors, without the path: unsupported (none of
/// these), malformed (what came before was good), not_found, io_failure.
[[nodiscard]] Result<void> read_container(const std::string& path, const EachMember& each);

}  // namespace sagitta::media
