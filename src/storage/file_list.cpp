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
constexpr std::string_view kNote = "#note\t";

template <class T>
bool take_number(std::string_view& line, T& into, int base) {
    const auto tab = line.find('\t');
    if (tab == std::string_view::npos) return false;
    const auto [end, wrong] = std::from_chars(line.data(), line.data() + tab, into, base);
    if (wrong != std::errc() || end != line.data() + tab) return false;
    line.remove_prefix(tab + 1);
    return true;
}

/// Lines of a file, read many at once.
class Lines {
public:
    explicit Lines(const File& list) : list_(list) {}

    /// The line that begins at `offset`, without its newline, until the next call; nothing when there is no
    /// whole one. Of one that is too long to be ours a piece.
    Result<std::optional<std::string_view>> at(std::uint64_t offset) {
        for (int attempt = 0; attempt < 2; ++attempt) {
            if (offset >= begin_ && offset <= begin_ + length_) {
                const std::string_view rest(piece_.data() + (offset - begin_),
                                            static_cast<std::size_t>(begin_ + length_ - offset));
                const auto newline = rest.find('\n');
                if (newline != std::string_view::npos) return std::optional(rest.substr(0, newline));
                if (rest.size() == piece_.size()) return std::optional(rest.substr(0, rest.size() - 1));
            }
            if (attempt != 0) break;
            auto read = list_.read_at(offset, std::as_writable_bytes(std::span(piece_)));
            if (!read) return std::move(read).error();
            begin_ = offset;
            length_ = *read;
        }
        return std::optional<std::string_view>();
    }

private:
    const File& list_;
    std::vector<char> piece_ = std::vector<char>(kPiece);
    std::uint64_t begin_ = 0;
    std::size_t length_ = 0;
};

/// The note behind its line, which ends at `offset`; nothing when it is not all there as it was written.
Result<std::optional<ListedNote>> read_note(const File& list, std::string_view line, std::uint64_t offset) {
    ListedNote note{offset, 0, {}, true};
    std::uint64_t checksum = 0;
    line.remove_prefix(kNote.size());
    const bool has_length = take_number(line, note.length, 10);
    const auto [end, wrong] = std::from_chars(line.data(), line.data() + line.size(), checksum, 16);
    if (!has_length || wrong != std::errc() || end != line.data() + line.size())
        return std::optional<ListedNote>();
    auto size = list.size();
    if (!size) return std::move(size).error();
    if (offset > *size || note.length > *size - offset) return std::optional<ListedNote>();
    std::string text(static_cast<std::size_t>(note.length), '\0');
    auto read = list.read_at(offset, std::as_writable_bytes(std::span(text)));
    if (!read) return std::move(read).error();
    if (*read != text.size() || member_checksum({as_bytes(text)}) != checksum)
        return std::optional<ListedNote>();
    auto lines = parse_note(text);
    note.is_understood = lines.has_value();
    if (lines) note.lines = std::move(*lines);
    return std::optional(std::move(note));
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

std::string make_list_note(std::string_view text) {
    return fmt::format("{}{}\t{:016x}\n{}", kNote, text.size(), member_checksum({as_bytes(text)}), text);
}

Result<void> read_list(const File& list, std::uint64_t from,
                       const std::function<Result<void>(const ListLine&)>& each) {
    Lines lines(list);
    for (auto at = from;;) {
        auto text = lines.at(at);
        if (!text) return std::move(text).error();
        if (!*text) return {};
        ListLine line{at, at + (*text)->size() + 1, parse_list_line(**text), {}};
        if ((*text)->starts_with(kNote)) {
            auto note = read_note(list, **text, line.end);
            if (!note) return std::move(note).error();
            line.note = std::move(*note);
            if (line.note) line.end = line.note->offset + line.note->length;
        }
        if (auto done = each(line); !done) return done;
        at = line.end;
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

Result<void> prove_file(FileSystem& file_system, const std::string& path, const ListedFile& listed) {
    auto file = file_system.open(path, OpenMode::read);
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
