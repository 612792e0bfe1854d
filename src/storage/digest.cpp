#include "storage/digest.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#define XXH_STATIC_LINKING_ONLY  // for a hash state without the heap
#include <xxhash.h>
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>  // the same functions, for the processor it runs on
#endif

#include <array>
#include <cstring>

namespace sagitta::storage {
namespace {

DataSetDigest canonical(XXH128_hash_t hash) noexcept {
    XXH128_canonical_t bytes;
    XXH128_canonicalFromHash(&bytes, hash);
    DataSetDigest digest;
    std::memcpy(digest.bytes.data(), bytes.digest, digest.bytes.size());
    return digest;
}

}  // namespace

std::uint64_t member_checksum(std::initializer_list<std::span<const std::byte>> parts) noexcept {
    if (parts.size() == 1) return XXH3_64bits(parts.begin()->data(), parts.begin()->size());
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (const auto part : parts) XXH3_64bits_update(&state, part.data(), part.size());
    return XXH3_64bits_digest(&state);
}

DataSetDigest data_set_digest(std::span<const std::byte> data_set) noexcept {
    return canonical(XXH3_128bits(data_set.data(), data_set.size()));
}

struct PieceDigest::State {
    XXH3_state_t short_one;
    XXH3_state_t long_one;
};

PieceDigest::PieceDigest() : state_(std::make_unique<State>()) {
    XXH3_64bits_reset(&state_->short_one);
    XXH3_128bits_reset(&state_->long_one);
}

PieceDigest::~PieceDigest() = default;

void PieceDigest::add(std::span<const std::byte> piece) noexcept {
    XXH3_64bits_update(&state_->short_one, piece.data(), piece.size());
    XXH3_128bits_update(&state_->long_one, piece.data(), piece.size());
}

void PieceDigest::add_for_checksum(std::span<const std::byte> bytes) noexcept {
    XXH3_64bits_update(&state_->short_one, bytes.data(), bytes.size());
}

std::uint64_t PieceDigest::member_checksum() const noexcept {
    return XXH3_64bits_digest(&state_->short_one);
}

DataSetDigest PieceDigest::data_set_digest() const noexcept {
    return canonical(XXH3_128bits_digest(&state_->long_one));
}

struct Sha256::State {
    struct Free {
        void operator()(EVP_MD_CTX* digest) const noexcept { EVP_MD_CTX_free(digest); }
    };
    std::unique_ptr<EVP_MD_CTX, Free> context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) {
    EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr);
}

Sha256::~Sha256() = default;

void Sha256::add(std::span<const std::byte> piece) noexcept {
    EVP_DigestUpdate(state_->context.get(), piece.data(), piece.size());
}

std::string Sha256::finish() {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    EVP_DigestFinal_ex(state_->context.get(), digest.data(), &size);
    EVP_DigestInit_ex(state_->context.get(), EVP_sha256(), nullptr);
    std::string text;
    for (unsigned int i = 0; i < size; ++i) text += fmt::format("{:02x}", digest[i]);
    return text;
}

}  // namespace sagitta::storage
