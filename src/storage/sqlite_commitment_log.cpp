#include <mutex>
#include <utility>

#include <fmt/format.h>

#include "storage/commitment_log.h"
#include "storage/sqlite_log.h"

namespace sagitta::storage {
namespace {

constexpr std::int64_t kVersion = 1;
constexpr const char* kScript = R"sql(
CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    transaction_uid TEXT NOT NULL, requestor TEXT NOT NULL, received INTEGER NOT NULL,
    UNIQUE (transaction_uid, requestor)
) STRICT;
CREATE TABLE reference (
    request INTEGER NOT NULL REFERENCES request (id), position INTEGER NOT NULL,
    sop_class TEXT NOT NULL, sop_instance TEXT NOT NULL,
    PRIMARY KEY (request, position)
) STRICT, WITHOUT ROWID;
)sql";

class SqliteCommitmentLog final : public CommitmentLog {
public:
    explicit SqliteCommitmentLog(std::unique_ptr<Database> database) : database_(std::move(database)) {}

    Result<std::int64_t> add(const CommitmentRequest& request) override {
        const std::lock_guard lock(mutex_);
        auto known = find(request);
        if (!known) return known;
        if (*known != 0) return repeated(*known, request);
        if (auto begun = database_->execute("BEGIN IMMEDIATE"); !begun) return std::move(begun).error();
        auto added = insert(request);
        if (added) {
            if (auto committed = database_->execute("COMMIT"); committed)
                return added;
            else
                added = std::move(committed).error();
        }
        (void)database_->execute("ROLLBACK");  // the first failure is the one to tell
        return added;
    }

    Result<void> remove(std::int64_t id) override {
        const std::lock_guard lock(mutex_);
        auto removed =
            database_->execute(fmt::format("BEGIN IMMEDIATE; DELETE FROM reference WHERE request = {0}; "
                                           "DELETE FROM request WHERE id = {0}; COMMIT",
                                           id));
        if (!removed) (void)database_->execute("ROLLBACK");  // of what has begun; the first failure is told
        return removed;
    }

    Result<std::vector<CommitmentRequest>> open_requests() override {
        const std::lock_guard lock(mutex_);
        auto select =
            database_->cached("SELECT id, transaction_uid, requestor, received FROM request ORDER BY id");
        if (!select) return std::move(select).error();
        auto& row = **select;
        const ResetAtEnd reset(row);
        std::vector<CommitmentRequest> all;
        while (true) {
            auto more = row.step();
            if (!more) return std::move(more).error();
            if (!*more) return all;
            all.push_back(
                {row.integer(0), std::string(row.text(1)), std::string(row.text(2)), row.integer(3), {}});
        }
    }

    Result<std::vector<CommitmentReference>> references(std::int64_t id) override {
        const std::lock_guard lock(mutex_);
        return references_of(id);
    }

private:
    /// 0 when there is none.
    Result<std::int64_t> find(const CommitmentRequest& request) {
        auto select =
            database_->cached("SELECT id FROM request WHERE transaction_uid = ?1 AND requestor = ?2");
        if (!select) return std::move(select).error();
        const ResetAtEnd reset(**select);
        (*select)->bind(1, std::string_view(request.transaction_uid));
        (*select)->bind(2, std::string_view(request.requestor));
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        return *row ? (*select)->integer(0) : std::int64_t{0};
    }

    Result<std::vector<CommitmentReference>> references_of(std::int64_t id) {
        auto select = database_->cached(
            "SELECT sop_class, sop_instance FROM reference WHERE request = ?1 ORDER BY position");
        if (!select) return std::move(select).error();
        auto& row = **select;
        const ResetAtEnd reset(row);
        row.bind(1, id);
        std::vector<CommitmentReference> all;
        while (true) {
            auto more = row.step();
            if (!more) return std::move(more).error();
            if (!*more) return all;
            all.push_back({std::string(row.text(0)), std::string(row.text(1))});
        }
    }

    Result<std::int64_t> repeated(std::int64_t id, const CommitmentRequest& request) {
        auto known = references_of(id);
        if (!known) return std::move(known).error();
        if (*known != request.references)
            return Error(Errc::invalid_argument, "Transaction UID already in use");
        return id;
    }

    Result<std::int64_t> insert(const CommitmentRequest& request) {
        auto head = database_->cached(
            "INSERT INTO request (transaction_uid, requestor, received) VALUES (?1, ?2, ?3)");
        if (!head) return std::move(head).error();
        (*head)->bind(1, std::string_view(request.transaction_uid));
        (*head)->bind(2, std::string_view(request.requestor));
        (*head)->bind(3, request.received);
        if (auto done = (*head)->run(); !done) return std::move(done).error();
        const auto id = database_->last_insert_id();
        auto item = database_->cached("INSERT INTO reference VALUES (?1, ?2, ?3, ?4)");
        if (!item) return std::move(item).error();
        std::int64_t position = 0;
        for (const auto& reference : request.references) {
            (*item)->bind(1, id);
            (*item)->bind(2, ++position);
            (*item)->bind(3, std::string_view(reference.sop_class_uid));
            (*item)->bind(4, std::string_view(reference.sop_instance_uid));
            if (auto done = (*item)->run(); !done) return std::move(done).error();
        }
        return id;
    }

    std::mutex mutex_;
    std::unique_ptr<Database> database_;
};

}  // namespace

Result<std::unique_ptr<CommitmentLog>> CommitmentLog::open(const std::string& data_dir) {
    auto database = open_log(data_dir + "/commitments.sqlite", kVersion, kScript);
    if (!database) return std::move(database).error();
    return std::unique_ptr<CommitmentLog>(std::make_unique<SqliteCommitmentLog>(std::move(*database)));
}

}  // namespace sagitta::storage
