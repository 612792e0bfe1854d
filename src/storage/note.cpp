#include "storage/note.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>
#include <utility>

#include "core/bytes.h"
#include "dicom/uid.h"
#include "storage/digest.h"

namespace sagitta::storage {
namespace {

constexpr std::string_view kFolder = ".sagitta";
constexpr std::string_view kColumns = "#what\tstudy\tseries\tinstance\tvolume\toffset\tlength\twhen\tuntil\n";
constexpr std::size_t kColumnCount = 9;

constexpr std::array<std::pair<NoteKind, std::string_view>, 5> kKinds{{{NoteKind::deleted, "deleted"},
                                                                       {NoteKind::restored, "restored"},
                                                                       {NoteKind::protect, "protected"},
                                                                       {NoteKind::unprotect, "unprotected"},
                                                                       {NoteKind::completed, "completed"}}};

std::string_view name_of(NoteKind kind) {
    for (const auto& [known, name] : kKinds) {
        if (known == kind) return name;
    }
    return {};
}

template <class T>
bool read_number(std::string_view text, T& into) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
    return error == std::errc() && end == text.data() + text.size();
}

bool is_uid(std::string_view text) {
    const auto uid = dicom::Uid::parse(text);
    return uid && !uid->empty();
}

std::optional<NoteLine> read_line(std::string_view text) {
    std::array<std::string_view, kColumnCount> columns;
    for (std::size_t n = 0; n < kColumnCount; ++n) {
        const auto tab = text.find('\t');
        if ((tab == std::string_view::npos) != (n + 1 == kColumnCount)) return std::nullopt;
        columns[n] = text.substr(0, tab);
        text.remove_prefix(tab == std::string_view::npos ? text.size() : tab + 1);
    }
    NoteLine line;
    bool known = false;
    for (const auto& [kind, name] : kKinds) {
        if (name != columns[0]) continue;
        line.kind = kind;
        known = true;
    }
    const bool of_member = line.kind == NoteKind::deleted || line.kind == NoteKind::restored;
    if (!known || !is_uid(columns[1])) return std::nullopt;
    if (of_member && !is_uid(columns[2])) return std::nullopt;
    if ((of_member || line.kind == NoteKind::completed) && !is_uid(columns[3])) return std::nullopt;
    if (!read_number(columns[4], line.volume) || !read_number(columns[5], line.offset) ||
        !read_number(columns[6], line.length) || !read_number(columns[7], line.when) ||
        !read_number(columns[8], line.until)) {
        return std::nullopt;
    }
    line.study_uid = columns[1];
    line.series_uid = columns[2];
    line.sop_uid = columns[3];
    return line;
}

}  // namespace

std::string note_text(std::span<const NoteLine> lines) {
    std::string text(kColumns);
    for (const auto& line : lines) {
        fmt::format_to(std::back_inserter(text), "{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\t{}\n", name_of(line.kind),
                       line.study_uid, line.series_uid, line.sop_uid, line.volume, line.offset, line.length,
                       line.when, line.until);
    }
    return text;
}

Result<std::vector<NoteLine>> parse_note(std::string_view text) {
    std::vector<NoteLine> lines;
    for (std::size_t at = 0; at < text.size();) {
        const auto end = text.find('\n', at);
        const auto row = text.substr(at, end == std::string_view::npos ? end : end - at);
        if (!row.starts_with('#')) {
            auto line = read_line(row);
            if (!line) return Error(Errc::malformed, "a note that this version does not understand", at);
            line->place = at;
            lines.push_back(std::move(*line));
        }
        at = end == std::string_view::npos ? text.size() : end + 1;
    }
    return lines;
}

TarMember note_member(std::string_view text, std::int64_t when) {
    TarMember member;
    member.checksum = member_checksum({as_bytes(text)});
    member.directory = kFolder;
    member.name = fmt::format("{:016x}.tsv", *member.checksum);
    member.size = text.size();
    member.modified = when;
    return member;
}

bool is_note_member(const TarMember& member) noexcept {
    return member.checksum && member.directory == kFolder && member.name.ends_with(".tsv");
}

}  // namespace sagitta::storage
