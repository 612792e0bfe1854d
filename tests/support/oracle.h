// What independent readers saw in the files of the corpus: expected/<file>.json, plain or compressed.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <span>
#include <string>

#include <fmt/format.h>
#include <openssl/evp.h>
#include <zlib.h>
#include <nlohmann/json.hpp>

#include "tests/support/shared_data.h"

namespace sagitta::test {

/// Plain or compressed: zlib reads both.
inline std::string contents(const std::filesystem::path& path) {
    std::string all;
    gzFile file = gzopen(path.c_str(), "rb");
    if (file == nullptr) return all;
    std::array<char, 65536> piece;
    for (int got; (got = gzread(file, piece.data(), piece.size())) > 0;) {
        all.append(piece.data(), static_cast<std::size_t>(got));
    }
    gzclose(file);
    return all;
}

/// Null when there is none.
inline nlohmann::json oracle_of(const std::string& name) {
    for (const auto* ending : {".json", ".json.gz"}) {
        const auto path = shared_data() / "expected" / (name + ending);
        if (std::filesystem::exists(path)) return nlohmann::json::parse(contents(path));
    }
    return {};
}

inline std::string sha256(std::span<const std::byte> bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, EVP_sha256(), nullptr);
    std::string hex;
    for (unsigned i = 0; i < size; ++i) hex += fmt::format("{:02x}", digest[i]);
    return hex;
}

}  // namespace sagitta::test
