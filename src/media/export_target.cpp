#include "media/export_target.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <filesystem>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "dicom/write_file.h"
#include "media/container_writer.h"
#include "storage/file_batch.h"

namespace sagitta::media {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kPieceBytes = 1u << 20;
constexpr std::size_t kBatchFiles = 256;
constexpr std::uint64_t kBatchBytes = 64ull << 20;

/// Calls `take` with each piece of exactly `size` bytes.
template <class F>
Result<void> for_each_piece(ByteSource& data, std::uint64_t size, F take) {
    ByteBuffer piece;
    const auto room = piece.prepare(static_cast<std::size_t>(std::min<std::uint64_t>(size, kPieceBytes)));
    for (std::uint64_t left = size; left != 0;) {
        const auto wanted = room.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, room.size())));
        auto got = data.read(wanted);
        if (!got) return std::move(got).error();
        if (*got != wanted.size()) return Error(Errc::corrupt, "ends too early");
        if (Result<void> taken = take(std::span<const std::byte>(wanted)); !taken) return taken;
        left -= wanted.size();
    }
    return {};
}

class FolderTarget final : public ExportTarget {
public:
    explicit FolderTarget(const fs::path& folder)
        : folder_(folder), batch_(storage::real_file_system(), folder.string()) {}

    Result<PutOutcome> put(const std::string& name, std::uint64_t size, ByteSource& data) override {
        if (auto inside = stays_inside(name); !inside) return std::move(inside).error();
        std::error_code wrong;
        if (fs::exists(fs::symlink_status(folder_ / name, wrong))) {
            auto same = holds(name, size, data);
            if (!same) return std::move(same).error();
            if (*same) return PutOutcome::already_there;
            return Error(Errc::already_exists, name + " is there and has other content");
        }
        if (auto begun = batch_.begin(name); !begun) return Error(Errc::io_failure, begun.error().context);
        auto written = for_each_piece(data, size, [&](std::span<const std::byte> piece) {
            return batch_.append(std::span(&piece, 1));
        });
        if (!written) {
            batch_.drop_last();
            return std::move(written).error();
        }
        if (batch_.count() >= kBatchFiles || batch_.bytes() >= kBatchBytes) {
            if (auto done = settle(); !done) return std::move(done).error();
        }
        return PutOutcome::written;
    }

    Result<void> put_own(const std::string& name, std::span<const std::byte> bytes) override {
        return dicom::write_file((folder_ / name).string(), std::span(&bytes, 1),
                                 dicom::IfFileExists::replace);
    }

    Result<void> finish() override { return settle(); }

    Result<void> settle() override {
        const auto count = batch_.count();
        auto done = batch_.commit();
        if (done) durable_ += count;
        return done;
    }

    std::uint64_t stop() override {
        (void)settle();
        return durable_;
    }

private:
    /// No link that lay there before leads elsewhere.
    Result<void> stays_inside(const std::string& name) {
        fs::path folder = folder_;
        const auto path = fs::path(name).parent_path();
        if (checked_.contains(path.string())) return {};
        for (const auto& part : path) {
            folder /= part;
            std::error_code wrong;
            const auto status = fs::symlink_status(folder, wrong);
            if (fs::exists(status) && !fs::is_directory(status)) {
                return Error(Errc::refused, folder.string() + " is no folder, or a link");
            }
        }
        if (checked_.size() > kBatchFiles * 64) checked_.clear();
        checked_.insert(path.string());
        return {};
    }

    Result<bool> holds(const std::string& name, std::uint64_t size, ByteSource& data) const {
        auto there = open_file((folder_ / name).string());
        if (!there) return std::move(there).error();
        if ((*there)->size_bytes() != size) return false;
        bool same = true;
        ByteBuffer other;
        const auto room = other.prepare(kPieceBytes);
        auto read = for_each_piece(data, size, [&](std::span<const std::byte> piece) -> Result<void> {
            auto got = (*there)->read(room.first(piece.size()));
            if (!got) return std::move(got).error();
            same = same && *got == piece.size() && std::memcmp(room.data(), piece.data(), piece.size()) == 0;
            return {};
        });
        if (!read) return std::move(read).error();
        return same;
    }

    const fs::path folder_;
    storage::FileBatch batch_;
    std::set<std::string> checked_;
    std::uint64_t durable_ = 0;
};

class ContainerTarget final : public ExportTarget {
public:
    explicit ContainerTarget(std::unique_ptr<ContainerWriter> writer) : writer_(std::move(writer)) {}

    Result<PutOutcome> put(const std::string& name, std::uint64_t size, ByteSource& data) override {
        if (auto begun = writer_->begin(name, size); !begun) return std::move(begun).error();
        auto written = for_each_piece(
            data, size, [&](std::span<const std::byte> piece) { return writer_->append(piece); });
        // The member has its length already: half of one spoils the whole.
        if (!written) return Error(Errc::io_failure, std::move(written).error().message());
        return PutOutcome::written;
    }

    Result<void> put_own(const std::string& name, std::span<const std::byte> bytes) override {
        if (auto begun = writer_->begin(name, bytes.size()); !begun) return begun;
        return writer_->append(bytes);
    }

    Result<void> settle() override { return {}; }
    Result<void> finish() override { return writer_->finish(); }

    std::uint64_t stop() override {
        writer_.reset();
        return 0;
    }

private:
    std::unique_ptr<ContainerWriter> writer_;
};

}  // namespace

Result<std::unique_ptr<ExportTarget>> open_target(const std::string& output) {
    if (is_container_name(output)) {
        auto writer = ContainerWriter::create(output);
        if (!writer) return std::move(writer).error();
        return std::unique_ptr<ExportTarget>(std::make_unique<ContainerTarget>(std::move(*writer)));
    }
    if (auto made = storage::real_file_system().make_directory(output); !made) return std::move(made).error();
    std::error_code wrong;
    const auto folder = fs::canonical(output, wrong);
    if (wrong) return Error(Errc::io_failure, output + ": " + wrong.message());
    return std::unique_ptr<ExportTarget>(std::make_unique<FolderTarget>(folder));
}

}  // namespace sagitta::media
