// The examination of a peer: from its name to an instance that comes back, each step on the one before.
#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>

#include "doctor/findings.h"
#include "net/scu/client.h"

namespace sagitta::doctor {

struct Examination {
    net::scu::Address peer;
    net::scu::ClientSettings settings;
    std::set<std::string, std::less<>> skip;  ///< of step_names()
    bool store = false;                       ///< send a synthetic object; nothing is stored otherwise
    std::uint16_t receive_port = 0;           ///< where a C-MOVE is to arrive; 0: the system chooses
    std::function<void(std::string_view)> progress;
};

/// What may be skipped.
[[nodiscard]] const std::set<std::string, std::less<>>& step_names();

/// Blocks; takes as long as the peer does. `settings.calling` is who we are, also to the peer's C-MOVE.
[[nodiscard]] Findings examine(const Examination& what);

}  // namespace sagitta::doctor
