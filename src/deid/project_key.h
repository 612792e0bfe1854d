// The secret of a project: what pseudonyms, UIDs and date shifts are made with. In a file of its own,
// never in a configuration.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "core/result.h"

namespace sagitta::deid {

using Digest = std::array<std::uint8_t, 32>;

/// 32 random bytes and what is made of them. Immutable, thread-safe; copies share the secret.
class ProjectKey {
public:
    /// From exactly 32 bytes. Errors: invalid_argument.
    [[nodiscard]] static Result<ProjectKey> from_bytes(std::span<const std::uint8_t> secret);
    /// Errors: not_found, io_failure, malformed; refused when others than the owner may read the file.
    [[nodiscard]] static Result<ProjectKey> load(const std::string& path);
    /// A new random key in a new file of mode 0600. Errors: already_exists, io_failure.
    [[nodiscard]] static Result<ProjectKey> create(const std::string& path);

    /// HMAC-SHA-256 over the parts, each with its length, under a name of its own for every use.
    [[nodiscard]] Digest mac(std::string_view purpose, std::string_view first,
                             std::string_view second = {}) const;
    /// Tells keys from one another and reveals nothing of them: 16 hexadecimal digits.
    [[nodiscard]] const std::string& identifier() const noexcept { return identifier_; }

private:
    struct State;
    explicit ProjectKey(std::shared_ptr<const State> state);
    std::shared_ptr<const State> state_;
    std::string identifier_;
};

/// SHA-256 in hexadecimal.
[[nodiscard]] std::string sha256_hex(std::string_view bytes);

}  // namespace sagitta::deid
