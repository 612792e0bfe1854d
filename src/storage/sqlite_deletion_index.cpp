#include "storage/sqlite_deletion_index.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <set>
#include <utility>

#include "dicom/generated/tags.h"
#include "storage/change_feed.h"
#include "storage/search_forms.h"
#include "storage/sqlite_database.h"
#include "storage/sqlite_query.h"

namespace sagitta::storage {
namespace {

namespace tags = dicom::tags;

constexpr std::string_view kLineColumns =
    "d.study_uid, d.series_uid, d.sop_uid, d.volume, d.file_offset, d.file_length, d.deleted_at, "
    "d.keep_until";

constexpr std::array<std::string_view, 3> kTables{"patient", "study", "series"};

NoteLine line_in(const Statement& row) {
    NoteLine line;
    line.study_uid = row.text(0);
    line.series_uid = row.text(1);
    line.sop_uid = row.text(2);
    line.volume = static_cast<std::uint32_t>(row.integer(3));
    line.offset = static_cast<std::uint64_t>(row.integer(4));
    line.length = static_cast<std::uint64_t>(row.integer(5));
    line.when = row.integer(6);
    line.until = row.integer(7);
    return line;
}

struct Above {
    std::int64_t series = 0;
    std::int64_t study = 0;
    std::int64_t patient = 0;
};

class SqliteDeletionIndex final : public DeletionIndex {
public:
    explicit SqliteDeletionIndex(Database& database) : db_(database) {}

    Result<std::vector<NoteLine>> members_of(const Scope& scope) override;
    Result<std::vector<NoteLine>> restorable(const Scope& scope) override;
    Result<std::vector<NoteLine>> due(std::int64_t until, std::size_t most) override;
    Result<std::vector<DeletedStudy>> deleted() override;
    Result<void> note_completion(const NoteLine& line, const IndexedMember& note) override {
        return note_event(line, note, EventKind::completed);
    }
    Result<bool> is_protected(const std::string& study_uid) override;
    Result<std::vector<std::string>> protected_studies() override;
    Result<void> remove(const NoteLine& line, const IndexedMember& note) override;
    Result<bool> restore(const NoteLine& line, const IndexedMember& note) override;
    Result<void> forget(const NoteLine& line) override;
    Result<void> set_protected(const NoteLine& line) override;
    Result<std::vector<Entity>> settle() override;
    Result<void> touch(const std::string& series_uid) override;
    Result<void> describe(const Entity& entity, const InstanceRecord& record) override;

private:
    Result<void> run_with(const std::string& sql, std::initializer_list<std::int64_t> values);
    Result<std::int64_t> number(const std::string& sql, std::int64_t first,
                                std::optional<std::int64_t> second = {});
    Result<std::vector<NoteLine>> lines(const std::string& sql, std::span<const std::string> texts,
                                        std::span<const std::int64_t> numbers);
    Result<void> note_event(const NoteLine& line, const IndexedMember& note, EventKind kind);
    Result<void> move_to_deleted(const NoteLine& line, const IndexedMember& note, bool served);
    Result<std::vector<Above>> touched();
    Result<void> add_if_left(std::vector<Entity>& left, Level level, std::int64_t id);
    Result<bool> belongs(const Entity& entity, const InstanceRecord& record);
    Result<void> write_keys(const Entity& entity, const InstanceRecord& record);

