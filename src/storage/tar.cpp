#include "storage/tar.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace sagitta::storage {
namespace {

struct Field {
    std::size_t offset;
    std::size_t length;
};
constexpr Field kName{0, 100}, kMode{100, 8}, kUid{108, 8}, kGid{116, 8}, kSize{124, 12}, kTime{136, 12},
    kSum{148, 8}, kType{156, 1}, kMagic{257, 8}, kUname{265, 32}, kGname{297, 32}, kDevMajor{329, 8},
    kDevMinor{337, 8}, kPrefix{345, 155};
constexpr std::string_view kPurged = ".deleted";
constexpr std::string_view kOwner = "sagitta";
constexpr std::string_view kChecksumPrefix = "xxh3-";
constexpr std::uint64_t kLargestOctal = (1ull << 33) - 1;  // eleven octal digits

void put_text(TarBlock& block, Field field, std::string_view text) {
    std::memcpy(block.data() + field.offset, text.data(), std::min(text.size(), field.length));
}

/// Octal digits filling the field but for its NUL.
void put_octal(TarBlock& block, Field field, std::uint64_t value) {
    for (std::size_t at = field.offset + field.length - 1; at-- > field.offset; value >>= 3) {
        block[at] = static_cast<std::byte>('0' + (value & 7));
    }
}

void put_size(TarBlock& block, std::uint64_t size) {
    if (size <= kLargestOctal) return put_octal(block, kSize, size);
    for (std::size_t at = kSize.offset + kSize.length; at-- > kSize.offset; size >>= 8) {
        block[at] = static_cast<std::byte>(size & 0xff);
    }
    block[kSize.offset] = std::byte{0x80};  // base-256, as GNU tar, star and bsdtar write it
}

std::string_view text_of(std::span<const std::byte, kTarBlock> block, Field field) {
    const auto* begin = reinterpret_cast<const char*>(block.data() + field.offset);
    return {begin, strnlen(begin, field.length)};
}

std::optional<std::uint64_t> number_of(std::span<const std::byte, kTarBlock> block, Field field) {
    const auto first = std::to_integer<unsigned>(block[field.offset]);
    std::uint64_t value = 0;
    if (first & 0x80) {
        if (first != 0x80) return std::nullopt;
        for (std::size_t i = 1; i < field.length; ++i) {
            if (value >> 56) return std::nullopt;
            value = value << 8 | std::to_integer<std::uint64_t>(block[field.offset + i]);
        }
        return value;
    }
    auto digits = text_of(block, field);
    while (!digits.empty() && digits.front() == ' ') digits.remove_prefix(1);
    while (!digits.empty() && digits.back() == ' ') digits.remove_suffix(1);
    if (digits.empty()) return 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

/// The header's own checksum: the sum of its bytes with the checksum field as spaces.
std::uint64_t header_sum(std::span<const std::byte, kTarBlock> block) {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kTarBlock; ++i) {
        const bool own = i >= kSum.offset && i < kSum.offset + kSum.length;
        sum += own ? ' ' : std::to_integer<std::uint64_t>(block[i]);
    }
    return sum;
}

std::optional<std::uint64_t> checksum_in(std::string_view owner, std::string_view group) {
    if (owner != kOwner || !group.starts_with(kChecksumPrefix)) return std::nullopt;
    group.remove_prefix(kChecksumPrefix.size());
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(group.data(), group.data() + group.size(), value, 16);
    if (group.size() != 16 || error != std::errc() || end != group.data() + group.size()) return std::nullopt;
    return value;
}

}  // namespace

TarBlock make_tar_header(const TarMember& member) noexcept {
    TarBlock block{};
    put_text(block, kName, member.name);
    put_text(block, kPrefix, member.directory);
    put_octal(block, kMode, 0640);
    put_octal(block, kUid, 0);
    put_octal(block, kGid, 0);
    put_size(block, member.size);
    put_octal(block, kTime, static_cast<std::uint64_t>(std::max<std::int64_t>(member.modified, 0)));
    put_text(block, kType, "0");
    put_text(block, kMagic,
             std::string_view("ustar\0"
                              "00",
                              8));
    put_octal(block, kDevMajor, 0);
    put_octal(block, kDevMinor, 0);
    put_text(block, kUname, kOwner);
    if (member.checksum) put_text(block, kGname, fmt::format("{}{:016x}", kChecksumPrefix, *member.checksum));
    put_octal(block, {kSum.offset, kSum.length - 1}, header_sum(block));
    block[kSum.offset + 7] = std::byte{' '};
    return block;
}

std::optional<TarMember> parse_tar_header(std::span<const std::byte, kTarBlock> block) {
    if (text_of(block, kMagic).substr(0, 5) != "ustar") return std::nullopt;
    const auto sum = number_of(block, {kSum.offset, kSum.length - 1});
    if (!sum || *sum != header_sum(block)) return std::nullopt;
    const auto size = number_of(block, kSize);
    const auto time = number_of(block, kTime);
    if (!size || !time || *size > (1ull << 62)) return std::nullopt;
    TarMember member;
    member.name = text_of(block, kName);
    member.directory = text_of(block, kPrefix);
    member.size = *size;
    member.modified = static_cast<std::int64_t>(*time);
    member.checksum = checksum_in(text_of(block, kUname), text_of(block, kGname));
    return member;
}

bool is_zero_block(std::span<const std::byte, kTarBlock> block) noexcept {
    return std::all_of(block.begin(), block.end(), [](std::byte b) { return b == std::byte{0}; });
}

TarMember instance_member(const dicom::Uid& study, const dicom::Uid& series, const dicom::Uid& sop_instance) {
    TarMember member;
    member.directory = fmt::format("{}/{}", study.view(), series.view());
    member.name = fmt::format("{}.dcm", sop_instance.view());
    return member;
}

bool is_instance_member(const TarMember& member) noexcept {
    return member.checksum && member.name.ends_with(".dcm") &&
           std::count(member.directory.begin(), member.directory.end(), '/') == 1;
}

TarMember purged_member(TarMember instance) {
    instance.name += kPurged;
    instance.checksum.reset();
    return instance;
}

bool is_purged_member(const TarMember& member) noexcept {
    return !member.checksum && member.name.ends_with(kPurged) &&
           std::string_view(member.name).substr(0, member.name.size() - kPurged.size()).ends_with(".dcm") &&
           std::count(member.directory.begin(), member.directory.end(), '/') == 1;
}

}  // namespace sagitta::storage
