#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/log.h"
#include "dicom/generated/tags.h"
#include "dicom/text.h"
#include "storage/index_writer.h"
#include "storage/search_forms.h"
#include "storage/sqlite_attribute_rows.h"
#include "storage/sqlite_database.h"
#include "storage/sqlite_deletion_index.h"
#include "storage/sqlite_schema.h"

namespace sagitta::storage {
namespace {

namespace tags = dicom::tags;

constexpr std::size_t kKeptParents = 20'000;         // series whose ids are remembered
constexpr std::uint64_t kMostPostponed = 4'000'000;  // rows: some 50 bytes of memory each when sorted

constexpr std::array<std::string_view, 4> kTables{"patient", "study", "series", "instance"};

/// "INSERT INTO <table> (<leading>, <columns>) VALUES (?, …)": first the given columns, then those
/// of index_columns() in order.
std::string insert_sql(Level level, std::string_view leading) {
    std::string names(leading);
    for (const auto& column : index_columns()) {
        if (column.level != level) continue;
        names += fmt::format(",{}", column.name);
    }
    std::string marks = "?";
    for (const char c : names) {
        if (c == ',') marks += ",?";
    }
    return fmt::format("INSERT INTO {} ({}) VALUES ({})", kTables[static_cast<std::size_t>(level)], names,
                       marks);
}

/// Binds what insert_sql lists behind its leading columns.
void bind_columns(Statement& statement, const InstanceRecord& record, Level level, int index) {
    const auto columns = index_columns();
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (columns[i].level == level) statement.bind(index++, std::string_view(record.values[i]));
    }
}

/// Patients without an ID are told apart by name and birth date (docs/STORAGE_FORMAT.md).
std::string anonymous_key(const InstanceRecord& record) {
    if (!record.value(tags::PatientID).empty()) return {};
    return fmt::format("{}\\{}", dicom::fold_person_name(record.value(tags::PatientName)),
                       record.value(tags::PatientBirthDate));
}

struct Parents {
    std::int64_t patient = 0;
    std::int64_t study = 0;
    std::int64_t series = 0;
    std::string study_uid;          ///< to notice a series that comes with another study
    std::size_t patient_id_is = 0;  ///< or another patient: hashed, since an ID may be long
    std::string sop_class;          ///< last noted for the study
    bool reported = false;
};

std::size_t hash_of(std::string_view text) {
    return std::hash<std::string_view>()(text);
}

/// Looks up without making a string of the key.
struct TextHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return hash_of(text); }
};

struct Change {
    std::int64_t studies = 0;
    std::int64_t series = 0;
    std::int64_t instances = 0;
};

class SqliteIndexWriter final : public IndexWriter {
public:
    explicit SqliteIndexWriter(std::unique_ptr<Database> database)
        : db_(std::move(database)),
          deletions_(make_deletion_index(*db_)),
          attributes_(make_attribute_rows(*db_)) {}

    /// From now until optimize(), or until somebody needs them, `instance` has no index but the one its
    /// uniqueness needs: made at once, over all rows (or as many as memory is to hold), the others cost a
    /// fraction.
    Result<void> postpone_indices();

