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

namespace {

// Reads a header piece by piece: enough of the file for the parser to come to its end.
class HeaderReader {
public:
    HeaderReader(const std::string& path, const HeaderOptions& options)
        : file_(path), path_(path), options_(options) {
        parse_.stop_before_pixel_data = true;
        parse_.keep_readable_part = options.keep_readable_part;
        parse_.only = options.only;
    }

    Result<FileHeader> read() {
        auto size = size_of(file_, path_);
        if (!size) return std::move(size).error();
        header_.file_bytes = *size;
        std::uint64_t wanted = std::max<std::uint64_t>(options_.first_read_bytes, kLeastBytes);
        while (wanted != 0) {
            const std::uint64_t left = *size - skipped_;
            auto filled = read_up_to(std::min(wanted, left), file_, path_, *bytes_, skipped_);
            if (!filled) return std::move(filled).error();
            const bool whole = bytes_->size() >= left || bytes_->size() < wanted;
            auto more = parse(whole);
            if (!more) return std::move(more).error();
            wanted = *more;
            if (bytes_->size() > options_.max_header_bytes || wanted > options_.max_header_bytes)
                return Error(Errc::limit_exceeded, path_ + ": the header is longer than the limit");
        }
        return std::move(header_);
    }

private:
    // How many bytes it takes to go on; 0 when the header is complete.
    Result<std::uint64_t> parse(bool whole) {
        const auto all = std::as_const(*bytes_).span();
        auto layout = read_file_layout(all);
        if (!layout && layout.error().code == Errc::truncated && !whole) return 2 * std::uint64_t{all.size()};
        if (!layout) return std::move(layout).error().within(path_);
        if (layout->syntax->deflated && !whole) return header_.file_bytes;
        parse_.prefix = !whole;
        const auto span = all.subspan(layout->data_set_offset);
        auto parsed = parse_data_set(span, *layout->syntax, parse_, bytes_);
        if (!parsed) {
            Error error = std::move(parsed).error();
            if (!layout->syntax->deflated) place_in_file(error, layout->data_set_offset);
            return std::move(error).within(path_);
        }
        if (parsed->cut_value && leave_in_file(*parsed->cut_value, layout->data_set_offset))
            return bytes_->size() + std::uint64_t{options_.first_read_bytes} + kLeastBytes;
        const bool ends_between_elements = !whole && parsed->consumed_bytes == span.size();
        if (parsed->wanted_bytes != 0 || ends_between_elements)
            return std::max<std::uint64_t>(layout->data_set_offset + parsed->wanted_bytes, 2 * all.size());
        return finish(std::move(*layout), std::move(*parsed));
    }

    Result<std::uint64_t> finish(FileLayout layout, ParsedDataSet parsed) {
        if (!layout.syntax->deflated) {
            const std::uint64_t at = layout.data_set_offset + parsed.header_bytes + skipped_;
            header_.pixel_group_offset = at;
            auto pixels = find_pixel_data(file_, path_, at, header_.file_bytes, *layout.syntax);
            if (!pixels) return std::move(pixels).error();
            header_.pixel_data = *pixels;
            for (Error& warning : parsed.warnings) place_in_file(warning, layout.data_set_offset);
        }
        header_.layout = std::move(layout);
        header_.data_set = std::move(parsed.data_set);
        header_.warnings = std::move(parsed.warnings);
        return std::uint64_t{0};
    }

    // Steps over a value: what is in memory says that it is empty. Sequences are read, whatever their
    // length; so is UN, which may be one (PS3.5 6.2.2).
    bool leave_in_file(const Node& cut, std::uint64_t data_set_offset) {
        const std::uint64_t at = data_set_offset + cut.offset;
        const bool is_large = options_.large_value_bytes != 0 && cut.length > UINT16_MAX &&
                              cut.length >= options_.large_value_bytes;
        const bool fits = cut.length <= header_.file_bytes - skipped_ - at;
        if (!is_large || !fits || cut.vr == Vr::SQ || cut.vr == Vr::UN) return false;
        header_.large_values.push_back({cut.tag, cut.vr, at + skipped_, cut.length, false});
        std::memset(bytes_->data() + at - sizeof(std::uint32_t), 0, sizeof(std::uint32_t));
        bytes_->truncate(at);
        skipped_ += cut.length;
        return true;
    }

    // Offsets count in the file, also behind what was stepped over.
    void place_in_file(Error& error, std::uint64_t base) const {
        if (!error.offset_bytes) return;
        *error.offset_bytes += base;
        for (const ValueInFile& value : header_.large_values)
            if (*error.offset_bytes >= value.offset_bytes) *error.offset_bytes += value.length_bytes;
    }

    Descriptor file_;
    const std::string& path_;
    const HeaderOptions& options_;
    ParseOptions parse_;
    std::shared_ptr<ByteBuffer> bytes_ = std::make_shared<ByteBuffer>();
    std::uint64_t skipped_ = 0;  // bytes of the file left out of bytes_
    FileHeader header_;
};

}  // namespace

Result<FileHeader> read_file_header(const std::string& path, const HeaderOptions& options) {
    return HeaderReader(path, options).read();
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
