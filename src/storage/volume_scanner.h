// Walks the members of a volume, tests their checksums, and finds its way behind damage. Changes
// nothing. One thread per scanner.
#pragma once

#include <atomic>
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
        instance,  ///< checksum right; head() holds its beginning
        manifest,  ///< checksum right: the volume is sealed
        note,      ///< checksum right: what was deleted, restored, protected
        purged,    ///< what is left of a deleted instance; `reason` when its bytes are still there
        foreign,   ///< a tar member we did not write; left alone
        damaged,   ///< `reason` says what is wrong with [header_offset, end)
    };
    Kind kind = Kind::damaged;
    TarMember member;
    std::uint64_t header_offset = 0;
    std::uint64_t end = 0;  ///< behind the padding (which a cut may have taken): where the next one begins
    std::string reason;
    std::string sha256;  ///< of the data, hexadecimal; when asked for and the checksum is right

    [[nodiscard]] std::uint64_t data_offset() const noexcept { return header_offset + kTarBlock; }
};

/// What is wrong behind the last good member is reported as `damaged` too: the caller, who sees
/// that no good one follows, may call it a torn end.
class VolumeScanner {
public:
    struct Options {
        bool sha256 = false;
        std::size_t piece_bytes = 1u << 20;       ///< read at once, whatever the size of a member
        const std::atomic<bool>* stop = nullptr;  ///< when it is set, next() ends with Errc::cancelled
    };
    VolumeScanner(const File& volume, std::uint64_t from, std::uint64_t volume_length, Options options);

    /// The next member, or nothing at the end. Errors: io_failure.
    [[nodiscard]] Result<std::optional<ScannedMember>> next();

    /// The first `piece_bytes` of the member last returned, or all of it; until the next call.
    [[nodiscard]] std::span<const std::byte> head() const noexcept { return head_; }

    /// All of a member; for manifests.
    [[nodiscard]] Result<ByteBuffer> read_all(const ScannedMember& member) const;

private:
    Result<ScannedMember> member_at(std::uint64_t offset);
    Result<bool> prove(ScannedMember& found);
    Result<bool> prove_long(ScannedMember& found);
    Result<std::span<const std::byte>> bytes_at(std::uint64_t offset, std::size_t count);
    Result<bool> is_erased(const ScannedMember& found);
    Result<std::uint64_t> next_good_header(std::uint64_t offset);

    const File& volume_;
    std::uint64_t position_;
    std::uint64_t length_;
    bool sealed_ = false;
    const Options options_;
    std::span<const std::byte> head_;  // in one of the buffers below
    ByteBuffer window_;                // what was read at window_at_: many small members, or a header
    std::uint64_t window_at_ = 0;
    bool reads_ahead_ = true;  // the last member was a small one, so the next may be
    ByteBuffer first_piece_;
    ByteBuffer piece_;
};

}  // namespace sagitta::storage
