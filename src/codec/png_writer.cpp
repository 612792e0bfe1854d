#include "codec/png_writer.h"

#include <csetjmp>
#include <cstddef>
#include <string>
#include <vector>

#include <png.h>

namespace sagitta::codec {
namespace {

constexpr std::size_t kMostText = 200;

void on_write(png_structp png, png_bytep bytes, png_size_t count) {
    static_cast<ByteBuffer*>(png_get_io_ptr(png))->append(std::as_bytes(std::span(bytes, count)));
}

void on_error(png_structp png, png_const_charp text) {
    auto* message = static_cast<std::string*>(png_get_error_ptr(png));
    message->assign(text, strnlen(text, kMostText));
    png_longjmp(png, 1);
}

void on_warning(png_structp, png_const_charp) {}

// Nothing with a destructor is made between setjmp and the end: the jump would pass over it.
bool write_all(png_structp png, png_infop info, const Picture& picture, png_bytepp rows, ByteBuffer& out) {
    if (setjmp(png_jmpbuf(png)) != 0) return false;  // NOLINT: libpng reports errors so
    png_set_write_fn(png, &out, on_write, nullptr);
    png_set_IHDR(png, info, picture.columns, picture.rows, static_cast<int>(picture.bits),
                 picture.channels == 3 ? PNG_COLOR_TYPE_RGB : PNG_COLOR_TYPE_GRAY, PNG_INTERLACE_NONE,
                 PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_write_info(png, info);
    if (picture.bits == 16) png_set_swap(png);
    png_write_image(png, rows);
    png_write_end(png, nullptr);
    return true;
}

}  // namespace

Result<ByteBuffer> write_png(const Picture& picture) {
    const std::size_t stride = std::size_t{picture.columns} * picture.channels * picture.bits / 8;
    std::vector<png_bytep> rows(picture.rows);
    for (std::size_t n = 0; n < rows.size(); ++n) {
        // libpng wants them writable and does not write.
        rows[n] = reinterpret_cast<png_bytep>(const_cast<std::byte*>(picture.bytes.data())) + n * stride;
    }
    ByteBuffer out;
    std::string message = "libpng refused the picture";
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &message, on_error, on_warning);
    png_infop info = png == nullptr ? nullptr : png_create_info_struct(png);
    const bool written = info != nullptr && write_all(png, info, picture, rows.data(), out);
    png_destroy_write_struct(&png, &info);
    if (!written) return Error(Errc::unsupported, "PNG: " + message);
    return out;
}

}  // namespace sagitta::codec
