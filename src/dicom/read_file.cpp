#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"

namespace sagitta::dicom {
namespace {

constexpr std::size_t kChunkBytes = 1024 * 1024;
constexpr std::uint32_t kUndefinedLength = 0xffffffffu;
constexpr std::size_t kLongestHeaderBytes = 12;
constexpr int kMaxPixelGroupElements = 16;
constexpr std::uint64_t kLeastBytes = 1024;  // preamble, prefix and a usual meta information

class Descriptor {
public:
    explicit Descriptor(const std::string& path) : number_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    ~Descriptor() {
        if (number_ >= 0) close(number_);
    }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    [[nodiscard]] int number() const { return number_; }

private:
    int number_;
};

Error failure(const std::string& path, int reason) {
    return {reason == ENOENT ? Errc::not_found : Errc::io_failure, path + ": " + std::strerror(reason)};
}

// Appends the file from byte `base` on until `bytes` holds `wanted` or the file ends.
Result<void> read_up_to(std::uint64_t wanted, const Descriptor& file, const std::string& path,
                        ByteBuffer& bytes, std::uint64_t base = 0) {
    while (bytes.size() < wanted) {
        const auto room = bytes.prepare(std::min<std::uint64_t>(kChunkBytes, wanted - bytes.size()));
        const auto from = static_cast<off_t>(base + bytes.size());
        const auto got = pread(file.number(), room.data(), room.size(), from);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure(path, errno);
        if (got == 0) break;
        bytes.commit(static_cast<std::size_t>(got));
    }
    return {};
}

Result<std::uint64_t> size_of(const Descriptor& file, const std::string& path) {
    if (file.number() < 0) return failure(path, errno);
    struct stat about {};
    if (fstat(file.number(), &about) != 0) return failure(path, errno);
    if (!S_ISREG(about.st_mode)) return Error(Errc::io_failure, path + ": not a regular file");
    return static_cast<std::uint64_t>(about.st_size);
}

// The element header at the beginning of `bytes`, as a value at `at` of a file of `file_bytes`. Nothing
// when there is none of group 7FE0. PS3.5 7.1.2, 7.1.3.
std::optional<ValueInFile> pixel_group_element(std::span<const std::byte> bytes, const TransferSyntax& syntax,
                                               std::uint64_t at, std::uint64_t file_bytes) {
    const auto u16 = [&](std::size_t from) {
        return syntax.big_endian ? load_be<std::uint16_t>(bytes.data() + from)
                                 : load_le<std::uint16_t>(bytes.data() + from);
    };
    const auto u32 = [&](std::size_t from) {
        return syntax.big_endian ? load_be<std::uint32_t>(bytes.data() + from)
                                 : load_le<std::uint32_t>(bytes.data() + from);
    };
    if (bytes.size() < 8 || u16(0) != tags::PixelData.group()) return std::nullopt;
    ValueInFile value;
    value.tag = Tag(u16(0), u16(2));
    std::size_t header_bytes = 8;
    std::uint32_t length = u32(4);
    // As the parser does: not every data set is encoded as it says.
    const auto vr = vr_from_letters(static_cast<char>(bytes[4]), static_cast<char>(bytes[5]));
    const bool fits = length == kUndefinedLength || length <= file_bytes - at - header_bytes;
    if (!vr || (!syntax.explicit_vr && fits)) {
        value.vr = value.tag == tags::FloatPixelData         ? Vr::OF
                   : value.tag == tags::DoubleFloatPixelData ? Vr::OD
                                                             : Vr::OW;
    } else {
        value.vr = *vr;
        if (has_long_header(*vr)) header_bytes = 12;
        if (bytes.size() < header_bytes) return std::nullopt;
        length = header_bytes == 12 ? u32(8) : u16(6);
    }
    value.encapsulated = length == kUndefinedLength;
    value.offset_bytes = at + header_bytes;
    const std::uint64_t rest = file_bytes - value.offset_bytes;
    value.length_bytes = value.encapsulated ? rest : std::min<std::uint64_t>(length, rest);
    return value;
}

// Walks group 7FE0 from `at` on, values left alone: before the pixels there may be offset tables.
Result<std::optional<ValueInFile>> find_pixel_data(const Descriptor& file, const std::string& path,
                                                   std::uint64_t at, std::uint64_t file_bytes,
                                                   const TransferSyntax& syntax) {
    for (int elements = 0; elements < kMaxPixelGroupElements && at < file_bytes; ++elements) {
        ByteBuffer header;
        if (auto read = read_up_to(kLongestHeaderBytes, file, path, header, at); !read)
            return std::move(read).error();
        const auto value = pixel_group_element(std::as_const(header).span(), syntax, at, file_bytes);
        if (!value) break;
        const Tag tag = value->tag;
        if (tag == tags::PixelData || tag == tags::FloatPixelData || tag == tags::DoubleFloatPixelData)
            return value;
        if (value->encapsulated) break;
        at = value->offset_bytes + value->length_bytes;
    }
    return std::optional<ValueInFile>();
}

}  // namespace

Result<ParsedFile> read_file(const std::string& path, const ParseOptions& options) {
    const Descriptor file(path);
    auto size = size_of(file, path);
    if (!size) return std::move(size).error();
    auto bytes = std::make_shared<ByteBuffer>();
    bytes->reserve(*size);
    if (auto read = read_up_to(*size, file, path, *bytes); !read) return std::move(read).error();
    const auto span = std::as_const(*bytes).span();
    auto parsed = parse_file(span, options, std::move(bytes));
    if (!parsed) return std::move(parsed).error().within(path);
    return parsed;
}

Result<FileHeader> read_file_header(const std::string& path, const HeaderOptions& options) {
    const Descriptor file(path);
    auto size = size_of(file, path);
    if (!size) return std::move(size).error();
    ParseOptions parse;
    parse.stop_before_pixel_data = true;
    parse.keep_readable_part = options.keep_readable_part;
    parse.only = options.only;
    auto bytes = std::make_shared<ByteBuffer>();
    std::uint64_t wanted = std::max<std::uint64_t>(options.first_read_bytes, kLeastBytes);
    while (true) {
        if (auto read = read_up_to(std::min(wanted, *size), file, path, *bytes); !read)
            return std::move(read).error();
        const bool whole = bytes->size() >= *size || bytes->size() < wanted;
        auto layout = read_file_layout(std::as_const(*bytes).span());
        if (!layout && layout.error().code == Errc::truncated && !whole) {
            wanted = 2 * bytes->size();
            continue;
        }
        if (!layout) return std::move(layout).error().within(path);
        if (layout->syntax->deflated && !whole) {
            wanted = *size;
            continue;
        }
        parse.prefix = !whole;
        const auto span = std::as_const(*bytes).span().subspan(layout->data_set_offset);
        auto parsed = parse_data_set(span, *layout->syntax, parse, bytes);
        if (!parsed) {
            Error error = std::move(parsed).error();
            if (error.offset_bytes && !layout->syntax->deflated)
                *error.offset_bytes += layout->data_set_offset;
            return std::move(error).within(path);
        }
        const bool ends_between_elements = !whole && parsed->consumed_bytes == span.size();
        if (parsed->wanted_bytes != 0 || ends_between_elements) {
            wanted =
                std::max<std::uint64_t>(layout->data_set_offset + parsed->wanted_bytes, 2 * bytes->size());
            if (wanted > options.max_header_bytes)
                return Error(Errc::limit_exceeded, path + ": the header is longer than the limit");
            continue;
        }
        FileHeader header;
        if (!layout->syntax->deflated) {
            header.pixel_group_offset = layout->data_set_offset + parsed->header_bytes;
            auto pixels = find_pixel_data(file, path, header.pixel_group_offset, *size, *layout->syntax);
            if (!pixels) return std::move(pixels).error();
            header.pixel_data = *pixels;
        }
        header.layout = std::move(*layout);
        header.data_set = std::move(parsed->data_set);
        header.warnings = std::move(parsed->warnings);
        header.file_bytes = *size;
        return header;
    }
}

Result<ByteBuffer> read_value(const std::string& path, const ValueInFile& value, std::uint64_t from,
                              std::uint64_t max_bytes) {
    const Descriptor file(path);
    if (file.number() < 0) return failure(path, errno);
    const std::uint64_t wanted = std::min(max_bytes, value.length_bytes - std::min(from, value.length_bytes));
    ByteBuffer bytes;
    auto read = read_up_to(wanted, file, path, bytes, value.offset_bytes + from);
    if (!read) return std::move(read).error();
    return bytes;
}

}  // namespace sagitta::dicom
