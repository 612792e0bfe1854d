// Many C-STOREs to one peer, as many of them on their way as the asynchronous operations window lets
// (PS3.7 D.3.3.3). What a client sends and the sub-operations of a C-GET are the same.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <utility>

#include "core/result.h"
#include "core/task.h"
#include "net/dimse/messenger.h"
#include "net/dimse/outgoing_store.h"

namespace sagitta::net::dimse {

/// Every store that was given has been told of when run() returns. Not thread-safe.
class StorePipeline {
public:
    struct Settings {
        std::uint16_t window = 1;  ///< stores whose answers may be outstanding, at least 1
        ul::Duration response_timeout{};
        /// Null when the peer takes no such object.
        std::function<const ul::AcceptedPresentationContext*(const OutgoingStore&)> context_for;
        std::function<std::uint16_t()> next_message_id;
    };

    StorePipeline(Messenger& messenger, Settings settings)
        : messenger_(messenger), settings_(std::move(settings)) {}

    /// Errors: what ended the association. `next` is not asked again then.
    [[nodiscard]] Task<Result<void>> run(NextStore next, OnStored on_stored);

private:
    [[nodiscard]] Task<Result<void>> send(OutgoingStore store);
    [[nodiscard]] Task<Result<void>> take_answers(std::size_t most_outstanding, const OnStored& on_stored);

    Messenger& messenger_;
    Settings settings_;
    std::size_t given_ = 0;
    std::map<std::uint16_t, std::size_t> outstanding_;  ///< message ID to index
};

}  // namespace sagitta::net::dimse