    Database& db_;
    std::set<std::int64_t> touched_;  // series
};

Result<void> SqliteDeletionIndex::run_with(const std::string& sql,
                                           std::initializer_list<std::int64_t> values) {
    auto statement = db_.cached(sql);
    if (!statement) return std::move(statement).error();
    int index = 0;
    for (const auto value : values) (*statement)->bind(++index, value);
    return (*statement)->run();
}

/// 0 when there is no row.
Result<std::int64_t> SqliteDeletionIndex::number(const std::string& sql, std::int64_t first,
                                                 std::optional<std::int64_t> second) {
    auto statement = db_.cached(sql);
    if (!statement) return std::move(statement).error();
    const ResetAtEnd reset(**statement);
    (*statement)->bind(1, first);
    if (second) (*statement)->bind(2, *second);
    auto row = (*statement)->step();
    if (!row) return std::move(row).error();
    return *row ? (*statement)->integer(0) : 0;
}

Result<std::vector<NoteLine>> SqliteDeletionIndex::lines(const std::string& sql,
                                                         std::span<const std::string> texts,
                                                         std::span<const std::int64_t> numbers) {
    auto select = db_.cached(sql);
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    int index = 0;
    for (const auto& text : texts) (*select)->bind(++index, std::string_view(text));
    for (const auto value : numbers) (*select)->bind(++index, value);
    std::vector<NoteLine> all;
    while (true) {
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return all;
        all.push_back(line_in(**select));
    }
}

Result<std::vector<NoteLine>> SqliteDeletionIndex::members_of(const Scope& scope) {
    const auto compiled = compile(scope);
    std::vector<std::string> uids;
    if (compiled.sql.empty()) return std::vector<NoteLine>();
    {
        auto select = db_.cached(compiled.sql);
        if (!select) return std::move(select).error();
        const ResetAtEnd reset(**select);
        for (std::size_t i = 0; i < compiled.values.size(); ++i) {
            (*select)->bind(static_cast<int>(i) + 1, std::string_view(compiled.values[i]));
        }
        while (true) {
            auto row = (*select)->step();
            if (!row) return std::move(row).error();
            if (!*row) break;
            uids.emplace_back((*select)->text(0));
        }
    }
    // The superseded ones hold what the served one does, and come under its study and series.
    const std::string sql =
        "SELECT t.study_uid, s.series_uid, i.sop_uid, m.volume, m.file_offset, m.file_length, 0, 0 FROM "
        "instance i JOIN series s ON s.id = i.series JOIN study t ON t.id = s.study JOIN (SELECT sop_uid, "
        "volume, file_offset, file_length FROM instance WHERE sop_uid = ?1 UNION ALL SELECT sop_uid, volume, "
        "file_offset, file_length FROM superseded WHERE sop_uid = ?1) m WHERE i.sop_uid = ?1 ORDER BY "
        "m.volume, m.file_offset";
    std::vector<NoteLine> all;
    for (const auto& uid : uids) {
        auto members = lines(sql, {&uid, 1}, {});
        if (!members) return members;
        all.insert(all.end(), std::make_move_iterator(members->begin()),
                   std::make_move_iterator(members->end()));
    }
    return all;
}

Result<std::vector<NoteLine>> SqliteDeletionIndex::restorable(const Scope& scope) {
    std::string where;
    std::vector<std::string> texts;
    auto add = [&](std::string_view column, const std::vector<std::string>& list) {
        if (list.empty()) return;
        texts.push_back(json_list(list));
        where += fmt::format("d.{} IN (SELECT value FROM json_each(?{})) AND ", column, texts.size());
    };
    add("study_uid", scope.study_instance_uids);
    add("series_uid", scope.series_instance_uids);
    add("sop_uid", scope.sop_instance_uids);
    if (where.empty()) return std::vector<NoteLine>();
    return lines(
        fmt::format(
            "SELECT {} FROM deleted d WHERE {} NOT EXISTS (SELECT 1 FROM instance i WHERE i.sop_uid = "
            "d.sop_uid) AND NOT EXISTS (SELECT 1 FROM deleted e WHERE e.sop_uid = d.sop_uid AND "
            "(e.note_volume, e.note_offset) > (d.note_volume, d.note_offset)) AND EXISTS (SELECT 1 "
            "FROM deleted f WHERE f.sop_uid = d.sop_uid AND f.served = 1 AND f.note_volume = "
            "d.note_volume AND f.note_offset = d.note_offset) ORDER BY d.volume, d.file_offset",
            kLineColumns, where),
        texts, {});
}

Result<std::vector<NoteLine>> SqliteDeletionIndex::due(std::int64_t until, std::size_t most) {
    const std::array numbers{until, static_cast<std::int64_t>(most)};
    return lines(fmt::format("SELECT {} FROM deleted d WHERE d.keep_until <= ?1 ORDER BY d.volume, "
                             "d.file_offset LIMIT ?2",
                             kLineColumns),
                 {}, numbers);
}

Result<std::vector<DeletedStudy>> SqliteDeletionIndex::deleted() {
    auto select = db_.cached(
        "SELECT study_uid, sum(served), sum(file_length), deleted_at, keep_until FROM deleted GROUP BY "
        "study_uid, note_volume, note_offset ORDER BY deleted_at, study_uid");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    std::vector<DeletedStudy> all;
    while (true) {
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return all;
        all.push_back({std::string((*select)->text(0)), static_cast<std::uint64_t>((*select)->integer(1)),
                       static_cast<std::uint64_t>((*select)->integer(2)), (*select)->integer(3),
                       (*select)->integer(4)});
    }
}

Result<bool> SqliteDeletionIndex::is_protected(const std::string& study_uid) {
    auto select = db_.cached("SELECT 1 FROM protected WHERE study_uid = ?");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, std::string_view(study_uid));
    return (*select)->step();
}

Result<std::vector<std::string>> SqliteDeletionIndex::protected_studies() {
    auto select = db_.cached("SELECT study_uid FROM protected ORDER BY study_uid");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    std::vector<std::string> all;
    while (true) {
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return all;
        all.emplace_back((*select)->text(0));
    }
}

Result<void> SqliteDeletionIndex::note_event(const NoteLine& line, const IndexedMember& note,
                                             EventKind kind) {
    auto insert = db_.cached(
        "INSERT OR REPLACE INTO note_event (volume, place, kind, sop_uid, series_uid, study_uid, time) "
        "VALUES "
        "(?, ?, ?, ?, ?, ?, ?)");
    if (!insert) return std::move(insert).error();
    auto& row = **insert;
    row.bind(1, static_cast<std::int64_t>(note.volume));
    row.bind(2, static_cast<std::int64_t>(note.offset + line.place));
    row.bind(3, static_cast<std::int64_t>(kind));
    row.bind(4, std::string_view(line.sop_uid));
    row.bind(5, std::string_view(line.series_uid));
    row.bind(6, std::string_view(line.study_uid));
    row.bind(7, line.when);
    return row.run();
}

Result<void> SqliteDeletionIndex::move_to_deleted(const NoteLine& line, const IndexedMember& note,
                                                  bool served) {
    const std::string_view from = served ? "instance" : "superseded";
    auto insert = db_.cached(fmt::format(
        "INSERT OR REPLACE INTO deleted (volume, file_offset, file_length, sop_uid, series_uid, study_uid, "
        "served, digest, received, note_volume, note_offset, deleted_at, keep_until) SELECT volume, "
        "file_offset, file_length, sop_uid, ?3, ?4, {}, digest, received, ?5, ?6, ?7, ?8 FROM {} WHERE "
        "volume "
        "= ?1 AND file_offset = ?2",
        served ? 1 : 0, from));
    if (!insert) return std::move(insert).error();
    auto& row = **insert;
    row.bind(1, static_cast<std::int64_t>(line.volume));
    row.bind(2, static_cast<std::int64_t>(line.offset));
    row.bind(3, std::string_view(line.series_uid));
    row.bind(4, std::string_view(line.study_uid));
    row.bind(5, static_cast<std::int64_t>(note.volume));
    row.bind(6, static_cast<std::int64_t>(note.offset));
    row.bind(7, line.when);
    row.bind(8, line.until);
    if (auto done = row.run(); !done) return done;
    return run_with(fmt::format("DELETE FROM {} WHERE volume = ? AND file_offset = ?", from),
                    {line.volume, static_cast<std::int64_t>(line.offset)});
}

Result<void> SqliteDeletionIndex::remove(const NoteLine& line, const IndexedMember& note) {
    if (auto noted = note_event(line, note, EventKind::deleted); !noted) return noted;
    const auto offset = static_cast<std::int64_t>(line.offset);
    auto series =
        number("SELECT series FROM instance WHERE volume = ? AND file_offset = ?", line.volume, offset);
    if (!series) return std::move(series).error();
    if (*series != 0) touched_.insert(*series);
    return move_to_deleted(line, note, *series != 0);
}

Result<bool> SqliteDeletionIndex::restore(const NoteLine& line, const IndexedMember& note) {
    if (auto noted = note_event(line, note, EventKind::restored); !noted) return std::move(noted).error();
    const auto offset = static_cast<std::int64_t>(line.offset);
    auto served =
        number("SELECT served FROM deleted WHERE volume = ? AND file_offset = ?", line.volume, offset);
    if (!served) return std::move(served).error();
    Result<void> done;
    if (*served == 0) {
        done = run_with(
            "INSERT OR REPLACE INTO superseded (volume, file_offset, file_length, sop_uid, digest, received) "
            "SELECT volume, file_offset, file_length, sop_uid, digest, received FROM deleted WHERE volume = "
            "? "
            "AND file_offset = ?",
            {line.volume, offset});
    }
    if (done) done = forget(line);
    if (!done) return std::move(done).error();
    return *served != 0;
}

Result<void> SqliteDeletionIndex::forget(const NoteLine& line) {
    return run_with("DELETE FROM deleted WHERE volume = ? AND file_offset = ?",
                    {line.volume, static_cast<std::int64_t>(line.offset)});
}

Result<void> SqliteDeletionIndex::set_protected(const NoteLine& line) {
    auto change = db_.cached(line.kind == NoteKind::protect
                                 ? "INSERT OR REPLACE INTO protected (study_uid, since) VALUES (?1, ?2)"
                                 : "DELETE FROM protected WHERE study_uid = ?1");
    if (!change) return std::move(change).error();
    (*change)->bind(1, std::string_view(line.study_uid));
    if (line.kind == NoteKind::protect) (*change)->bind(2, line.when);
    return (*change)->run();
}

Result<void> SqliteDeletionIndex::touch(const std::string& series_uid) {
    auto select = db_.cached("SELECT id FROM series WHERE series_uid = ?");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, std::string_view(series_uid));
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (*row) touched_.insert((*select)->integer(0));
    return {};
}

