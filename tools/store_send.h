// Sends what a StorePlan names over one or more associations.
#pragma once

#include "peer_options.h"
#include "store_plan.h"
#include "store_tally.h"

namespace sagitta::tools {

struct SendOptions {
    unsigned associations = 1;
    bool transcode = true;  ///< what the peer does not take as it is
};

/// The files of these kinds; each is told to `tally` once. Blocks.
void send_files(const Caller& caller, const StorePlan& plan, KindRange range, const SendOptions& options,
                Tally& tally, const StoreRecord& record);

}  // namespace sagitta::tools
