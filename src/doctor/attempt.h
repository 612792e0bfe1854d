// One association attempted, and all that the peer said about it: more than whether it worked.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "net/scu/client.h"
#include "net/ul/pdu.h"

namespace sagitta::doctor {

/// What came from the peer.
struct Heard {
    bool connected = false;
    std::optional<net::ul::AssociateAc> accepted;
    std::optional<net::ul::AssociateRj> rejected;
    std::optional<net::ul::Abort> aborted;
    bool not_dicom = false;   ///< bytes came that are no PDU
    bool silent = true;       ///< not a byte came
    std::size_t pending = 0;  ///< responses that more follow
};

struct Attempt {
    std::unique_ptr<net::scu::Client> client;  ///< null when it failed
    Error error{Errc::cancelled, "not tried"};
    std::shared_ptr<const Heard> heard;
    double milliseconds = 0;
};

/// `settings.association.observers` looks on as well.
[[nodiscard]] Task<Attempt> attempt(net::scu::Address peer, net::scu::ClientSettings settings,
                                    std::vector<net::scu::WantedContext> wanted);

}  // namespace sagitta::doctor
