// Who is reading from which volume, so that nobody's bytes become zeros while he sends them. Internal to
// storage. Thread-safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <set>

namespace sagitta::storage {

/// A reader first holds the volume, then asks whether it has holes and, if so, whether the member's header
/// still names an instance. A purge first says that there will be holes, changes the headers, and then asks
/// who holds the volume. So one of the two sees the other.
class VolumeUse {
public:
    /// Until the answer is destroyed, which may be after this.
    [[nodiscard]] std::shared_ptr<const void> hold(std::uint32_t volume);

    [[nodiscard]] bool is_held(std::uint32_t volume) const;
    void note_holes(std::uint32_t volume);
    [[nodiscard]] bool has_holes(std::uint32_t volume) const;

    /// Another file has the volume's name: one that was opened before is not to be opened from again.
    void note_replaced(std::uint32_t volume);
    /// How often that was.
    [[nodiscard]] std::uint64_t replaced(std::uint32_t volume) const;

private:
    struct State {
        mutable std::mutex mutex;
        std::map<std::uint32_t, std::uint64_t> readers;
        std::set<std::uint32_t> holes;  ///< made since the archive was opened
        std::map<std::uint32_t, std::uint64_t> replaced;
    };
    std::shared_ptr<State> state_ = std::make_shared<State>();
};

}  // namespace sagitta::storage
