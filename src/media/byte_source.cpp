#include "media/byte_source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fmt/format.h>

namespace sagitta::media {
namespace {

constexpr std::size_t kPieceBytes = 1u << 20;

Error failure(int reason) {
    return {reason == ENOENT ? Errc::not_found : Errc::io_failure, std::strerror(reason)};
}

class FileSource final : public ByteSource {
public:
    FileSource(int file, std::uint64_t from, std::uint64_t length)
        : file_(file), at_(from), length_(length), left_(length) {}
    ~FileSource() override { ::close(file_); }

    Result<std::size_t> read(std::span<std::byte> into) override {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), left_));
        std::size_t done = 0;
        while (done < wanted) {
            const auto got = ::pread(file_, into.data() + done, wanted - done, static_cast<off_t>(at_));
            if (got < 0 && errno == EINTR) continue;
            if (got < 0) return failure(errno);
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
            at_ += static_cast<std::uint64_t>(got);
        }
        left_ = done < wanted ? 0 : left_ - done;
        return done;
    }
    std::optional<std::uint64_t> size_bytes() const override { return length_; }

private:
    int file_;
    std::uint64_t at_;
    std::uint64_t length_;
    std::uint64_t left_;
};

Result<std::unique_ptr<ByteSource>> open_at(const std::string& path, std::uint64_t from,
                                            std::optional<std::uint64_t> length) {
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0) return failure(errno);
    struct stat about {};
    const int reason = ::fstat(file, &about) != 0 ? errno : S_ISREG(about.st_mode) ? 0 : EINVAL;
    if (reason != 0) {
        ::close(file);
        return failure(reason);
    }
    const auto all = length.value_or(static_cast<std::uint64_t>(about.st_size));
    return std::unique_ptr<ByteSource>(std::make_unique<FileSource>(file, from, all));
}

}  // namespace

Result<std::unique_ptr<ByteSource>> open_file(const std::string& path) {
    return open_at(path, 0, std::nullopt);
}

Result<std::unique_ptr<ByteSource>> open_range(const std::string& path, std::uint64_t from,
                                               std::uint64_t length_bytes) {
    return open_at(path, from, length_bytes);
}

Result<void> read_rest(ByteSource& source, std::uint64_t max_bytes, ByteBuffer& into) {
    while (true) {
        const std::uint64_t known = source.size_bytes().value_or(0);
        // One byte more than there should be, so that the end is seen in the same round.
        const auto expected = known >= into.size() ? known - into.size() + 1 : kPieceBytes;
        const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(expected, 16 * kPieceBytes));
        auto got = source.read(into.prepare(piece));
        if (!got) return std::move(got).error();
        into.commit(*got);
        if (into.size() > max_bytes) {
            return Error(Errc::limit_exceeded,
                         fmt::format("larger than {} bytes (limits.max_object)", max_bytes));
        }
        if (*got < piece) return {};
    }
}

}  // namespace sagitta::media
