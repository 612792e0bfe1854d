#include "codec/jpeg_writer.h"

#include <array>
#include <csetjmp>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <string>

#include <jpeglib.h>

namespace sagitta::codec {
namespace {

struct ErrorExit {
    jpeg_error_mgr manager;
    std::jmp_buf jump;
    std::array<char, JMSG_LENGTH_MAX> text;
};

void on_error(j_common_ptr jpeg) {
    auto* exit = reinterpret_cast<ErrorExit*>(jpeg->err);  // it is the first member
    jpeg->err->format_message(jpeg, exit->text.data());
    std::longjmp(exit->jump, 1);  // NOLINT: libjpeg knows no other way
}

void on_message(j_common_ptr) {}

// Nothing with a destructor is made between setjmp and the end: the jump would pass over it.
bool compress(jpeg_compress_struct& jpeg, ErrorExit& exit, const Picture& picture, int quality,
              unsigned char*& made, unsigned long& size) {
    if (setjmp(exit.jump) != 0) return false;  // NOLINT
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, &made, &size);
    jpeg.image_width = picture.columns;
    jpeg.image_height = picture.rows;
    jpeg.input_components = static_cast<int>(picture.channels);
    jpeg.in_color_space = picture.channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg_start_compress(&jpeg, TRUE);
    const std::size_t stride = std::size_t{picture.columns} * picture.channels;
    while (jpeg.next_scanline < jpeg.image_height) {
        // libjpeg wants it writable and does not write.
        auto* row = reinterpret_cast<JSAMPROW>(const_cast<std::byte*>(picture.bytes.data())) +
                    jpeg.next_scanline * stride;
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    return true;
}

}  // namespace

Result<ByteBuffer> write_jpeg(const Picture& picture, int quality) {
    if (picture.bits != 8) return Error(Errc::unsupported, "JPEG: only 8 bits, not 16");
    jpeg_compress_struct jpeg{};
    ErrorExit exit{};
    jpeg.err = jpeg_std_error(&exit.manager);
    exit.manager.error_exit = on_error;
    exit.manager.output_message = on_message;
    unsigned char* made = nullptr;
    unsigned long size = 0;
    const bool written = compress(jpeg, exit, picture, quality, made, size);
    jpeg_destroy_compress(&jpeg);
    ByteBuffer out;
    if (written) out.append({reinterpret_cast<const std::byte*>(made), size});
    std::free(made);
    if (!written) return Error(Errc::unsupported, std::string("JPEG: ") + exit.text.data());
    return out;
}

}  // namespace sagitta::codec
