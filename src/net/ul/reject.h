// A-ASSOCIATE-RJ: the numbers of PS3.8 Table 9-21 and what they mean, in one place.
#pragma once

#include <string>
#include <string_view>

#include "net/ul/pdu.h"

namespace sagitta::net::ul {

/// Every reason we refuse an association for.
enum class RejectReason {
    no_reason,
    application_context_not_supported,
    calling_ae_title_not_recognized,
    called_ae_title_not_recognized,
    protocol_version_not_supported,
    temporary_congestion,
    local_limit_exceeded,
};

/// A refusal: what is sent and what is logged, together.
struct Rejection {
    RejectReason reason = RejectReason::no_reason;
    std::string log_text;  ///< one line for the operator; untrusted text already escaped
};

[[nodiscard]] AssociateRj to_pdu(RejectReason reason) noexcept;

/// "rejected permanently by service user: called AE title not recognized"; any numbers.
[[nodiscard]] std::string describe(const AssociateRj& rj);

}  // namespace sagitta::net::ul
