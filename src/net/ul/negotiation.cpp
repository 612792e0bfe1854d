#include "net/ul/negotiation.h"

#include <algorithm>
#include <array>

#include "dicom/uid.h"

namespace sagitta::net::ul {

namespace {

constexpr std::string_view kStorageServiceClass = "1.2.840.10008.4.2";
constexpr std::string_view kVerification = "1.2.840.10008.1.1";
constexpr std::string_view kModalityWorklist = "1.2.840.10008.5.1.4.31";
/// And its Retrieve (PS3.4 F.7, F.8).
constexpr std::string_view kProcedureStep = "1.2.840.10008.3.1.2.3.3";
constexpr std::string_view kProcedureStepRetrieve = "1.2.840.10008.3.1.2.3.4";
constexpr std::string_view kStorageCommitment = "1.2.840.10008.1.20.1";
/// Query/Retrieve information models (PS3.4 C.6.1.3, C.6.2.3, C.6.3.3); service 1, 2, 3 follows.
constexpr std::array<std::string_view, 3> kQueryRetrieveRoots{
    "1.2.840.10008.5.1.4.1.2.1.", "1.2.840.10008.5.1.4.1.2.2.", "1.2.840.10008.5.1.4.1.2.3."};
/// What we can encode ourselves: explicit LE, implicit LE, explicit BE, deflated.
constexpr std::array<std::string_view, 4> kEncodable{"1.2.840.10008.1.2.1", "1.2.840.10008.1.2",
                                                     "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"};

bool is_encodable(std::string_view syntax) noexcept {
    return std::find(kEncodable.begin(), kEncodable.end(), syntax) != kEncodable.end();
}

/// The proposer says that it is a specialized storage SOP Class (PS3.7 D.3.3.6).
bool is_declared_storage(const AssociateRq& request, std::string_view abstract_syntax) noexcept {
    for (const auto& one : request.user.common_extended) {
        if (one.sop_class_uid == abstract_syntax && one.service_class_uid == kStorageServiceClass &&
            dicom::find_uid(abstract_syntax) == nullptr && dicom::Uid::parse(abstract_syntax).has_value())
            return true;
    }
    return false;
}

/// The service an abstract syntax gets under this policy.
ServiceKind kind_under(const NegotiationPolicy& policy, const AssociateRq& request,
                       std::string_view abstract_syntax) noexcept {
    const ServiceKind kind = service_kind(abstract_syntax);
    if (kind == ServiceKind::other && is_declared_storage(request, abstract_syntax))
        return ServiceKind::storage;
    const bool unknown = kind == ServiceKind::other && dicom::Uid::parse(abstract_syntax).has_value() &&
                         dicom::find_uid(abstract_syntax) == nullptr;
    return unknown && policy.accept_unknown_as_storage ? ServiceKind::storage : kind;
}

bool is_offered(const NegotiationPolicy& policy, ServiceKind kind) noexcept {
    switch (kind) {
        case ServiceKind::verification: return policy.accept_verification;
        case ServiceKind::storage: return policy.accept_storage || policy.accept_get;
        case ServiceKind::find: return policy.accept_find;
        case ServiceKind::move: return policy.accept_move;
        case ServiceKind::get: return policy.accept_get;
        case ServiceKind::commitment: return policy.accept_commitment || policy.accept_commitment_reports;
        case ServiceKind::procedure_step: return policy.accept_procedure_steps;
        case ServiceKind::other: return false;
    }
    return false;
}

bool takes_syntax(const NegotiationPolicy& policy, ServiceKind kind, const std::string& syntax) {
    if (kind != ServiceKind::storage) return is_encodable(syntax);
    const auto& allowed = policy.storage_transfer_syntaxes;
    if (allowed.empty()) return dicom::Uid::parse(syntax).has_value();
    return std::find(allowed.begin(), allowed.end(), syntax) != allowed.end();
}

/// Smaller is better.
std::size_t preference(const NegotiationPolicy& policy, const std::string& syntax) {
    const auto& order = policy.preferred_transfer_syntaxes;
    const auto at = std::find(order.begin(), order.end(), syntax);
    return at == order.end() ? SIZE_MAX : static_cast<std::size_t>(at - order.begin());
}

const RoleSelection* find_role(const std::vector<RoleSelection>& roles, std::string_view uid) noexcept {
    for (const auto& role : roles)
        if (role.sop_class_uid == uid) return &role;
    return nullptr;
}

const SopClassExtendedNegotiation* find_extended(const std::vector<SopClassExtendedNegotiation>& all,
                                                 std::string_view uid) noexcept {
    for (const auto& one : all)
        if (one.sop_class_uid == uid) return &one;
    return nullptr;
}

AnsweredPresentationContext answer_to(const ProposedPresentationContext& proposed, const AssociateRq& request,
                                      const NegotiationPolicy& policy) {
    AnsweredPresentationContext answer;
    answer.id = proposed.id;
    // Not significant when refused (PS3.8 9.3.3.2), but many peers want to see a valid one.
    answer.transfer_syntax = kEncodable[1];
    const ServiceKind kind = kind_under(policy, request, proposed.abstract_syntax);
    if (!is_offered(policy, kind)) {
        answer.result = ContextResult::abstract_syntax_not_supported;
        return answer;
    }
    const std::string* chosen = nullptr;
    std::size_t rank = SIZE_MAX;
    for (const auto& syntax : proposed.transfer_syntaxes) {
        if (!takes_syntax(policy, kind, syntax)) continue;
        const auto preferred = kind == ServiceKind::storage ? preference(policy, syntax) : SIZE_MAX;
        if (chosen == nullptr || preferred < rank) {
            chosen = &syntax;
            rank = preferred;
        }
    }
    answer.result =
        chosen != nullptr ? ContextResult::acceptance : ContextResult::transfer_syntaxes_not_supported;
    if (chosen != nullptr) answer.transfer_syntax = *chosen;
    return answer;
}

/// Roles are negotiated where somebody needs them (PS3.7 D.3.3.4): storage SOP classes for C-GET, storage
/// commitment for reports on an association of their own (PS3.4 J.2.2).
void answer_roles(const AssociateRq& request, const NegotiationPolicy& policy, Negotiated& result) {
    for (const auto& role : request.user.roles) {
        const auto kind = kind_under(policy, request, role.sop_class_uid);
        const bool stores = kind == ServiceKind::storage;
        if (!stores && kind != ServiceKind::commitment) continue;
        if (find_role(result.answer.user.roles, role.sop_class_uid) != nullptr) continue;
        const bool scu = stores ? policy.accept_storage : policy.accept_commitment;
        const bool scp = stores ? policy.accept_get : policy.accept_commitment_reports;
        result.answer.user.roles.push_back({role.sop_class_uid, role.scu && scu, role.scp && scp});
    }
}

/// 0 is any number.
std::uint16_t smaller_window(std::uint16_t asked, std::uint16_t most) noexcept {
    return asked == 0 ? most : std::min(asked, most);
}

/// One answer a SOP class, also when a peer asks twice.
void answer_extended(const AssociateRq& request, const NegotiationPolicy& policy, AssociateAc& answer) {
    for (const auto& asked : request.user.extended) {
        if (!is_offered(policy, kind_under(policy, request, asked.sop_class_uid))) continue;
        if (find_extended(answer.user.extended, asked.sop_class_uid) != nullptr) continue;
        auto agreed = answer_query_extensions(asked.sop_class_uid, asked.application_information,
                                              policy.query_extensions | policy.assumed_query_extensions);
        if (!agreed.empty()) answer.user.extended.push_back({asked.sop_class_uid, std::move(agreed)});
    }
}

AcceptedPresentationContext with_user_information(const ProposedPresentationContext& proposed,
                                                  std::string transfer_syntax, const UserInformation& offered,
                                                  const UserInformation& agreed) {
    AcceptedPresentationContext context;
    context.id = proposed.id;
    context.abstract_syntax = proposed.abstract_syntax;
    context.transfer_syntax = std::move(transfer_syntax);
    const auto* asked = find_role(offered.roles, proposed.abstract_syntax);
    const auto* given = find_role(agreed.roles, proposed.abstract_syntax);
    if (asked != nullptr && given != nullptr) {
        context.requestor_is_scu = asked->scu && given->scu;
        context.requestor_is_scp = asked->scp && given->scp;
    }
    const bool was_asked = find_extended(offered.extended, proposed.abstract_syntax) != nullptr;
    const auto* extended = find_extended(agreed.extended, proposed.abstract_syntax);
    if (was_asked && extended != nullptr) context.application_information = extended->application_information;
    return context;
}

}  // namespace

ServiceKind service_kind(std::string_view abstract_syntax) noexcept {
    if (abstract_syntax == kVerification) return ServiceKind::verification;
    if (abstract_syntax == kModalityWorklist) return ServiceKind::find;
    if (abstract_syntax == kStorageCommitment) return ServiceKind::commitment;
    if (abstract_syntax == kProcedureStep || abstract_syntax == kProcedureStepRetrieve)
        return ServiceKind::procedure_step;
    for (const auto root : kQueryRetrieveRoots) {
        if (!abstract_syntax.starts_with(root) || abstract_syntax.size() != root.size() + 1) continue;
        switch (abstract_syntax.back()) {
            case '1': return ServiceKind::find;
            case '2': return ServiceKind::move;
            case '3': return ServiceKind::get;
            default: return ServiceKind::other;
        }
    }
    const auto* entry = dicom::find_uid(abstract_syntax);
    return entry != nullptr && entry->is_storage_sop_class ? ServiceKind::storage : ServiceKind::other;
}

std::variant<Negotiated, Rejection> negotiate(const AssociateRq& request, const NegotiationPolicy& policy) {
    if (request.application_context != kDicomApplicationContext)
        return Rejection{RejectReason::application_context_not_supported,
                         "application context is not DICOM's"};
    if (request.user.max_pdu_bytes != 0 && request.user.max_pdu_bytes < kMinPduBytes)
        return Rejection{RejectReason::no_reason, "maximum length cannot hold a fragment"};
    Negotiated result;
    AssociateAc& answer = result.answer;
    answer.called = request.called;
    answer.calling = request.calling;
    answer.user.max_pdu_bytes = policy.max_pdu_bytes;
    answer.user.implementation_class_uid = kImplementationClassUid;
    answer.user.implementation_version_name = kImplementationVersionName;
    if (const auto& asked = request.user.asynchronous_operations) {
        answer.user.asynchronous_operations =
            AsynchronousOperationsWindow{smaller_window(asked->invoked, policy.operations_window),
                                         smaller_window(asked->performed, policy.operations_window)};
    }
    answer_roles(request, policy, result);
    answer_extended(request, policy, answer);
    for (const auto& proposed : request.contexts) {
        answer.contexts.push_back(answer_to(proposed, request, policy));
        auto& last = answer.contexts.back();
        if (last.result != ContextResult::acceptance) continue;
        result.contexts.push_back(
            with_user_information(proposed, last.transfer_syntax, request.user, answer.user));
        // Storage for C-GET only: without an SCP role the context would let nobody do anything.
        const bool stores = kind_under(policy, request, proposed.abstract_syntax) == ServiceKind::storage;
        if (stores && !policy.accept_storage && !result.contexts.back().requestor_is_scp) {
            result.contexts.pop_back();
            last.result = ContextResult::user_rejection;
        }
    }
    return result;
}

std::vector<AcceptedPresentationContext> accepted_contexts(const AssociateRq& request,
                                                           const AssociateAc& answer) {
    std::vector<AcceptedPresentationContext> contexts;
    for (const auto& answered : answer.contexts) {
        if (answered.result != ContextResult::acceptance) continue;
        const auto proposed = std::find_if(request.contexts.begin(), request.contexts.end(),
                                           [&](const auto& one) { return one.id == answered.id; });
        if (proposed == request.contexts.end()) continue;
        const auto& syntaxes = proposed->transfer_syntaxes;
        if (std::find(syntaxes.begin(), syntaxes.end(), answered.transfer_syntax) == syntaxes.end()) continue;
        contexts.push_back(
            with_user_information(*proposed, answered.transfer_syntax, request.user, answer.user));
    }
    return contexts;
}

}  // namespace sagitta::net::ul
