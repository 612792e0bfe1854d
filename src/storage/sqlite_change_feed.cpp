#include "storage/sqlite_change_feed.h"

#include <algorithm>
#include <limits>
#include <string>
#include <utility>

#include "storage/layout.h"
#include "storage/sqlite_index.h"
#include "storage/sqlite_schema.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kOffsetMask = (std::uint64_t{1} << kOffsetBits) - 1;

}  // namespace

std::string_view to_string(EventKind kind) noexcept {
    switch (kind) {
        case EventKind::stored: return "stored";
        case EventKind::replaced: return "replaced";
        case EventKind::deleted: return "deleted";
        case EventKind::restored: return "restored";
        case EventKind::completed: return "completed";
    }
    return "unknown";
}

std::string_view change_feed_sql() noexcept {
    return R"sql(
SELECT i.volume AS volume, i.file_offset AS place,
    EXISTS (SELECT 1 FROM superseded o WHERE o.sop_uid = i.sop_uid) AS kind,
    i.sop_uid, (SELECT series_uid FROM series WHERE id = i.series),
    (SELECT study_uid FROM study WHERE id = (SELECT study FROM series WHERE id = i.series)), i.received
FROM instance i WHERE (i.volume, i.file_offset) > (?1, ?2)
UNION ALL
SELECT s.volume, s.file_offset,
    EXISTS (SELECT 1 FROM superseded o WHERE o.sop_uid = s.sop_uid
            AND (o.volume, o.file_offset) < (s.volume, s.file_offset)),
    s.sop_uid, '', '', s.received
FROM superseded s WHERE (s.volume, s.file_offset) > (?1, ?2)
UNION ALL
SELECT n.volume, n.place, n.kind, n.sop_uid, n.series_uid, n.study_uid, n.time
FROM note_event n WHERE (n.volume, n.place) > (?1, ?2)
ORDER BY volume, place LIMIT ?3
)sql";
}

Result<std::vector<Event>> read_events(Database& database, std::uint64_t after, std::uint64_t limit) {
    auto select = database.cached(std::string(change_feed_sql()));
    if (!select) return std::move(select).error();
    auto& row = **select;
    const ResetAtEnd reset(row);
    constexpr std::uint64_t kMost = std::numeric_limits<std::int64_t>::max();
    row.bind(1, static_cast<std::int64_t>(after >> kOffsetBits));
    row.bind(2, static_cast<std::int64_t>(after & kOffsetMask));
    row.bind(3, static_cast<std::int64_t>(std::min(limit, kMost)));
    std::vector<Event> events;
    while (true) {
        auto more = row.step();
        if (!more) return std::move(more).error();
        if (!*more) return events;
        Event event;
        event.number = event_number(static_cast<std::uint32_t>(row.integer(0)),
                                    static_cast<std::uint64_t>(row.integer(1)));
        event.kind = static_cast<EventKind>(row.integer(2));
        event.sop_instance_uid = row.text(3);
        event.series_instance_uid = row.text(4);
        event.study_instance_uid = row.text(5);
        event.time = row.integer(6);
        events.push_back(std::move(event));
    }
}

Result<std::unique_ptr<InstanceIndex>> open_index_of(const std::string& data_dir) {
    const auto path = Layout{data_dir}.index();
    if (!real_file_system().open(path, OpenMode::read)) {
        return Error(Errc::not_found,
                     path + " is not there: no archive, or one whose index is to be rebuilt");
    }
    auto database = Database::open(path, Database::Use::read);
    if (!database) return std::move(database).error();
    auto version = (*database)->integer("PRAGMA user_version");
    if (!version) return std::move(version).error().within(path);
    if (*version != schema_version()) {
        return Error(Errc::unsupported, path + " was made by another version of this program");
    }
    return open_instance_index(path);
}

}  // namespace sagitta::storage
