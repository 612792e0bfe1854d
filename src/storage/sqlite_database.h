// Thin RAII over the C API of SQLite: connections and prepared statements, failures as Result.
// Internal to storage. A connection and its statements belong to one thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace sagitta::storage {

/// A prepared statement. Values are bound from 1, columns read from 0. Bound text and blobs must
/// live until the statement is reset.
class Statement {
public:
    Statement() = default;
    Statement(sqlite3* database, sqlite3_stmt* statement);

    void bind(int index, std::int64_t value);
    void bind(int index, std::string_view text);
    void bind(int index, std::span<const std::byte> blob);

    /// True: there is a row to read. Errors: no_space, corrupt, io_failure, already_exists (a
    /// uniqueness constraint).
    [[nodiscard]] Result<bool> step();
    /// step() that expects no row, then reset().
    [[nodiscard]] Result<void> run();
    void reset();

    [[nodiscard]] std::int64_t integer(int column) const;
    /// Valid until the next step or reset.
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::span<const std::byte> blob(int column) const;

private:
    struct Finalize {
        void operator()(sqlite3_stmt* statement) const noexcept;
    };
    sqlite3* database_ = nullptr;
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
    int failed_bind_ = 0;
};

/// Resets the statement at the end of a scope, so that it holds no read transaction.
class ResetAtEnd {
public:
    explicit ResetAtEnd(Statement& statement) : statement_(statement) {}
    ~ResetAtEnd() { statement_.reset(); }
    ResetAtEnd(const ResetAtEnd&) = delete;
    ResetAtEnd& operator=(const ResetAtEnd&) = delete;

private:
    Statement& statement_;
};

class Database {
public:
    enum class Use : std::uint8_t { write, read, bulk_load };

    /// write: creates the file when it is missing. bulk_load: no journal, for a file nobody needs
    /// when it fails. Errors: corrupt, io_failure, no_space.
    [[nodiscard]] static Result<std::unique_ptr<Database>> open(const std::string& path, Use use);

    /// One or more statements without values or answers.
    [[nodiscard]] Result<void> execute(const std::string& sql);

    /// The statement for this text, prepared once and kept; reset by the caller after use.
    [[nodiscard]] Result<Statement*> cached(const std::string& sql);

    /// The first column of the first row.
    [[nodiscard]] Result<std::int64_t> integer(const std::string& sql);
    [[nodiscard]] Result<std::string> text(const std::string& sql);

    [[nodiscard]] std::int64_t last_insert_id() const noexcept;
    /// By the last statement that changed any.
    [[nodiscard]] std::int64_t changed_rows() const noexcept;
    [[nodiscard]] sqlite3* handle() const noexcept { return database_.get(); }

private:
    struct Close {
        void operator()(sqlite3* database) const noexcept;
    };
    Database() = default;
    Result<void> configure(Use use);

    std::unique_ptr<sqlite3, Close> database_;
    std::unordered_map<std::string, Statement> statements_;
};

}  // namespace sagitta::storage
