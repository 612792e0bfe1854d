#include "net/ul/reject.h"

#include <fmt/format.h>

namespace sagitta::net::ul {

AssociateRj to_pdu(RejectReason reason) noexcept {
    switch (reason) {
        case RejectReason::no_reason: return {1, 1, 1};
        case RejectReason::application_context_not_supported: return {1, 1, 2};
        case RejectReason::calling_ae_title_not_recognized: return {1, 1, 3};
        case RejectReason::called_ae_title_not_recognized: return {1, 1, 7};
        case RejectReason::protocol_version_not_supported: return {1, 2, 2};
        case RejectReason::temporary_congestion: return {2, 3, 1};
        case RejectReason::local_limit_exceeded: return {2, 3, 2};
    }
    return {1, 1, 1};
}

namespace {

std::string_view reason_text(const AssociateRj& rj) noexcept {
    switch (rj.source << 8 | rj.reason) {
        case 0x101:
        case 0x201: return "no reason given";
        case 0x102: return "application context name not supported";
        case 0x103: return "calling AE title not recognized";
        case 0x107: return "called AE title not recognized";
        case 0x202: return "protocol version not supported";
        case 0x301: return "temporary congestion";
        case 0x302: return "local limit exceeded";
        default: return {};
    }
}

std::string_view source_text(std::uint8_t source) noexcept {
    switch (source) {
        case 1: return "service user";
        case 2: return "service provider (ACSE)";
        case 3: return "service provider (presentation)";
        default: return "unknown source";
    }
}

}  // namespace

std::string describe(const AssociateRj& rj) {
    const std::string_view result = rj.result == 1   ? "rejected permanently"
                                    : rj.result == 2 ? "rejected for now"
                                                     : "rejected";
    const std::string_view reason = reason_text(rj);
    if (reason.empty()) return fmt::format("{} by {}: reason {}", result, source_text(rj.source), rj.reason);
    return fmt::format("{} by {}: {}", result, source_text(rj.source), reason);
}

}  // namespace sagitta::net::ul
