// How exported files are called: `{PatientID}/{StudyDate}-{StudyDescription}/{SOPInstanceUID}.dcm`. What
// comes out of a data set is never a path of its own.
#pragma once

#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/tag.h"
#include "dicom/vr.h"

namespace sagitta::media {

/// Immutable and thread-safe.
class NamePattern {
public:
    /// Components between slashes, each of text and {Keyword} or {gggg,eeee}. Errors: invalid_argument: an
    /// unknown keyword, a brace without its other, an absolute path, a component that is empty, "." or "..".
    [[nodiscard]] static Result<NamePattern> parse(std::string_view text);

    /// A relative path with as many components as the pattern. Values are UTF-8; what file systems forbid
    /// becomes "_", an absent value, too; a component has at most 200 bytes, its extension kept.
    [[nodiscard]] std::string name_of(const dicom::DataSet& header) const;

private:
    struct Piece {
        std::string text;  ///< or the value of `tag`, when that is not 0
        dicom::Tag tag{};
        dicom::Vr vr = dicom::Vr::none;
    };
    std::vector<std::vector<Piece>> components_;
};

/// `text` as one component of a path, wherever it will be copied to: no separators, control or wildcard
/// characters, no dot or space at an end, no device name; never empty.
[[nodiscard]] std::string safe_component(std::string_view text);

/// Numbers what would be the same file, also where case does not count.
class UsedNames {
public:
    /// `path`, or the first of "name-2.dcm", "name-3.dcm" … that is free.
    [[nodiscard]] std::string take(const std::string& path);

private:
    std::unordered_set<std::string> folded_;
};

}  // namespace sagitta::media
