// Reads a profile: one TOML file, strict. Finds every problem, not only the first, and says where it is.
// What the keys mean is docs/DEIDENTIFICATION.md.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "deid/profile.h"

namespace sagitta::deid {

struct LoadedProfile {
    Profile profile;                    ///< to be used only when there are no problems
    std::vector<std::string> problems;  ///< "research.toml:12: unknown key …", by line
};

[[nodiscard]] LoadedProfile parse_profile(std::string_view toml, const std::string& name);
[[nodiscard]] LoadedProfile load_profile(const std::string& path);

/// With the table of given pseudonyms that the profile names. Errors: not_found, malformed, already_exists.
[[nodiscard]] Result<Pseudonyms> load_pseudonyms(const Profile& profile, ProjectKey key);

}  // namespace sagitta::deid
