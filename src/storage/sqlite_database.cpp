#include "storage/sqlite_database.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include <utility>

namespace sagitta::storage {
namespace {

constexpr std::size_t kKeptStatements = 128;

/// SQLite's messages name tables and columns, never bound values.
Error failure(sqlite3* database, int code) {
    const auto text =
        fmt::format("index: {}", database != nullptr ? sqlite3_errmsg(database) : sqlite3_errstr(code));
    switch (code & 0xff) {
        case SQLITE_FULL: return {Errc::no_space, text};
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB: return {Errc::corrupt, text};
        case SQLITE_CONSTRAINT: return {Errc::already_exists, text};
        default: return {Errc::io_failure, text};
    }
}

/// SQLite would make it readable by all; the journals beside it take its mode. Only when it is not
/// there: closing a descriptor of a database that is open drops SQLite's locks on it (POSIX).
void create_for_owner_and_group(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (descriptor >= 0) ::close(descriptor);  // else SQLite will say why
}

/// Nobody asks SQLite how much memory it has, and counting takes a lock for each allocation. Only before it
/// is used for the first time; later it is refused, and nothing but time is lost.
void count_no_memory() {
    [[maybe_unused]] static const int once = sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const noexcept {
    sqlite3_finalize(statement);
}

Statement::Statement(sqlite3* database, sqlite3_stmt* statement)
    : database_(database), statement_(statement) {}

void Statement::bind(int index, std::int64_t value) {
    if (const int code = sqlite3_bind_int64(statement_.get(), index, value)) failed_bind_ = code;
}

void Statement::bind(int index, std::string_view text) {
    const char* data = text.data() != nullptr ? text.data() : "";
    const int code =
        sqlite3_bind_text64(statement_.get(), index, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
    if (code) failed_bind_ = code;
}

void Statement::bind(int index, std::span<const std::byte> blob) {
    const int code = sqlite3_bind_blob64(statement_.get(), index, blob.data(), blob.size(), SQLITE_STATIC);
    if (code) failed_bind_ = code;
}

Result<bool> Statement::step() {
    if (const int code = std::exchange(failed_bind_, 0)) return failure(nullptr, code);
    const int code = sqlite3_step(statement_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    return failure(database_, code);
}

Result<void> Statement::run() {
    auto stepped = step();
    reset();
    if (!stepped) return std::move(stepped).error();
    return {};
}

void Statement::reset() {
    sqlite3_reset(statement_.get());
}

std::int64_t Statement::integer(int column) const {
    return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
    if (data == nullptr) return {};
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

std::span<const std::byte> Statement::blob(int column) const {
    const auto* data = static_cast<const std::byte*>(sqlite3_column_blob(statement_.get(), column));
    return {data, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column))};
}

void Database::Close::operator()(sqlite3* database) const noexcept {
    sqlite3_close_v2(database);
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path, Use use) {
    std::unique_ptr<Database> opened(new Database());
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
    if (use != Use::read) {
        flags |= SQLITE_OPEN_CREATE;
        create_for_owner_and_group(path);
    }
    count_no_memory();
    sqlite3* raw = nullptr;
    const int code = sqlite3_open_v2(path.c_str(), &raw, flags, nullptr);
    opened->database_.reset(raw);
    if (code != SQLITE_OK) return failure(raw, code).within(path);
    sqlite3_busy_timeout(raw, 10'000);
    if (auto configured = opened->configure(use); !configured)
        return std::move(configured).error().within(path);
    return opened;
}

Result<void> Database::configure(Use use) {
    switch (use) {
        case Use::write:
            // The index is derived: NORMAL may lose the last transactions on power loss, never more,
            // and start-up reads them again out of the volumes.
            return execute(
                "PRAGMA page_size=4096; PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA "
                "cache_size=-65536;"
                "PRAGMA temp_store=MEMORY; PRAGMA wal_autocheckpoint=8000; PRAGMA "
                "journal_size_limit=67108864");
        case Use::read:
            return execute("PRAGMA query_only=1; PRAGMA cache_size=-16384; PRAGMA temp_store=MEMORY");
        case Use::bulk_load:
            return execute(
                "PRAGMA page_size=4096; PRAGMA journal_mode=MEMORY; PRAGMA synchronous=OFF;"
                "PRAGMA cache_size=-131072; PRAGMA temp_store=MEMORY");
    }
    return {};
}

Result<void> Database::execute(const std::string& sql) {
    const int code = sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return failure(database_.get(), code);
    return {};
}

Result<Statement*> Database::cached(const std::string& sql) {
    if (const auto known = statements_.find(sql); known != statements_.end()) return &known->second;
    if (statements_.size() >= kKeptStatements) statements_.clear();
    sqlite3_stmt* raw = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
    if (code != SQLITE_OK) return failure(database_.get(), code);
    return &statements_.emplace(sql, Statement(database_.get(), raw)).first->second;
}

Result<std::int64_t> Database::integer(const std::string& sql) {
    auto statement = cached(sql);
    if (!statement) return std::move(statement).error();
    const ResetAtEnd reset(**statement);
    auto row = (*statement)->step();
    if (!row) return std::move(row).error();
    return *row ? (*statement)->integer(0) : 0;
}

Result<std::string> Database::text(const std::string& sql) {
    auto statement = cached(sql);
    if (!statement) return std::move(statement).error();
    const ResetAtEnd reset(**statement);
    auto row = (*statement)->step();
    if (!row) return std::move(row).error();
    return *row ? std::string((*statement)->text(0)) : std::string();
}

std::int64_t Database::changed_rows() const noexcept {
    return sqlite3_changes(database_.get());
}

std::int64_t Database::last_insert_id() const noexcept {
    return sqlite3_last_insert_rowid(database_.get());
}

}  // namespace sagitta::storage
