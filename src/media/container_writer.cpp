#include "media/container_writer.h"

#include <archive.h>
#include <archive_entry.h>

#include <cerrno>
#include <ctime>
#include <optional>
#include <utility>

#include "dicom/write_file.h"

namespace sagitta::media {
namespace {

struct FreeWriter {
    void operator()(struct archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
    void operator()(struct archive_entry* entry) const { archive_entry_free(entry); }
};

class LibarchiveWriter final : public ContainerWriter {
public:
    explicit LibarchiveWriter(dicom::NewFile file) : file_(std::move(file)), writer_(archive_write_new()) {}
    ~LibarchiveWriter() override {
        if (finished_) return;
        // The library frees all it has only when it has closed; the file is given up anyway.
        abandoned_ = true;
        archive_write_close(writer_.get());
    }

    Result<void> open(std::string_view path) {
        auto* writer = writer_.get();
        if (path.ends_with(".zip")) {
            archive_write_set_format_zip(writer);
            archive_write_set_options(writer, "compression-level=1");
            archive_write_set_options(writer, "hdrcharset=UTF-8");  // else names are of no stated encoding
        } else {
            archive_write_set_format_gnutar(writer);  // names are bytes, whatever the locale
        }
        if (path.ends_with("gz")) {
            archive_write_add_filter_gzip(writer);
            archive_write_set_options(writer, "compression-level=1");
        }
        archive_write_set_bytes_in_last_block(writer, 1);
        return checked(
            archive_write_open2(writer, this, nullptr, &LibarchiveWriter::write, nullptr, nullptr));
    }

    Result<void> begin(const std::string& name, std::uint64_t size) override {
        const std::unique_ptr<struct archive_entry, FreeEntry> entry(archive_entry_new());
        if (archive_format(writer_.get()) == ARCHIVE_FORMAT_ZIP) {
            archive_entry_set_pathname_utf8(entry.get(), name.c_str());
        } else {
            archive_entry_copy_pathname(entry.get(), name.c_str());
        }
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(size));
        archive_entry_set_filetype(entry.get(), AE_IFREG);
        archive_entry_set_perm(entry.get(), 0640);
        archive_entry_set_mtime(entry.get(), std::time(nullptr), 0);
        return checked(archive_write_header(writer_.get(), entry.get()));
    }

    Result<void> append(std::span<const std::byte> bytes) override {
        const auto wrote = archive_write_data(writer_.get(), bytes.data(), bytes.size());
        if (wrote == static_cast<la_ssize_t>(bytes.size())) return {};
        return checked(ARCHIVE_FATAL);
    }

    Result<void> finish() override {
        if (auto finished = checked(archive_write_finish_entry(writer_.get())); !finished) return finished;
        if (auto closed = checked(archive_write_close(writer_.get())); !closed) return closed;
        finished_ = true;
        return file_.commit();
    }

private:
    static la_ssize_t write(struct archive* writer, void* self, const void* bytes, std::size_t count) {
        auto& own = *static_cast<LibarchiveWriter*>(self);
        if (own.abandoned_) return static_cast<la_ssize_t>(count);
        auto appended = own.file_.append({static_cast<const std::byte*>(bytes), count});
        if (appended) return static_cast<la_ssize_t>(count);
        archive_set_error(writer, EIO, "%s", "the file cannot be written");
        own.failure_ = std::move(appended).error();
        return -1;
    }

    Result<void> checked(int status) {
        if (failure_) return *failure_;
        if (status >= ARCHIVE_WARN) return {};
        const char* text = archive_error_string(writer_.get());
        return Error(Errc::io_failure, text != nullptr ? text : "cannot be written");
    }

    dicom::NewFile file_;
    std::optional<Error> failure_;
    bool finished_ = false;
    bool abandoned_ = false;
    std::unique_ptr<struct archive, FreeWriter> writer_;
};

}  // namespace

bool is_container_name(std::string_view path) noexcept {
    return path.ends_with(".zip") || path.ends_with(".tar") || path.ends_with(".tar.gz") ||
           path.ends_with(".tgz");
}

Result<std::unique_ptr<ContainerWriter>> ContainerWriter::create(const std::string& path) {
    if (!is_container_name(path)) return Error(Errc::unsupported, "neither zip nor tar by its name");
    auto file = dicom::NewFile::create(path);
    if (!file) return std::move(file).error();
    auto writer = std::make_unique<LibarchiveWriter>(std::move(*file));
    if (auto opened = writer->open(path); !opened) return std::move(opened).error();
    return std::unique_ptr<ContainerWriter>(std::move(writer));
}

}  // namespace sagitta::media
