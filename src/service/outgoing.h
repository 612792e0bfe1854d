// An instance on its way to a peer: as it is stored, or in a transfer syntax that the peer accepts
// (PS3.4 B.4.1, C.4.2.2.1). Never with a loss.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "core/worker_pool.h"
#include "net/dimse/payload.h"
#include "storage/instance_store.h"

namespace sagitta::service {

struct Outgoing {
    std::string transfer_syntax_uid;
    std::unique_ptr<net::dimse::Payload> payload;
};

/// The stored bytes, when the peer accepts how they are encoded. Else the object is transcoded on a worker,
/// in memory. Errors: unsupported when `accepted` is empty or none of it can hold the object without loss;
/// limit_exceeded, malformed from transcoding; those of InstanceStore::read. `store` and `workers` outlive
/// it.
[[nodiscard]] Task<Result<Outgoing>> outgoing_instance(const storage::InstanceStore& store,
                                                       WorkerPool& workers,
                                                       storage::InstanceLocation instance,
                                                       std::vector<std::string> accepted);

}  // namespace sagitta::service
