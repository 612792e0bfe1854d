// Where a large object of a C-STORE goes as it arrives. Knows nothing of PDUs.
#pragma once

#include <functional>
#include <memory>

#include "core/byte_buffer.h"
#include "core/task.h"
#include "net/dimse/status.h"

namespace sagitta::net::dimse {

/// Lives on the association's executor. Destroyed before `finish` has returned, it forgets the object.
class ObjectReceiver {
public:
    virtual ~ObjectReceiver() = default;

    /// The next bytes of the data set. Returns at once.
    virtual void add(ByteBuffer bytes) = 0;
    /// False while as much waits as may: the peer is not read until the receiver says that there is room.
    [[nodiscard]] virtual bool wants_more() const = 0;
    /// That was all. The answer is as that of StoreHandler::store. At most once.
    [[nodiscard]] virtual Task<Outcome> finish() = 0;
};

}  // namespace sagitta::net::dimse
