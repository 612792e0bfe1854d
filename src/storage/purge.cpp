#include "storage/purge.h"

#include <algorithm>
#include <array>
#include <memory>
#include <span>

#include "storage/compaction.h"
#include "storage/tar.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kPiece = 1u << 20;

/// The members of one volume.
class VolumePurge {
public:
    VolumePurge(File& volume, PurgeReport& report) : volume_(volume), report_(report) {}

    Result<void> run(std::span<const NoteLine> members, VolumeUse& use, std::vector<NoteLine>& finished) {
        use.note_holes(members.front().volume);
        std::vector<const NoteLine*> renamed;
        for (const auto& member : members) {
            auto done = rename(member);
            if (!done) return std::move(done).error();
            if (*done)
                renamed.push_back(&member);
            else
                finished.push_back(member);
        }
        report_.left_alone += members.size() - renamed.size();
        if (auto synced = volume_.sync(); !synced) return synced;
        if (use.is_held(members.front().volume)) {
            report_.being_read += renamed.size();
            return {};
        }
        for (const auto* member : renamed) {
            auto punched = erase(volume_, member->offset, member->length);
            if (!punched) return std::move(punched).error();
            ++report_.members;
            report_.bytes += member->length;
            if (!*punched) report_.not_given_back += member->length;
            finished.push_back(*member);
        }
        return volume_.sync();
    }

private:
    /// False when something else is there than the index believes.
    Result<bool> rename(const NoteLine& line) {
        TarBlock block{};
        if (line.offset < kTarBlock) return false;
        auto read = volume_.read_at(line.offset - kTarBlock, block);
        if (!read) return std::move(read).error();
        auto member = *read == kTarBlock ? parse_tar_header(block) : std::nullopt;
        if (!member || member->size != line.length) return false;
        if (is_purged_member(*member)) return true;
        if (!is_instance_member(*member) || member->name != line.sop_uid + ".dcm") return false;
        const auto header = make_tar_header(purged_member(std::move(*member)));
        const std::span<const std::byte> part(header);
        if (auto written = volume_.write_at(line.offset - kTarBlock, {&part, 1}); !written)
            return std::move(written).error();
        return true;
    }

    File& volume_;
    PurgeReport& report_;
};

}  // namespace

Result<bool> erase(File& volume, std::uint64_t data_offset, std::uint64_t size) {
    const auto length = size + tar_padding(size);
    if (length == 0) return true;
    auto punched = volume.punch(data_offset, length);
    if (!punched || *punched) return punched;
    static constexpr std::array<std::byte, kPiece> kZeros{};
    for (std::uint64_t at = 0; at < length; at += kPiece) {
        const auto part =
            std::span(kZeros).first(static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, length - at)));
        const std::span<const std::byte> bytes(part);
        if (auto written = volume.write_at(data_offset + at, {&bytes, 1}); !written)
            return std::move(written).error();
    }
    return false;
}

Result<std::vector<NoteLine>> purge_members(FileSystem& file_system, const Layout& layout,
                                            const std::vector<NoteLine>& members, VolumeUse& use,
                                            PurgeReport& report) {
    std::vector<NoteLine> finished;
    for (auto first = members.begin(); first != members.end();) {
        const auto last = std::find_if(first, members.end(),
                                       [&](const NoteLine& line) { return line.volume != first->volume; });
        auto file = file_system.open(layout.volume(first->volume), OpenMode::read_write);
        if (!file) return std::move(file).error();
        const auto zeros = report.not_given_back;
        auto done = VolumePurge(**file, report).run({first, last}, use, finished);
        if (done && report.not_given_back != zeros)
            done = note_zeros(file_system, layout, first->volume, report.not_given_back - zeros);
        if (!done) return std::move(done).error();
        first = last;
    }
    return finished;
}

}  // namespace sagitta::storage
