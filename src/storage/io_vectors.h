// What a gathered write has left to do after a part of it. Internal to storage.
#pragma once

#include <sys/uio.h>

#include <cstddef>
#include <vector>

namespace sagitta::storage {

/// Index of the first vector not written completely; that one is shortened by what was.
inline std::size_t skip_written(std::vector<iovec>& vectors, std::size_t first, std::size_t written) {
    while (first < vectors.size() && written >= vectors[first].iov_len) written -= vectors[first++].iov_len;
    if (first < vectors.size()) {
        vectors[first].iov_base = static_cast<std::byte*>(vectors[first].iov_base) + written;
        vectors[first].iov_len -= written;
    }
    return first;
}

}  // namespace sagitta::storage
