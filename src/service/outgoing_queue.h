// What a retrieve sends next, made ready on a worker while what came before is on its way: opened, read in
// from the disk, transcoded or de-identified.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <asio/any_io_executor.hpp>

#include "core/task.h"
#include "service/outgoing.h"

namespace sagitta::service {

/// Where instances come from, and what is done to them on the way.
struct Outbound {
    const storage::InstanceStore& store;
    WorkerPool& workers;
    deid::Project* project = nullptr;
    std::uint64_t association = 0;
};

/// Not thread-safe; on one executor. Await stop() before it goes.
class OutgoingQueue {
public:
    /// The transfer syntaxes in which the receiver takes an instance.
    using Accepted = std::function<std::vector<std::string>(const storage::InstanceLocation&)>;

    /// `instances` outlive it and are given in their order.
    OutgoingQueue(asio::any_io_executor executor, Outbound outbound,
                  const std::vector<storage::InstanceLocation>& instances, Accepted accepted);

    ~OutgoingQueue();
    OutgoingQueue(const OutgoingQueue&) = delete;
    OutgoingQueue& operator=(const OutgoingQueue&) = delete;

    /// The next one; not more often than there are instances. Errors: those of make_outgoing, of that one.
    [[nodiscard]] Task<Result<Outgoing>> next();
    /// Begins nothing more, and returns when nothing is being made.
    [[nodiscard]] Task<void> stop();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace sagitta::service
