// Asks a running node to do what it alone may do while it has the archive open.
#pragma once

#include <memory>
#include <string>

#include "app/administration.h"

namespace sagitta::app {

/// By the node that serves the archive in `data_dir`: each call is one request to it. Null when none listens
/// there. Errors of the calls also: connection_lost (the node ended meanwhile; what became of it is not
/// known).
[[nodiscard]] std::unique_ptr<Administration> ask_node(const std::string& data_dir);

/// Somebody listens on the control socket of the archive in `data_dir`.
[[nodiscard]] bool is_served(const std::string& data_dir);

}  // namespace sagitta::app