    Result<std::optional<StoredDataSet>> stored(const dicom::Uid& sop_instance_uid) override;
    Result<bool> has_study(const dicom::Uid& study_instance_uid) override;
    Result<void> begin() override { return db_->execute("BEGIN IMMEDIATE"); }
    Result<bool> insert(const IndexEntry& entry) override;
    Result<void> set_mark(const VolumeMark& mark) override;
    Result<void> commit() override;
    void rollback() override;
    Result<std::vector<VolumeMark>> marks() override;
    Result<IndexContents> contents() override;
    Result<DeletionIndex*> deletions() override {
        if (auto done = write_counts(); !done) return std::move(done).error();
        if (auto done = make_indices(); !done) return std::move(done).error();
        forget();
        return deletions_.get();
    }
    AttributeRows& attributes() noexcept override { return *attributes_; }
    Result<void> optimize() override {
        if (auto done = make_indices(); !done) return done;
        return db_->execute(
            "INSERT INTO patient_text (patient_text) VALUES ('optimize');"
            "INSERT INTO study_text (study_text) VALUES ('optimize');"
            "PRAGMA analysis_limit=1000; ANALYZE");
    }

private:
    Result<Parents*> parents(const InstanceRecord& record);
    Result<Parents> find_series(const InstanceRecord& record);
    Result<Parents> create_series(const InstanceRecord& record);
    Result<std::int64_t> find_or_create_study(const InstanceRecord& record, Parents& parents);
    Result<std::int64_t> find_or_create_patient(const InstanceRecord& record);
    Result<void> note_sop_class(Parents& parents, const std::string& sop_class);
    Result<bool> supersede(const InstanceRecord& record);
    Result<void> write_instance(const IndexEntry& entry, const Parents& parents);
    Result<void> write_counts();
    Result<void> make_indices();
    Result<void> remove_empty(std::int64_t series, std::int64_t study, std::int64_t patient);
    Result<void> refresh_study(std::int64_t study);
    Result<void> run_with(const std::string& sql, std::initializer_list<std::int64_t> values);
    Result<std::int64_t> number(const std::string& sql, std::int64_t id);
    Result<void> index_keys(Level level, std::int64_t id, const InstanceRecord& record);
    Result<std::int64_t> insert_row(Level level, std::string_view leading, std::int64_t parent,
                                    const InstanceRecord& record);
    static void report_stray(Parents& known, const IndexEntry& entry);
    void forget();

    std::unique_ptr<Database> db_;
    std::unique_ptr<DeletionIndex> deletions_;
    std::unique_ptr<AttributeRows> attributes_;
    std::unordered_map<std::string, Parents, TextHash, std::equal_to<>> known_;  // by Series Instance UID
    std::unordered_map<std::int64_t, std::string> sop_classes_;             // by study, backslash-separated
    std::unordered_map<std::int64_t, Change> patients_, studies_, series_;  // since begin
    std::vector<std::string> postponed_;                                    // scripts of indices
    std::uint64_t rows_without_ = 0;                                        // since they were postponed
};

Result<void> SqliteIndexWriter::postpone_indices() {
    std::string drop;
    auto select = db_->cached(
        "SELECT name, sql FROM sqlite_schema WHERE type = 'index' AND tbl_name = 'instance' AND sql IS NOT "
        "NULL");
    if (!select) return std::move(select).error();
    {
        const ResetAtEnd reset(**select);
        while (true) {
            auto row = (*select)->step();
            if (!row) return std::move(row).error();
            if (!*row) break;
            drop += fmt::format("DROP INDEX {};", (*select)->text(0));
            postponed_.emplace_back((*select)->text(1));
        }
    }
    return db_->execute(drop);
}

Result<void> SqliteIndexWriter::make_indices() {
    for (const auto& script : std::exchange(postponed_, {})) {
        if (auto done = db_->execute(script); !done) return done;
    }
    return {};
}

Result<std::optional<StoredDataSet>> SqliteIndexWriter::stored(const dicom::Uid& sop_instance_uid) {
    auto select = db_->cached(
        "SELECT digest, file_length - data_set_offset, volume, file_offset, file_length FROM instance WHERE "
        "sop_uid = ?");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, sop_instance_uid.view());
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    if (!*row) return std::optional<StoredDataSet>();
    StoredDataSet found;
    const auto digest = (*select)->blob(0);
    std::copy_n(digest.begin(), std::min(digest.size(), found.digest.bytes.size()),
                found.digest.bytes.begin());
    found.data_set_length = static_cast<std::uint64_t>((*select)->integer(1));
    found.volume = static_cast<std::uint32_t>((*select)->integer(2));
    found.offset = static_cast<std::uint64_t>((*select)->integer(3));
    found.length = static_cast<std::uint64_t>((*select)->integer(4));
    return std::optional(found);
}

