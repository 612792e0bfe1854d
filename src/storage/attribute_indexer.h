// Reads chosen attributes out of the headers of what is stored, behind everything else, so that queries for
// them need not ([storage] index). What it has not read yet is found as if it had no index.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <thread>
#include <vector>

#include "core/result.h"
#include "dicom/tag.h"
#include "storage/attribute_rows.h"
#include "storage/instance_store.h"

namespace sagitta::storage {

class Ingest;

/// Whether an attribute can be indexed by its value: one the dictionary knows, short text or numbers.
[[nodiscard]] bool can_be_indexed(dicom::Tag tag) noexcept;

/// A thread of its own. What it is given outlives it; `ingest` until stop().
class AttributeIndexer {
public:
    AttributeIndexer(Ingest& ingest, const InstanceStore& store, std::vector<dicom::Tag> tags);
    ~AttributeIndexer();
    AttributeIndexer(const AttributeIndexer&) = delete;
    AttributeIndexer& operator=(const AttributeIndexer&) = delete;

    /// Idempotent; blocks for what it is doing.
    void stop();

private:
    void run();
    /// How many instances it covered. Errors: those of the index, and io_failure of the disk.
    [[nodiscard]] Result<std::size_t> cover_some();
    [[nodiscard]] Result<void> read_values(const UncoveredInstance& instance, std::vector<SeriesValue>& into);
    /// False when it is to stop.
    [[nodiscard]] bool pause(std::chrono::milliseconds time);

    Ingest& ingest_;
    const InstanceStore& store_;
    const std::vector<dicom::Tag> tags_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace sagitta::storage
