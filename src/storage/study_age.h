// Which studies would go first when room is needed. Reads the index beside everything else.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"

namespace sagitta::storage {

struct StudyAge {
    std::string study_instance_uid;
    std::int64_t last_arrival = 0;  ///< of an instance; seconds since 1970, UTC
    std::uint64_t bytes = 0;        ///< of the files of its instances
};

/// At most so many, the one that has been complete longest first; neither protected ones nor the one that
/// received the last instance of all. Reads all of the index. Errors: io_failure, corrupt.
[[nodiscard]] Result<std::vector<StudyAge>> oldest_studies(const std::string& data_dir, std::size_t most);

/// Those that have received nothing since `before` (seconds since 1970, UTC), protected ones too, in no
/// order. Reads all of the index. Errors: the same.
[[nodiscard]] Result<std::vector<StudyAge>> quiet_studies(const std::string& data_dir, std::int64_t before);

}  // namespace sagitta::storage
