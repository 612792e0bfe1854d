// An instance on its way to a peer: as it is stored, or in a transfer syntax that the peer accepts
// (PS3.4 B.4.1, C.4.2.2.1), never with a loss; or only what de-identification makes of it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/worker_pool.h"
#include "deid/project.h"
#include "dicom/uid.h"
#include "net/dimse/payload.h"
#include "storage/instance_store.h"

namespace sagitta::service {

struct Outgoing {
    dicom::Uid sop_instance_uid;  ///< another one than the stored when de-identified
    std::string transfer_syntax_uid;
    std::unique_ptr<net::dimse::Payload> payload;
};

/// For whom it is meant.
struct Recipient {
    std::vector<std::string> accepted;  ///< transfer syntaxes in which it takes the SOP class
    deid::Project* project = nullptr;   ///< gets nothing but what this makes; null: as stored. Not owned
    std::uint64_t association = 0;      ///< on whose behalf, for reports
};

/// The stored bytes, when the peer accepts how they are encoded. Else the object is transcoded, in memory; so
/// is the work of de-identification. Blocks on the disk and computes. Errors: unsupported when nothing is
/// accepted or none of it can hold the object without loss; refused when it must not leave; limit_exceeded,
/// malformed from transcoding and de-identification; those of InstanceStore. `store` and `workers` outlive
/// it.
[[nodiscard]] Result<Outgoing> make_outgoing(const storage::InstanceStore& store, WorkerPool& workers,
                                             const storage::InstanceLocation& instance,
                                             const Recipient& recipient);

}  // namespace sagitta::service
