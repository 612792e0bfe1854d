// Reads a file from the disk itself, past the page cache of the operating system: who reads all of an archive
// once neither takes the memory of what is asked for often nor believes it. Internal to storage; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <span>

#include "storage/file_system.h"

namespace sagitta::storage {

/// A file that only reads. Where the file system or the disk cannot do it, as the file it was made of.
class DirectReader final : public File {
public:
    /// `file` outlives it. What is written to that in the meantime may be seen late.
    explicit DirectReader(const File& file);
    ~DirectReader() override;
    DirectReader(const DirectReader&) = delete;
    DirectReader& operator=(const DirectReader&) = delete;

    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override;
    Result<std::uint64_t> size() const override { return file_.size(); }

    /// Refused: invalid_argument.
    Result<void> write_at(std::uint64_t offset, std::span<const std::span<const std::byte>> parts) override;
    Result<void> sync() override;
    Result<void> truncate(std::uint64_t length) override;

private:
    struct Free {
        void operator()(std::byte* memory) const noexcept { std::free(memory); }
    };
    [[nodiscard]] bool fill(std::uint64_t offset) const;

    const File& file_;
    int descriptor_;
    std::unique_ptr<std::byte, Free> window_;  // bytes of the file from window_at_
    mutable std::uint64_t window_at_ = 0;
    mutable std::size_t window_size_ = 0;
};

}  // namespace sagitta::storage
