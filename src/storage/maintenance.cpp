#include "storage/maintenance.h"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "storage/direct_reader.h"
#include "storage/file_list.h"
#include "storage/file_recovery.h"
#include "storage/file_system.h"
#include "storage/index_writer.h"
#include "storage/layout.h"
#include "storage/recovery.h"
#include "storage/sqlite_index.h"
#include "storage/volume_scanner.h"

namespace sagitta::storage {
namespace {

/// One reading of everything, against what the index says.
class Verification {
public:
    Verification(FileSystem& file_system, Layout layout, const std::function<void(std::string_view)>& problem)
        : file_system_(file_system), layout_(std::move(layout)), problem_(problem) {}

    Result<VerifyReport> run() {
        if (auto loaded = load_index(); !loaded) return std::move(loaded).error();
        auto numbers = list_volumes(file_system_, layout_);
        if (!numbers) return std::move(numbers).error();
        for (const auto number : *numbers) {
            if (auto done = check_volume(number); !done) return std::move(done).error();
            marks_.erase(number);
        }
        for (const auto& [number, mark] : marks_) tell(fmt::format("{} is missing", layout_.volume(number)));
        for (const auto& [place, length] : expected_) {
            tell(fmt::format("{} byte {}: in the index, but no intact member is there",
                             layout_.volume(place.first), place.second));
        }
        return report_;
    }

private:
    using Place = std::pair<std::uint32_t, std::uint64_t>;  // volume, offset of the data

    void tell(const std::string& line) {
        ++report_.problems;
        if (problem_) problem_(line);
    }

    Result<void> load_index() {
        if (!file_system_.open(layout_.index(), OpenMode::read)) {
            tell(layout_.index() + " is missing");
            has_index_ = false;
            return {};
        }
        auto writer = IndexWriter::open(layout_.index(), IndexWriter::Purpose::serve);
        auto contents = writer ? (*writer)->contents() : Result<IndexContents>(std::move(writer).error());
        if (!contents && contents.error().code == Errc::corrupt) {
            tell(fmt::format("{} is damaged: {}", layout_.index(), contents.error().message()));
            has_index_ = false;
            return {};
        }
        if (!contents) return std::move(contents).error();
        for (const auto& fault : contents->faults) tell(fmt::format("{}: {}", layout_.index(), fault));
        for (const auto& member : contents->members) {
            expected_.emplace(Place(member.volume, member.offset), member.length);
        }
        for (const auto& mark : contents->marks) marks_.emplace(mark.number, mark);
        return {};
    }

    Result<void> check_volume(std::uint32_t number) {
        auto file = file_system_.open(layout_.volume(number), OpenMode::read);
        if (!file) return std::move(file).error();
        auto length = (*file)->size();
        if (!length) return std::move(length).error();
        ++report_.volumes;
        const DirectReader disk(**file);  // not what memory remembers of it
        VolumeScanner scanner(disk, 0, *length, {.sha256 = true});
        std::string digests;
        bool sealed = false;
        while (true) {
            auto found = scanner.next();
            if (!found) return std::move(found).error();
            if (!*found) break;
            const auto& member = **found;
            if (member.kind == ScannedMember::Kind::damaged) {
                tell(fmt::format("{} bytes {} to {}: {}", layout_.volume(number), member.header_offset,
                                 member.end, member.reason));
            } else if (member.kind == ScannedMember::Kind::manifest) {
                sealed = true;
                auto manifest = scanner.read_all(member);
                if (!manifest) return std::move(manifest).error();
                check_manifest(number, as_text(manifest->span()), digests);
            } else if (member.kind == ScannedMember::Kind::purged) {
                if (!member.reason.empty())
                    tell(fmt::format("{} byte {}: {}", layout_.volume(number), member.header_offset,
                                     member.reason));
                purged_.insert(Place(number, member.data_offset()));
                expected_.erase(Place(number, member.data_offset()));
            } else if (member.kind == ScannedMember::Kind::instance) {
                check_member(number, member);
                digests += fmt::format("{}\t{}\t{}\t{}\n", member.data_offset(), member.member.size,
                                       member.sha256, member.member.path());
            }
        }
        const auto mark = marks_.find(number);
        if (mark != marks_.end() && mark->second.sealed && !sealed) {
            tell(fmt::format("{} has lost its manifest", layout_.volume(number)));
        }
        if (mark != marks_.end() && *length < mark->second.indexed_to) {
            tell(fmt::format("{} is shorter than the index knows", layout_.volume(number)));
        }
        return {};
    }

