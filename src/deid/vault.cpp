#include "deid/vault.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <pwd.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <mutex>
#include <utility>

#include "deid/sealed_box.h"

namespace sagitta::deid {
namespace {

constexpr const char* kSchema = R"(
CREATE TABLE IF NOT EXISTS vault (version INTEGER NOT NULL, key_id TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS mapping (kind INTEGER NOT NULL, pseudonym TEXT NOT NULL, original BLOB NOT NULL,
    PRIMARY KEY (kind, pseudonym)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS audit (at TEXT NOT NULL, user TEXT NOT NULL, action TEXT NOT NULL, detail TEXT NOT NULL);
)";
constexpr int kVersion = 1;

using Statement = std::unique_ptr<sqlite3_stmt, decltype(&sqlite3_finalize)>;

std::string bound_to(Mapping::Kind kind, std::string_view pseudonym) {
    return fmt::format("{}:{}", static_cast<int>(kind), pseudonym);
}

std::string user_name() {
    std::array<char, 4096> buffer{};
    struct passwd entry {};
    struct passwd* found = nullptr;
    if (::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr)
        return found->pw_name;
    return fmt::format("uid {}", ::getuid());
}

std::string now_text() {
    const std::time_t now = std::time(nullptr);
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1,
                       utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
}

// Made before SQLite sees it, so that it never exists with other rights.
Result<void> prepare_file(const std::string& path) {
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (file < 0) return Error(Errc::io_failure, fmt::format("{}: {}", path, std::strerror(errno)));
    struct stat status {};
    const bool known = ::fstat(file, &status) == 0;
    ::close(file);
    if (!known || (status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
        return Error(Errc::refused, path + ": others than its owner may read this vault: chmod 600");
    return {};
}

}  // namespace

struct Vault::State {
    std::string path;
    Digest key{};
    sqlite3* database = nullptr;
    mutable std::mutex mutex;

    State() = default;
    State(const State&) = delete;
    State& operator=(const State&) = delete;
    ~State() { sqlite3_close(database); }

    [[nodiscard]] Error failure() const {
        return {Errc::io_failure, fmt::format("{}: {}", path, sqlite3_errmsg(database))};
    }
    [[nodiscard]] Result<void> run(const char* sql) const {
        if (sqlite3_exec(database, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
        return {};
    }
    [[nodiscard]] Statement prepare(const char* sql) const {
        sqlite3_stmt* statement = nullptr;
        sqlite3_prepare_v2(database, sql, -1, &statement, nullptr);
        return {statement, sqlite3_finalize};
    }
    static void bind(const Statement& statement, int at, std::string_view text) {
        sqlite3_bind_text(statement.get(), at, text.data(), static_cast<int>(text.size()), SQLITE_TRANSIENT);
    }
    static std::string_view column(const Statement& statement, int at) {
        const void* bytes = sqlite3_column_blob(statement.get(), at);
        return {static_cast<const char*>(bytes),
                static_cast<std::size_t>(sqlite3_column_bytes(statement.get(), at))};
    }
    [[nodiscard]] Result<void> check_owner(const std::string& key_id) const;
    [[nodiscard]] Result<void> add_all(std::span<const Mapping> mappings) const;
};

// One vault, one key: entries of another could never be opened.
Result<void> Vault::State::check_owner(const std::string& key_id) const {
    const auto read = prepare("SELECT version, key_id FROM vault");
    if (!read) return failure();
    const int step = sqlite3_step(read.get());
    if (step == SQLITE_DONE) {
        const auto write = prepare("INSERT INTO vault (version, key_id) VALUES (?1, ?2)");
        if (!write) return failure();
        sqlite3_bind_int(write.get(), 1, kVersion);
        bind(write, 2, key_id);
        if (sqlite3_step(write.get()) != SQLITE_DONE) return failure();
        return {};
    }
    if (step != SQLITE_ROW) return failure();
    if (sqlite3_column_int(read.get(), 0) != kVersion)
        return Error(Errc::unsupported, path + ": is a vault of another version");
    if (column(read, 1) != key_id) return Error(Errc::refused, path + ": is the vault of another key");
    return {};
}

Result<void> Vault::State::add_all(std::span<const Mapping> mappings) const {
    const auto insert =
        prepare("INSERT OR IGNORE INTO mapping (kind, pseudonym, original) VALUES (?1, ?2, ?3)");
    if (!insert) return failure();
    for (const Mapping& mapping : mappings) {
        const auto sealed = seal(key, mapping.original, bound_to(mapping.kind, mapping.pseudonym));
        if (!sealed) return sealed.error();
        sqlite3_reset(insert.get());
        sqlite3_bind_int(insert.get(), 1, static_cast<int>(mapping.kind));
        bind(insert, 2, mapping.pseudonym);
        sqlite3_bind_blob(insert.get(), 3, sealed->data(), static_cast<int>(sealed->size()),
                          SQLITE_TRANSIENT);
        if (sqlite3_step(insert.get()) != SQLITE_DONE) return failure();
    }
    return {};
}

Vault::Vault(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
Vault::Vault(Vault&&) noexcept = default;
Vault& Vault::operator=(Vault&&) noexcept = default;
Vault::~Vault() = default;

Result<Vault> Vault::open(const std::string& path, const ProjectKey& key) {
    if (auto prepared = prepare_file(path); !prepared) return prepared.error();
    auto state = std::make_unique<State>();
    state->path = path;
    state->key = key.mac("vault", key.identifier());
    if (sqlite3_open_v2(path.c_str(), &state->database, SQLITE_OPEN_READWRITE, nullptr) != SQLITE_OK)
        return state->failure();
    sqlite3_busy_timeout(state->database, 10'000);
    // A write-ahead log costs one sync for each transaction.
    for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", kSchema}) {
        if (auto done = state->run(sql); !done) return done.error();
    }
    if (auto owner = state->check_owner(key.identifier()); !owner) return owner.error();
    return Vault(std::move(state));
}

Result<void> Vault::add(std::span<const Mapping> mappings) {
    const std::lock_guard lock(state_->mutex);
    if (auto begun = state_->run("BEGIN IMMEDIATE"); !begun) return begun;
    if (auto added = state_->add_all(mappings); !added) {
        (void)state_->run("ROLLBACK");
        return added;
    }
    return state_->run("COMMIT");
}

Result<std::optional<std::string>> Vault::find(Mapping::Kind kind, std::string_view pseudonym) const {
    const std::lock_guard lock(state_->mutex);
    const auto read = state_->prepare("SELECT original FROM mapping WHERE kind = ?1 AND pseudonym = ?2");
    if (!read) return state_->failure();
    sqlite3_bind_int(read.get(), 1, static_cast<int>(kind));
    State::bind(read, 2, pseudonym);
    const int step = sqlite3_step(read.get());
    if (step == SQLITE_DONE) return std::optional<std::string>();
    if (step != SQLITE_ROW) return state_->failure();
    auto plain = open_sealed(state_->key, State::column(read, 0), bound_to(kind, pseudonym));
    if (!plain) return plain.error();
    return std::optional(std::move(*plain));
}

Result<void> Vault::for_each(Mapping::Kind kind, const Each& each) const {
    const std::lock_guard lock(state_->mutex);
    const auto read = state_->prepare("SELECT pseudonym, original FROM mapping WHERE kind = ?1");
    if (!read) return state_->failure();
    sqlite3_bind_int(read.get(), 1, static_cast<int>(kind));
    int step = SQLITE_ROW;
    while ((step = sqlite3_step(read.get())) == SQLITE_ROW) {
        const std::string pseudonym(State::column(read, 0));
        const auto plain = open_sealed(state_->key, State::column(read, 1), bound_to(kind, pseudonym));
        if (!plain) return plain.error();
        each(pseudonym, *plain);
    }
    if (step != SQLITE_DONE) return state_->failure();
    return {};
}

Result<void> Vault::note(std::string_view action, std::string_view detail) {
    const std::lock_guard lock(state_->mutex);
    const auto write =
        state_->prepare("INSERT INTO audit (at, user, action, detail) VALUES (?1, ?2, ?3, ?4)");
    if (!write) return state_->failure();
    const std::string at = now_text(), user = user_name();
    State::bind(write, 1, at);
    State::bind(write, 2, user);
    State::bind(write, 3, action);
    State::bind(write, 4, detail);
    if (sqlite3_step(write.get()) != SQLITE_DONE) return state_->failure();
    return {};
}

}  // namespace sagitta::deid
