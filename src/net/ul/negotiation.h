// Which presentation contexts we agree to, as a function of what is proposed and a policy
// (PS3.8 9.3.2 and 9.3.3, PS3.7 D.3). Pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "dicom/part10.h"
#include "net/ul/pdu.h"
#include "net/ul/query_extensions.h"
#include "net/ul/reject.h"

namespace sagitta::net::ul {

/// What an acceptor agrees to. The default takes all we can serve.
struct NegotiationPolicy {
    bool accept_verification = true;
    bool accept_storage = true;
    bool accept_find = true;
    bool accept_move = true;
    bool accept_get = true;
    bool accept_commitment = true;           ///< Storage Commitment as SCP
    bool accept_commitment_reports = false;  ///< a requestor in the SCP role brings results
    bool accept_procedure_steps = true;      ///< Modality Performed Procedure Step as SCP
    /// Abstract syntaxes we do not know are taken as storage SOP classes.
    bool accept_unknown_as_storage = false;
    /// Storage transfer syntaxes, in no order. Empty is every one.
    std::vector<std::string> storage_transfer_syntaxes;
    /// Of those proposed for storage the first of these is accepted; without one the first proposed.
    std::vector<std::string> preferred_transfer_syntaxes;
    std::uint32_t max_pdu_bytes = 256 * 1024;  ///< announced; 0 is not allowed
    /// Operations at a time, of the requestor's and of ours, that are agreed to when asked for (PS3.7
    /// D.3.3.3); at least 1.
    std::uint16_t operations_window = 1;
    QueryExtensions query_extensions;          ///< agreed to when asked for
    QueryExtensions assumed_query_extensions;  ///< for peers that negotiate none: done without asking
};

/// What kind of service an abstract syntax stands for.
enum class ServiceKind { verification, storage, find, move, get, commitment, procedure_step, other };
[[nodiscard]] ServiceKind service_kind(std::string_view abstract_syntax) noexcept;

struct Negotiated {
    AssociateAc answer;
    std::vector<AcceptedPresentationContext> contexts;
};

/// The acceptor's answer. Refuses only what is the same for every policy: the application context
/// and a peer whose maximum length cannot hold a fragment. AE titles are the gate's business.
[[nodiscard]] std::variant<Negotiated, Rejection> negotiate(const AssociateRq& request,
                                                            const NegotiationPolicy& policy);

/// The requestor's reading of the answer: contexts that were proposed, accepted, and given a
/// transfer syntax that was proposed. Everything else in the answer is ignored.
[[nodiscard]] std::vector<AcceptedPresentationContext> accepted_contexts(const AssociateRq& request,
                                                                         const AssociateAc& answer);

/// The smallest maximum length we can work with: a PDV header and two bytes.
inline constexpr std::uint32_t kMinPduBytes = 8;

/// Announced in every association (PS3.7 D.3.3.2), the same as in our files.
using dicom::kImplementationClassUid;
using dicom::kImplementationVersionName;

}  // namespace sagitta::net::ul
