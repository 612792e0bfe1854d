#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "storage/file_system.h"
#include "storage/procedure_step_log.h"
#include "storage/sqlite_log.h"

namespace sagitta::storage {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr const char* kScript = R"sql(
CREATE TABLE step (
    id INTEGER PRIMARY KEY,
    sop_uid TEXT NOT NULL UNIQUE, state INTEGER NOT NULL, sender TEXT NOT NULL,
    created INTEGER NOT NULL, changed INTEGER NOT NULL, arrived INTEGER NOT NULL,
    data_set BLOB NOT NULL
) STRICT;
CREATE INDEX step_changed ON step (changed);
CREATE INDEX step_awaited ON step (state, arrived);
CREATE TABLE step_study (
    study_uid TEXT NOT NULL, step INTEGER NOT NULL REFERENCES step (id),
    PRIMARY KEY (study_uid, step)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_study_step ON step_study (step);
)sql";

constexpr std::string_view kHead = "SELECT id, sop_uid, state, sender, created, changed, arrived";

class SqliteProcedureStepLog final : public ProcedureStepLog {
public:
    explicit SqliteProcedureStepLog(std::unique_ptr<Database> database) : database_(std::move(database)) {}

    Result<std::int64_t> add(const ProcedureStep& step) override {
        const std::lock_guard lock(mutex_);
        std::int64_t id = 0;
        auto done = in_transaction(*database_, [&]() -> Result<void> {
            auto insert = database_->cached(
                "INSERT INTO step (sop_uid, state, sender, created, changed, arrived, data_set) "
                "VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)");
            if (!insert) return std::move(insert).error();
            auto& row = **insert;
            row.bind(1, std::string_view(step.sop_instance_uid));
            row.bind(2, static_cast<std::int64_t>(step.state));
            row.bind(3, std::string_view(step.sender));
            row.bind(4, step.created);
            row.bind(5, step.changed);
            row.bind(6, std::span<const std::byte>(step.data_set));
            if (auto run = row.run(); !run) return run;
            id = database_->last_insert_id();
            return add_studies(id, step);
        });
        if (!done) return std::move(done).error();
        return id;
    }

    Result<void> update(const ProcedureStep& step) override {
        const std::lock_guard lock(mutex_);
        return in_transaction(*database_, [&]() -> Result<void> {
            auto change =
                database_->cached("UPDATE step SET state = ?2, changed = ?3, data_set = ?4 WHERE id = ?1");
            if (!change) return std::move(change).error();
            auto& row = **change;
            row.bind(1, step.id);
            row.bind(2, static_cast<std::int64_t>(step.state));
            row.bind(3, step.changed);
            row.bind(4, std::span<const std::byte>(step.data_set));
            if (auto run = row.run(); !run) return run;
            auto cleared = database_->execute(fmt::format("DELETE FROM step_study WHERE step = {}", step.id));
            return cleared ? add_studies(step.id, step) : std::move(cleared);
        });
    }

    Result<void> set_arrived(std::int64_t id, std::int64_t time) override {
        const std::lock_guard lock(mutex_);
        return database_->execute(fmt::format("UPDATE step SET arrived = {} WHERE id = {}", time, id));
    }

    Result<std::uint64_t> forget_before(std::int64_t time) override {
        const std::lock_guard lock(mutex_);
        std::int64_t count = 0;
        auto done = in_transaction(*database_, [&]() -> Result<void> {
            auto old = database_->integer(fmt::format("SELECT count(*) FROM step WHERE changed < {}", time));
            if (!old) return std::move(old).error();
            count = *old;
            if (count == 0) return {};
            return database_->execute(
                fmt::format("DELETE FROM step_study WHERE step IN (SELECT id FROM step WHERE changed < {0}); "
                            "DELETE FROM step WHERE changed < {0}",
                            time));
        });
        if (!done) return std::move(done).error();
        return static_cast<std::uint64_t>(count);
    }

    Result<std::optional<ProcedureStep>> find(std::string_view sop_instance_uid) override {
        const std::lock_guard lock(mutex_);
        return first(
            read("WHERE sop_uid = ?1", true, [&](Statement& row) { row.bind(1, sop_instance_uid); }));
    }

    Result<std::optional<ProcedureStep>> find(std::int64_t id) override {
        const std::lock_guard lock(mutex_);
        return first(read("WHERE id = ?1", true, [&](Statement& row) { row.bind(1, id); }));
    }

    Result<std::vector<ProcedureStep>> of_study(std::string_view study_uid) override {
        const std::lock_guard lock(mutex_);
        return read("WHERE id IN (SELECT step FROM step_study WHERE study_uid = ?1) ORDER BY id", true,
                    [&](Statement& row) { row.bind(1, study_uid); });
    }

    Result<std::vector<ProcedureStep>> awaited() override {
        const std::lock_guard lock(mutex_);
        return read("WHERE state IN (1, 2) AND arrived = 0 ORDER BY id", false, [](Statement&) {});
    }

