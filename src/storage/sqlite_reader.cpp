#include "storage/sqlite_reader.h"

#include <sqlite3.h>

#include <utility>

#include "dicom/matching.h"

namespace sagitta::storage {
namespace {

/// dicom_match(n, stored): the one definition of matching, called from SQL.
void dicom_match(sqlite3_context* context, int, sqlite3_value** arguments) {
    const auto* reader = static_cast<const Reader*>(sqlite3_user_data(context));
    const auto n = static_cast<std::size_t>(sqlite3_value_int64(arguments[0]));
    if (reader->query == nullptr || n >= reader->query->keys.size()) {
        return sqlite3_result_error(context, "dicom_match outside a query", -1);
    }
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(arguments[1]));
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(arguments[1]));
    const std::string_view stored(text != nullptr ? text : "", text != nullptr ? size : 0);
    sqlite3_result_int(context, dicom::matches(reader->query->keys[n], stored) ? 1 : 0);
}

}  // namespace

Result<std::unique_ptr<Reader>> open_reader(const std::string& path) {
    auto database = Database::open(path, Database::Use::read);
    if (!database) return std::move(database).error();
    auto reader = std::make_unique<Reader>();
    reader->database = std::move(*database);
    const int code = sqlite3_create_function_v2(reader->database->handle(), "dicom_match", 2,
                                                SQLITE_UTF8 | SQLITE_DIRECTONLY, reader.get(), dicom_match,
                                                nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return Error(Errc::io_failure, "index: cannot define dicom_match");
    return reader;
}

}  // namespace sagitta::storage
