// The two places pixel data can lie in, for frame_source.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "codec/frame_source.h"

namespace sagitta::codec {

/// `bytes` must outlive it.
[[nodiscard]] std::unique_ptr<PixelBytes> pixel_bytes_in_memory(std::span<const std::byte> bytes);

/// A part of a file, which stays open. Errors: not_found, io_failure.
[[nodiscard]] Result<std::unique_ptr<PixelBytes>> pixel_bytes_in_file(const std::string& path,
                                                                      std::uint64_t offset,
                                                                      std::uint64_t length);

}  // namespace sagitta::codec