Result<std::vector<Above>> SqliteDeletionIndex::touched() {
    std::vector<Above> all;
    for (const auto series : std::exchange(touched_, {})) {
        auto study = number("SELECT study FROM series WHERE id = ?", series);
        if (!study) return std::move(study).error();
        auto patient = number("SELECT patient FROM study WHERE id = ?", *study);
        if (!patient) return std::move(patient).error();
        if (*study != 0) all.push_back({series, *study, *patient});
    }
    return all;
}

/// The entity with the member that lies first, or nothing when it is empty.
Result<void> SqliteDeletionIndex::add_if_left(std::vector<Entity>& left, Level level, std::int64_t id) {
    static constexpr std::array<std::string_view, 3> kFrom{
        "study t JOIN series s ON s.study = t.id JOIN instance i ON i.series = s.id WHERE t.patient",
        "series s JOIN instance i ON i.series = s.id WHERE s.study", "instance i WHERE i.series"};
    auto select = db_.cached(
        fmt::format("SELECT i.volume, i.file_offset, i.file_length FROM {} = ? ORDER BY +i.volume, "
                    "+i.file_offset LIMIT 1",
                    kFrom[static_cast<std::size_t>(level)]));
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, id);
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) return {};
    const auto& at = **select;
    left.push_back(
        {level, id,
         IndexedMember{static_cast<std::uint32_t>(at.integer(0)), static_cast<std::uint64_t>(at.integer(1)),
                       static_cast<std::uint64_t>(at.integer(2))}});
    return {};
}

