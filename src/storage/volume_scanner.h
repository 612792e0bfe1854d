// Walks the members of a volume, tests their checksums, and finds its way behind damage. Changes
// nothing. One thread per scanner.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "storage/file_system.h"
#include "storage/tar.h"

namespace sagitta::storage {

/// One thing found in a volume.
struct ScannedMember {
    enum class Kind : std::uint8_t {
        instance,  ///< checksum right; bytes() holds the file
        manifest,  ///< checksum right; bytes() holds it: the volume is sealed
        foreign,   ///< a tar member we did not write; left alone
        damaged,   ///< `reason` says what is wrong with [header_offset, end)
    };
    Kind kind = Kind::damaged;
    TarMember member;
    std::uint64_t header_offset = 0;
    std::uint64_t end = 0;  ///< behind the padding (which a cut may have taken): where the next one begins
    std::string reason;

    [[nodiscard]] std::uint64_t data_offset() const noexcept { return header_offset + kTarBlock; }
};

/// What is wrong behind the last good member is reported as `damaged` too: the caller, who sees
/// that no good one follows, may call it a torn end.
class VolumeScanner {
public:
    VolumeScanner(const File& volume, std::uint64_t from, std::uint64_t volume_length);

    /// The next member, or nothing at the end. Errors: io_failure.
    [[nodiscard]] Result<std::optional<ScannedMember>> next();

    /// The data of the member last returned; valid until the next call.
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return data_.span(); }
    /// Moves them out.
    [[nodiscard]] ByteBuffer take_bytes() noexcept { return std::move(data_); }

private:
    Result<ScannedMember> member_at(std::uint64_t offset);
    Result<std::uint64_t> next_good_header(std::uint64_t offset);

    const File& volume_;
    std::uint64_t position_;
    std::uint64_t length_;
    bool sealed_ = false;
    ByteBuffer data_;
};

}  // namespace sagitta::storage
