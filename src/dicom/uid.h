// Unique Identifiers (PS3.5 section 9).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace sagitta::dicom {

/// At most 64 characters, digits and dots only: safe in a path by construction. Leading zeros in a
/// component and empty components are tolerated on reading, as real devices send them; a value
/// without any digit is not a UID. Holds its characters itself; never allocates.
class Uid {
public:
    Uid() = default;

    /// Strips trailing padding (NUL, space). Empty when a character or the length is wrong.
    [[nodiscard]] static std::optional<Uid> parse(std::string_view text) noexcept;

    /// A new UID under 2.25 from a random UUID (PS3.5 B.2). Thread-safe.
    [[nodiscard]] static Uid generate();

    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }
    [[nodiscard]] std::string str() const { return std::string(view()); }
    [[nodiscard]] bool empty() const noexcept { return size_ == 0; }

    friend bool operator==(const Uid& a, const Uid& b) noexcept { return a.view() == b.view(); }
    friend auto operator<=>(const Uid& a, const Uid& b) noexcept { return a.view() <=> b.view(); }
    friend bool operator==(const Uid& a, std::string_view b) noexcept { return a.view() == b; }

private:
    std::array<char, 64> text_{};
    std::uint8_t size_ = 0;
};

/// What PS3.6 Annex A says of a registered UID.
struct UidEntry {
    std::string_view uid;
    std::string_view keyword;
    std::string_view name;
    std::string_view type;  ///< "SOP Class", "Transfer Syntax", …
    bool retired;
    bool is_storage_sop_class;  ///< of the Storage Service Class (PS3.4 B.5), retired ones too
};

/// Null when the UID is not registered.
[[nodiscard]] const UidEntry* find_uid(std::string_view uid) noexcept;

}  // namespace sagitta::dicom

template <>
struct std::hash<sagitta::dicom::Uid> {
    std::size_t operator()(const sagitta::dicom::Uid& uid) const noexcept {
        return std::hash<std::string_view>{}(uid.view());
    }
};
