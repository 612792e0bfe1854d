// Which stored instances an identifier means, in the order they lie on disk.
#pragma once

#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "storage/archive.h"

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
/// read from the stored headers. Errors: invalid_argument (a key), those of the index.
[[nodiscard]] Result<std::vector<StoredPlace>> select_instances(const storage::Archive& archive,
                                                                const dicom::DataSet& identifier);

}  // namespace sagitta::media
