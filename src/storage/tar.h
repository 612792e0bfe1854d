// POSIX ustar headers as volumes use them (docs/STORAGE_FORMAT.md). Pure: bytes in, values out.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "dicom/uid.h"

namespace sagitta::storage {

inline constexpr std::size_t kTarBlock = 512;
using TarBlock = std::array<std::byte, kTarBlock>;

/// Bytes of zero padding behind a member of `size` bytes.
[[nodiscard]] constexpr std::size_t tar_padding(std::uint64_t size) noexcept {
    return static_cast<std::size_t>((kTarBlock - size % kTarBlock) % kTarBlock);
}
/// Bytes a member takes in the volume: header, data, padding.
[[nodiscard]] constexpr std::uint64_t tar_footprint(std::uint64_t size) noexcept {
    return kTarBlock + size + tar_padding(size);
}

/// A member as its header describes it.
struct TarMember {
    std::string directory;                  ///< ustar prefix; empty at the top
    std::string name;                       ///< last part of the path
    std::uint64_t size = 0;                 ///< bytes of data
    std::int64_t modified = 0;              ///< seconds since 1970, UTC
    std::optional<std::uint64_t> checksum;  ///< member_checksum; only on members we wrote

    [[nodiscard]] std::string path() const { return directory.empty() ? name : directory + "/" + name; }
};

/// `directory` at most 155 and `name` at most 100 characters, which three UIDs always fit.
[[nodiscard]] TarBlock make_tar_header(const TarMember& member) noexcept;

/// Empty when the block is no ustar header or its header checksum is wrong.
[[nodiscard]] std::optional<TarMember> parse_tar_header(std::span<const std::byte, kTarBlock> block);

[[nodiscard]] bool is_zero_block(std::span<const std::byte, kTarBlock> block) noexcept;

/// "<study>/<series>" and "<instance>.dcm".
[[nodiscard]] TarMember instance_member(const dicom::Uid& study, const dicom::Uid& series,
                                        const dicom::Uid& sop_instance);
/// The member's name has the form of an instance's.
[[nodiscard]] bool is_instance_member(const TarMember& member) noexcept;

/// What is left of an instance whose bytes are gone: its name with ".deleted" behind it, and no checksum.
[[nodiscard]] TarMember purged_member(TarMember instance);
[[nodiscard]] bool is_purged_member(const TarMember& member) noexcept;

inline constexpr std::string_view kManifestName = "MANIFEST.tsv";

}  // namespace sagitta::storage
