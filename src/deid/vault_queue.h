// Many who remember at once share the vault's transactions: what waits while one is written is the next.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "core/result.h"
#include "deid/vault.h"

namespace sagitta::deid {

/// Thread-safe. The vault outlives it.
class VaultQueue {
public:
    explicit VaultQueue(Vault& vault) : vault_(vault) {}

    /// On stable storage when it returns. Blocks. Errors: io_failure.
    [[nodiscard]] Result<void> add(std::vector<Mapping> mappings);

private:
    struct Batch {
        std::vector<Mapping> mappings;
        bool done = false;
        Result<void> outcome;
    };

    Vault& vault_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::shared_ptr<Batch> next_ = std::make_shared<Batch>();
    bool writing_ = false;
};

}  // namespace sagitta::deid
