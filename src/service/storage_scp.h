// Storage Service Class as SCP (PS3.4 Annex B): an object off the wire is parsed, checked, de-identified
// where a rule says so, and filed. Knows nothing of PDUs and nothing of volumes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/worker_pool.h"
#include "net/dimse/handlers.h"
#include "service/sender_rules.h"
#include "storage/archive.h"

namespace sagitta::service {

/// What was filed: after de-identification, where there is one.
struct FiledInstance {
    std::string study_instance_uid;
    std::string patient_id;
    std::string sop_class_uid;
};

struct StorageScpSettings {
    std::uint32_t sequence_depth = 64;
    std::size_t writers = 4;          ///< threads that bring objects too large for memory to disk
    std::vector<SenderRule> senders;  ///< the first that applies decides
    /// Told of every instance once it is safe; on the association's thread, must not wait.
    std::function<void(const net::dimse::AssociationInfo&, const FiledInstance&)> on_filed = {};
};

/// Thread-safe. `archive` and `workers` outlive it.
class StorageScp final : public net::dimse::StoreHandler {
public:
    StorageScp(storage::Archive& archive, WorkerPool& workers, StorageScpSettings settings)
        : archive_(archive), workers_(workers), settings_(std::move(settings)), writers_(settings_.writers) {}

    /// Bytes are filed as received, or, where a rule wants it, only what de-identification made of them; what
    /// it could not make fit is kept encrypted instead. Success only after that would survive power loss.
    [[nodiscard]] Task<net::dimse::Outcome> store(const net::dimse::AssociationInfo& association,
                                                  net::dimse::StoreRequest request,
                                                  ByteBuffer data_set) override;
    std::size_t front_room(const net::dimse::AssociationInfo& association,
                           const net::dimse::StoreRequest& request) override;
    /// Of an object that may be filed as it comes: written as it arrives, and safe as any other.
    [[nodiscard]] std::unique_ptr<net::dimse::ObjectReceiver> receive(
        const net::dimse::AssociationInfo& association, net::dimse::StoreRequest request,
        std::function<void()> on_room) override;

private:
    storage::Archive& archive_;
    WorkerPool& workers_;
    StorageScpSettings settings_;
    WorkerPool writers_;
};

}  // namespace sagitta::service
