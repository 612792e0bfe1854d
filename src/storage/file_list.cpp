#include "storage/file_list.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/bytes.h"
#include "dicom/uid.h"
#include "storage/digest.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kPiece = 1u << 20;

template <class T>
bool take_number(std::string_view& line, T& into, int base) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) return false;
    const auto [end, wrong] = std::from_chars(line.data(), line.data() + tab, into, base);
    if (wrong != std::errc() || end != line.data() + tab) return false;
    line.remove_prefix(tab + 1);
    return true;
}

}  // namespace

std::string make_list_line(const ListedFile& file) {
    return fmt::format("{}\t{:016x}\t{}\t{}\n", file.length, file.checksum, file.received, file.path);
}

bool is_listed_path(std::string_view path) noexcept {
    if (!path.ends_with(".dcm")) return false;
    path.remove_suffix(4);
    for (int part = 0; part < 3; ++part) {
        const auto slash = part < 2 ? path.find('/') : path.size();
        if (slash == std::string_view::npos) return false;
        const auto uid = path.substr(0, slash);
        if (uid.empty() || !dicom::Uid::parse(uid)) return false;
        path.remove_prefix(std::min(slash + 1, path.size()));
    }
    return path.empty();
}

std::optional<ListedFile> parse_list_line(std::string_view line) {
    ListedFile file;
    if (!take_number(line, file.length, 10) || !take_number(line, file.checksum, 16) ||
        !take_number(line, file.received, 10) || !is_listed_path(line)) {
        return std::nullopt;
    }
    file.path = std::string(line);
    return file;
}

Result<void> read_list(const File& list, std::uint64_t from,
                       const std::function<Result<void>(const ListLine&)>& each) {
    std::vector<char> piece(kPiece);
    std::size_t kept = 0;  // bytes of an unfinished line at the beginning of `piece`
    for (auto at = from;;) {
        auto read = list.read_at(at, std::as_writable_bytes(std::span(piece)).subspan(kept));
        if (!read) return std::move(read).error();
        if (*read == 0) return {};
        const std::string_view text(piece.data(), kept + *read);
        std::size_t begin = 0;
        for (auto newline = text.find('\n'); newline != std::string_view::npos;
             newline = text.find('\n', begin)) {
            const auto offset = at - kept + begin;
            ListLine line{offset, offset + (newline - begin) + 1,
                          parse_list_line(text.substr(begin, newline - begin))};
            if (auto done = each(line); !done) return done;
            begin = newline + 1;
        }
        at += *read;
        kept = text.size() - begin;
        if (kept == piece.size()) kept = 0;  // no line is so long
        std::copy_n(piece.data() + text.size() - kept, kept, piece.data());
    }
}

Result<ListedFile> read_list_line(const File& list, std::uint64_t offset) {
    std::array<char, kLongestListLine> bytes{};
    auto read = list.read_at(offset, std::as_writable_bytes(std::span(bytes)));
    if (!read) return std::move(read).error();
    const std::string_view text(bytes.data(), *read);
    const auto newline = text.find('\n');
    auto file = newline != std::string_view::npos ? parse_list_line(text.substr(0, newline)) : std::nullopt;
    if (!file) return Error(Errc::corrupt, "the list of files is damaged", offset);
    return std::move(*file);
}

Result<void> prove_file(FileSystem& file_system, const Layout& layout, const ListedFile& listed) {
    auto file = file_system.open(layout.files() + "/" + listed.path, OpenMode::read);
    if (!file) return std::move(file).error();
    auto length = (*file)->size();
    if (!length) return std::move(length).error();
    if (*length != listed.length) return Error(Errc::corrupt, "has another length than when it was stored");
    PieceDigest digest;
    std::vector<std::byte> piece(static_cast<std::size_t>(std::clamp<std::uint64_t>(*length, 1, kPiece)));
    for (std::uint64_t at = 0; at < *length;) {
        auto read = (*file)->read_at(at, piece);
        if (!read) return std::move(read).error();
        if (*read == 0) return Error(Errc::corrupt, "has become shorter");
        digest.add(std::span<const std::byte>(piece).first(*read));
        at += *read;
    }
    if (*length == 0 || digest.member_checksum() != listed.checksum) {
        return Error(Errc::corrupt, "has other content than when it was stored");
    }
    return {};
}

Result<bool> has_files(FileSystem& file_system, const Layout& layout) {
    auto names = file_system.list(layout.data_dir);
    if (!names) return std::move(names).error();
    return std::any_of(names->begin(), names->end(),
                       [](const std::string& name) { return name == "files.tsv" || name == "files"; });
}

}  // namespace sagitta::storage
