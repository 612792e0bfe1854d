// AES-256-GCM (NIST SP 800-38D) with a random nonce. Knows bytes.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "deid/project_key.h"

namespace sagitta::deid {

/// `bound` is not stored: opening needs the same. Nonce, ciphertext and tag, one behind the other.
[[nodiscard]] Result<std::string> seal(const Digest& key, std::string_view plain, std::string_view bound);
/// Errors: corrupt when anything was changed, or key or `bound` is another.
[[nodiscard]] Result<std::string> open_sealed(const Digest& key, std::string_view sealed,
                                              std::string_view bound);

}  // namespace sagitta::deid
