#include "net/ul/machine.h"

#include <array>
#include <cstddef>

namespace sagitta::net::ul {

namespace {

using enum Action;

/// A cell of Table 9-10: action and number of the next state; 0 means no such cell. The two cells
/// with two outcomes hold the first of them.
struct Cell {
    Action action{};
    std::uint8_t next = 0;
};

using Row = std::array<Cell, kStates>;
constexpr Cell no{};

// clang-format off
constexpr std::array<Row, kEvents> kTable{{
    //          Sta1       Sta2        Sta3        Sta4       Sta5        Sta6        Sta7        Sta8        Sta9        Sta10       Sta11       Sta12       Sta13
    /* 1 */ Row{{{AE_1, 4}, no,         no,         no,        no,         no,         no,         no,         no,         no,         no,         no,         no}},
    /* 2 */ Row{{no,        no,         no,         {AE_2, 5}, no,         no,         no,         no,         no,         no,         no,         no,         no}},
    /* 3 */ Row{{no,        {AA_1, 13}, {AA_8, 13}, no,        {AE_3, 6},  {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_6, 13}}},
    /* 4 */ Row{{no,        {AA_1, 13}, {AA_8, 13}, no,        {AE_4, 1},  {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_6, 13}}},
    /* 5 */ Row{{{AE_5, 2}, no,         no,         no,        no,         no,         no,         no,         no,         no,         no,         no,         no}},
    /* 6 */ Row{{no,        {AE_6, 3},  {AA_8, 13}, no,        {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_7, 13}}},
    /* 7 */ Row{{no,        no,         {AE_7, 6},  no,        no,         no,         no,         no,         no,         no,         no,         no,         no}},
    /* 8 */ Row{{no,        no,         {AE_8, 13}, no,        no,         no,         no,         no,         no,         no,         no,         no,         no}},
    /* 9 */ Row{{no,        no,         no,         no,        no,         {DT_1, 6},  no,         {AR_7, 8},  no,         no,         no,         no,         no}},
    /*10 */ Row{{no,        {AA_1, 13}, {AA_8, 13}, no,        {AA_8, 13}, {DT_2, 6},  {AR_6, 7},  {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_6, 13}}},
    /*11 */ Row{{no,        no,         no,         no,        no,         {AR_1, 7},  no,         no,         no,         no,         no,         no,         no}},
    /*12 */ Row{{no,        {AA_1, 13}, {AA_8, 13}, no,        {AA_8, 13}, {AR_2, 8},  {AR_8, 9},  {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_6, 13}}},
    /*13 */ Row{{no,        {AA_1, 13}, {AA_8, 13}, no,        {AA_8, 13}, {AA_8, 13}, {AR_3, 1},  {AA_8, 13}, {AA_8, 13}, {AR_10, 12}, {AR_3, 1}, {AA_8, 13}, {AA_6, 13}}},
    /*14 */ Row{{no,        no,         no,         no,        no,         no,         no,         {AR_4, 13}, {AR_9, 11}, no,         no,         {AR_4, 13}, no}},
    /*15 */ Row{{no,        no,         {AA_1, 13}, {AA_2, 1}, {AA_1, 13}, {AA_1, 13}, {AA_1, 13}, {AA_1, 13}, {AA_1, 13}, {AA_1, 13}, {AA_1, 13}, {AA_1, 13}, no}},
    /*16 */ Row{{no,        {AA_2, 1},  {AA_3, 1},  no,        {AA_3, 1},  {AA_3, 1},  {AA_3, 1},  {AA_3, 1},  {AA_3, 1},  {AA_3, 1},  {AA_3, 1},  {AA_3, 1},  {AA_2, 1}}},
    /*17 */ Row{{no,        {AA_5, 1},  {AA_4, 1},  {AA_4, 1}, {AA_4, 1},  {AA_4, 1},  {AA_4, 1},  {AA_4, 1},  {AA_4, 1},  {AA_4, 1},  {AA_4, 1},  {AA_4, 1},  {AR_5, 1}}},
    /*18 */ Row{{no,        {AA_2, 1},  no,         no,        no,         no,         no,         no,         no,         no,         no,         no,         {AA_2, 1}}},
    /*19 */ Row{{no,        {AA_1, 13}, {AA_8, 13}, no,        {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_8, 13}, {AA_7, 13}}},
}};

constexpr std::array<std::string_view, 28> kActionNames{
    "AE-1", "AE-2", "AE-3", "AE-4", "AE-5", "AE-6", "AE-7", "AE-8", "DT-1", "DT-2",
    "AR-1", "AR-2", "AR-3", "AR-4", "AR-5", "AR-6", "AR-7", "AR-8", "AR-9", "AR-10",
    "AA-1", "AA-2", "AA-3", "AA-4", "AA-5", "AA-6", "AA-7", "AA-8"};
constexpr std::array<std::string_view, kStates> kStateNames{
    "Sta1", "Sta2", "Sta3", "Sta4", "Sta5", "Sta6", "Sta7", "Sta8", "Sta9", "Sta10", "Sta11", "Sta12", "Sta13"};
constexpr std::array<std::string_view, kEvents> kEventNames{
    "Evt1", "Evt2", "Evt3", "Evt4", "Evt5", "Evt6", "Evt7", "Evt8", "Evt9", "Evt10",
    "Evt11", "Evt12", "Evt13", "Evt14", "Evt15", "Evt16", "Evt17", "Evt18", "Evt19"};
// clang-format on

}  // namespace

std::optional<Step> step(State state, Event event, Facts facts) noexcept {
    const auto column = static_cast<std::size_t>(state) - 1;
    const auto row = static_cast<std::size_t>(event) - 1;
    if (row >= kTable.size() || column >= kTable[row].size()) return std::nullopt;
    const Cell cell = kTable[row][column];
    if (cell.next == 0) return std::nullopt;
    if (cell.action == AE_6 && !facts.request_acceptable) return Step{AE_6, State::Sta13_AwaitClose};
    if (cell.action == AR_8 && facts.role == Role::acceptor)
        return Step{AR_8, State::Sta10_CollisionAcceptorAwaitReleaseRp};
    return Step{cell.action, static_cast<State>(cell.next)};
}

std::string_view to_string(State state) noexcept {
    return kStateNames[static_cast<std::size_t>(state) - 1];
}
std::string_view to_string(Event event) noexcept {
    return kEventNames[static_cast<std::size_t>(event) - 1];
}
std::string_view to_string(Action action) noexcept {
    return kActionNames[static_cast<std::size_t>(action) - 1];
}

}  // namespace sagitta::net::ul
