#include "dicom/uid.h"

#include <algorithm>

#include <sys/random.h>

#include "dicom/uid_table.h"

namespace sagitta::dicom {
namespace {

#include "dicom/generated/uid_dictionary.inc"

}  // namespace

std::optional<Uid> Uid::parse(std::string_view text) noexcept {
    while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.remove_suffix(1);
    if (text.empty() || text.size() > 64) return std::nullopt;
    bool digit = false;
    for (const char c : text) {
        if (c >= '0' && c <= '9') {
            digit = true;
        } else if (c != '.') {
            return std::nullopt;
        }
    }
    if (!digit) return std::nullopt;
    Uid uid;
    std::memcpy(uid.text_.data(), text.data(), text.size());
    uid.size_ = static_cast<std::uint8_t>(text.size());
    return uid;
}

Uid Uid::generate() {
    std::array<unsigned char, 16> bytes{};
    std::size_t filled = 0;
    while (filled < bytes.size()) {
        const auto got = getrandom(bytes.data() + filled, bytes.size() - filled, 0);
        if (got > 0) filled += static_cast<std::size_t>(got);
    }
    bytes[6] = static_cast<unsigned char>((bytes[6] & 0x0f) | 0x40);  // RFC 4122: version 4,
    bytes[8] = static_cast<unsigned char>((bytes[8] & 0x3f) | 0x80);  // variant 1
    __extension__ using Wide = unsigned __int128;
    Wide value = 0;
    for (const unsigned char byte : bytes) value = (value << 8) | byte;
    std::array<char, 40> digits{};
    std::size_t at = digits.size();
    do {
        digits[--at] = static_cast<char>('0' + static_cast<int>(value % 10));
        value /= 10;
    } while (value != 0);
    return *parse("2.25." + std::string(digits.data() + at, digits.size() - at));
}

const UidEntry* find_uid(std::string_view uid) noexcept {
    const auto* found =
        std::lower_bound(std::begin(kUids), std::end(kUids), uid,
                         [](const UidEntry& entry, std::string_view key) { return entry.uid < key; });
    return found != std::end(kUids) && found->uid == uid ? found : nullptr;
}

std::span<const UidEntry> registered_uids() noexcept {
    return kUids;
}

}  // namespace sagitta::dicom
