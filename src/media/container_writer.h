// Writes a zip or tar file that appears whole or not at all.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sagitta::media {

/// .zip, .tar, .tar.gz or .tgz.
[[nodiscard]] bool is_container_name(std::string_view path) noexcept;

/// One thread. Destroyed without `finish`, it leaves nothing behind.
class ContainerWriter {
public:
    /// Errors: already_exists, unsupported (the extension), not_found, no_space, io_failure.
    [[nodiscard]] static Result<std::unique_ptr<ContainerWriter>> create(const std::string& path);
    virtual ~ContainerWriter() = default;

    /// A member of exactly `size_bytes`, which `append` then gives. `name` is UTF-8, with slashes.
    [[nodiscard]] virtual Result<void> begin(const std::string& name, std::uint64_t size_bytes) = 0;
    [[nodiscard]] virtual Result<void> append(std::span<const std::byte> bytes) = 0;
    /// Returns once the whole has its name on stable storage.
    [[nodiscard]] virtual Result<void> finish() = 0;
};

}  // namespace sagitta::media
