#include "deid/vault_queue.h"

#include <iterator>
#include <utility>

namespace sagitta::deid {

Result<void> VaultQueue::add(std::vector<Mapping> mappings) {
    std::unique_lock lock(mutex_);
    const auto mine = next_;
    mine->mappings.insert(mine->mappings.end(), std::make_move_iterator(mappings.begin()),
                          std::make_move_iterator(mappings.end()));
    changed_.wait(lock, [&] { return mine->done || !writing_; });
    if (mine->done) return mine->outcome;
    // Whoever comes now waits for the batch after this one.
    writing_ = true;
    next_ = std::make_shared<Batch>();
    lock.unlock();
    auto outcome = vault_.add(mine->mappings);
    lock.lock();
    mine->outcome = std::move(outcome);
    mine->done = true;
    writing_ = false;
    changed_.notify_all();
    return mine->outcome;
}

}  // namespace sagitta::deid
