#include "storage/volume_use.h"

namespace sagitta::storage {

std::shared_ptr<const void> VolumeUse::hold(std::uint32_t volume) {
    {
        const std::lock_guard lock(state_->mutex);
        ++state_->readers[volume];
    }
    const auto release = [state = state_, volume](const void*) {
        const std::lock_guard lock(state->mutex);
        const auto known = state->readers.find(volume);
        if (--known->second == 0) state->readers.erase(known);
    };
    return {state_.get(), release};
}

bool VolumeUse::is_held(std::uint32_t volume) const {
    const std::lock_guard lock(state_->mutex);
    return state_->readers.contains(volume);
}

void VolumeUse::note_holes(std::uint32_t volume) {
    const std::lock_guard lock(state_->mutex);
    state_->holes.insert(volume);
}

bool VolumeUse::has_holes(std::uint32_t volume) const {
    const std::lock_guard lock(state_->mutex);
    return state_->holes.contains(volume);
}

void VolumeUse::note_replaced(std::uint32_t volume) {
    const std::lock_guard lock(state_->mutex);
    ++state_->replaced[volume];
}

std::uint64_t VolumeUse::replaced(std::uint32_t volume) const {
    const std::lock_guard lock(state_->mutex);
    const auto known = state_->replaced.find(volume);
    return known == state_->replaced.end() ? 0 : known->second;
}

}  // namespace sagitta::storage
