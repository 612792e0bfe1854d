#include "storage/sqlite_reader.h"

#include <sqlite3.h>

#include <utility>

#include "dicom/matching.h"

namespace sagitta::storage {
namespace {

std::string_view text_of(sqlite3_value* value) {
    const auto* text = reinterpret_cast<const char*>(sqlite3_value_text(value));
    const auto size = static_cast<std::size_t>(sqlite3_value_bytes(value));
    return text != nullptr ? std::string_view(text, size) : std::string_view();
}

/// dicom_match(n, stored): the one definition of matching, called from SQL.
void dicom_match(sqlite3_context* context, int, sqlite3_value** arguments) {
    const auto* reader = static_cast<const Reader*>(sqlite3_user_data(context));
    const auto n = static_cast<std::size_t>(sqlite3_value_int64(arguments[0]));
    if (reader->query == nullptr || n >= reader->query->keys.size()) {
        return sqlite3_result_error(context, "dicom_match outside a query", -1);
    }
    const auto stored = text_of(arguments[1]);
    sqlite3_result_int(context, dicom::matches(reader->query->keys[n], stored) ? 1 : 0);
}

/// dicom_match_instant(n, date, time): the same for a date with its time.
void dicom_match_instant(sqlite3_context* context, int, sqlite3_value** arguments) {
    const auto* reader = static_cast<const Reader*>(sqlite3_user_data(context));
    const auto n = static_cast<std::size_t>(sqlite3_value_int64(arguments[0]));
    if (reader->query == nullptr || n >= reader->query->date_times.size()) {
        return sqlite3_result_error(context, "dicom_match_instant outside a query", -1);
    }
    const auto& key = reader->query->date_times[n];
    sqlite3_result_int(context, key.matches(text_of(arguments[1]), text_of(arguments[2])) ? 1 : 0);
}

}  // namespace

Result<std::unique_ptr<Reader>> open_reader(const std::string& path) {
    auto database = Database::open(path, Database::Use::read);
    if (!database) return std::move(database).error();
    auto reader = std::make_unique<Reader>();
    reader->database = std::move(*database);
    const auto define = [&](const char* name, int arguments, auto* function) {
        return sqlite3_create_function_v2(reader->database->handle(), name, arguments,
                                          SQLITE_UTF8 | SQLITE_DIRECTONLY, reader.get(), function, nullptr,
                                          nullptr, nullptr) == SQLITE_OK;
    };
    if (!define("dicom_match", 2, dicom_match) || !define("dicom_match_instant", 3, dicom_match_instant))
        return Error(Errc::io_failure, "index: cannot define dicom_match");
    return reader;
}

}  // namespace sagitta::storage
