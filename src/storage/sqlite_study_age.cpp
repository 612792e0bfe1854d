#include <utility>

#include "storage/layout.h"
#include "storage/sqlite_database.h"
#include "storage/study_age.h"

namespace sagitta::storage {
namespace {

/// Rows of UID, last arrival and bytes.
Result<std::vector<StudyAge>> studies(const std::string& data_dir, const std::string& sql,
                                      std::int64_t value) {
    auto database = Database::open(Layout{data_dir}.index(), Database::Use::read);
    if (!database) return std::move(database).error();
    auto select = (*database)->cached(sql);
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, value);
    std::vector<StudyAge> all;
    while (true) {
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return all;
        all.push_back({std::string((*select)->text(0)), (*select)->integer(1),
                       static_cast<std::uint64_t>((*select)->integer(2))});
    }
}

}  // namespace

/// Goes through instances in the order they came: a study is next when its last one is passed.
Result<std::vector<StudyAge>> oldest_studies(const std::string& data_dir, std::size_t most) {
    return studies(
        data_dir,
        "SELECT t.study_uid, (SELECT max(j.received) FROM series r CROSS JOIN instance j ON j.series = r.id "
        "WHERE r.study = t.id), (SELECT sum(j.file_length) FROM series r CROSS JOIN instance j ON j.series = "
        "r.id WHERE r.study = t.id) FROM instance i CROSS JOIN series s ON s.id = i.series CROSS JOIN study "
        "t ON t.id = s.study WHERE (i.volume, i.file_offset) < (SELECT volume, file_offset FROM instance "
        "ORDER BY volume DESC, file_offset DESC LIMIT 1) AND NOT EXISTS (SELECT 1 FROM protected p WHERE "
        "p.study_uid = t.study_uid) AND NOT EXISTS (SELECT 1 FROM series r CROSS JOIN instance j ON j.series "
        "= r.id WHERE r.study = t.id AND (j.volume, j.file_offset) > (i.volume, i.file_offset)) "
        "ORDER BY i.volume, i.file_offset LIMIT ?",
        static_cast<std::int64_t>(most));
}

Result<std::vector<StudyAge>> quiet_studies(const std::string& data_dir, std::int64_t before) {
    return studies(
        data_dir,
        "SELECT t.study_uid, max(i.received) AS last, sum(i.file_length) FROM study t JOIN series s ON "
        "s.study = t.id JOIN instance i ON i.series = s.id GROUP BY t.id HAVING last < ?",
        before);
}

}  // namespace sagitta::storage