Result<bool> SqliteIndexWriter::has_study(const dicom::Uid& study_instance_uid) {
    auto select = db_->cached("SELECT 1 FROM study WHERE study_uid = ?");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, study_instance_uid.view());
    return (*select)->step();
}

Result<void> SqliteIndexWriter::run_with(const std::string& sql, std::initializer_list<std::int64_t> values) {
    auto statement = db_->cached(sql);
    if (!statement) return std::move(statement).error();
    int index = 0;
    for (const auto value : values) (*statement)->bind(++index, value);
    return (*statement)->run();
}

Result<std::int64_t> SqliteIndexWriter::number(const std::string& sql, std::int64_t id) {
    auto statement = db_->cached(sql);
    if (!statement) return std::move(statement).error();
    const ResetAtEnd reset(**statement);
    (*statement)->bind(1, id);
    auto row = (*statement)->step();
    if (!row) return std::move(row).error();
    return *row ? (*statement)->integer(0) : 0;
}

/// A patient, study or series; the answer is its id.
Result<std::int64_t> SqliteIndexWriter::insert_row(Level level, std::string_view leading, std::int64_t parent,
                                                   const InstanceRecord& record) {
    static const std::array<std::string, 3> texts{insert_sql(Level::patient, "anonymous"),
                                                  insert_sql(Level::study, "patient"),
                                                  insert_sql(Level::series, "study")};
    auto statement = db_->cached(texts[static_cast<std::size_t>(level)]);
    if (!statement) return std::move(statement).error();
    if (level == Level::patient)
        (*statement)->bind(1, leading);
    else
        (*statement)->bind(1, parent);
    bind_columns(**statement, record, level, 2);
    if (auto done = (*statement)->run(); !done) return std::move(done).error();
    return db_->last_insert_id();
}

Result<std::int64_t> SqliteIndexWriter::find_or_create_patient(const InstanceRecord& record) {
    const auto anonymous = anonymous_key(record);
    auto select = db_->cached("SELECT id FROM patient WHERE patient_id = ? AND issuer = ? AND anonymous = ?");
    if (!select) return std::move(select).error();
    {
        const ResetAtEnd reset(**select);
        (*select)->bind(1, record.value(tags::PatientID));
        (*select)->bind(2, record.value(tags::IssuerOfPatientID));
        (*select)->bind(3, std::string_view(anonymous));
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (*row) return (*select)->integer(0);
    }
    auto patient = insert_row(Level::patient, anonymous, 0, record);
    if (!patient) return patient;
    if (auto done = index_keys(Level::patient, *patient, record); !done) return std::move(done).error();
    return patient;
}

/// The rows by which a patient or study is found: each of several values, of a name each group. And their
/// text, for parts of them.
Result<void> SqliteIndexWriter::index_keys(Level level, std::int64_t id, const InstanceRecord& record) {
    std::string text;
    auto insert = db_->cached(level == Level::patient
                                  ? "INSERT INTO patient_key (attribute, value, patient) VALUES (?, ?, ?)"
                                  : "INSERT INTO study_key (attribute, value, study) VALUES (?, ?, ?)");
    if (!insert) return std::move(insert).error();
    for (const auto& column : searched_columns()) {
        if (column.level != level) continue;
        for (const auto& form : search_forms(column.vr, record.value(column.tag))) {
            (*insert)->bind(1, static_cast<std::int64_t>(column.tag.value));
            (*insert)->bind(2, std::string_view(form));
            (*insert)->bind(3, id);
            if (auto done = (*insert)->run(); !done) return done;
            if (column.vr != dicom::Vr::DA) text += text.empty() ? form : "\n" + form;
        }
    }
    if (text.empty()) return {};
    auto add = db_->cached(level == Level::patient ? "INSERT INTO patient_text (rowid, value) VALUES (?, ?)"
                                                   : "INSERT INTO study_text (rowid, value) VALUES (?, ?)");
    if (!add) return std::move(add).error();
    (*add)->bind(1, id);
    (*add)->bind(2, std::string_view(text));
    return (*add)->run();
}

