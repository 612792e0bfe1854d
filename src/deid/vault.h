// Remembers what pseudonyms stand for, for reversal only: an encrypted SQLite file (AES-256-GCM) whose key
// is derived from the project key. docs/DEIDENTIFICATION.md describes the file.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "deid/deidentifier.h"
#include "deid/project_key.h"

namespace sagitta::deid {

/// Thread-safe.
class Vault {
public:
    /// Opens or makes the file, mode 0600. Errors: refused when others may read it or it belongs to another
    /// key; io_failure, corrupt.
    [[nodiscard]] static Result<Vault> open(const std::string& path, const ProjectKey& key);
    Vault(Vault&&) noexcept;
    Vault& operator=(Vault&&) noexcept;
    ~Vault();

    /// In one transaction; what is there already stays. Errors: io_failure.
    [[nodiscard]] Result<void> add(std::span<const Mapping> mappings);
    /// Errors: corrupt when the entry was tampered with, io_failure.
    [[nodiscard]] Result<std::optional<std::string>> find(Mapping::Kind kind,
                                                          std::string_view pseudonym) const;
    /// Every entry of a kind, in no order.
    using Each = std::function<void(std::string_view pseudonym, std::string_view original)>;
    [[nodiscard]] Result<void> for_each(Mapping::Kind kind, const Each& each) const;
    /// A row of the audit trail: who (the user of the system), when, what; no values.
    [[nodiscard]] Result<void> note(std::string_view action, std::string_view detail);

private:
    struct State;
    explicit Vault(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace sagitta::deid
