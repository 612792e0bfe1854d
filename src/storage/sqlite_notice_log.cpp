#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "storage/notice_log.h"
#include "storage/sqlite_log.h"

namespace sagitta::storage {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr const char* kScript = R"sql(
CREATE TABLE notice (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    peer TEXT NOT NULL, sop_uid TEXT NOT NULL, study_uid TEXT NOT NULL, step_uid TEXT NOT NULL,
    created INTEGER NOT NULL,
    UNIQUE (peer, study_uid, step_uid)
) STRICT;
CREATE TABLE seen (study_uid TEXT PRIMARY KEY, event INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), event INTEGER NOT NULL) STRICT;
)sql";

class SqliteNoticeLog final : public NoticeLog {
public:
    explicit SqliteNoticeLog(std::unique_ptr<Database> database) : database_(std::move(database)) {}

    Result<void> add(const std::vector<Notice>& notices) override {
        const std::lock_guard lock(mutex_);
        return in_transaction(*database_, [&] { return insert(notices); });
    }

    Result<void> add(const std::vector<Notice>& notices, std::string_view study_instance_uid,
                     std::uint64_t event) override {
        const std::lock_guard lock(mutex_);
        return in_transaction(*database_, [&]() -> Result<void> {
            if (auto inserted = insert(notices); !inserted) return inserted;
            auto upsert = database_->cached("INSERT OR REPLACE INTO seen VALUES (?1, ?2)");
            if (!upsert) return std::move(upsert).error();
            (*upsert)->bind(1, study_instance_uid);
            (*upsert)->bind(2, static_cast<std::int64_t>(event));
            return (*upsert)->run();
        });
    }

    Result<void> remove(const Notice& notice) override {
        const std::lock_guard lock(mutex_);
        auto gone = database_->cached("DELETE FROM notice WHERE id = ?1 AND sop_uid = ?2");
        if (!gone) return std::move(gone).error();
        (*gone)->bind(1, notice.id);
        (*gone)->bind(2, std::string_view(notice.sop_instance_uid));
        return (*gone)->run();
    }

    Result<std::vector<Notice>> waiting(std::string_view peer, std::uint64_t limit) override {
        const std::lock_guard lock(mutex_);
        auto select = database_->cached(
            "SELECT id, peer, sop_uid, study_uid, step_uid, created FROM notice WHERE peer = ?1 ORDER BY id "
            "LIMIT ?2");
        if (!select) return std::move(select).error();
        auto& row = **select;
        const ResetAtEnd reset(row);
        row.bind(1, peer);
        row.bind(2, static_cast<std::int64_t>(limit & INT64_MAX));
        std::vector<Notice> all;
        while (true) {
            auto more = row.step();
            if (!more) return std::move(more).error();
            if (!*more) return all;
            all.push_back({row.integer(0), std::string(row.text(1)), std::string(row.text(2)),
                           std::string(row.text(3)), std::string(row.text(4)), row.integer(5)});
        }
    }

    Result<std::optional<std::uint64_t>> cursor() override {
        const std::lock_guard lock(mutex_);
        auto event = database_->integer("SELECT ifnull(max(event), -1) FROM cursor");
        if (!event) return std::move(event).error();
        if (*event < 0) return std::optional<std::uint64_t>();
        return std::optional(static_cast<std::uint64_t>(*event));
    }

    Result<void> set_cursor(std::uint64_t event) override {
        const std::lock_guard lock(mutex_);
        return in_transaction(*database_, [&] {
            return database_->execute(fmt::format(
                "INSERT OR REPLACE INTO cursor VALUES (1, {0}); DELETE FROM seen WHERE event <= {0}", event));
        });
    }

    Result<std::uint64_t> seen_of(std::string_view study_instance_uid) override {
        const std::lock_guard lock(mutex_);
        auto select = database_->cached("SELECT event FROM seen WHERE study_uid = ?1");
        if (!select) return std::move(select).error();
        const ResetAtEnd reset(**select);
        (*select)->bind(1, study_instance_uid);
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        return *row ? static_cast<std::uint64_t>((*select)->integer(0)) : std::uint64_t{0};
    }

private:
    Result<void> insert(const std::vector<Notice>& notices) {
        auto insert = database_->cached(
            "INSERT INTO notice (peer, sop_uid, study_uid, step_uid, created) VALUES (?1, ?2, ?3, ?4, ?5) "
            "ON CONFLICT DO UPDATE SET sop_uid = excluded.sop_uid, created = excluded.created");
        if (!insert) return std::move(insert).error();
        for (const auto& notice : notices) {
            (*insert)->bind(1, std::string_view(notice.peer));
            (*insert)->bind(2, std::string_view(notice.sop_instance_uid));
            (*insert)->bind(3, std::string_view(notice.study_instance_uid));
            (*insert)->bind(4, std::string_view(notice.step_instance_uid));
            (*insert)->bind(5, notice.created);
            if (auto run = (*insert)->run(); !run) return run;
        }
        return {};
    }

    std::mutex mutex_;
    std::unique_ptr<Database> database_;
};

}  // namespace

Result<std::unique_ptr<NoticeLog>> NoticeLog::open(const std::string& data_dir) {
    auto database = open_log(data_dir + "/availability.sqlite", kVersion, kScript);
    if (!database) return std::move(database).error();
    return std::unique_ptr<NoticeLog>(std::make_unique<SqliteNoticeLog>(std::move(*database)));
}

}  // namespace sagitta::storage
