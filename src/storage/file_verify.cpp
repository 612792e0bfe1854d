#include <map>
#include <memory>
#include <utility>

#include <fmt/format.h>

#include "storage/deleted_files.h"
#include "storage/file_list.h"
#include "storage/file_recovery.h"

namespace sagitta::storage {
namespace {

struct Expected {
    std::map<std::uint64_t, std::uint64_t> lengths;  ///< by place in the list
    bool has_index = true;
};

}  // namespace

Result<VerifyReport> verify_files(FileSystem& file_system, const Layout& layout,
                                  const std::function<void(std::string_view)>& problem) {
    VerifyReport report;
    const auto tell = [&](const std::string& line) {
        ++report.problems;
        if (problem) problem(line);
    };
    Expected expected;
    if (!file_system.open(layout.index(), OpenMode::read)) {
        expected.has_index = false;
        tell(layout.index() + " is missing");
    } else {
        auto index = IndexWriter::open(layout.index(), IndexWriter::Purpose::serve);
        auto contents = index ? (*index)->contents() : Result<IndexContents>(std::move(index).error());
        if (!contents && contents.error().code != Errc::corrupt) return std::move(contents).error();
        expected.has_index = contents.has_value();
        if (!contents) tell(fmt::format("{} is damaged: {}", layout.index(), contents.error().message()));
        if (contents) {
            for (const auto& fault : contents->faults) tell(fmt::format("{}: {}", layout.index(), fault));
            for (const auto& member : contents->members)
                expected.lengths.emplace(member.offset, member.length);
        }
    }
    auto list = file_system.open(layout.file_list(), OpenMode::read);
    if (!list) return std::move(list).error();
    report.volumes = 1;
    auto places = FilePlaces::of(**list, 0);
    if (!places) return std::move(places).error();
    auto read = read_list(**list, 0, [&](const ListLine& line) -> Result<void> {
        if (line.note && !line.note->is_understood)
            tell(fmt::format("{} byte {}: not understood", layout.file_list(), line.offset));
        if (line.note) return {};
        if (!line.file) {
            tell(fmt::format("{} byte {}: damaged", layout.file_list(), line.offset));
            return {};
        }
        const bool deleted = places->is_deleted(line.offset);
        const auto path =
            deleted ? deleted_path(layout, line.offset) : layout.files() + "/" + line.file->path;
        auto proved = prove_file(file_system, path, *line.file);
        if (!proved && proved.error().code == Errc::not_found && deleted) {
            expected.lengths.erase(line.offset);  // purged
            return {};
        }
        ++report.instances;
        report.bytes += line.file->length;
        const auto known = expected.lengths.find(line.offset);
        if (expected.has_index && known == expected.lengths.end()) {
            tell(fmt::format("{} byte {}: not in the index", layout.file_list(), line.offset));
        } else if (expected.has_index && known->second != line.file->length) {
            tell(fmt::format("{} byte {}: the index has another length", layout.file_list(), line.offset));
        }
        if (known != expected.lengths.end()) expected.lengths.erase(known);
        if (proved || proved.error().code == Errc::io_failure) return proved;
        tell(fmt::format("{}: {}", path, proved.error().message()));
        return {};
    });
    if (!read) return std::move(read).error();
    for (const auto& [offset, length] : expected.lengths) {
        tell(fmt::format("{} byte {}: in the index, but not in the list", layout.file_list(), offset));
    }
    return report;
}

}  // namespace sagitta::storage
