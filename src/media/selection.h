// Which stored instances an identifier means, in the order they lie on disk.
#pragma once

#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "storage/instance_index.h"
#include "storage/instance_store.h"

namespace sagitta::media {

/// Where a stored file lies; without what InstanceLocation says besides, so that a million take 40 MB.
struct StoredPlace {
    std::uint32_t volume = 0;
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
    std::uint64_t data_set_offset = 0;
    std::uint64_t header_length = 0;

    [[nodiscard]] storage::InstanceLocation location() const;
};

/// Instances that satisfy the identifier, keys of every level together. Attributes that are not indexed are
/// read from the stored headers; what was deleted meanwhile satisfies nothing. Errors: invalid_argument (a
/// key), those of the index.
[[nodiscard]] Result<std::vector<StoredPlace>> select_instances(const storage::InstanceIndex& index,
                                                                const storage::InstanceStore& store,
                                                                const dicom::DataSet& identifier);

}  // namespace sagitta::media
