#include "storage/quarantine.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

namespace sagitta::storage {
namespace {

/// An empty file to fill before it gets its name; what an earlier attempt left is reused.
Result<std::unique_ptr<File>> open_partial(FileSystem& file_system, const std::string& path) {
    auto file = file_system.open(path, OpenMode::create);
    if (file || file.error().code != Errc::already_exists) return file;
    file = file_system.open(path, OpenMode::read_write);
    if (!file) return file;
    if (auto emptied = (*file)->truncate(0); !emptied) return std::move(emptied).error();
    return file;
}

Result<void> finish(FileSystem& file_system, const Layout& layout, File& file, const std::string& partial,
                    const std::string& path) {
    if (auto synced = file.sync(); !synced) return Error(Errc::io_failure, std::move(synced).error().context);
    if (auto renamed = file_system.rename(partial, path); !renamed) return renamed;
    return file_system.sync_directory(layout.quarantine());
}

}  // namespace

Result<void> keep_aside(FileSystem& file_system, const Layout& layout, const InstanceRecord& record,
                        std::span<const std::byte> file_header, std::span<const std::byte> data_set) {
    std::string digest;
    for (const auto byte : record.digest.bytes)
        digest += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    const auto path =
        fmt::format("{}/{}-{}.dcm", layout.quarantine(), record.sop_instance_uid.view(), digest);
    if (file_system.open(path, OpenMode::read)) return {};  // complete: it got this name only then
    const auto partial = path + ".partial";
    auto file = open_partial(file_system, partial);
    if (!file) return std::move(file).error();
    const std::array parts{file_header, data_set};
    if (auto written = (*file)->write_at(0, parts); !written) {
        (void)file_system.remove(partial).has_value();  // best effort: reused or overwritten next time
        return written;
    }
    return finish(file_system, layout, **file, partial, path);
}

Result<void> keep_torn_end(FileSystem& file_system, const Layout& layout, const File& volume,
                           std::uint32_t number, std::uint64_t from, std::uint64_t to) {
    const auto path = fmt::format("{}/torn-{:08}-{}.bin", layout.quarantine(), number, from);
    auto file = open_partial(file_system, path + ".partial");
    if (!file) return std::move(file).error();
    std::vector<std::byte> buffer(1u << 20);
    for (auto at = from; at < to;) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), to - at));
        auto read = volume.read_at(at, std::span(buffer).first(wanted));
        if (!read) return std::move(read).error();
        if (*read == 0) break;
        const std::array parts{std::span<const std::byte>(buffer).first(*read)};
        if (auto written = (*file)->write_at(at - from, parts); !written) return written;
        at += *read;
    }
    return finish(file_system, layout, **file, path + ".partial", path);
}

}  // namespace sagitta::storage
