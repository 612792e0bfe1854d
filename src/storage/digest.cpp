#include "storage/digest.h"

#define XXH_STATIC_LINKING_ONLY  // for a hash state without the heap
#include <xxhash.h>

#include <cstring>

namespace sagitta::storage {

std::uint64_t member_checksum(std::initializer_list<std::span<const std::byte>> parts) noexcept {
    XXH3_state_t state;
    XXH3_64bits_reset(&state);
    for (const auto part : parts) XXH3_64bits_update(&state, part.data(), part.size());
    return XXH3_64bits_digest(&state);
}

DataSetDigest data_set_digest(std::span<const std::byte> data_set) noexcept {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, XXH3_128bits(data_set.data(), data_set.size()));
    DataSetDigest digest;
    std::memcpy(digest.bytes.data(), canonical.digest, digest.bytes.size());
    return digest;
}

}  // namespace sagitta::storage
