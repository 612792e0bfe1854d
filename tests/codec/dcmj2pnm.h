// DCMTK's dcmj2pnm as an oracle of pictures.
#pragma once

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "codec/picture.h"

namespace sagitta::test {

inline bool has_dcmj2pnm() {
    return std::system("dcmj2pnm --version >/dev/null 2>&1") == 0;
}

inline std::string output_of(const std::string& command) {
    std::string output;
    FILE* pipe = popen(command.c_str(), "r");
    if (pipe == nullptr) return output;
    std::array<char, 65536> piece;
    for (std::size_t got; (got = fread(piece.data(), 1, piece.size(), pipe)) > 0;)
        output.append(piece.data(), got);
    return pclose(pipe) == 0 ? output : std::string();
}

/// A binary PGM or PPM (P5, P6) of 8 bits; without rows when it is none.
inline codec::Picture parse_pnm(const std::string& text) {
    codec::Picture picture;
    char kind = 0;
    unsigned columns = 0;
    unsigned rows = 0;
    unsigned highest = 0;
    int header = 0;
    if (std::sscanf(text.c_str(), "P%c %u %u %u%n", &kind, &columns, &rows, &highest, &header) != 4)
        return picture;
    picture.channels = kind == '6' ? 3 : 1;
    const std::size_t bytes = std::size_t{rows} * columns * picture.channels;
    if (highest != 255 || text.size() < bytes) return picture;
    picture.rows = rows;
    picture.columns = columns;
    picture.bytes.append(std::as_bytes(std::span(text)).last(bytes));
    return picture;
}

inline int largest_difference(const codec::Picture& a, const codec::Picture& b) {
    int largest = 0;
    for (std::size_t n = 0; n < a.bytes.size(); ++n) {
        const int difference =
            std::to_integer<int>(a.bytes.span()[n]) - std::to_integer<int>(b.bytes.span()[n]);
        largest = std::max(largest, std::abs(difference));
    }
    return largest;
}

/// Its picture of 8 bits; without rows when it cannot read the file.
inline codec::Picture dcmj2pnm(const std::string& arguments, const std::string& path) {
    return parse_pnm(output_of("dcmj2pnm -q +op " + arguments + " '" + path + "' 2>/dev/null"));
}

}  // namespace sagitta::test
