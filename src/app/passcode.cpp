#include "app/passcode.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <fmt/format.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include "core/bytes.h"
#include "dicom/base64.h"

namespace sagitta::app {
namespace {

constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;
constexpr std::uint64_t kMaxMemory = 256u << 20;

struct Cost {
    std::uint32_t log2_n = 15;
    std::uint32_t r = 8;
    std::uint32_t p = 1;
};

struct Parts {
    Cost cost;
    std::string salt;
    std::string hash;
};

std::optional<std::string> derive(const Cost& cost, std::string_view salt, std::string_view passcode) {
    std::string hash(kHashBytes, '\0');
    const int done =
        EVP_PBE_scrypt(passcode.data(), passcode.size(), reinterpret_cast<const unsigned char*>(salt.data()),
                       salt.size(), std::uint64_t{1} << cost.log2_n, cost.r, cost.p, kMaxMemory,
                       reinterpret_cast<unsigned char*>(hash.data()), hash.size());
    return done == 1 ? std::optional(hash) : std::nullopt;
}

std::string base64(std::string_view bytes) {
    std::string text;
    dicom::append_base64(as_bytes(bytes), text);
    return text;
}

std::optional<std::string_view> take(std::string_view& text) {
    const auto end = text.find('$');
    if (end == std::string_view::npos) return std::nullopt;
    const auto part = text.substr(0, end);
    text.remove_prefix(end + 1);
    return part;
}

bool read_number(std::string_view& text, std::uint32_t least, std::uint32_t most, std::uint32_t& into) {
    const auto part = take(text);
    if (!part) return false;
    const auto [end, ec] = std::from_chars(part->data(), part->data() + part->size(), into);
    return ec == std::errc() && end == part->data() + part->size() && into >= least && into <= most;
}

std::optional<Parts> parse(std::string_view text) {
    Parts parts;
    if (take(text) != "scrypt") return std::nullopt;
    if (!read_number(text, 10, 17, parts.cost.log2_n) || !read_number(text, 1, 8, parts.cost.r) ||
        !read_number(text, 1, 4, parts.cost.p)) {
        return std::nullopt;
    }
    const auto salt = take(text);
    const bool good =
        salt && dicom::decode_base64(*salt, parts.salt) && dicom::decode_base64(text, parts.hash);
    return good && parts.salt.size() >= 8 && parts.hash.size() == kHashBytes ? std::optional(parts)
                                                                             : std::nullopt;
}

}  // namespace

Result<std::string> hash_passcode(std::string_view passcode) {
    std::string salt(kSaltBytes, '\0');
    if (RAND_bytes(reinterpret_cast<unsigned char*>(salt.data()), static_cast<int>(salt.size())) != 1)
        return Error(Errc::io_failure, "no random numbers for a salt");
    const Cost cost;
    const auto hash = derive(cost, salt, passcode);
    if (!hash) return Error(Errc::io_failure, "scrypt failed");
    return fmt::format("scrypt${}${}${}${}${}", cost.log2_n, cost.r, cost.p, base64(salt), base64(*hash));
}

bool is_passcode_hash(std::string_view text) {
    return parse(text).has_value();
}

bool verify_passcode(std::string_view hash, std::string_view passcode) {
    const auto parts = parse(hash);
    if (!parts) return false;
    const auto derived = derive(parts->cost, parts->salt, passcode);
    return derived && CRYPTO_memcmp(derived->data(), parts->hash.data(), kHashBytes) == 0;
}

}  // namespace sagitta::app