    Result<std::vector<ProcedureStep>> list(std::int64_t after, std::uint64_t limit) override {
        const std::lock_guard lock(mutex_);
        return read("WHERE id > ?1 ORDER BY id LIMIT ?2", false, [&](Statement& row) {
            row.bind(1, after);
            row.bind(2, static_cast<std::int64_t>(limit & INT64_MAX));
        });
    }

    Result<std::uint64_t> count_in_progress() override {
        const std::lock_guard lock(mutex_);
        auto count = database_->integer("SELECT count(*) FROM step WHERE state = 0");
        if (!count) return std::move(count).error();
        return static_cast<std::uint64_t>(*count);
    }

private:
    Result<void> add_studies(std::int64_t id, const ProcedureStep& step) {
        auto insert = database_->cached("INSERT OR IGNORE INTO step_study VALUES (?1, ?2)");
        if (!insert) return std::move(insert).error();
        for (const auto& study : step.study_instance_uids) {
            (*insert)->bind(1, std::string_view(study));
            (*insert)->bind(2, id);
            if (auto run = (*insert)->run(); !run) return run;
        }
        return {};
    }

    template <class Bind>
    Result<std::vector<ProcedureStep>> read(std::string_view where, bool whole, Bind bind) {
        auto select =
            database_->cached(fmt::format("{}{} FROM step {}", kHead, whole ? ", data_set" : "", where));
        if (!select) return std::move(select).error();
        auto& row = **select;
        const ResetAtEnd reset(row);
        bind(row);
        std::vector<ProcedureStep> steps;
        while (true) {
            auto more = row.step();
            if (!more) return std::move(more).error();
            if (!*more) break;
            ProcedureStep step;
            step.id = row.integer(0);
            step.sop_instance_uid = row.text(1);
            step.state = static_cast<StepState>(row.integer(2));
            step.sender = row.text(3);
            step.created = row.integer(4);
            step.changed = row.integer(5);
            step.arrived = row.integer(6);
            if (whole) step.data_set.assign(row.blob(7).begin(), row.blob(7).end());
            steps.push_back(std::move(step));
        }
        for (auto& step : steps) {
            if (!whole) break;
            if (auto studies = read_studies(step); !studies) return std::move(studies).error();
        }
        return steps;
    }

    Result<void> read_studies(ProcedureStep& step) {
        auto select = database_->cached("SELECT study_uid FROM step_study WHERE step = ?1");
        if (!select) return std::move(select).error();
        const ResetAtEnd reset(**select);
        (*select)->bind(1, step.id);
        while (true) {
            auto more = (*select)->step();
            if (!more) return std::move(more).error();
            if (!*more) return {};
            step.study_instance_uids.emplace_back((*select)->text(0));
        }
    }

    static Result<std::optional<ProcedureStep>> first(Result<std::vector<ProcedureStep>> steps) {
        if (!steps) return std::move(steps).error();
        if (steps->empty()) return std::optional<ProcedureStep>();
        return std::optional(std::move(steps->front()));
    }

    std::mutex mutex_;
    std::unique_ptr<Database> database_;
};

std::string path_in(const std::string& data_dir) {
    return data_dir + "/mpps.sqlite";
}

}  // namespace

std::string_view to_string(StepState state) noexcept {
    switch (state) {
        case StepState::in_progress: return "IN PROGRESS";
        case StepState::completed: return "COMPLETED";
        case StepState::discontinued: return "DISCONTINUED";
    }
    return "";
}

std::optional<StepState> parse_step_state(std::string_view text) noexcept {
    for (const auto state : {StepState::in_progress, StepState::completed, StepState::discontinued})
        if (to_string(state) == text) return state;
    return std::nullopt;
}

Result<std::unique_ptr<ProcedureStepLog>> ProcedureStepLog::open(const std::string& data_dir) {
    auto database = open_log(path_in(data_dir), kVersion, kScript);
    if (!database) return std::move(database).error();
    return std::unique_ptr<ProcedureStepLog>(std::make_unique<SqliteProcedureStepLog>(std::move(*database)));
}

Result<std::unique_ptr<ProcedureStepLog>> ProcedureStepLog::open_to_read(const std::string& data_dir) {
    const std::string path = path_in(data_dir);
    if (!real_file_system().open(path, OpenMode::read))
        return Error(Errc::not_found, path + " is not there: no procedure step was ever reported");
    auto database = Database::open(path, Database::Use::read);
    if (!database) return std::move(database).error();
    auto version = log_version(**database, path, kVersion);
    if (!version) return std::move(version).error();
    if (*version == 0) return Error(Errc::not_found, path + " is empty");
    return std::unique_ptr<ProcedureStepLog>(std::make_unique<SqliteProcedureStepLog>(std::move(*database)));
}

}  // namespace sagitta::storage
