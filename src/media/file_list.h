// Finds the files that an import is to look at. Opens only DICOMDIRs and volumes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "core/error.h"

namespace sagitta::media {

/// A file, or a part of one.
struct FoundFile {
    std::string path;
    struct Range {
        std::uint64_t from = 0;
        std::uint64_t length = 0;
    };
    std::optional<Range> range;  ///< a member of a volume
};

struct FileListing {
    std::function<bool(FoundFile)> found;  ///< says false to stop
    std::function<void(const std::string& path, const Error&)> failed;
    std::function<void()> passed_over;
    std::string skip_folder;  ///< canonical; not entered
};

/// `path` itself, all below it, what a DICOMDIR names, or what another archive serves. Links to
/// folders are not followed.
void list_files(const std::string& path, const FileListing& listing);

}  // namespace sagitta::media