Result<std::int64_t> SqliteIndexWriter::find_or_create_study(const InstanceRecord& record, Parents& parents) {
    auto select = db_->cached(
        "SELECT study.id, patient.id, patient_id FROM study JOIN patient ON patient.id = study.patient "
        "WHERE study_uid = ?");
    if (!select) return std::move(select).error();
    {
        const ResetAtEnd reset(**select);
        (*select)->bind(1, record.study_instance_uid.view());
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (*row) {
            parents.patient = (*select)->integer(1);
            parents.patient_id_is = hash_of((*select)->text(2));
            return (*select)->integer(0);
        }
    }
    auto patient = find_or_create_patient(record);
    if (!patient) return std::move(patient).error();
    parents.patient = *patient;
    parents.patient_id_is = hash_of(record.value(tags::PatientID));
    auto study = insert_row(Level::study, {}, *patient, record);
    if (!study) return study;
    if (auto done = index_keys(Level::study, *study, record); !done) return std::move(done).error();
    ++patients_[*patient].studies;
    return study;
}

Result<Parents> SqliteIndexWriter::create_series(const InstanceRecord& record) {
    Parents made;
    made.study_uid = record.study_instance_uid.str();
    auto study = find_or_create_study(record, made);
    if (!study) return std::move(study).error();
    made.study = *study;
    auto series = insert_row(Level::series, {}, made.study, record);
    if (!series) return std::move(series).error();
    made.series = *series;
    ++studies_[made.study].series;
    ++patients_[made.patient].series;
    if (auto done = refresh_study(made.study); !done) return std::move(done).error();
    return made;
}

Result<Parents> SqliteIndexWriter::find_series(const InstanceRecord& record) {
    auto select = db_->cached(
        "SELECT series.id, study.id, patient.id, study_uid, patient_id FROM series JOIN study ON "
        "study.id = series.study JOIN patient ON patient.id = study.patient WHERE series_uid = ?");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    (*select)->bind(1, record.series_instance_uid.view());
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    Parents found;
    if (*row) {
        found.series = (*select)->integer(0);
        found.study = (*select)->integer(1);
        found.patient = (*select)->integer(2);
        found.study_uid = (*select)->text(3);
        found.patient_id_is = hash_of((*select)->text(4));
    }
    return found;
}

/// The ids above an instance; made when they are new, remembered for the next one.
Result<Parents*> SqliteIndexWriter::parents(const InstanceRecord& record) {
    const auto key = record.series_instance_uid.view();
    if (const auto known = known_.find(key); known != known_.end()) return &known->second;
    if (known_.size() >= kKeptParents) {
        known_.clear();
        sop_classes_.clear();
    }
    auto found = find_series(record);
    if (found && found->series == 0) found = create_series(record);
    if (!found) return std::move(found).error();
    return &known_.emplace(std::string(key), std::move(*found)).first->second;
}

Result<void> SqliteIndexWriter::note_sop_class(Parents& parents, const std::string& sop_class) {
    if (parents.sop_class == sop_class) return {};
    const auto study = parents.study;
    auto known = sop_classes_.find(study);
    if (known == sop_classes_.end()) {
        auto text = db_->cached("SELECT sop_classes FROM study WHERE id = ?");
        if (!text) return std::move(text).error();
        const ResetAtEnd reset(**text);
        (*text)->bind(1, study);
        auto row = (*text)->step();
        if (!row) return std::move(row).error();
        known = sop_classes_.emplace(study, *row ? std::string((*text)->text(0)) : std::string()).first;
    }
    parents.sop_class = sop_class;
    auto& all = known->second;
    if (fmt::format("\\{}\\", all).find(fmt::format("\\{}\\", sop_class)) != std::string::npos) return {};
    all = all.empty() ? sop_class : fmt::format("{}\\{}", all, sop_class);
    auto update = db_->cached("UPDATE study SET sop_classes = ? WHERE id = ?");
    if (!update) return std::move(update).error();
    (*update)->bind(1, std::string_view(all));
    (*update)->bind(2, study);
    return (*update)->run();
}

