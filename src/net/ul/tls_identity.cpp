#include "net/ul/tls_identity.h"

#include <algorithm>

namespace sagitta::net::ul {

namespace {

constexpr std::string_view kSha256 = "sha256:";
constexpr std::size_t kSha256Digits = 64;

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return lower(x) == lower(y); });
}

}  // namespace

std::string normal_fingerprint(std::string_view text) {
    if (text.size() < kSha256.size() || !same_name(text.substr(0, kSha256.size()), kSha256)) return {};
    std::string digits;
    for (const char c : text.substr(kSha256.size())) {
        if (c == ':') continue;
        const char digit = lower(c);
        if (!((digit >= '0' && digit <= '9') || (digit >= 'a' && digit <= 'f'))) return {};
        digits += digit;
    }
    return digits.size() == kSha256Digits ? std::string(kSha256) + digits : std::string();
}

bool has_identity(const TlsPeer& peer, std::string_view wanted) {
    if (!peer.has_certificate() || wanted.empty()) return false;
    if (wanted.starts_with(kSha256)) return normal_fingerprint(wanted) == peer.fingerprint;
    return std::any_of(peer.names.begin(), peer.names.end(),
                       [&](const std::string& name) { return same_name(name, wanted); });
}

}  // namespace sagitta::net::ul
