// What decoding and encoding cost.
//   sagitta-codec-bench decode SECONDS FILE…        frames held in memory, all of them, one thread
//   sagitta-codec-bench encode SECONDS UID FILE…    the same the other way, into that transfer syntax
//   sagitta-codec-bench file IN OUT                 a file becomes one of native pixel data, as dcmdjpeg does
//   it
// The first two print a JSON object a file: bytes of native pixel data, nanoseconds of processor time, the
// least.
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/frame_codec.h"
#include "codec/frame_source.h"
#include "codec/native_pixels.h"
#include "core/bytes.h"
#include "dicom/part10.h"
#include "dicom/writer.h"

namespace {

using namespace sagitta;
// Of this process: what else runs on the machine does not count.
double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
}

constexpr int kParts = 10;

int refuse(const Error& error) {
    std::fprintf(stderr, "sagitta-codec-bench: %s\n", error.message().c_str());
    return 1;
}

// Runs `once` for a tenth of `seconds` ten times; the shortest of all.
double best_seconds(double seconds, const std::function<bool()>& once) {
    double best = 1e18;
    for (int part = 0; part < kParts; ++part) {
        double passed = 0;
        while (passed < seconds / kParts) {
            const double begin = processor_seconds();
            if (!once()) std::abort();
            const double took = processor_seconds() - begin;
            best = std::min(best, took);
            passed += took;
        }
    }
    return best;
}

void print(const std::string& path, std::string_view syntax, std::size_t frames, std::uint64_t bytes,
           std::uint64_t encoded, double seconds) {
    std::printf(
        "{\"file\":\"%s\",\"syntax\":\"%.*s\",\"frames\":%zu,\"bytes\":%llu,\"encoded\":%llu,\"ns\":%.0f,"
        "\"mb_s\":%.0f}\n",
        path.c_str(), static_cast<int>(syntax.size()), syntax.data(), frames,
        static_cast<unsigned long long>(bytes), static_cast<unsigned long long>(encoded), seconds * 1e9,
        static_cast<double>(bytes) / seconds / 1e6);
}

int decode(double seconds, const std::string& path) {
    auto source = codec::FrameSource::open_file(path);
    if (!source) return refuse(source.error());
    const auto* decoder = codec::find_decoder(source->syntax().uid);
    if (decoder == nullptr) return refuse(Error(Errc::unsupported, "no decoder for this file"));
    std::vector<ByteBuffer> frames;
    std::uint64_t encoded = 0;
    for (std::uint32_t n = 0; n < source->frame_count(); ++n) {
        auto frame = source->encoded(n);
        if (!frame) return refuse(frame.error());
        encoded += frame->size();
        frames.push_back(std::move(*frame));
    }
    std::uint64_t bytes = 0;
    const double best = best_seconds(seconds, [&] {
        bytes = 0;
        for (const auto& frame : frames) {
            const auto decoded = decoder->decode(frame.span(), source->format(), {});
            if (!decoded) return refuse(decoded.error()) == 0;
            bytes += decoded->bytes.size();
        }
        return true;
    });
    print(path, source->syntax().uid, frames.size(), bytes, encoded, best);
    return 0;
}

int encode(double seconds, std::string_view uid, const std::string& path) {
    auto source = codec::FrameSource::open_file(path);
    if (!source) return refuse(source.error());
    const auto* encoder = codec::find_encoder(uid);
    if (encoder == nullptr) return refuse(Error(Errc::unsupported, "no encoder for this transfer syntax"));
    std::vector<codec::Frame> frames;
    std::uint64_t bytes = 0;
    for (std::uint32_t n = 0; n < source->frame_count(); ++n) {
        auto frame = source->decode(n);
        if (!frame) return refuse(frame.error());
        bytes += frame->bytes.size();
        frames.push_back(std::move(*frame));
    }
    std::uint64_t encoded = 0;
    const double best = best_seconds(seconds, [&] {
        encoded = 0;
        for (const auto& frame : frames) {
            codec::PixelFormat written;
            const auto made = encoder->encode(frame, uid, {}, written);
            if (!made) return refuse(made.error()) == 0;
            encoded += made->size();
        }
        return true;
    });
    print(path, uid, frames.size(), bytes, encoded, best);
    return 0;
}

bool write_bytes(std::FILE* file, std::span<const std::byte> bytes) {
    return std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
}

// All before the pixels, and the head of their element (PS3.5 7.1.2).
Result<ByteBuffer> head_of(const codec::FrameSource& source, std::uint64_t pixel_bytes) {
    const auto& syntax = dicom::explicit_vr_little_endian();
    const auto& data_set = source.data_set();
    auto meta = dicom::file_meta_of(data_set, std::string(syntax.uid));
    if (!meta) return std::move(meta).error();
    ByteBuffer bytes = dicom::make_file_header(*meta);
    if (auto written = dicom::write_data_set(data_set, syntax, bytes); !written)
        return std::move(written).error();
    append_le(bytes, std::uint32_t{0x0010'7fe0});
    append_text(bytes, "OW");
    append_le(bytes, std::uint16_t{0});
    append_le(bytes, static_cast<std::uint32_t>(pixel_bytes + pixel_bytes % 2));
    return bytes;
}

int write_native(const std::string& in, const std::string& out) {
    auto source = codec::FrameSource::open_file(in);
    if (!source) return refuse(source.error());
    const std::uint64_t pixel_bytes = source->format().frame_bytes() * source->frame_count();
    auto head = head_of(*source, pixel_bytes);
    if (!head) return refuse(head.error());
    std::FILE* file = std::fopen(out.c_str(), "wb");
    if (file == nullptr) return refuse(Error(Errc::io_failure, "cannot create the file"));
    bool good = write_bytes(file, std::as_const(*head).span());
    for (std::uint32_t n = 0; n < source->frame_count() && good; ++n) {
        auto frame = source->decode(n);
        if (!frame) return refuse(frame.error());
        good = write_bytes(file, codec::pack_native(*frame).span());
    }
    if (pixel_bytes % 2 != 0) good = good && std::fputc(0, file) == 0;
    return std::fclose(file) == 0 && good ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> arguments(argv + 1, argv + argc);
    const std::string mode = arguments.empty() ? "" : arguments[0];
    const std::size_t first_file = mode == "encode" ? 3 : 2;
    if (mode == "file" && arguments.size() == 3) return write_native(arguments[1], arguments[2]);
    if ((mode != "decode" && mode != "encode") || arguments.size() <= first_file) {
        std::fprintf(
            stderr,
            "usage: sagitta-codec-bench decode SECONDS FILE… | encode SECONDS UID FILE… | file IN OUT\n");
        return 2;
    }
    const double seconds = std::stod(arguments[1]);
    for (std::size_t n = first_file; n < arguments.size(); ++n) {
        const int status =
            mode == "decode" ? decode(seconds, arguments[n]) : encode(seconds, arguments[2], arguments[n]);
        if (status != 0) return status;
    }
    return 0;
}
