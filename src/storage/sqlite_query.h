// Match keys compiled to SQL: the same answers as dicom::matches, found through the database's
// indexes where there are any. Internal to storage; pure.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dicom/matching.h"
#include "storage/instance_record.h"
#include "storage/query.h"

namespace sagitta::storage {

/// A SELECT with the values to bind, from parameter 1.
struct CompiledQuery {
    std::string sql;
    std::vector<std::string> values;
    std::vector<Attribute> attributes;  ///< of the first columns of a row; `value` is empty
    int location_column = 0;            ///< the first of kLocationColumns, when they were asked for
};

/// Runs a statement of one row and one number; nothing when it cannot.
using RowCounter = std::function<std::optional<std::int64_t>(const CompiledQuery&)>;

/// UID keys and the most selective other key become conditions an index answers; the function
/// dicom_match(n, stored), which must be known to the connection, judges the rest row by row: it
/// stands for dicom::matches(query.keys[n], stored). dicom_match_instant(n, date, time) does the same for
/// query.date_times[n]. Of the attributes `chosen`, rows of series_key narrow the search. Where several keys
/// could narrow it, `count` tells which does most (a common name finds more than a day); without it their
/// kind does.
[[nodiscard]] CompiledQuery compile(const Query& query, std::span<const dicom::Tag> chosen = {},
                                    const RowCounter& count = {});

/// The instances in a scope, kLocationColumns of each; no SQL when nothing is asked for.
[[nodiscard]] CompiledQuery compile(const Scope& scope);

/// Keys compile() cannot express: those without a column at the level or above.
[[nodiscard]] std::vector<dicom::MatchKey> keys_without_column(const Query& query);

/// Columns of `instance i` that make an InstanceLocation.
inline constexpr std::string_view kLocationColumns =
    "i.sop_uid, i.sop_class, i.transfer_syntax, i.volume, i.file_offset, i.file_length, i.data_set_offset, "
    "i.header_length";

/// ["…","…"] for json_each: a list of any length in one bound value. Without those that hold a
/// NUL, where SQLite would end them.
[[nodiscard]] std::string json_list(const std::vector<std::string>& values);

}  // namespace sagitta::storage
