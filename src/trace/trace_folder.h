// Association traces: a text file for each association, with every PDU, command and identifier in it, and
// what is about patients masked. docs/CONFIGURATION.md says how it reads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>

#include "core/result.h"
#include "net/ul/observer.h"

namespace sagitta::trace {

struct TraceLimits {
    std::uint64_t max_file_bytes = 16ull << 20;  ///< what comes behind is not written
    std::size_t max_files = 1000;                ///< the oldest give way
};

/// Thread-safe. A disk that fails costs the trace, never the association.
class TraceFolder final : public net::ul::AssociationObservers {
public:
    /// Makes the folder when it is not there, for its owner alone. Errors: io_failure.
    [[nodiscard]] static Result<std::shared_ptr<TraceFolder>> open(std::string folder,
                                                                   TraceLimits limits = {});

    [[nodiscard]] std::unique_ptr<net::ul::AssociationObserver> begin(std::uint64_t association_id,
                                                                      bool we_accept) override;

private:
    TraceFolder(std::string folder, TraceLimits limits);
    void make_room();

    const std::string folder_;
    const TraceLimits limits_;
    std::mutex mutex_;
    std::deque<std::string> files_;  ///< the oldest first
};

}  // namespace sagitta::trace
