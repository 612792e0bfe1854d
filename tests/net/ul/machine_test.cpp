// PS3.8 Table 9-10, every cell, written out by hand from the standard.
#include "net/ul/machine.h"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace sagitta::net::ul {
namespace {

/// "action next-state" or "" for an empty cell. AE-6 when acceptable, AR-8 for the requestor.
using Row = std::array<const char*, 13>;

// clang-format off
const std::array<Row, 19> kTable{{
    // Evt1: A-ASSOCIATE request (local user)
    {"AE-1 4", "", "", "", "", "", "", "", "", "", "", "", ""},
    // Evt2: transport connection confirmed (local transport)
    {"", "", "", "AE-2 5", "", "", "", "", "", "", "", "", ""},
    // Evt3: A-ASSOCIATE-AC PDU received
    {"", "AA-1 13", "AA-8 13", "", "AE-3 6", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-6 13"},
    // Evt4: A-ASSOCIATE-RJ PDU received
    {"", "AA-1 13", "AA-8 13", "", "AE-4 1", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-6 13"},
    // Evt5: transport connection indication
    {"AE-5 2", "", "", "", "", "", "", "", "", "", "", "", ""},
    // Evt6: A-ASSOCIATE-RQ PDU received
    {"", "AE-6 3", "AA-8 13", "", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-7 13"},
    // Evt7: A-ASSOCIATE response, accept (local user)
    {"", "", "AE-7 6", "", "", "", "", "", "", "", "", "", ""},
    // Evt8: A-ASSOCIATE response, reject (local user)
    {"", "", "AE-8 13", "", "", "", "", "", "", "", "", "", ""},
    // Evt9: P-DATA request (local user)
    {"", "", "", "", "", "DT-1 6", "", "AR-7 8", "", "", "", "", ""},
    // Evt10: P-DATA-TF PDU received
    {"", "AA-1 13", "AA-8 13", "", "AA-8 13", "DT-2 6", "AR-6 7", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-6 13"},
    // Evt11: A-RELEASE request (local user)
    {"", "", "", "", "", "AR-1 7", "", "", "", "", "", "", ""},
    // Evt12: A-RELEASE-RQ PDU received
    {"", "AA-1 13", "AA-8 13", "", "AA-8 13", "AR-2 8", "AR-8 9", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-6 13"},
    // Evt13: A-RELEASE-RP PDU received
    {"", "AA-1 13", "AA-8 13", "", "AA-8 13", "AA-8 13", "AR-3 1", "AA-8 13", "AA-8 13", "AR-10 12", "AR-3 1", "AA-8 13", "AA-6 13"},
    // Evt14: A-RELEASE response (local user)
    {"", "", "", "", "", "", "", "AR-4 13", "AR-9 11", "", "", "AR-4 13", ""},
    // Evt15: A-ABORT request (local user)
    {"", "", "AA-1 13", "AA-2 1", "AA-1 13", "AA-1 13", "AA-1 13", "AA-1 13", "AA-1 13", "AA-1 13", "AA-1 13", "AA-1 13", ""},
    // Evt16: A-ABORT PDU received
    {"", "AA-2 1", "AA-3 1", "", "AA-3 1", "AA-3 1", "AA-3 1", "AA-3 1", "AA-3 1", "AA-3 1", "AA-3 1", "AA-3 1", "AA-2 1"},
    // Evt17: transport connection closed
    {"", "AA-5 1", "AA-4 1", "AA-4 1", "AA-4 1", "AA-4 1", "AA-4 1", "AA-4 1", "AA-4 1", "AA-4 1", "AA-4 1", "AA-4 1", "AR-5 1"},
    // Evt18: ARTIM timer expired
    {"", "AA-2 1", "", "", "", "", "", "", "", "", "", "", "AA-2 1"},
    // Evt19: unrecognized or invalid PDU received
    {"", "AA-1 13", "AA-8 13", "", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-8 13", "AA-7 13"},
}};
// clang-format on

std::string cell(int state, int event, Facts facts) {
    const auto result = step(static_cast<State>(state), static_cast<Event>(event), facts);
    if (!result) return "";
    return std::string(to_string(result->action)) + " " + std::to_string(static_cast<int>(result->next));
}

TEST(Machine, EveryCellIsTheStandards) {
    Facts requestor;
    requestor.role = Role::requestor;
    for (int event = 1; event <= kEvents; ++event) {
        for (int state = 1; state <= kStates; ++state) {
            EXPECT_EQ(cell(state, event, requestor),
                      kTable[static_cast<std::size_t>(event) - 1][static_cast<std::size_t>(state) - 1])
                << "Evt" << event << " Sta" << state;
        }
    }
}

TEST(Machine, RoleChangesNothingButReleaseCollision) {
    Facts acceptor;
    acceptor.role = Role::acceptor;
    for (int event = 1; event <= kEvents; ++event) {
        for (int state = 1; state <= kStates; ++state) {
            const std::string expected =
                event == 12 && state == 7
                    ? "AR-8 10"
                    : kTable[static_cast<std::size_t>(event) - 1][static_cast<std::size_t>(state) - 1];
            EXPECT_EQ(cell(state, event, acceptor), expected) << "Evt" << event << " Sta" << state;
        }
    }
}

TEST(Machine, UnacceptableRequestIsRefusedByTheProvider) {
    Facts facts;
    facts.request_acceptable = false;
    EXPECT_EQ(cell(2, 6, facts), "AE-6 13");
    EXPECT_EQ(cell(6, 10, facts), "DT-2 6");
}

TEST(Machine, NumbersOutsideTheTableAreNoCell) {
    EXPECT_EQ(step(static_cast<State>(0), Event::Evt1_AssociateRequest, {}), std::nullopt);
    EXPECT_EQ(step(static_cast<State>(14), Event::Evt1_AssociateRequest, {}), std::nullopt);
    EXPECT_EQ(step(State::Sta1_Idle, static_cast<Event>(20), {}), std::nullopt);
}

}  // namespace
}  // namespace sagitta::net::ul
