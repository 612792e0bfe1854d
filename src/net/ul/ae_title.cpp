#include "net/ul/ae_title.h"

#include <algorithm>

namespace sagitta::net::ul {

std::optional<AeTitle> AeTitle::parse(std::string_view text) noexcept {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    AeTitle title;
    if (text.empty() || text.size() > title.text_.size()) return std::nullopt;
    for (const char c : text)
        if (c < ' ' || c > '~' || c == '\\') return std::nullopt;
    std::copy(text.begin(), text.end(), title.text_.begin());
    title.size_ = static_cast<std::uint8_t>(text.size());
    return title;
}

std::array<std::byte, 16> AeTitle::padded() const noexcept {
    std::array<std::byte, 16> field;
    field.fill(static_cast<std::byte>(' '));
    for (std::size_t i = 0; i < size_; ++i) field[i] = static_cast<std::byte>(text_[i]);
    return field;
}

}  // namespace sagitta::net::ul
