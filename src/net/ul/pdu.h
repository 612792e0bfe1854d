// The seven Protocol Data Units of PS3.8 section 9.3 as values. How they look on the wire is
// pdu_codec.h; what may be said when is machine.h.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "net/ul/ae_title.h"

namespace sagitta::net::ul {

inline constexpr std::string_view kDicomApplicationContext = "1.2.840.10008.3.1.1.1";

/// Odd, 1 to 255 (PS3.8 9.3.2.2).
enum class PresentationContextId : std::uint8_t {};
[[nodiscard]] constexpr bool is_valid(PresentationContextId id) noexcept {
    return (static_cast<std::uint8_t>(id) & 1u) != 0;
}

enum class PduType : std::uint8_t {
    associate_rq = 1,
    associate_ac = 2,
    associate_rj = 3,
    p_data_tf = 4,
    release_rq = 5,
    release_rp = 6,
    abort = 7,
};

/// What the requestor asks for (PS3.8 9.3.2.2). UIDs stay text here: negotiation answers unusable
/// ones with a context result, not with an abort.
struct ProposedPresentationContext {
    PresentationContextId id{};
    std::string abstract_syntax;
    std::vector<std::string> transfer_syntaxes;
    bool operator==(const ProposedPresentationContext&) const = default;
};

/// PS3.8 Table 9-18.
enum class ContextResult : std::uint8_t {
    acceptance = 0,
    user_rejection = 1,
    no_reason = 2,
    abstract_syntax_not_supported = 3,
    transfer_syntaxes_not_supported = 4,
};

/// What the acceptor answers (PS3.8 9.3.3.2). The transfer syntax counts only with acceptance.
struct AnsweredPresentationContext {
    PresentationContextId id{};
    ContextResult result = ContextResult::no_reason;
    std::string transfer_syntax;
    bool operator==(const AnsweredPresentationContext&) const = default;
};

/// A context both sides agreed on, with all that was said about it.
struct AcceptedPresentationContext {
    PresentationContextId id{};
    std::string abstract_syntax;
    std::string transfer_syntax;
    bool requestor_is_scu = true;   ///< after role selection (PS3.7 D.3.3.4)
    bool requestor_is_scp = false;  ///< needed for C-GET sub-operations
    /// What the acceptor answered by SOP Class Extended Negotiation (PS3.7 D.3.3.5); empty when nothing.
    std::vector<std::byte> application_information{};
    bool operator==(const AcceptedPresentationContext&) const = default;
};

/// PS3.7 D.3.3.3: operations at a time of the association's requestor, and of its acceptor; 0 is any number.
struct AsynchronousOperationsWindow {
    std::uint16_t invoked = 1;
    std::uint16_t performed = 1;
    bool operator==(const AsynchronousOperationsWindow&) const = default;
};

/// PS3.7 D.3.3.4; in a request what the requestor offers, in an answer what is accepted.
struct RoleSelection {
    std::string sop_class_uid;
    bool scu = false;
    bool scp = false;
    bool operator==(const RoleSelection&) const = default;
};

/// PS3.7 D.3.3.5.
struct SopClassExtendedNegotiation {
    std::string sop_class_uid;
    std::vector<std::byte> application_information;
    bool operator==(const SopClassExtendedNegotiation&) const = default;
};

/// PS3.7 D.3.3.6; only in a request.
struct SopClassCommonExtendedNegotiation {
    std::string sop_class_uid;
    std::string service_class_uid;
    std::vector<std::string> related_general_sop_class_uids;
    bool operator==(const SopClassCommonExtendedNegotiation&) const = default;
};

/// PS3.7 D.3.3.7.1; only in a request. Holds secrets: never logged.
struct UserIdentityRq {
    std::uint8_t type = 1;  ///< 1 user name, 2 with passcode, 3 Kerberos, 4 SAML, 5 JWT
    bool positive_response_requested = false;
    std::string primary;
    std::string secondary;
    bool operator==(const UserIdentityRq&) const = default;
};

/// User Information of either PDU (PS3.7 D.3.3). Items the standard allows in one of them only
/// are ignored in the other.
struct UserInformation {
    std::uint32_t max_pdu_bytes = 0;  ///< longest P-DATA-TF the sender of this takes; 0 is any
    std::string implementation_class_uid;
    std::string implementation_version_name;
    std::optional<AsynchronousOperationsWindow> asynchronous_operations;
    std::vector<RoleSelection> roles;
    std::vector<SopClassExtendedNegotiation> extended;
    std::vector<SopClassCommonExtendedNegotiation> common_extended;
    std::optional<UserIdentityRq> user_identity;
    std::optional<std::string> user_identity_response;  ///< PS3.7 D.3.3.7.2
    bool operator==(const UserInformation&) const = default;
};

struct AssociateRq {
    std::uint16_t protocol_version = 1;  ///< bit 0 is version 1; others are not tested
    AeTitle called;                      ///< empty when the field is not an AE title
    AeTitle calling;
    std::string application_context{kDicomApplicationContext};
    std::vector<ProposedPresentationContext> contexts;
    UserInformation user;
    bool operator==(const AssociateRq&) const = default;
};

struct AssociateAc {
    std::uint16_t protocol_version = 1;
    AeTitle called;  ///< echoed, not tested on receipt (PS3.8 9.3.3)
    AeTitle calling;
    std::string application_context{kDicomApplicationContext};
    std::vector<AnsweredPresentationContext> contexts;
    UserInformation user;
    bool operator==(const AssociateAc&) const = default;
};

/// Meanings: reject.h.
struct AssociateRj {
    std::uint8_t result = 1;
    std::uint8_t source = 1;
    std::uint8_t reason = 1;
    bool operator==(const AssociateRj&) const = default;
};

struct ReleaseRq {
    bool operator==(const ReleaseRq&) const = default;
};
struct ReleaseRp {
    bool operator==(const ReleaseRp&) const = default;
};

/// Meanings: abort.h.
struct Abort {
    std::uint8_t source = 0;
    std::uint8_t reason = 0;
    bool operator==(const Abort&) const = default;
};

/// A piece of a Presentation Data Value (PS3.8 9.3.5.1). `bytes` are not kept.
struct Pdv {
    PresentationContextId context{};
    bool is_command = false;  ///< message control header bit 0 (PS3.8 E.2)
    bool is_last = false;     ///< bit 1
    std::span<const std::byte> bytes;
};

}  // namespace sagitta::net::ul
