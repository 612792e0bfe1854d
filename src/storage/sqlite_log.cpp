#include "storage/sqlite_log.h"

#include <fmt/format.h>

#include <utility>

namespace sagitta::storage {

Result<std::int64_t> log_version(Database& database, const std::string& path, std::int64_t known) {
    auto version = database.integer("PRAGMA user_version");
    if (!version) return std::move(version).error().within(path);
    if (*version > known) return Error(Errc::unsupported, path + ": written by a newer version");
    return version;
}

Result<std::unique_ptr<Database>> open_log(const std::string& path, std::int64_t known,
                                           std::string_view script) {
    auto database = Database::open(path, Database::Use::write);
    if (!database) return database;
    // Nothing can be derived here: every answer waits for the disk.
    if (auto set = (*database)->execute("PRAGMA synchronous=FULL"); !set) return std::move(set).error();
    auto version = log_version(**database, path, known);
    if (!version) return std::move(version).error();
    if (*version == 0) {
        auto made =
            (*database)->execute(fmt::format("BEGIN; {} PRAGMA user_version={}; COMMIT;", script, known));
        if (!made) return std::move(made).error().within(path);
    }
    return database;
}

}  // namespace sagitta::storage