    void check_member(std::uint32_t number, const ScannedMember& member) {
        ++report_.instances;
        report_.bytes += member.member.size;
        if (!has_index_) return;
        const auto known = expected_.find(Place(number, member.data_offset()));
        if (known == expected_.end()) {
            tell(fmt::format("{} byte {}: not in the index", layout_.volume(number), member.data_offset()));
        } else {
            if (known->second != member.member.size) {
                tell(fmt::format("{} byte {}: the index has another length", layout_.volume(number),
                                 member.data_offset()));
            }
            expected_.erase(known);
        }
    }

    /// The manifest was written from the same bytes: line by line it must say what we found.
    void check_manifest(std::uint32_t number, std::string_view manifest, std::string_view found) {
        std::set<std::string_view> ours;
        for_each_line(found, [&](std::string_view line) { ours.insert(line); });
        for_each_line(manifest, [&](std::string_view line) {
            if (line.starts_with('#') || ours.contains(line)) return;
            std::uint64_t offset = 0;
            std::from_chars(line.data(), line.data() + line.size(), offset);
            if (purged_.contains(Place(number, offset))) return;  // deleted since
            tell(fmt::format("{} byte {}: not what the manifest says", layout_.volume(number), offset));
        });
    }

    template <class F>
    static void for_each_line(std::string_view text, F each) {
        while (!text.empty()) {
            const auto line = text.substr(0, text.find('\n'));
            if (!line.empty()) each(line);
            text.remove_prefix(std::min(line.size() + 1, text.size()));
        }
    }

    FileSystem& file_system_;
    Layout layout_;
    const std::function<void(std::string_view)>& problem_;
    VerifyReport report_;
    bool has_index_ = true;
    std::map<Place, std::uint64_t> expected_;
    std::set<Place> purged_;
    std::map<std::uint32_t, VolumeMark> marks_;
};

}  // namespace

Result<StorageLayout> layout_of(const std::string& data_dir) {
    auto one_each = has_files(real_file_system(), {data_dir});
    if (!one_each && one_each.error().code != Errc::not_found) return std::move(one_each).error();
    return one_each && *one_each ? StorageLayout::files : StorageLayout::volumes;
}

Result<ReindexReport> reindex(const std::string& data_dir,
                              const std::function<void(std::string_view)>& progress,
                              FileSystem* file_system) {
    auto& files = file_system != nullptr ? *file_system : real_file_system();
    const Layout layout{data_dir};
    auto lock = DirectoryLock::take(layout);
    if (!lock) return std::move(lock).error();
    auto one_each = has_files(files, layout);
    if (!one_each) return std::move(one_each).error();
    auto rebuilt =
        *one_each ? rebuild_files(files, layout, progress) : rebuild_index(files, layout, progress);
    if (!rebuilt) return std::move(rebuilt).error();
    if (progress) {
        for (const auto& damage : rebuilt->report.damage) progress(damage);
    }
    return ReindexReport{rebuilt->report.instances_indexed, rebuilt->superseded,
                         rebuilt->report.damage.size()};
}

Result<VerifyReport> verify(const std::string& data_dir, const std::function<void(std::string_view)>& problem,
                            FileSystem* file_system) {
    auto& files = file_system != nullptr ? *file_system : real_file_system();
    const Layout layout{data_dir};
    auto lock = DirectoryLock::take(layout);
    if (!lock) return std::move(lock).error();
    auto one_each = has_files(files, layout);
    if (!one_each) return std::move(one_each).error();
    if (*one_each) return verify_files(files, layout, problem);
    return Verification(files, layout, problem).run();
}

}  // namespace sagitta::storage
