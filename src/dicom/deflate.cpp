#include "dicom/deflate.h"

#include <algorithm>
#include <memory>

#include <zlib.h>

namespace sagitta::dicom {
namespace {

constexpr std::size_t kChunkBytes = 256 * 1024;

Result<ByteBuffer> inflate_as(std::span<const std::byte> deflated, std::uint64_t max_bytes, int window_bits) {
    z_stream stream{};
    if (inflateInit2(&stream, window_bits) != Z_OK) return Error(Errc::io_failure, "zlib does not start");
    const std::unique_ptr<z_stream, int (*)(z_stream*)> closing(&stream, inflateEnd);
    ByteBuffer out;
    std::size_t fed = 0;
    while (true) {
        if (stream.avail_in == 0) {
            const auto chunk = std::min<std::size_t>(deflated.size() - fed, 1u << 30);
            stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(deflated.data() + fed));
            stream.avail_in = static_cast<uInt>(chunk);
            fed += chunk;
        }
        const auto room = out.prepare(kChunkBytes);
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        const int status = ::inflate(&stream, Z_NO_FLUSH);
        out.commit(room.size() - stream.avail_out);
        if (out.size() > max_bytes)
            return Error(Errc::limit_exceeded, "the deflated data set grows beyond the limit");
        if (status == Z_STREAM_END) return out;
        if (status == Z_BUF_ERROR && fed == deflated.size()) {
            return Error(Errc::truncated, "the deflated stream has no end", fed);
        }
        if (status != Z_OK && status != Z_BUF_ERROR) {
            return Error(Errc::malformed, "the deflated stream is damaged", fed - stream.avail_in);
        }
    }
}

}  // namespace

Result<ByteBuffer> inflate(std::span<const std::byte> deflated, std::uint64_t max_bytes) {
    auto raw = inflate_as(deflated, max_bytes, -MAX_WBITS);
    const bool zlib_wrapper = deflated.size() > 2 && (static_cast<unsigned>(deflated[0]) & 0x0f) == 8;
    if (!raw && raw.error().code == Errc::malformed && zlib_wrapper) {
        auto wrapped = inflate_as(deflated, max_bytes, MAX_WBITS);
        if (wrapped) return wrapped;
    }
    return raw;
}

Result<void> deflate(std::span<const std::byte> bytes, ByteBuffer& out) {
    if (bytes.size() >= UINT32_MAX) return Error(Errc::limit_exceeded, "too large to deflate");
    z_stream stream{};
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
        return Error(Errc::io_failure, "zlib does not start");
    }
    const std::unique_ptr<z_stream, int (*)(z_stream*)> closing(&stream, deflateEnd);
    const auto before = out.size();
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    int status = Z_OK;
    while (status != Z_STREAM_END) {
        const auto room = out.prepare(kChunkBytes);
        stream.next_out = reinterpret_cast<Bytef*>(room.data());
        stream.avail_out = static_cast<uInt>(room.size());
        status = ::deflate(&stream, Z_FINISH);
        out.commit(room.size() - stream.avail_out);
        if (status != Z_OK && status != Z_STREAM_END) return Error(Errc::io_failure, "zlib fails to deflate");
    }
    if ((out.size() - before) % 2 != 0) {
        const std::byte zero{0};
        out.append({&zero, 1});
    }
    return {};
}

}  // namespace sagitta::dicom