Result<std::vector<Entity>> SqliteDeletionIndex::settle() {
    auto all = touched();
    if (!all) return std::move(all).error();
    std::set<std::int64_t> studies, patients;
    std::vector<Entity> left;
    Result<void> done;
    for (const auto& [series, study, patient] : *all) {
        studies.insert(study);
        patients.insert(patient);
        done = run_with(
            "UPDATE series SET instance_count = (SELECT count(*) FROM instance WHERE series = ?1) WHERE id = "
            "?1",
            {series});
        if (done) done = run_with("DELETE FROM series WHERE id = ? AND instance_count = 0", {series});
        if (done) done = add_if_left(left, Level::series, series);
        if (!done) return std::move(done).error();
    }
    for (const auto study : studies) {
        done = run_with(
            "UPDATE study SET (series_count, instance_count) = (SELECT count(*), "
            "coalesce(sum(instance_count), "
            "0) FROM series WHERE study = ?1), modalities = (SELECT coalesce(group_concat(modality, '\\'), "
            "'') "
            "FROM (SELECT DISTINCT modality FROM series WHERE study = ?1 AND modality <> '' ORDER BY "
            "modality)), sop_classes = (SELECT coalesce(group_concat(sop_class, '\\'), '') FROM (SELECT "
            "DISTINCT sop_class FROM instance JOIN series ON series.id = instance.series WHERE series.study "
            "= "
            "?1 ORDER BY sop_class)) WHERE id = ?1",
            {study});
        if (done)
            done = run_with(
                "DELETE FROM study_key WHERE study = ?1 AND (SELECT series_count FROM study WHERE id = ?1) = "
                "0",
                {study});
        if (done) done = run_with("DELETE FROM study WHERE id = ? AND series_count = 0", {study});
        if (done) done = add_if_left(left, Level::study, study);
        if (!done) return std::move(done).error();
    }
    for (const auto patient : patients) {
        done = run_with(
            "UPDATE patient SET (study_count, series_count, instance_count) = (SELECT count(*), "
            "coalesce(sum(series_count), 0), coalesce(sum(instance_count), 0) FROM study WHERE patient = ?1) "
            "WHERE id = ?1",
            {patient});
        if (done)
            done = run_with(
                "DELETE FROM patient_key WHERE patient = ?1 AND (SELECT study_count FROM patient WHERE id = "
                "?1) = 0",
                {patient});
        if (done) done = run_with("DELETE FROM patient WHERE id = ? AND study_count = 0", {patient});
        if (done) done = add_if_left(left, Level::patient, patient);
        if (!done) return std::move(done).error();
    }
    return left;
}

