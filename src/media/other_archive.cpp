#include "media/other_archive.h"

#include <algorithm>
#include <compare>
#include <filesystem>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/bytes.h"
#include "storage/digest.h"
#include "storage/volume_scanner.h"

namespace sagitta::media {
namespace {

namespace fs = std::filesystem;

// A SOP Instance UID as its digest: 10 million of them stay in memory.
struct Found {
    std::array<std::byte, 16> uid;
    std::uint32_t volume;
    std::uint64_t offset;
    std::uint64_t length;
};

bool by_uid_and_place(const Found& a, const Found& b) {
    return std::tie(a.uid, a.volume, a.offset) < std::tie(b.uid, b.volume, b.offset);
}
bool by_place(const Found& a, const Found& b) {
    return std::tie(a.volume, a.offset) < std::tie(b.volume, b.offset);
}

Error damage(const storage::Layout& layout, std::uint32_t number, const storage::ScannedMember& member) {
    return {Errc::corrupt, fmt::format("{} bytes {} to {}: {}", layout.volume(number), member.header_offset,
                                       member.end, member.reason)};
}

Result<void> scan(const storage::Layout& layout, std::uint32_t number, std::vector<Found>& into,
                  const ServedMembers& to) {
    auto file = storage::real_file_system().open(layout.volume(number), storage::OpenMode::read);
    if (!file) return std::move(file).error();
    auto length = (*file)->size();
    if (!length) return std::move(length).error();
    storage::VolumeScanner scanner(**file, 0, *length, {});
    std::optional<Error> last_damage;
    while (true) {
        auto next = scanner.next();
        if (!next) return std::move(next).error();
        if (!*next) return {};
        const auto& member = **next;
        if (last_damage) to.damaged(*std::exchange(last_damage, std::nullopt));
        if (member.kind == storage::ScannedMember::Kind::damaged) {
            last_damage = damage(layout, number, member);  // told when a good one follows
        } else if (member.kind == storage::ScannedMember::Kind::instance) {
            into.push_back({storage::data_set_digest(as_bytes(member.member.name)).bytes, number,
                            member.data_offset(), member.member.size});
        }
    }
}

// The last of those with the same UID.
void keep_served(std::vector<Found>& found) {
    std::sort(found.begin(), found.end(), by_uid_and_place);
    std::size_t kept = 0;
    for (std::size_t n = 0; n < found.size(); ++n) {
        if (n + 1 == found.size() || found[n + 1].uid != found[n].uid) found[kept++] = found[n];
    }
    found.resize(kept);
    std::sort(found.begin(), found.end(), by_place);
}

bool has_volume(const fs::path& folder) {
    std::error_code wrong;
    for (fs::directory_iterator at(folder, wrong); !wrong && at != fs::directory_iterator();
         at.increment(wrong)) {
        if (storage::volume_number(at->path().filename().string())) return true;
    }
    return false;
}

}  // namespace

bool is_data_directory(const std::string& path) {
    return has_volume(fs::path(path) / "volumes");
}

Result<void> list_served(const storage::Layout& layout, const ServedMembers& to) {
    auto numbers = storage::list_volumes(storage::real_file_system(), layout);
    if (!numbers) return std::move(numbers).error();
    std::vector<Found> found;
    for (const auto number : *numbers) {
        if (auto scanned = scan(layout, number, found, to); !scanned) return scanned;
    }
    keep_served(found);
    for (const auto& member : found) {
        if (!to.each({member.volume, member.offset, member.length})) break;
    }
    return {};
}

}  // namespace sagitta::media
