// Are the bytes of one stored instance still those that came? Reads all of them; what `verify` asks of a
// whole archive that nobody has open, asked while it is served.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"
#include "storage/instance_store.h"

namespace sagitta::storage {

enum class InstanceState : std::uint8_t {
    intact,
    unknown,      ///< no such SOP Instance is stored
    other_class,  ///< it is stored under another SOP Class
    damaged,      ///< its digest is not the one it had when it came, or its bytes are gone
};

/// Thread-safe; blocks on the disk. `store` outlives it.
class InstanceCheck {
public:
    virtual ~InstanceCheck() = default;

    /// For the archive in `data_dir`, which is open.
    [[nodiscard]] static std::unique_ptr<InstanceCheck> make(const std::string& data_dir,
                                                             const InstanceStore& store);

    /// Errors: io_failure, corrupt (the index).
    [[nodiscard]] virtual Result<InstanceState> check(std::string_view sop_class_uid,
                                                      std::string_view sop_instance_uid) const = 0;
};

}  // namespace sagitta::storage
