#include "storage/spooled_instance.h"

#include <array>
#include <utility>

namespace sagitta::storage {
namespace {

constexpr std::array<std::byte, kTarBlock> kZeros{};

}  // namespace

Result<std::unique_ptr<SpooledInstance>> SpooledInstance::begin(FileSystem& file_system, std::string path,
                                                                std::uint64_t reserved,
                                                                std::span<const std::byte> file_header) {
    auto file = file_system.open(path, OpenMode::create);
    if (!file) return std::move(file).error();
    std::unique_ptr<SpooledInstance> spooled(
        new SpooledInstance(file_system, std::move(path), reserved, std::move(*file)));
    const std::array parts{file_header};
    if (auto written = spooled->file_->write_at(reserved, parts); !written) return std::move(written).error();
    spooled->file_header_length_ = file_header.size();
    spooled->digest_.add_for_checksum(file_header);
    return spooled;
}

SpooledInstance::~SpooledInstance() {
    if (!file_) return;
    file_.reset();
    (void)file_system_.remove(path_).has_value();  // what stays is removed at the next start
}

Result<void> SpooledInstance::append(std::span<const std::byte> bytes) {
    const auto at = reserved_ + length();
    const std::array parts{bytes};
    if (auto written = file_->write_at(at, parts); !written) return written;
    file_->begin_write_out(at, bytes.size());
    digest_.add(bytes);
    data_set_length_ += bytes.size();
    return {};
}

Result<void> SpooledInstance::sync() {
    if (auto synced = file_->sync(); !synced) {
        return Error(Errc::io_failure, std::move(synced).error().context);
    }
    return {};
}

Result<void> SpooledInstance::complete(const TarMember& header) {
    if (reserved_ != 0) {
        const auto block = make_tar_header(header);
        const std::array head{std::span<const std::byte>(block)};
        const std::array padding{std::span(kZeros).first(tar_padding(length()))};
        auto written = file_->write_at(reserved_ + length(), padding);
        if (written) written = file_->write_at(reserved_ - kTarBlock, head);
        if (!written) return written;
    }
    return sync();
}

Result<std::unique_ptr<File>> SpooledInstance::move_to(const std::string& path) {
    if (auto renamed = file_system_.rename(path_, path); !renamed) return std::move(renamed).error();
    return std::move(file_);
}

}  // namespace sagitta::storage
