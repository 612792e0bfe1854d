// The index as version 2 of the schema made it: migrations are tested from it.
#pragma once

#include <string_view>

namespace sagitta::storage::testing {

inline constexpr std::string_view kSchema2 = R"sql(
CREATE TABLE volume (
    number INTEGER PRIMARY KEY,
    indexed_to INTEGER NOT NULL,
    sealed INTEGER NOT NULL
) STRICT;

CREATE TABLE patient (
    id INTEGER PRIMARY KEY,
    patient_id TEXT NOT NULL, issuer TEXT NOT NULL, anonymous TEXT NOT NULL,
    name TEXT NOT NULL,
    birth_date TEXT NOT NULL, birth_time TEXT NOT NULL, sex TEXT NOT NULL, ethnic_group TEXT NOT NULL,
    study_count INTEGER NOT NULL DEFAULT 0,
    series_count INTEGER NOT NULL DEFAULT 0,
    instance_count INTEGER NOT NULL DEFAULT 0,
    UNIQUE (patient_id, issuer, anonymous)
) STRICT;

CREATE TABLE patient_key (
    attribute INTEGER NOT NULL, value TEXT NOT NULL, patient INTEGER NOT NULL REFERENCES patient (id),
    PRIMARY KEY (attribute, value, patient)
) STRICT, WITHOUT ROWID;
CREATE INDEX patient_key_patient ON patient_key (patient);

CREATE TABLE study (
    id INTEGER PRIMARY KEY,
    patient INTEGER NOT NULL REFERENCES patient (id),
    study_uid TEXT NOT NULL UNIQUE, study_id TEXT NOT NULL,
    study_date TEXT NOT NULL, study_time TEXT NOT NULL, accession TEXT NOT NULL, description TEXT NOT NULL,
    referring TEXT NOT NULL, reading TEXT NOT NULL,
    patient_age TEXT NOT NULL, patient_size TEXT NOT NULL, patient_weight TEXT NOT NULL,
    modalities TEXT NOT NULL DEFAULT '',
    sop_classes TEXT NOT NULL DEFAULT '',
    series_count INTEGER NOT NULL DEFAULT 0,
    instance_count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX study_patient ON study (patient);

CREATE TABLE study_key (
    attribute INTEGER NOT NULL, value TEXT NOT NULL, study INTEGER NOT NULL REFERENCES study (id),
    PRIMARY KEY (attribute, value, study)
) STRICT, WITHOUT ROWID;
CREATE INDEX study_key_study ON study_key (study);

CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    study INTEGER NOT NULL REFERENCES study (id),
    series_uid TEXT NOT NULL UNIQUE,
    modality TEXT NOT NULL, number TEXT NOT NULL, description TEXT NOT NULL,
    series_date TEXT NOT NULL, series_time TEXT NOT NULL, body_part TEXT NOT NULL, laterality TEXT NOT NULL,
    protocol TEXT NOT NULL, station TEXT NOT NULL, institution TEXT NOT NULL,
    manufacturer TEXT NOT NULL, model TEXT NOT NULL,
    performing TEXT NOT NULL,
    step_date TEXT NOT NULL, step_time TEXT NOT NULL,
    instance_count INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX series_study ON series (study, modality);

CREATE TABLE instance (
    id INTEGER PRIMARY KEY,
    series INTEGER NOT NULL REFERENCES series (id),
    sop_uid TEXT NOT NULL UNIQUE, sop_class TEXT NOT NULL,
    number TEXT NOT NULL, content_date TEXT NOT NULL, content_time TEXT NOT NULL,
    pixel_rows TEXT NOT NULL, pixel_columns TEXT NOT NULL, frames TEXT NOT NULL,
    transfer_syntax TEXT NOT NULL,
    volume INTEGER NOT NULL, file_offset INTEGER NOT NULL, file_length INTEGER NOT NULL,
    data_set_offset INTEGER NOT NULL, header_length INTEGER NOT NULL,
    digest BLOB NOT NULL,
    received INTEGER NOT NULL
) STRICT;
CREATE INDEX instance_series ON instance (series);

CREATE TABLE superseded (
    volume INTEGER NOT NULL, file_offset INTEGER NOT NULL, file_length INTEGER NOT NULL,
    sop_uid TEXT NOT NULL, digest BLOB NOT NULL,
    PRIMARY KEY (volume, file_offset)
) STRICT;
)sql";

/// What version 3 added.
inline constexpr std::string_view kFrom2To3 = R"sql(
ALTER TABLE superseded ADD COLUMN received INTEGER NOT NULL DEFAULT 0;
CREATE INDEX superseded_uid ON superseded (sop_uid);
CREATE INDEX instance_place ON instance (volume, file_offset);
)sql";

/// What version 4 added.
inline constexpr std::string_view kFrom3To4 = R"sql(
CREATE TABLE deleted (
    volume INTEGER NOT NULL, file_offset INTEGER NOT NULL, file_length INTEGER NOT NULL,
    sop_uid TEXT NOT NULL, series_uid TEXT NOT NULL, study_uid TEXT NOT NULL,
    served INTEGER NOT NULL,
    digest BLOB NOT NULL,
    received INTEGER NOT NULL,
    note_volume INTEGER NOT NULL, note_offset INTEGER NOT NULL,
    deleted_at INTEGER NOT NULL, keep_until INTEGER NOT NULL,
    PRIMARY KEY (volume, file_offset)
) STRICT;
CREATE INDEX deleted_uid ON deleted (sop_uid);
CREATE INDEX deleted_study ON deleted (study_uid);
CREATE INDEX deleted_until ON deleted (keep_until);

CREATE TABLE note_event (
    volume INTEGER NOT NULL, place INTEGER NOT NULL,
    kind INTEGER NOT NULL,
    sop_uid TEXT NOT NULL, series_uid TEXT NOT NULL, study_uid TEXT NOT NULL,
    time INTEGER NOT NULL,
    PRIMARY KEY (volume, place)
) STRICT, WITHOUT ROWID;

CREATE TABLE protected (
    study_uid TEXT PRIMARY KEY,
    since INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

}  // namespace sagitta::storage::testing
