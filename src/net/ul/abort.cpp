#include "net/ul/abort.h"

#include <fmt/format.h>

namespace sagitta::net::ul {

Abort user_abort() noexcept {
    return {0, 0};
}

Abort provider_abort(AbortReason reason) noexcept {
    return {2, static_cast<std::uint8_t>(reason)};
}

namespace {

std::string_view reason_text(std::uint8_t reason) noexcept {
    switch (reason) {
        case 0: return "no reason given";
        case 1: return "unrecognized PDU";
        case 2: return "unexpected PDU";
        case 4: return "unrecognized PDU parameter";
        case 5: return "unexpected PDU parameter";
        case 6: return "invalid PDU parameter value";
        default: return {};
    }
}

}  // namespace

std::string describe(const Abort& abort) {
    if (abort.source == 0) return "aborted by service user";
    const std::string_view who = abort.source == 2 ? "service provider" : "unknown source";
    const std::string_view why = reason_text(abort.reason);
    if (why.empty()) return fmt::format("aborted by {}: reason {}", who, abort.reason);
    return fmt::format("aborted by {}: {}", who, why);
}

}  // namespace sagitta::net::ul
