#include "audit/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <utility>

#include "audit/message.h"

namespace sagitta::audit {

namespace {

constexpr std::size_t kLongestNumber = 10;

Error failed(std::string_view what) {
    return {Errc::io_failure, "audit spool: " + std::string(what)};
}

int open_file(const std::string& path) {
    return ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
}

bool write_at(int file, std::string_view bytes, std::uint64_t offset) {
    while (!bytes.empty()) {
        const auto count = ::pwrite(file, bytes.data(), bytes.size(), static_cast<off_t>(offset));
        if (count < 0 && errno == EINTR) continue;
        if (count <= 0) return false;
        bytes.remove_prefix(static_cast<std::size_t>(count));
        offset += static_cast<std::uint64_t>(count);
    }
    return true;
}

}  // namespace

Result<Spool> Spool::open(const std::string& path, std::uint64_t max_bytes) {
    const int file = open_file(path);
    const int mark = open_file(path + ".sent");
    Spool spool(file, mark, max_bytes);
    if (file < 0 || mark < 0) return failed(path + " cannot be opened");
    if (auto done = spool.recover(); !done) return std::move(done).error();
    return spool;
}

Spool::Spool(Spool&& other) noexcept
    : file_(std::exchange(other.file_, -1)),
      mark_(std::exchange(other.mark_, -1)),
      max_bytes_(other.max_bytes_),
      done_(other.done_),
      end_(other.end_),
      is_synced_(other.is_synced_) {}

Spool::~Spool() {
    if (file_ >= 0) ::close(file_);
    if (mark_ >= 0) ::close(mark_);
}

std::optional<Spool::Frame> Spool::frame_at(std::uint64_t offset) const {
    std::array<char, kLongestNumber + 1> head{};
    const auto count = ::pread(file_, head.data(), head.size(), static_cast<off_t>(offset));
    if (count <= 0) return std::nullopt;
    std::uint64_t length = 0;
    const char* end = head.data() + count;
    const auto read = std::from_chars(static_cast<const char*>(head.data()), end, length);
    if (read.ec != std::errc() || read.ptr == end || *read.ptr != ' ') return std::nullopt;
    Frame frame;
    frame.begin = offset + static_cast<std::uint64_t>(read.ptr - head.data()) + 1;
    frame.end = frame.begin + length;
    struct stat status {};
    if (::fstat(file_, &status) != 0 || frame.end > static_cast<std::uint64_t>(status.st_size))
        return std::nullopt;
    return frame;
}

Result<void> Spool::recover() {
    std::array<char, 20> text{};
    const auto count = ::pread(mark_, text.data(), text.size(), 0);
    std::uint64_t marked = 0;
    if (count > 0) std::from_chars(text.data(), text.data() + count, marked);
    for (std::uint64_t at = 0;;) {
        if (at == marked) done_ = at;
        const auto frame = frame_at(at);
        if (!frame) break;
        at = end_ = frame->end;
    }
    if (::ftruncate(file_, static_cast<off_t>(end_)) != 0) return failed("cannot be repaired");
    return write_mark();
}

Result<void> Spool::write_mark() {
    std::string text = std::to_string(done_);
    text.insert(0, 20 - text.size(), '0');  // of one length, so that one write replaces it whole
    if (!write_at(mark_, text, 0)) return failed("cannot be written");
    return {};
}

Result<void> Spool::add(std::string_view message) {
    const std::string frame = framed(message);
    if (end_ + frame.size() > max_bytes_) return Error(Errc::limit_exceeded, "the audit spool is full");
    if (!write_at(file_, frame, end_)) {
        (void)!::ftruncate(file_, static_cast<off_t>(end_));
        return failed("cannot be written");
    }
    end_ += frame.size();
    is_synced_ = false;
    return {};
}

Result<void> Spool::sync() {
    if (std::exchange(is_synced_, true)) return {};
    if (::fdatasync(file_) != 0) return failed("cannot be synced");
    return {};
}

Result<std::optional<std::string>> Spool::front() {
    if (empty()) return std::optional<std::string>();
    const auto frame = frame_at(done_);
    if (!frame) return failed("cannot be read");
    std::string message(frame->end - frame->begin, '\0');
    const auto count = ::pread(file_, message.data(), message.size(), static_cast<off_t>(frame->begin));
    if (count < 0 || static_cast<std::size_t>(count) != message.size()) return failed("cannot be read");
    return std::optional<std::string>(std::move(message));
}

Result<void> Spool::pop() {
    const auto frame = frame_at(done_);
    if (!frame) return failed("cannot be read");
    done_ = frame->end;
    if (done_ ==
        end_) {  // nothing is left: begin again. The file first: an old mark in an empty file means 0.
        if (::ftruncate(file_, 0) != 0) return failed("cannot be emptied");
        done_ = end_ = 0;
    }
    return write_mark();
}

}  // namespace sagitta::audit