/// Modalities are few: read again whenever a series comes or goes.
Result<void> SqliteIndexWriter::refresh_study(std::int64_t study) {
    return run_with(
        "UPDATE study SET modalities = (SELECT coalesce(group_concat(modality, '\\'), '') FROM (SELECT "
        "DISTINCT "
        "modality FROM series WHERE study = ?1 AND modality <> '' ORDER BY modality)) WHERE id = ?1",
        {study});
}

void SqliteIndexWriter::report_stray(Parents& known, const IndexEntry& entry) {
    const auto& record = *entry.record;
    if (known.reported) return;
    const bool other_study = record.study_instance_uid != known.study_uid;
    if (!other_study && hash_of(record.value(tags::PatientID)) == known.patient_id_is) return;
    known.reported = true;
    log::warning(
        "storage: {} came again with another {}; its instances stay with the first volume={} offset={}",
        other_study ? "a series" : "a study", other_study ? "study" : "patient", entry.volume, entry.offset);
}

Result<bool> SqliteIndexWriter::insert(const IndexEntry& entry) {
    auto above = parents(*entry.record);
    if (!above) return std::move(above).error();
    report_stray(**above, entry);
    bool replaced = false;
    auto written = write_instance(entry, **above);
    if (!written && written.error().code == Errc::already_exists) {
        auto superseded = supersede(*entry.record);
        if (!superseded) return superseded;
        replaced = *superseded;
        above = parents(*entry.record);  // what was left empty is gone
        if (!above) return std::move(above).error();
        written = write_instance(entry, **above);
    }
    if (!written) return std::move(written).error();
    if (auto done = note_sop_class(**above, entry.record->sop_class_uid); !done) {
        return std::move(done).error();
    }
    if (!postponed_.empty() && ++rows_without_ == kMostPostponed) {
        if (auto done = make_indices(); !done) return std::move(done).error();
    }
    ++series_[(*above)->series].instances;
    ++studies_[(*above)->study].instances;
    ++patients_[(*above)->patient].instances;
    return replaced;
}

Result<void> SqliteIndexWriter::write_instance(const IndexEntry& entry, const Parents& above) {
    static const auto text =
        insert_sql(Level::image,
                   "series,transfer_syntax,volume,file_offset,file_length,data_set_offset,"
                   "header_length,digest,received");
    auto statement = db_->cached(text);
    if (!statement) return std::move(statement).error();
    auto& row = **statement;
    const auto& record = *entry.record;
    row.bind(1, above.series);
    row.bind(2, std::string_view(record.transfer_syntax_uid));
    row.bind(3, static_cast<std::int64_t>(entry.volume));
    row.bind(4, static_cast<std::int64_t>(entry.offset));
    row.bind(5, static_cast<std::int64_t>(entry.length));
    row.bind(6, static_cast<std::int64_t>(record.data_set_offset));
    row.bind(7, static_cast<std::int64_t>(record.header_length));
    row.bind(8, std::span<const std::byte>(record.digest.bytes));
    row.bind(9, entry.received);
    bind_columns(row, record, Level::image, 10);
    return row.run();
}

