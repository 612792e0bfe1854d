// Text folded (dicom/text.h) that remembers where each of its bytes came from.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sagitta::deid {

/// Folds character by character, so that what is found can be cut out of the original.
class FoldedText {
public:
    explicit FoldedText(std::string_view utf8);

    [[nodiscard]] const std::string& text() const noexcept { return text_; }
    /// The bytes of the original from which [first, last) came: whole characters.
    [[nodiscard]] std::pair<std::size_t, std::size_t> original(std::size_t first, std::size_t last) const;
    /// A letter of any script begins, or ends, there.
    [[nodiscard]] bool letter_at(std::size_t at) const noexcept;
    [[nodiscard]] bool letter_before(std::size_t at) const noexcept;

private:
    std::string text_;
    // Where each byte's character begins in the original; empty when nothing moved.
    std::vector<std::uint32_t> from_;
    std::size_t original_size_;
};

}  // namespace sagitta::deid
