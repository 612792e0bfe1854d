#include "dicom_file.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/bytes.h"

namespace sagitta::tools {
namespace {

constexpr std::uint64_t kChunkBytes = 256 * 1024;

class Descriptor {
public:
    explicit Descriptor(int number) : number_(number) {}
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

Result<void> read_beginning(int file, const std::string& path, std::uint64_t max_bytes, ByteBuffer& into) {
    while (into.size() < max_bytes) {
        const auto room =
            into.prepare(static_cast<std::size_t>(std::min(kChunkBytes, max_bytes - into.size())));
        const auto got = ::read(file, room.data(), room.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure(path, errno);
        if (got == 0) break;
        into.commit(static_cast<std::size_t>(got));
    }
    return {};
}

}  // namespace

Result<FileInMemory> load_file(const std::string& path, std::uint64_t max_bytes) {
    const Descriptor file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.number() < 0) return failure(path, errno);
    struct stat about {};
    if (fstat(file.number(), &about) != 0) return failure(path, errno);
    auto bytes = std::make_shared<ByteBuffer>();
    const auto size = S_ISREG(about.st_mode) ? static_cast<std::uint64_t>(about.st_size) : 0;
    bytes->reserve(static_cast<std::size_t>(std::min(size, max_bytes)));
    auto read = read_beginning(file.number(), path, max_bytes, *bytes);
    if (!read) return std::move(read).error();
    FileInMemory loaded;
    const auto span = std::as_const(*bytes).span();
    auto layout = dicom::read_file_layout(span);
    if (!layout) return std::move(layout).error().within(path);
    loaded.layout = std::move(*layout);
    const bool prefix_only = span.size() >= 4 && as_text(span.first(4)) == "DICM";
    loaded.meta_offset = loaded.layout.has_preamble ? 132 : prefix_only ? 4 : 0;
    loaded.file_bytes = std::max<std::uint64_t>(size, span.size());
    loaded.bytes = std::move(bytes);
    return loaded;
}

Result<dicom::ParsedDataSet> parse_leniently(const FileInMemory& file, bool stop_before_pixel_data) {
    dicom::ParseOptions options;
    options.keep_readable_part = true;
    options.stop_before_pixel_data = stop_before_pixel_data;
    const auto data_set = file.bytes->span().subspan(static_cast<std::size_t>(file.layout.data_set_offset));
    auto parsed = dicom::parse_data_set(data_set, *file.layout.syntax, options, file.bytes);
    const std::uint64_t base = file.layout.syntax->deflated ? 0 : file.layout.data_set_offset;
    if (!parsed) {
        Error error = std::move(parsed).error();
        if (error.offset_bytes) *error.offset_bytes += base;
        return error;
    }
    for (auto& warning : parsed->warnings) {
        if (warning.offset_bytes) *warning.offset_bytes += base;
    }
    return parsed;
}

}  // namespace sagitta::tools
