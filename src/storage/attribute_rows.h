// Rows of attributes that are no column of the index but shall be found fast: [storage] index. They only
// narrow a search: who answers looks at what is stored. Internal to storage.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/tag.h"
#include "storage/query.h"

namespace sagitta::storage {

/// An instance that came after those whose attributes have rows.
struct UncoveredInstance {
    std::int64_t id = 0;
    std::int64_t series = 0;
    InstanceLocation location;
};

/// A value found in an instance of a series, as search_forms makes it.
struct SeriesValue {
    dicom::Tag tag;
    std::int64_t series = 0;
    std::string form;
};

/// On the thread of its IndexWriter, outside of begin and commit: each call is a transaction of its own.
/// Errors everywhere: those of IndexWriter.
class AttributeRows {
public:
    virtual ~AttributeRows() = default;

    /// From now on these have rows, and no others. Of those that are new nothing is covered yet.
    [[nodiscard]] virtual Result<void> choose(std::span<const dicom::Tag> tags) = 0;

    /// Takes some rows of attributes that are chosen no longer: true while there may be more.
    [[nodiscard]] virtual Result<bool> forget_some() = 0;

    /// The next instances one of the chosen attributes does not cover, in the order they came.
    [[nodiscard]] virtual Result<std::vector<UncoveredInstance>> uncovered(std::size_t most) = 0;

    /// Adds the rows; everything up to `last` is covered then. False, with nothing done, when `last` is no
    /// longer what it was: ask again what is uncovered.
    [[nodiscard]] virtual Result<bool> cover(std::span<const SeriesValue> values,
                                             const UncoveredInstance& last) = 0;
};

}  // namespace sagitta::storage