/// One that came with another study or patient than it stands under does not describe these.
Result<bool> SqliteDeletionIndex::belongs(const Entity& entity, const InstanceRecord& record) {
    static constexpr std::array<std::string_view, 3> kConditions{
        "patient_id = ?2 AND issuer = ?3 AND patient_id <> ''", "study_uid = ?2", "series_uid = ?2"};
    const auto level = static_cast<std::size_t>(entity.level);
    auto select =
        db_.cached(fmt::format("SELECT 1 FROM {} WHERE id = ?1 AND {}", kTables[level], kConditions[level]));
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, entity.id);
    if (entity.level == Level::patient) {
        (*select)->bind(2, record.value(tags::PatientID));
        (*select)->bind(3, record.value(tags::IssuerOfPatientID));
    } else {
        (*select)->bind(2, entity.level == Level::study ? record.study_instance_uid.view()
                                                        : record.series_instance_uid.view());
    }
    return (*select)->step();
}

Result<void> SqliteDeletionIndex::write_keys(const Entity& entity, const InstanceRecord& record) {
    const auto table = kTables[static_cast<std::size_t>(entity.level)];
    auto done = run_with(fmt::format("DELETE FROM {0}_key WHERE {0} = ?", table), {entity.id});
    if (!done) return done;
    auto insert =
        db_.cached(fmt::format("INSERT INTO {0}_key (attribute, value, {0}) VALUES (?, ?, ?)", table));
    if (!insert) return std::move(insert).error();
    for (const auto& column : searched_columns()) {
        if (column.level != entity.level) continue;
        for (const auto& form : search_forms(column.vr, record.value(column.tag))) {
            (*insert)->bind(1, static_cast<std::int64_t>(column.tag.value));
            (*insert)->bind(2, std::string_view(form));
            (*insert)->bind(3, entity.id);
            if (done = (*insert)->run(); !done) return done;
        }
    }
    return {};
}

Result<void> SqliteDeletionIndex::describe(const Entity& entity, const InstanceRecord& record) {
    auto ours = belongs(entity, record);
    if (!ours) return std::move(ours).error();
    if (!*ours) return {};
    std::string assignments;
    for (const auto& column : index_columns()) {
        if (column.level == entity.level)
            assignments += fmt::format("{}{} = ?", assignments.empty() ? "" : ", ", column.name);
    }
    auto update = db_.cached(fmt::format("UPDATE {} SET {} WHERE id = ?",
                                         kTables[static_cast<std::size_t>(entity.level)], assignments));
    if (!update) return std::move(update).error();
    int index = 0;
    const auto columns = index_columns();
    for (std::size_t n = 0; n < columns.size(); ++n) {
        if (columns[n].level == entity.level) (*update)->bind(++index, std::string_view(record.values[n]));
    }
    (*update)->bind(++index, entity.id);
    if (auto done = (*update)->run(); !done) return done;
    if (entity.level != Level::series) return write_keys(entity, record);
    return run_with(
        "UPDATE study SET modalities = (SELECT coalesce(group_concat(modality, '\\'), '') FROM (SELECT "
        "DISTINCT "
        "modality FROM series WHERE series.study = (SELECT study FROM series WHERE id = ?1) AND modality <> "
        "'' ORDER BY modality)) WHERE id = (SELECT "
        "study FROM series WHERE id = ?1)",
        {entity.id});
}

}  // namespace

std::unique_ptr<DeletionIndex> make_deletion_index(Database& database) {
    return std::make_unique<SqliteDeletionIndex>(database);
}

}  // namespace sagitta::storage
