// Passcodes of users as they are kept: salted and slow to guess (scrypt, RFC 7914), never as they are.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace sagitta::app {

/// "scrypt$15$8$1$SALT$HASH", salt and hash in base 64: what `[[user]] passcode` holds. About 32 MiB and
/// a tenth of a second. Errors: io_failure (no random numbers).
[[nodiscard]] Result<std::string> hash_passcode(std::string_view passcode);

/// Whether it has that form, with a cost that somebody logging in can be made to wait for.
[[nodiscard]] bool is_passcode_hash(std::string_view text);

/// Takes as long for a wrong passcode as for the right one. False for what is no hash.
[[nodiscard]] bool verify_passcode(std::string_view hash, std::string_view passcode);

}  // namespace sagitta::app
