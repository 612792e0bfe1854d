// A data element tag (PS3.5 section 7.1).
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace sagitta::dicom {

/// Group and element number in one integer, ordered as data sets are ordered.
struct Tag {
    std::uint32_t value = 0;

    constexpr Tag() = default;
    constexpr explicit Tag(std::uint32_t group_and_element) : value(group_and_element) {}
    constexpr Tag(std::uint16_t group, std::uint16_t element)
        : value((static_cast<std::uint32_t>(group) << 16) | element) {}

    [[nodiscard]] constexpr std::uint16_t group() const { return static_cast<std::uint16_t>(value >> 16); }
    [[nodiscard]] constexpr std::uint16_t element() const { return static_cast<std::uint16_t>(value); }
    /// Odd group number (PS3.5 7.8).
    [[nodiscard]] constexpr bool is_private() const { return (value & 0x10000u) != 0; }
    /// (gggg,0010-00FF) of a private group: names the owner of a block (PS3.5 7.8.1).
    [[nodiscard]] constexpr bool is_private_creator() const {
        return is_private() && element() >= 0x10 && element() <= 0xff;
    }
    [[nodiscard]] constexpr bool is_group_length() const { return element() == 0; }

    constexpr auto operator<=>(const Tag&) const = default;
};

inline constexpr Tag kItem{0xfffee000u};
inline constexpr Tag kItemDelimitation{0xfffee00du};
inline constexpr Tag kSequenceDelimitation{0xfffee0ddu};

/// "(0010,0020)", lower-case hexadecimal.
[[nodiscard]] std::string to_string(Tag tag);

/// Reads "(0010,0020)", "0010,0020", "00100020" or a keyword of PS3.6. Empty if it is none.
[[nodiscard]] std::optional<Tag> parse_tag(std::string_view text);

}  // namespace sagitta::dicom
