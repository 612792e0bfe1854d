#include "media/container.h"

#include <archive.h>
#include <archive_entry.h>

#include <cstring>
#include <memory>

#include <fmt/format.h>

#include "core/bytes.h"

namespace sagitta::media {
namespace {

constexpr std::size_t kReadBytes = 256 * 1024;

struct FreeReader {
    void operator()(struct archive* reader) const { archive_read_free(reader); }
};
using Reader = std::unique_ptr<struct archive, FreeReader>;

Error failure(struct archive* reader, Errc code) {
    const char* text = archive_error_string(reader);
    return {code, text != nullptr ? text : "cannot be read"};
}

class MemberSource final : public ByteSource {
public:
    MemberSource(struct archive* reader, struct archive_entry* entry) : reader_(reader) {
        if (archive_entry_size_is_set(entry) != 0 && archive_entry_size(entry) >= 0) {
            size_ = static_cast<std::uint64_t>(archive_entry_size(entry));
        }
    }

    Result<std::size_t> read(std::span<std::byte> into) override {
        std::size_t done = 0;
        while (done < into.size()) {
            const auto got = archive_read_data(reader_, into.data() + done, into.size() - done);
            if (got == ARCHIVE_RETRY) continue;
            if (got < 0) return failure(reader_, Errc::malformed);
            if (got == 0) break;
            done += static_cast<std::size_t>(got);
        }
        return done;
    }
    std::optional<std::uint64_t> size_bytes() const override { return size_; }

private:
    struct archive* reader_;
    std::optional<std::uint64_t> size_;
};

// A name that the locale cannot spell is none to libarchive.
std::string name_of(struct archive_entry* entry, std::uint64_t number) {
    if (const char* name = archive_entry_pathname(entry)) return name;
    if (const char* name = archive_entry_pathname_utf8(entry)) return name;
    return fmt::format("member {}", number);
}

}  // namespace

bool looks_like_container(std::span<const std::byte> head) noexcept {
    const auto text = as_text(head);
    if (text.starts_with("PK\3\4") || text.starts_with("PK\5\6") || text.starts_with("\x1f\x8b")) return true;
    return text.size() >= 262 && text.substr(257, 5) == "ustar";
}

Result<void> read_container(const std::string& path, const EachMember& each) {
    const Reader reader(archive_read_new());
    archive_read_support_format_tar(reader.get());
    archive_read_support_format_zip(reader.get());
    archive_read_support_format_empty(reader.get());
    archive_read_support_format_raw(reader.get());  // one file, gzipped
    archive_read_support_filter_gzip(reader.get());
    if (archive_read_open_filename(reader.get(), path.c_str(), kReadBytes) != ARCHIVE_OK) {
        return failure(reader.get(), Errc::io_failure);
    }
    for (std::uint64_t number = 1;; ++number) {
        struct archive_entry* entry = nullptr;
        const int found = archive_read_next_header(reader.get(), &entry);
        if (found == ARCHIVE_EOF) return {};
        if (found == ARCHIVE_RETRY) continue;
        if (found < ARCHIVE_WARN) return failure(reader.get(), Errc::malformed);
        if (archive_entry_filetype(entry) != AE_IFREG || archive_entry_hardlink(entry) != nullptr) continue;
        MemberSource data(reader.get(), entry);
        if (!each(name_of(entry, number), data)) return {};
    }
}

}  // namespace sagitta::media
