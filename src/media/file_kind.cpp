#include "media/file_kind.h"

#include "core/bytes.h"
#include "media/container.h"

namespace sagitta::media {
namespace {

// Eight bytes of length, then a zlib stream (RFC 1950) of a method and window there are.
bool begins_with_length_and_zlib(std::span<const std::byte> head) noexcept {
    if (head.size() < 10 || head[8] != std::byte{0x78}) return false;
    return (std::to_integer<unsigned>(head[8]) * 256 + std::to_integer<unsigned>(head[9])) % 31 == 0;
}

// The groups a data set begins with; that of commands and of the meta information is none.
bool may_be_data_set(std::span<const std::byte> head) noexcept {
    if (head.size() < 8) return false;
    const auto group = load_le<std::uint16_t>(head.data());
    return group == 0x0002 || group == 0x0008 || group == 0x0800 || group == 0x0010;
}

}  // namespace

bool is_uuid(std::string_view name) noexcept {
    if (name.size() != 36) return false;
    for (std::size_t n = 0; n < name.size(); ++n) {
        const char c = name[n];
        const bool dash = n == 8 || n == 13 || n == 18 || n == 23;
        const bool digit = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
        if (dash ? c != '-' : !digit) return false;
    }
    return true;
}

FileKind tell_kind(std::span<const std::byte> head, std::string_view file_name) noexcept {
    const auto text = as_text(head);
    if (text.starts_with("DICM") || (text.size() >= 132 && text.substr(128, 4) == "DICM"))
        return FileKind::part_10;
    if (looks_like_container(head)) return FileKind::container;
    if (is_uuid(file_name) && begins_with_length_and_zlib(head)) return FileKind::orthanc_compressed;
    return may_be_data_set(head) ? FileKind::bare_data_set : FileKind::other;
}

}  // namespace sagitta::media
