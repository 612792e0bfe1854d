// A-ABORT: source and reason of PS3.8 Table 9-26.
#pragma once

#include <cstdint>
#include <string>

#include "net/ul/pdu.h"

namespace sagitta::net::ul {

/// Reasons of a provider's abort (source 2).
enum class AbortReason : std::uint8_t {
    not_specified = 0,
    unrecognized_pdu = 1,
    unexpected_pdu = 2,
    unrecognized_pdu_parameter = 4,
    unexpected_pdu_parameter = 5,
    invalid_pdu_parameter_value = 6,
};

[[nodiscard]] Abort user_abort() noexcept;
[[nodiscard]] Abort provider_abort(AbortReason reason) noexcept;

/// "aborted by service provider: unexpected PDU"; any numbers.
[[nodiscard]] std::string describe(const Abort& abort);

}  // namespace sagitta::net::ul
