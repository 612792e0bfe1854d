#include "storage/compaction.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "core/bytes.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kPiece = 1u << 20;
constexpr std::size_t kBlock = 4096;  // what file systems leave out
constexpr std::uint64_t kShare = 4;   // worth a copy: one part of so many
constexpr std::string_view kNoteSuffix = ".zeros";
constexpr std::string_view kCopySuffix = ".new";

std::string note_path(const Layout& layout, std::uint32_t volume) {
    return layout.volume(volume) + std::string(kNoteSuffix);
}

Result<void> remove_if_there(FileSystem& file_system, const std::string& path) {
    auto removed = file_system.remove(path);
    if (!removed && removed.error().code == Errc::not_found) return {};
    return removed;
}

/// 0 when nothing is noted, or nothing that can be read.
Result<std::uint64_t> noted_zeros(FileSystem& file_system, const std::string& path) {
    auto file = file_system.open(path, OpenMode::read);
    if (!file && file.error().code == Errc::not_found) return std::uint64_t{0};
    if (!file) return std::move(file).error();
    std::array<char, 24> text{};
    auto read = (*file)->read_at(0, std::as_writable_bytes(std::span(text)));
    if (!read) return std::move(read).error();
    std::uint64_t bytes = 0;
    std::from_chars(text.data(), text.data() + *read, bytes);
    return bytes;
}

bool is_zero(std::span<const std::byte> bytes) {
    return std::all_of(bytes.begin(), bytes.end(), [](std::byte b) { return b == std::byte{0}; });
}

/// What of `piece` is not zero, block by block, to the same place; the answer is what was left out.
Result<std::uint64_t> copy_piece(File& to, std::uint64_t at, std::span<const std::byte> piece) {
    std::uint64_t left_out = 0;
    for (std::size_t from = 0; from < piece.size();) {
        auto end = std::min(from + kBlock, piece.size());
        const bool zero = is_zero(piece.subspan(from, end - from));
        while (end < piece.size()) {
            const auto next = std::min(end + kBlock, piece.size());
            if (is_zero(piece.subspan(end, next - end)) != zero) break;
            end = next;
        }
        const auto part = piece.subspan(from, end - from);
        if (zero) {
            left_out += part.size();
        } else if (auto written = to.write_at(at + from, {&part, 1}); !written) {
            return std::move(written).error();
        }
        from = end;
    }
    return left_out;
}

/// Piece by piece of one file, and of another one where that is asked for.
template <class F>
Result<void> for_each_piece(const File& file, std::uint64_t length, F each) {
    std::vector<std::byte> piece(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, length)));
    for (std::uint64_t at = 0; at < length;) {
        const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(piece.size(), length - at));
        auto read = file.read_at(at, std::span(piece).first(wanted));
        if (!read) return std::move(read).error();
        if (*read != wanted) return Error(Errc::corrupt, "a volume has become shorter", at);
        if (auto done = each(at, std::span<const std::byte>(piece).first(wanted)); !done) return done;
        at += wanted;
    }
    return {};
}

Result<std::uint64_t> copy(const File& volume, File& fresh) {
    auto length = volume.size();
    if (!length) return std::move(length).error();
    std::uint64_t left_out = 0;
    auto done = for_each_piece(volume, *length, [&](auto at, auto piece) -> Result<void> {
        auto copied = copy_piece(fresh, at, piece);
        if (!copied) return std::move(copied).error();
        left_out += *copied;
        return {};
    });
    if (done) done = fresh.truncate(*length);  // should it end with zeros
    if (done) done = fresh.sync();
    if (!done) return std::move(done).error();
    std::vector<std::byte> other(kPiece);
    done = for_each_piece(volume, *length, [&](auto at, auto piece) -> Result<void> {
        auto read = fresh.read_at(at, std::span(other).first(piece.size()));
        if (!read) return std::move(read).error();
        if (*read == piece.size() && std::equal(piece.begin(), piece.end(), other.begin())) return {};
        return Error(Errc::corrupt, "the copy is not what was copied", at);
    });
    if (!done) return std::move(done).error();
    return left_out;
}

}  // namespace

Result<void> note_zeros(FileSystem& file_system, const Layout& layout, std::uint32_t volume,
                        std::uint64_t bytes) {
    const auto path = note_path(layout, volume);
    auto before = noted_zeros(file_system, path);
    if (!before) return std::move(before).error();
    auto file = file_system.open(path, OpenMode::read_write);
    if (!file && file.error().code == Errc::not_found) file = file_system.open(path, OpenMode::create);
    if (!file) return std::move(file).error();
    const auto text = fmt::format("{}\n", *before + bytes);
    const std::array parts{as_bytes(text)};
    return (*file)->write_at(0, parts);
}

Result<std::vector<std::uint32_t>> volumes_to_compact(FileSystem& file_system, const Layout& layout) {
    auto names = file_system.list(layout.volumes());
    if (!names) return std::move(names).error();
    std::vector<std::uint32_t> found;
    for (const auto& name : *names) {
        if (!name.ends_with(kNoteSuffix)) continue;
        const auto number = volume_number(std::string_view(name).substr(0, name.size() - kNoteSuffix.size()));
        if (!number) continue;
        auto zeros = noted_zeros(file_system, note_path(layout, *number));
        if (!zeros) return std::move(zeros).error();
        auto file = file_system.open(layout.volume(*number), OpenMode::read);
        if (!file) return std::move(file).error();
        auto length = (*file)->size();
        if (!length) return std::move(length).error();
        if (*zeros >= *length / kShare) found.push_back(*number);
    }
    return found;
}

Result<std::uint64_t> compact_volume(FileSystem& file_system, const Layout& layout, std::uint32_t volume) {
    const auto path = layout.volume(volume);
    const auto fresh_path = path + std::string(kCopySuffix);
    auto file = file_system.open(path, OpenMode::read);
    if (!file) return std::move(file).error();
    if (auto removed = remove_if_there(file_system, fresh_path); !removed) return std::move(removed).error();
    auto left_out = [&]() -> Result<std::uint64_t> {
        auto fresh = file_system.open(fresh_path, OpenMode::create);
        if (!fresh) return std::move(fresh).error();
        return copy(**file, **fresh);
    }();
    auto done = left_out ? file_system.rename(fresh_path, path) : Result<void>(left_out.error());
    if (!done) {
        (void)remove_if_there(file_system, fresh_path).has_value();
        return std::move(done).error();
    }
    // Whichever of the two a crash leaves under the name, it is the same.
    done = file_system.sync_directory(layout.volumes());
    if (done) done = remove_if_there(file_system, note_path(layout, volume));
    if (!done) return std::move(done).error();
    return left_out;
}

}  // namespace sagitta::storage
