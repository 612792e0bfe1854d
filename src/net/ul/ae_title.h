// An Application Entity Title (PS3.5 6.2 VR AE, PS3.8 9.3.2): the name nodes call each other by.
#pragma once

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sagitta::net::ul {

/// At most 16 printable ASCII characters without backslash; spaces around it mean nothing and are
/// dropped. Compares byte by byte. Never allocates; cheap to copy.
class AeTitle {
public:
    AeTitle() = default;

    /// Empty when a character or the length is wrong, or nothing is left.
    [[nodiscard]] static std::optional<AeTitle> parse(std::string_view text) noexcept;

    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }
    [[nodiscard]] std::string str() const { return std::string(view()); }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }
    /// As it stands in a PDU: padded with spaces to 16.
    [[nodiscard]] std::array<std::byte, 16> padded() const noexcept;

    friend bool operator==(const AeTitle& a, const AeTitle& b) noexcept { return a.view() == b.view(); }
    friend auto operator<=>(const AeTitle& a, const AeTitle& b) noexcept { return a.view() <=> b.view(); }
    friend bool operator==(const AeTitle& a, std::string_view b) noexcept { return a.view() == b; }

private:
    std::array<char, 16> text_{};
    std::uint8_t size_ = 0;
};

}  // namespace sagitta::net::ul