/// Moves the row of that SOP Instance UID, if there is one, to the superseded; its parents lose it.
Result<bool> SqliteIndexWriter::supersede(const InstanceRecord& record) {
    if (auto done = make_indices(); !done) return std::move(done).error();
    auto select = db_->cached(
        "SELECT instance.id, series.id, study.id, study.patient FROM instance JOIN series ON "
        "series.id = instance.series JOIN study ON study.id = series.study WHERE sop_uid = ?");
    if (!select) return std::move(select).error();
    std::int64_t instance = 0, series = 0, study = 0, patient = 0;
    {
        const ResetAtEnd reset(**select);
        (*select)->bind(1, record.sop_instance_uid.view());
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return false;
        instance = (*select)->integer(0);
        series = (*select)->integer(1);
        study = (*select)->integer(2);
        patient = (*select)->integer(3);
    }
    auto done = run_with(
        "INSERT OR REPLACE INTO superseded (volume, file_offset, file_length, sop_uid, digest, received) "
        "SELECT "
        "volume, file_offset, file_length, sop_uid, digest, received FROM instance WHERE id = ?",
        {instance});
    if (done) done = run_with("DELETE FROM instance WHERE id = ?", {instance});
    --series_[series].instances;
    --studies_[study].instances;
    --patients_[patient].instances;
    if (done) done = write_counts();
    if (done) done = remove_empty(series, study, patient);
    if (!done) return std::move(done).error();
    return true;
}

Result<void> SqliteIndexWriter::remove_empty(std::int64_t series, std::int64_t study, std::int64_t patient) {
    known_.clear();
    sop_classes_.clear();
    auto left = number("SELECT instance_count FROM series WHERE id = ?", series);
    if (!left) return std::move(left).error();
    Result<void> done;
    if (*left == 0) {
        done = run_with("DELETE FROM series WHERE id = ?", {series});
        --studies_[study].series;
        --patients_[patient].series;
        if (done) done = write_counts();
        if (done) done = refresh_study(study);
    }
    if (done) {
        done = run_with(
            "UPDATE study SET sop_classes = (SELECT coalesce(group_concat(sop_class, '\\'), '') FROM (SELECT "
            "DISTINCT "
            "sop_class FROM instance JOIN series ON series.id = instance.series WHERE series.study = ?1 "
            "ORDER BY "
            "sop_class)) WHERE id = ?1",
            {study});
    }
    auto studies = number("SELECT series_count FROM study WHERE id = ?", study);
    if (!studies) return std::move(studies).error();
    if (!done || *studies != 0) return done;
    done = run_with("DELETE FROM study_key WHERE study = ?", {study});
    if (done) done = run_with("DELETE FROM study WHERE id = ?", {study});
    --patients_[patient].studies;
    if (done) done = write_counts();
    auto others = number("SELECT study_count FROM patient WHERE id = ?", patient);
    if (!others) return std::move(others).error();
    if (!done || *others != 0) return done;
    done = run_with("DELETE FROM patient_key WHERE patient = ?", {patient});
    if (done) done = run_with("DELETE FROM patient WHERE id = ?", {patient});
    return done;
}

/// Counts are gathered in memory over a batch and written once per patient, study and series.
Result<void> SqliteIndexWriter::write_counts() {
    Result<void> done;
    for (const auto& [id, change] : series_) {
        if (done)
            done = run_with("UPDATE series SET instance_count = instance_count + ? WHERE id = ?",
                            {change.instances, id});
    }
    for (const auto& [id, change] : studies_) {
        if (done)
            done = run_with(
                "UPDATE study SET series_count = series_count + ?, instance_count = "
                "instance_count + ? WHERE id = ?",
                {change.series, change.instances, id});
    }
    for (const auto& [id, change] : patients_) {
        if (done)
            done = run_with(
                "UPDATE patient SET study_count = study_count + ?, series_count = series_count + ?, "
                "instance_count = instance_count + ? WHERE id = ?",
                {change.studies, change.series, change.instances, id});
    }
    series_.clear();
    studies_.clear();
    patients_.clear();
    return done;
}

