// The writing side of the index: rows of stored instances, and how far each volume is indexed.
// Internal to storage; one thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/uid.h"
#include "storage/instance_record.h"

namespace sagitta::storage {

class AttributeRows;
class DeletionIndex;

/// A row to write: the record and where its file lies.
struct IndexEntry {
    const InstanceRecord* record = nullptr;
    std::uint32_t volume = 0;
    std::uint64_t offset = 0;   ///< of the file in the volume
    std::uint64_t length = 0;   ///< bytes of the file
    std::int64_t received = 0;  ///< seconds since 1970, UTC
};

/// What is stored under a SOP Instance UID.
struct StoredDataSet {
    DataSetDigest digest;
    std::uint64_t data_set_length = 0;
    std::uint32_t volume = 0;  ///< where its file lies
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

struct VolumeMark {
    std::uint32_t number = 0;
    std::uint64_t indexed_to = 0;  ///< offset behind the last member the index knows
    bool sealed = false;
};

/// Where the index believes a file to lie.
struct IndexedMember {
    std::uint32_t volume = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
};

/// Everything there is to compare with the volumes.
struct IndexContents {
    std::vector<IndexedMember> members;  ///< served, superseded, deleted and not yet purged
    std::vector<VolumeMark> marks;
    std::vector<std::string> faults;  ///< of the database and of its counts
};

/// Errors everywhere: no_space, corrupt, io_failure. Between begin and commit nothing is visible;
/// after any error only rollback makes sense.
class IndexWriter {
public:
    enum class Purpose : std::uint8_t {
        serve,    ///< journalled, readers beside it
        rebuild,  ///< a new file that is thrown away when it fails
    };
    virtual ~IndexWriter() = default;

    /// Opens or creates; brings an older schema up to date. Errors: unsupported when it is newer.
    [[nodiscard]] static Result<std::unique_ptr<IndexWriter>> open(const std::string& path, Purpose purpose);

    [[nodiscard]] virtual Result<std::optional<StoredDataSet>> stored(const dicom::Uid& sop_instance_uid) = 0;

    [[nodiscard]] virtual Result<bool> has_study(const dicom::Uid& study_instance_uid) = 0;

    [[nodiscard]] virtual Result<void> begin() = 0;
    /// Adds a row. One of the same SOP Instance UID is recorded as superseded and replaced: true.
    [[nodiscard]] virtual Result<bool> insert(const IndexEntry& entry) = 0;
    [[nodiscard]] virtual Result<void> set_mark(const VolumeMark& mark) = 0;
    [[nodiscard]] virtual Result<void> commit() = 0;
    virtual void rollback() = 0;

    [[nodiscard]] virtual Result<std::vector<VolumeMark>> marks() = 0;
    /// Reads all of it, with the database's own consistency check.
    [[nodiscard]] virtual Result<IndexContents> contents() = 0;
    /// What it knows of deletion. The answer lives as long as this, and knows all that was inserted
    /// when it was asked for.
    [[nodiscard]] virtual Result<DeletionIndex*> deletions() = 0;
    /// Lives as long as this.
    [[nodiscard]] virtual AttributeRows& attributes() noexcept = 0;
    /// Gathers the statistics that queries are planned with.
    [[nodiscard]] virtual Result<void> optimize() = 0;
};

}  // namespace sagitta::storage
