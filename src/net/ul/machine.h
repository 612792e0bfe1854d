// The Upper Layer state machine: PS3.8 Table 9-10 as data. Pure; who calls it does what the
// action says (PS3.8 Tables 9-6 to 9-9).
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace sagitta::net::ul {

enum class State : std::uint8_t {
    Sta1_Idle = 1,
    Sta2_AwaitAssociateRq,
    Sta3_AwaitLocalAssociateResponse,
    Sta4_AwaitTransportOpen,
    Sta5_AwaitAssociateAnswer,
    Sta6_Established,
    Sta7_AwaitReleaseRp,
    Sta8_AwaitLocalReleaseResponse,
    Sta9_CollisionRequestorAwaitLocalResponse,
    Sta10_CollisionAcceptorAwaitReleaseRp,
    Sta11_CollisionRequestorAwaitReleaseRp,
    Sta12_CollisionAcceptorAwaitLocalResponse,
    Sta13_AwaitClose,
};
inline constexpr int kStates = 13;

enum class Event : std::uint8_t {
    Evt1_AssociateRequest = 1,  ///< local user
    Evt2_TransportConfirmed,    ///< we are connected
    Evt3_AssociateAcReceived,
    Evt4_AssociateRjReceived,
    Evt5_TransportIndication,  ///< somebody connected
    Evt6_AssociateRqReceived,
    Evt7_AcceptResponse,  ///< local user
    Evt8_RejectResponse,  ///< local user
    Evt9_PDataRequest,    ///< local user
    Evt10_PDataReceived,
    Evt11_ReleaseRequest,  ///< local user
    Evt12_ReleaseRqReceived,
    Evt13_ReleaseRpReceived,
    Evt14_ReleaseResponse,  ///< local user
    Evt15_AbortRequest,     ///< local user
    Evt16_AbortReceived,
    Evt17_TransportClosed,
    Evt18_ArtimExpired,
    Evt19_InvalidPdu,
};
inline constexpr int kEvents = 19;

enum class Action : std::uint8_t {
    AE_1 = 1,
    AE_2,
    AE_3,
    AE_4,
    AE_5,
    AE_6,
    AE_7,
    AE_8,
    DT_1,
    DT_2,
    AR_1,
    AR_2,
    AR_3,
    AR_4,
    AR_5,
    AR_6,
    AR_7,
    AR_8,
    AR_9,
    AR_10,
    AA_1,
    AA_2,
    AA_3,
    AA_4,
    AA_5,
    AA_6,
    AA_7,
    AA_8,
};

enum class Role : std::uint8_t { requestor, acceptor };

/// What decides AR-8 (the role) and AE-6 (is the request acceptable to the provider), nothing else.
struct Facts {
    Role role = Role::acceptor;
    bool request_acceptable = true;
};

struct Step {
    Action action{};
    State next{};
    bool operator==(const Step&) const = default;
};

/// Empty means the table has no such cell: a bug on our side, never something a peer can cause.
[[nodiscard]] std::optional<Step> step(State state, Event event, Facts facts) noexcept;

[[nodiscard]] std::string_view to_string(State state) noexcept;    ///< "Sta6"
[[nodiscard]] std::string_view to_string(Event event) noexcept;    ///< "Evt10"
[[nodiscard]] std::string_view to_string(Action action) noexcept;  ///< "AA-8"

}  // namespace sagitta::net::ul