Result<void> SqliteIndexWriter::set_mark(const VolumeMark& mark) {
    return run_with(
        "INSERT INTO volume (number, indexed_to, sealed) VALUES (?1, ?2, ?3) ON CONFLICT (number) DO UPDATE "
        "SET "
        "indexed_to = max(indexed_to, ?2), sealed = max(sealed, ?3)",
        {mark.number, static_cast<std::int64_t>(mark.indexed_to), mark.sealed ? 1 : 0});
}

Result<void> SqliteIndexWriter::commit() {
    if (auto done = write_counts(); !done) return done;
    return db_->execute("COMMIT");
}

void SqliteIndexWriter::rollback() {
    forget();
    // May say that there is no transaction any more: then SQLite has rolled back itself.
    (void)db_->execute("ROLLBACK").has_value();
}

void SqliteIndexWriter::forget() {
    known_.clear();
    sop_classes_.clear();
    patients_.clear();
    studies_.clear();
    series_.clear();
}

Result<std::vector<VolumeMark>> SqliteIndexWriter::marks() {
    auto select = db_->cached("SELECT number, indexed_to, sealed FROM volume ORDER BY number");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    std::vector<VolumeMark> all;
    while (true) {
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return all;
        all.push_back({static_cast<std::uint32_t>((*select)->integer(0)),
                       static_cast<std::uint64_t>((*select)->integer(1)), (*select)->integer(2) != 0});
    }
}

Result<IndexContents> SqliteIndexWriter::contents() {
    IndexContents all;
    auto marks_now = marks();
    if (!marks_now) return std::move(marks_now).error();
    all.marks = std::move(*marks_now);
    auto check = db_->text("PRAGMA integrity_check(1)");
    if (!check) return std::move(check).error();
    if (*check != "ok") all.faults.push_back("the database is damaged");
    auto wrong = db_->integer(
        "SELECT (SELECT count(*) FROM series s WHERE instance_count <> (SELECT count(*) FROM instance WHERE "
        "series = "
        "s.id)) + (SELECT count(*) FROM study t WHERE series_count <> (SELECT count(*) FROM series WHERE "
        "study = t.id) "
        "OR instance_count <> (SELECT sum(instance_count) FROM series WHERE study = t.id)) + (SELECT "
        "count(*) FROM "
        "patient p WHERE study_count <> (SELECT count(*) FROM study WHERE patient = p.id) OR instance_count "
        "<> "
        "(SELECT sum(instance_count) FROM study WHERE patient = p.id))");
    if (!wrong) return std::move(wrong).error();
    if (*wrong != 0)
        all.faults.push_back(fmt::format("{} patients, studies or series have wrong counts", *wrong));
    auto select = db_->cached(
        "SELECT volume, file_offset, file_length FROM instance UNION ALL "
        "SELECT volume, file_offset, file_length FROM superseded UNION ALL "
        "SELECT volume, file_offset, file_length FROM deleted");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    while (true) {
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return all;
        all.members.push_back({static_cast<std::uint32_t>((*select)->integer(0)),
                               static_cast<std::uint64_t>((*select)->integer(1)),
                               static_cast<std::uint64_t>((*select)->integer(2))});
    }
}

}  // namespace

Result<std::unique_ptr<IndexWriter>> IndexWriter::open(const std::string& path, Purpose purpose) {
    auto database =
        Database::open(path, purpose == Purpose::serve ? Database::Use::write : Database::Use::bulk_load);
    if (!database) return std::move(database).error();
    if (auto done = migrate(**database); !done) return std::move(done).error().within(path);
    auto writer = std::make_unique<SqliteIndexWriter>(std::move(*database));
    if (purpose == Purpose::rebuild) {
        if (auto done = writer->postpone_indices(); !done) return std::move(done).error().within(path);
    }
    return std::unique_ptr<IndexWriter>(std::move(writer));
}

}  // namespace sagitta::storage
