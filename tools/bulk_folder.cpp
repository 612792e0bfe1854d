#include "bulk_folder.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "dicom/write_file.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxValueBytes = 0xfffffffe;  // PS3.5 7.1.1

// RFC 3986: letters, digits and four marks stand for themselves in a path.
std::string uri_of(std::string_view name) {
    std::string uri;
    for (const char c : name) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                           c == '-' || c == '.' || c == '_' || c == '~';
        uri += plain ? std::string(1, c) : fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
    return uri;
}

std::optional<unsigned> hexadecimal(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return std::nullopt;
}

// Empty when the URI is not a relative path of ordinary names.
std::string relative_path(std::string_view uri) {
    std::string path;
    for (std::size_t at = 0; at < uri.size(); ++at) {
        const char c = uri[at];
        if (c == ':' || c == '?' || c == '#' || c == '\\') return {};
        if (c != '%') {
            path += c;
            continue;
        }
        const auto high = at + 2 < uri.size() ? hexadecimal(uri[at + 1]) : std::nullopt;
        const auto low = at + 2 < uri.size() ? hexadecimal(uri[at + 2]) : std::nullopt;
        if (!high || !low) return {};
        path += static_cast<char>(*high * 16 + *low);
        at += 2;
    }
    const fs::path parts(path);
    const bool odd =
        path.find('\0') != std::string::npos || parts.is_absolute() ||
        std::any_of(parts.begin(), parts.end(), [](const fs::path& part) { return part == ".."; });
    return odd ? std::string() : path;
}

bool is_below(const fs::path& path, const fs::path& folder) {
    return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first == folder.end();
}

}  // namespace

BulkFolder::BulkFolder(std::string folder, std::string prefix)
    : folder_(std::move(folder)), prefix_(std::move(prefix)) {
    const auto path = fs::absolute(folder_).lexically_normal();
    name_ = (path.has_filename() ? path.filename() : path.parent_path().filename()).string();
}

dicom::BulkDataSink BulkFolder::sink() {
    return [this](std::string_view path, const dicom::Element&, std::span<const std::byte> value) {
        const std::string name = fmt::format("{}{}.bin", prefix_, path);
        std::error_code wrong;
        fs::create_directories(folder_, wrong);
        const std::array<std::span<const std::byte>, 1> parts{value};
        if (auto written = dicom::write_file((fs::path(folder_) / name).string(), parts); !written) {
            if (!failed_) failed_ = std::move(written).error();
            return std::string();
        }
        return uri_of(name_) + "/" + uri_of(name);
    };
}

Result<ByteBuffer> read_bulk_file(const std::string& folder, std::string_view uri) {
    const std::string relative = relative_path(uri);
    if (relative.empty()) {
        return Error(Errc::refused, "a BulkDataURI that is no relative path below the folder of the JSON");
    }
    std::error_code wrong;
    const auto root = fs::canonical(folder, wrong);
    const auto path = wrong ? fs::path() : fs::canonical(root / relative, wrong);
    if (wrong) return Error(Errc::not_found, "a file of bulk data that is not there");
    if (!is_below(path, root)) return Error(Errc::refused, "a link that leads out of the folder of the JSON");
    if (!fs::is_regular_file(path, wrong)) return Error(Errc::io_failure, "bulk data that is no file");
    const auto size = fs::file_size(path, wrong);
    if (wrong) return Error(Errc::io_failure, "bulk data that cannot be read");
    if (size > kMaxValueBytes) return Error(Errc::limit_exceeded, "bulk data longer than a value can be");
    ByteBuffer bytes;
    std::ifstream file(path, std::ios::binary);
    const auto room = bytes.prepare(static_cast<std::size_t>(size));
    if (!file.read(reinterpret_cast<char*>(room.data()), static_cast<std::streamsize>(size))) {
        return Error(Errc::io_failure, "bulk data that cannot be read");
    }
    bytes.commit(static_cast<std::size_t>(size));
    return bytes;
}

}  // namespace sagitta::tools
