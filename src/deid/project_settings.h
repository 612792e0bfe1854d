// What an operator says of a project: [deid.NAME].
#pragma once

#include <string>

namespace sagitta::deid {

struct ProjectSettings {
    std::string name;     ///< letters, digits, - and _: names a folder, too
    std::string profile;  ///< files
    std::string key_file;
    bool vault = false;  ///< remember what pseudonyms stand for
};

}  // namespace sagitta::deid
