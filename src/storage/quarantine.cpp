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

std::string path_of(const Layout& layout, const AsideName& name) {
    std::string digest;
    for (const auto byte : name.digest.bytes)
        digest += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return fmt::format("{}/{}-{}.dcm", layout.quarantine(), name.sop_instance_uid.view(), digest);
}

Result<void> copy(const File& from, VolumeRange range, File& to) {
    std::vector<std::byte> buffer(1u << 20);
    for (auto at = range.from; at < range.to;) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), range.to - at));
        auto read = from.read_at(at, std::span(buffer).first(wanted));
        if (!read) return std::move(read).error();
        if (*read == 0) return Error(Errc::corrupt, "the volume ends before what it should hold", at);
        const std::array parts{std::span<const std::byte>(buffer).first(*read)};
        if (auto written = to.write_at(at - range.from, parts); !written) return written;
        at += *read;
    }
    return {};
}

/// Fills a file and only then gives it its name; `write` takes the open File.
template <class Write>
Result<void> keep(FileSystem& file_system, const Layout& layout, const std::string& path, Write write) {
    const auto partial = path + ".partial";
    auto file = open_partial(file_system, partial);
    if (!file) return std::move(file).error();
    if (Result<void> written = write(**file); !written) {
        file->reset();
        (void)file_system.remove(partial).has_value();  // best effort: reused or overwritten next time
        return written;
    }
    return finish(file_system, layout, **file, partial, path);
}

/// Whether it is there already: complete, since only then it got its name; durable once more, since
/// the attempt that made it may have failed at that.
Result<bool> kept_before(FileSystem& file_system, const Layout& layout, const std::string& path) {
    if (!file_system.open(path, OpenMode::read)) return false;
    if (auto synced = file_system.sync_directory(layout.quarantine()); !synced) {
        return std::move(synced).error();
    }
    return true;
}

}  // namespace

Result<void> keep_aside(FileSystem& file_system, const Layout& layout, AsideName name,
                        std::span<const std::byte> file_header, std::span<const std::byte> data_set) {
    const auto path = path_of(layout, name);
    auto before = kept_before(file_system, layout, path);
    if (!before) return std::move(before).error();
    if (*before) return {};
    return keep(file_system, layout, path, [&](File& file) {
        const std::array parts{file_header, data_set};
        return file.write_at(0, parts);
    });
}

Result<void> keep_copy_aside(FileSystem& file_system, const Layout& layout, AsideName name, const File& file,
                             std::uint64_t offset, std::uint64_t length) {
    const auto path = path_of(layout, name);
    auto before = kept_before(file_system, layout, path);
    if (!before) return std::move(before).error();
    if (*before) return {};
    return keep(file_system, layout, path, [&](File& into) {
        return copy(file, {0, offset, offset + length}, into);
    });
}

Result<void> keep_stored_aside(FileSystem& file_system, const Layout& layout, AsideName name,
                               VolumeRange stored) {
    const auto path = path_of(layout, name);
    auto before = kept_before(file_system, layout, path);
    if (!before) return std::move(before).error();
    if (*before) return {};
    auto volume = file_system.open(layout.volume(stored.volume), OpenMode::read);
    if (!volume) return std::move(volume).error();
    return keep(file_system, layout, path, [&](File& file) { return copy(**volume, stored, file); });
}

Result<void> keep_torn_end(FileSystem& file_system, const Layout& layout, VolumeRange torn) {
    const auto path = fmt::format("{}/torn-{:08}-{}.bin", layout.quarantine(), torn.volume, torn.from);
    auto volume = file_system.open(layout.volume(torn.volume), OpenMode::read);
    if (!volume) return std::move(volume).error();
    return keep(file_system, layout, path, [&](File& file) { return copy(**volume, torn, file); });
}

}  // namespace sagitta::storage
