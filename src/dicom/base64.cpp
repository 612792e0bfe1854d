#include "dicom/base64.h"

#include <array>
#include <cstdint>

namespace sagitta::dicom {
namespace {

constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr auto kValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNone);
    for (std::size_t digit = 0; digit < kDigits.size(); ++digit) {
        values[static_cast<unsigned char>(kDigits[digit])] = static_cast<std::uint8_t>(digit);
    }
    return values;
}();

}  // namespace

void append_base64(std::span<const std::byte> bytes, std::string& out) {
    const std::size_t before = out.size();
    out.resize(before + (bytes.size() + 2) / 3 * 4);
    char* to = out.data() + before;
    const auto put = [&to](std::uint32_t group, std::size_t digits) {
        for (std::size_t i = 0; i < 4; ++i) *to++ = i < digits ? kDigits[(group >> (18 - 6 * i)) & 63u] : '=';
    };
    const auto byte = [&bytes](std::size_t at) { return static_cast<std::uint32_t>(bytes[at]); };
    std::size_t at = 0;
    for (; at + 3 <= bytes.size(); at += 3) put((byte(at) << 16) | (byte(at + 1) << 8) | byte(at + 2), 4);
    if (bytes.size() - at == 2) put((byte(at) << 16) | (byte(at + 1) << 8), 3);
    if (bytes.size() - at == 1) put(byte(at) << 16, 2);
}

bool decode_base64(std::string_view text, std::string& out) {
    if (text.size() % 4 != 0) return false;
    const std::size_t before = out.size();
    for (std::size_t at = 0; at < text.size(); at += 4) {
        const bool last = at + 4 == text.size();
        const std::size_t pads = !last || text[at + 3] != '=' ? 0 : text[at + 2] == '=' ? 2 : 1;
        std::uint32_t group = 0;
        bool good = true;
        for (std::size_t i = 0; i < 4; ++i) {
            const std::uint32_t value = i < 4 - pads ? kValues[static_cast<unsigned char>(text[at + i])] : 0u;
            good = good && value != kNone;
            group = (group << 6) | (value & 63u);
        }
        const std::uint32_t unused = pads == 0 ? 0 : (1u << (8 * pads)) - 1;
        if (!good || (group & unused) != 0) {
            out.resize(before);
            return false;
        }
        for (std::size_t i = 0; i < 3 - pads; ++i) out += static_cast<char>((group >> (16 - 8 * i)) & 0xff);
    }
    return true;
}

}  // namespace sagitta::dicom
