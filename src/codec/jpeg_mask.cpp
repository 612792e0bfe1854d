#include "codec/jpeg_mask.h"

#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <jpeglib.h>

namespace sagitta::codec {
namespace {

// libjpeg reports by longjmp: nothing with a destructor may live between setjmp and the calls.
struct ErrorManager {
    jpeg_error_mgr base;
    std::jmp_buf escape;
    int code;
};

[[noreturn]] void leave(j_common_ptr common) {
    auto* errors = reinterpret_cast<ErrorManager*>(common->err);
    errors->code = errors->base.msg_code;
    std::longjmp(errors->escape, 1);
}

// A progressive stream may ask for any number of scans over the whole picture.
struct ScanLimit {
    jpeg_progress_mgr base;
    std::uint32_t max_scans;
};

void count_scans(j_common_ptr common) {
    const auto* limit = reinterpret_cast<const ScanLimit*>(common->progress);
    const auto* in = reinterpret_cast<const jpeg_decompress_struct*>(common);
    if (in->input_scan_number > static_cast<int>(limit->max_scans)) leave(common);
}

void keep_quiet(j_common_ptr, int) {}
void say_nothing(j_common_ptr) {}

struct Streams {
    jpeg_decompress_struct in{};
    jpeg_compress_struct out{};
    ErrorManager errors{};
    ScanLimit scans{};
    unsigned char* made = nullptr;
    unsigned long made_bytes = 0;

    Streams() {
        in.err = jpeg_std_error(&errors.base);
        out.err = in.err;
        errors.base.error_exit = leave;
        errors.base.emit_message = keep_quiet;
        errors.base.output_message = say_nothing;
    }
    ~Streams() {
        jpeg_destroy_compress(&out);
        jpeg_destroy_decompress(&in);
        std::free(made);
    }
    Streams(const Streams&) = delete;
    Streams& operator=(const Streams&) = delete;
};

// The DC coefficient of a block of which every sample is the least, or the most: 8 times the level that
// is left after the shift by 128 (T.81 A.3.1, A.3.3), quantised.
JCOEF flat_level(const jpeg_component_info& component, bool most) {
    const JQUANT_TBL* table = component.quant_table;
    const int step = table != nullptr && table->quantval[0] != 0 ? table->quantval[0] : 1;
    const int level = most ? 127 * 8 : -128 * 8;
    const int rounded = (level + (most ? step / 2 : -step / 2)) / step;
    return static_cast<JCOEF>(std::clamp(rounded, -1024, 1023));
}

// Of the luminance, or of every colour where they are not separated; chrominance is grey.
bool carries_light(const jpeg_decompress_struct& in, int component) {
    return component == 0 || (in.jpeg_color_space != JCS_YCbCr && in.jpeg_color_space != JCS_YCCK);
}

JDIMENSION round_up(JDIMENSION blocks, JDIMENSION factor) {
    return (blocks + factor - 1) / factor * factor;
}

void cover(jpeg_decompress_struct& in, jvirt_barray_ptr* coefficients, const Rectangle& area, bool inverted) {
    const auto mcu_width = static_cast<JDIMENSION>(in.max_h_samp_factor * DCTSIZE);
    const auto mcu_height = static_cast<JDIMENSION>(in.max_v_samp_factor * DCTSIZE);
    const JDIMENSION first_column = area.left / mcu_width;
    const JDIMENSION last_column = (area.left + area.width - 1) / mcu_width;
    const JDIMENSION first_row = area.top / mcu_height;
    const JDIMENSION last_row = (area.top + area.height - 1) / mcu_height;
    for (int n = 0; n < in.num_components; ++n) {
        const jpeg_component_info& component = in.comp_info[n];
        const auto across = static_cast<JDIMENSION>(component.h_samp_factor);
        const auto down = static_cast<JDIMENSION>(component.v_samp_factor);
        const JCOEF level = carries_light(in, n) ? flat_level(component, inverted) : JCOEF{0};
        // Blocks that only pad the picture to whole MCUs exist too, and may hold what the edge showed.
        const JDIMENSION columns = round_up(component.width_in_blocks, across);
        const JDIMENSION rows = round_up(component.height_in_blocks, down);
        const JDIMENSION end_column = std::min((last_column + 1) * across, columns);
        const JDIMENSION end_row = std::min((last_row + 1) * down, rows);
        for (JDIMENSION row = first_row * down; row < end_row; ++row) {
            JBLOCKARRAY blocks = in.mem->access_virt_barray(reinterpret_cast<j_common_ptr>(&in),
                                                            coefficients[n], row, 1, TRUE);
            for (JDIMENSION column = first_column * across; column < end_column; ++column) {
                std::fill_n(blocks[0][column], DCTSIZE2, JCOEF{0});
                blocks[0][column][0] = level;
            }
        }
    }
}

// Called between setjmp and its end: no destructors here. False when the picture is beyond the limits.
bool read_and_cover(Streams& streams, std::span<const std::byte> encoded, std::span<const Rectangle> areas,
                    bool inverted, const PixelLimits& limits) {
    jpeg_decompress_struct& in = streams.in;
    jpeg_create_decompress(&in);
    jpeg_create_compress(&streams.out);
    streams.scans.max_scans = limits.max_scans;
    streams.scans.base.progress_monitor = count_scans;
    in.progress = &streams.scans.base;
    jpeg_mem_src(&in, reinterpret_cast<const unsigned char*>(encoded.data()), encoded.size());
    jpeg_read_header(&in, TRUE);
    const std::uint64_t pixels = std::uint64_t{in.image_width} * in.image_height;
    const std::uint64_t coefficient_bytes =
        pixels * static_cast<std::uint64_t>(in.num_components) * sizeof(JCOEF);
    if (pixels > limits.max_pixels_per_frame || coefficient_bytes > limits.max_frame_bytes) return false;
    jvirt_barray_ptr* coefficients = jpeg_read_coefficients(&in);
    for (std::size_t n = 0; n < areas.size(); ++n) {
        const Rectangle area = clipped(areas[n], in.image_width, in.image_height);
        if (area.width != 0 && area.height != 0) cover(in, coefficients, area, inverted);
    }
    jpeg_copy_critical_parameters(&in, &streams.out);
    streams.out.optimize_coding = TRUE;
    jpeg_mem_dest(&streams.out, &streams.made, &streams.made_bytes);
    jpeg_write_coefficients(&streams.out, coefficients);
    jpeg_finish_compress(&streams.out);
    jpeg_finish_decompress(&in);
    return true;
}

}  // namespace

Result<ByteBuffer> mask_jpeg(std::span<const std::byte> encoded, std::span<const Rectangle> areas,
                             bool inverted, const PixelLimits& limits) {
    Streams streams;
    if (setjmp(streams.errors.escape) != 0) {
        return Error(Errc::malformed, "JPEG stream cannot be read (libjpeg message " +
                                          std::to_string(streams.errors.code) + ")");
    }
    if (!read_and_cover(streams, encoded, areas, inverted, limits))
        return Error(Errc::limit_exceeded, "JPEG picture is larger than the limit");
    ByteBuffer out(std::as_bytes(std::span(streams.made, streams.made_bytes)));
    if (out.size() % 2 != 0) out.append(std::as_bytes(std::span("\0", 1)));
    return out;
}

}  // namespace sagitta::codec
