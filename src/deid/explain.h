// Says beforehand what a profile will do to an attribute, and why. For people.
#pragma once

#include <string>
#include <vector>

#include "deid/profile.h"

namespace sagitta::deid {

/// One line per rule that names the attribute, and what happens where none applies: once for all IODs where
/// it is the same, else for each.
[[nodiscard]] std::vector<std::string> explain(const Profile& profile, Tag tag);

}  // namespace sagitta::deid
