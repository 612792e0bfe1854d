// What looks like a date, a telephone number, a mail address, a long number or a name behind a title in
// free text, whoever it belongs to. Pure; works on folded text.
#pragma once

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

#include "deid/folded_text.h"
#include "deid/profile_table.h"

namespace sagitta::deid {

/// A place in folded text.
struct Span {
    std::size_t first;
    std::size_t last;
    IdentityKind kind;
};

void find_dates(std::string_view folded, std::vector<Span>& found);
void find_numbers_and_addresses(std::string_view folded, std::vector<Span>& found);
/// Words with a capital behind "Dr.", "Mrs", "Herr" …; `original` is what was folded.
void find_titled_names(const FoldedText& folded, std::string_view original, std::vector<Span>& found);

}  // namespace sagitta::deid
