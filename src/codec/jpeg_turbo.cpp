#include "codec/jpeg_turbo.h"

#include <algorithm>
#include <array>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
// behind jpeglib.h, whose types it needs
#include <jerror.h>

// The library reports errors by a call that must not return: it jumps back into the functions named
// run_*, which hold nothing that has a destructor.
namespace sagitta::codec::jpeg {
namespace {

struct Failure {
    jpeg_error_mgr manager;
    std::jmp_buf back;
    std::array<char, JMSG_LENGTH_MAX> text;
    Errc code;
};

struct Progress {
    jpeg_progress_mgr manager;
    std::uint32_t max_scans;
};

Failure& failure_of(j_common_ptr info) {
    return *reinterpret_cast<Failure*>(info->err);  // its first member
}

[[noreturn]] void fail(j_common_ptr info, Errc code) {
    Failure& failure = failure_of(info);
    failure.manager.format_message(info, failure.text.data());
    failure.code = code;
    std::longjmp(failure.back, 1);
}

void on_error(j_common_ptr info) {
    fail(info, Errc::malformed);
}

// The library would go on with grey where the data are damaged.
void on_message(j_common_ptr info, int level) {
    if (level >= 0) return;
    const int code = info->err->msg_code;
    if (code == JWRN_HIT_MARKER) fail(info, Errc::truncated);
    if (code == JWRN_HUFF_BAD_CODE || code == JWRN_ARITH_BAD_CODE) fail(info, Errc::malformed);
}

void on_progress(j_common_ptr info) {
    const auto* progress = reinterpret_cast<const Progress*>(info->progress);
    const auto* decompress = reinterpret_cast<j_decompress_ptr>(info);
    if (static_cast<std::uint32_t>(decompress->input_scan_number) <= progress->max_scans) return;
    Failure& failure = failure_of(info);
    std::snprintf(failure.text.data(), failure.text.size(), "more scans than the limit of %u",
                  progress->max_scans);
    failure.code = Errc::limit_exceeded;
    std::longjmp(failure.back, 1);
}

void set_up(Failure& failure) {
    jpeg_std_error(&failure.manager);
    failure.manager.error_exit = on_error;
    failure.manager.emit_message = on_message;
    failure.manager.output_message = [](j_common_ptr) {};
    failure.text[0] = '\0';
    failure.code = Errc::malformed;
}

void choose_colours(jpeg_decompress_struct& info, const TurboOptions& options) {
    switch (info.num_components) {
        case 1: info.jpeg_color_space = info.out_color_space = JCS_GRAYSCALE; break;
        case 3:
            info.jpeg_color_space = options.stream_is_ybr ? JCS_YCbCr : JCS_RGB;
            info.out_color_space = options.stream_is_ybr && !options.to_rgb ? JCS_YCbCr : JCS_RGB;
            break;
        default: info.jpeg_color_space = info.out_color_space = JCS_UNKNOWN; break;
    }
}

bool run_decode(jpeg_decompress_struct& info, Failure& failure, Progress& progress,
                std::span<const std::byte> encoded, const TurboOptions& options, TurboImage& image) {
    if (setjmp(failure.back) != 0) return false;
    jpeg_create_decompress(&info);
    info.progress = &progress.manager;
    jpeg_mem_src(&info, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size());
    jpeg_read_header(&info, TRUE);
    choose_colours(info, options);
    info.scale_num = 1;
    info.scale_denom = 1u << std::min(options.reduce, 3u);
    jpeg_start_decompress(&info);
    image.rows = info.output_height;
    image.columns = info.output_width;
    image.components = static_cast<std::uint32_t>(info.output_components);
    const std::size_t row_bytes = std::size_t{image.columns} * image.components;
    std::byte* const pixels = image.pixels.prepare(row_bytes * image.rows).data();
    while (info.output_scanline < info.output_height) {
        auto* row = reinterpret_cast<JSAMPROW>(pixels + info.output_scanline * row_bytes);
        jpeg_read_scanlines(&info, &row, 1);
    }
    image.pixels.commit(row_bytes * image.rows);
    return true;
}

struct MemoryOutput {
    unsigned char* data = nullptr;
    unsigned long size = 0;
};

bool run_encode(jpeg_compress_struct& info, Failure& failure, const TurboImage& image, bool is_rgb,
                std::uint32_t quality, MemoryOutput& output) {
    if (setjmp(failure.back) != 0) return false;
    jpeg_create_compress(&info);
    jpeg_mem_dest(&info, &output.data, &output.size);
    info.image_width = image.columns;
    info.image_height = image.rows;
    info.input_components = static_cast<int>(image.components);
    info.in_color_space = image.components == 1 ? JCS_GRAYSCALE : is_rgb ? JCS_RGB : JCS_YCbCr;
    jpeg_set_defaults(&info);
    jpeg_set_colorspace(&info, image.components == 1 ? JCS_GRAYSCALE : JCS_YCbCr);
    if (image.components == 3) {
        info.comp_info[0].h_samp_factor = 2;
        info.comp_info[0].v_samp_factor = 1;
    }
    info.optimize_coding = TRUE;
    jpeg_set_quality(&info, static_cast<int>(std::clamp(quality, 1u, 100u)), TRUE);
    jpeg_start_compress(&info, TRUE);
    const std::size_t row_bytes = std::size_t{image.columns} * image.components;
    while (info.next_scanline < info.image_height) {
        auto* from = const_cast<std::byte*>(image.pixels.data()) + info.next_scanline * row_bytes;
        auto* row = reinterpret_cast<JSAMPROW>(from);
        jpeg_write_scanlines(&info, &row, 1);
    }
    jpeg_finish_compress(&info);
    return true;
}

}  // namespace

Result<TurboImage> decode_turbo(std::span<const std::byte> encoded, const TurboOptions& options) {
    Failure failure{};
    set_up(failure);
    Progress progress{};
    progress.manager.progress_monitor = on_progress;
    progress.max_scans = options.max_scans;
    jpeg_decompress_struct info{};
    info.err = &failure.manager;
    TurboImage image;
    const bool done = run_decode(info, failure, progress, encoded, options, image);
    jpeg_destroy_decompress(&info);
    if (!done) return Error(failure.code, failure.text.data());
    return image;
}

Result<ByteBuffer> encode_turbo(const TurboImage& image, bool is_rgb, std::uint32_t quality) {
    Failure failure{};
    set_up(failure);
    jpeg_compress_struct info{};
    info.err = &failure.manager;
    MemoryOutput output;
    const bool done = run_encode(info, failure, image, is_rgb, quality, output);
    jpeg_destroy_compress(&info);
    ByteBuffer encoded(std::span(reinterpret_cast<const std::byte*>(output.data), output.size));
    std::free(output.data);
    if (!done) return Error(Errc::io_failure, failure.text.data());
    if (encoded.size() % 2 != 0) encoded.append(std::array{std::byte{0}});
    return encoded;
}

}  // namespace sagitta::codec::jpeg
