#include "storage/statistics.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "storage/change_feed.h"
#include "storage/layout.h"
#include "storage/quarantined.h"
#include "storage/sqlite_database.h"

namespace sagitta::storage {
namespace {

/// What is not there, or gone meanwhile, counts nothing.
void add_file(const std::string& path, Heap& heap) {
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) return;
    constexpr std::uint64_t kBlock = 512;  // the unit of st_blocks, whatever the file system's is
    ++heap.count;
    heap.bytes += static_cast<std::uint64_t>(status.st_size);
    heap.on_disk += static_cast<std::uint64_t>(status.st_blocks) * kBlock;
}

Result<std::vector<Share>> shares_by(Database& database, std::string_view column) {
    auto select = database.cached("SELECT " + std::string(column) +
                                  ", COUNT(DISTINCT i.series), COUNT(*), SUM(i.file_length) FROM instance i "
                                  "JOIN series s ON s.id = i.series GROUP BY 1 ORDER BY 3 DESC, 1");
    if (!select) return std::move(select).error();
    auto& row = **select;
    const ResetAtEnd reset(row);
    std::vector<Share> shares;
    while (true) {
        auto more = row.step();
        if (!more) return std::move(more).error();
        if (!*more) return shares;
        Share share;
        share.value = row.text(0);
        share.series = static_cast<std::uint64_t>(row.integer(1));
        share.instances = static_cast<std::uint64_t>(row.integer(2));
        share.bytes = static_cast<std::uint64_t>(row.integer(3));
        shares.push_back(std::move(share));
    }
}

Result<void> read_numbers(Database& database, Statistics& statistics) {
    auto select = database.cached(
        "SELECT (SELECT COALESCE(MIN(received), 0) FROM instance), (SELECT COALESCE(MAX(received), 0) FROM "
        "instance), (SELECT COUNT(*) FROM superseded), (SELECT COALESCE(SUM(file_length), 0) FROM "
        "superseded), "
        "(SELECT COUNT(*) FROM volume WHERE sealed), (SELECT COALESCE(SUM(served), 0) FROM deleted), (SELECT "
        "COALESCE(SUM(file_length), 0) FROM deleted)");
    if (!select) return std::move(select).error();
    auto& row = **select;
    const ResetAtEnd reset(row);
    auto there = row.step();
    if (!there) return std::move(there).error();
    statistics.first_received = row.integer(0);
    statistics.last_received = row.integer(1);
    statistics.superseded = static_cast<std::uint64_t>(row.integer(2));
    statistics.superseded_bytes = static_cast<std::uint64_t>(row.integer(3));
    statistics.sealed_volumes = static_cast<std::uint64_t>(row.integer(4));
    statistics.deleted = static_cast<std::uint64_t>(row.integer(5));
    statistics.deleted_bytes = static_cast<std::uint64_t>(row.integer(6));
    return {};
}

Result<void> read_index(const std::string& data_dir, Statistics& statistics) {
    auto index = open_index_of(data_dir);
    if (!index) return std::move(index).error();
    auto counts = (*index)->counts();
    if (!counts) return std::move(counts).error();
    statistics.counts = *counts;
    auto database = Database::open(Layout{data_dir}.index(), Database::Use::read);
    if (!database) return std::move(database).error();
    if (auto done = read_numbers(**database, statistics); !done) return done;
    for (const auto& [column, shares] :
         {std::pair{"s.modality", &statistics.modalities}, std::pair{"i.sop_class", &statistics.sop_classes},
          std::pair{"i.transfer_syntax", &statistics.transfer_syntaxes}}) {
        auto read = shares_by(**database, column);
        if (!read) return std::move(read).error();
        *shares = std::move(*read);
    }
    return {};
}

}  // namespace

Result<Statistics> statistics_of(const std::string& data_dir) {
    const Layout layout{data_dir};
    Statistics statistics;
    if (auto done = read_index(data_dir, statistics); !done) return std::move(done).error();
    if (const auto volumes = list_volumes(real_file_system(), layout)) {
        for (const auto number : *volumes) add_file(layout.volume(number), statistics.volumes);
    }
    add_file(layout.index(), statistics.index);
    add_file(layout.index() + "-wal", statistics.index);
    if (const auto kept = list_quarantine(data_dir)) {
        for (const auto& one : *kept) add_file(layout.quarantine() + "/" + one.name, statistics.quarantine);
    }
    statistics.patrol = read_patrol_state(data_dir);
    struct statvfs room {};
    if (::statvfs(data_dir.c_str(), &room) == 0)
        statistics.free_bytes = std::uint64_t{room.f_bavail} * room.f_frsize;
    return statistics;
}

}  // namespace sagitta::storage
