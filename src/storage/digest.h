// The digests of the archive. XXH3 detects damage, not malice; SHA-256 is for manifests.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "storage/instance_record.h"

namespace sagitta::storage {

/// XXH3-64 (seed 0) over the parts one behind the other: the checksum of a volume member.
[[nodiscard]] std::uint64_t member_checksum(std::initializer_list<std::span<const std::byte>> parts) noexcept;

/// The same, and the data set's, for bytes that come in pieces.
class PieceDigest {
public:
    PieceDigest();
    ~PieceDigest();
    PieceDigest(const PieceDigest&) = delete;
    PieceDigest& operator=(const PieceDigest&) = delete;

    void add(std::span<const std::byte> piece) noexcept;
    /// Counts for the checksum only: what stands before the data set, or all where no other digest is asked
    /// for.
    void add_for_checksum(std::span<const std::byte> bytes) noexcept;
    /// Of all pieces so far.
    [[nodiscard]] std::uint64_t member_checksum() const noexcept;
    [[nodiscard]] DataSetDigest data_set_digest() const noexcept;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// SHA-256 of bytes that come in pieces.
class Sha256 {
public:
    Sha256();
    ~Sha256();
    Sha256(const Sha256&) = delete;
    Sha256& operator=(const Sha256&) = delete;

    void add(std::span<const std::byte> piece) noexcept;
    /// In lower-case hexadecimal; begins again.
    [[nodiscard]] std::string finish();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// XXH3-128 (seed 0), canonical (big-endian) byte order.
[[nodiscard]] DataSetDigest data_set_digest(std::span<const std::byte> data_set) noexcept;

}  // namespace sagitta::storage
