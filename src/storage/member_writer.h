// Where ingest puts the bytes of a batch: volumes, or a file each. Internal to storage; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/result.h"
#include "storage/tar.h"

namespace sagitta::storage {

class SpooledInstance;

/// A file to append: its header (size and checksum filled in) and its bytes in two parts.
struct NewMember {
    TarMember header;
    std::span<const std::byte> first;
    std::span<const std::byte> second;
    /// Room for the header, then all of it and its padding in one run; empty: they are apart.
    std::span<std::byte> whole;
};

/// Where members went: the n-th is found at offsets[n] of `volume`.
struct Placement {
    std::uint32_t volume = 0;
    std::vector<std::uint64_t> offsets;
    std::uint64_t end = 0;  ///< behind the last one: the volume's new mark
};

class MemberWriter {
public:
    virtual ~MemberWriter() = default;

    /// Makes room: when `bytes` do not fit behind the tail, the volume is full and the next one begins.
    [[nodiscard]] virtual Result<void> reserve(std::uint64_t bytes) = 0;

    /// Bytes the open volume still takes, or would take as a new one.
    [[nodiscard]] virtual std::uint64_t room() const noexcept = 0;

    /// Writes the members and syncs. On an error nothing of them stays: no_space leaves the writer
    /// usable, after any other it must not be used again.
    [[nodiscard]] virtual Result<Placement> append(std::span<const NewMember> members) = 0;

    /// The same for an instance that was written as it came: its file becomes part of the archive.
    [[nodiscard]] virtual Result<Placement> adopt(const TarMember& header, SpooledInstance& spooled) = 0;

    /// Whether that many bytes go behind the last append, so that undo_append twice would take back both.
    [[nodiscard]] virtual bool can_follow(std::uint64_t bytes) const noexcept = 0;

    /// Takes back the last append or adopt. Errors: io_failure; then the writer must not be used again.
    [[nodiscard]] virtual Result<void> undo_append() = 0;
};

}  // namespace sagitta::storage
