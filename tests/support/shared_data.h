// The corpus beside the project, where it is there. Tests over it skip visibly when it is not.
#pragma once

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

namespace sagitta::test {

inline std::filesystem::path shared_data() {
    return std::filesystem::path(SAGITTA_SOURCE_DIR).parent_path() / "shared" / "data";
}

/// Every file of the corpus that may be a DICOM object, sorted; empty when the corpus is absent.
inline std::vector<std::filesystem::path> shared_objects() {
    std::vector<std::filesystem::path> found;
    if (!std::filesystem::exists(shared_data())) return found;
    for (auto entry = std::filesystem::recursive_directory_iterator(shared_data());
         entry != std::filesystem::recursive_directory_iterator(); ++entry) {
        if (entry->is_directory() && entry->path().filename() == "expected")
            entry.disable_recursion_pending();
        const auto extension = entry->path().extension();
        if (!entry->is_regular_file() || extension == ".json" || extension == ".tsv" || extension == ".md")
            continue;
        found.push_back(entry->path());
    }
    std::sort(found.begin(), found.end());
    return found;
}

}  // namespace sagitta::test
