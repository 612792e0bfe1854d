#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "dicom/part10.h"

namespace sagitta::dicom {
namespace {

constexpr std::size_t kChunkBytes = 1024 * 1024;
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

// Appends until `bytes` holds `wanted` or the file ends.
Result<void> read_up_to(std::uint64_t wanted, const Descriptor& file, const std::string& path,
                        ByteBuffer& bytes) {
    while (bytes.size() < wanted) {
        const auto room = bytes.prepare(std::min<std::uint64_t>(kChunkBytes, wanted - bytes.size()));
        const auto got = pread(file.number(), room.data(), room.size(), static_cast<off_t>(bytes.size()));
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
        header.pixel_data_offset =
            layout->syntax->deflated ? *size : layout->data_set_offset + parsed->header_bytes;
        header.layout = std::move(*layout);
        header.data_set = std::move(parsed->data_set);
        header.warnings = std::move(parsed->warnings);
        header.file_bytes = *size;
        return header;
    }
}

}  // namespace sagitta::dicom
