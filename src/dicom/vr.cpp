#include "dicom/vr.h"

#include <array>

namespace sagitta::dicom {
namespace {

constexpr std::array<std::string_view, 35> kLetters = {"--", "AE", "AS", "AT", "CS", "DA", "DS", "DT", "FD",
                                                       "FL", "IS", "LO", "LT", "OB", "OD", "OF", "OL", "OV",
                                                       "OW", "PN", "SH", "SL", "SQ", "SS", "ST", "SV", "TM",
                                                       "UC", "UI", "UL", "UN", "UR", "US", "UT", "UV"};
static_assert(kLetters[static_cast<std::size_t>(Vr::UV)] == "UV");

// Two capital letters to VR in one look-up: 26 x 26, zero where there is none.
constexpr auto kByLetters = [] {
    std::array<std::uint8_t, 26 * 26> table{};
    for (std::size_t vr = 1; vr < kLetters.size(); ++vr) {
        const auto first = static_cast<std::size_t>(kLetters[vr][0] - 'A');
        const auto second = static_cast<std::size_t>(kLetters[vr][1] - 'A');
        table[first * 26 + second] = static_cast<std::uint8_t>(vr);
    }
    return table;
}();

constexpr std::uint64_t set_of(std::initializer_list<Vr> vrs) {
    std::uint64_t bits = 0;
    for (const Vr vr : vrs) bits |= 1ull << static_cast<unsigned>(vr);
    return bits;
}
constexpr bool in(Vr vr, std::uint64_t set) {
    return (set >> static_cast<unsigned>(vr)) & 1;
}

constexpr auto kLongHeader = set_of(
    {Vr::OB, Vr::OD, Vr::OF, Vr::OL, Vr::OV, Vr::OW, Vr::SQ, Vr::SV, Vr::UC, Vr::UN, Vr::UR, Vr::UT, Vr::UV});
constexpr auto kCharacterSet = set_of({Vr::LO, Vr::LT, Vr::PN, Vr::SH, Vr::ST, Vr::UC, Vr::UT});
constexpr auto kText =
    kCharacterSet | set_of({Vr::AE, Vr::AS, Vr::CS, Vr::DA, Vr::DS, Vr::DT, Vr::IS, Vr::TM, Vr::UI, Vr::UR});
constexpr auto kSingleValued = set_of({Vr::LT, Vr::ST, Vr::UT, Vr::UR});

}  // namespace

std::string_view to_string(Vr vr) noexcept {
    return kLetters[static_cast<std::size_t>(vr)];
}

std::optional<Vr> vr_from_letters(char first, char second) noexcept {
    if (first < 'A' || first > 'Z' || second < 'A' || second > 'Z') return std::nullopt;
    const auto found =
        kByLetters[static_cast<std::size_t>(first - 'A') * 26 + static_cast<std::size_t>(second - 'A')];
    if (found == 0) return std::nullopt;
    return static_cast<Vr>(found);
}

bool has_long_header(Vr vr) noexcept {
    return in(vr, kLongHeader);
}

std::size_t swap_unit(Vr vr) noexcept {
    switch (vr) {
        case Vr::AT:
        case Vr::OW:
        case Vr::SS:
        case Vr::US: return 2;
        case Vr::FL:
        case Vr::OF:
        case Vr::OL:
        case Vr::SL:
        case Vr::UL: return 4;
        case Vr::FD:
        case Vr::OD:
        case Vr::OV:
        case Vr::SV:
        case Vr::UV: return 8;
        default: return 1;
    }
}

bool is_text(Vr vr) noexcept {
    return in(vr, kText);
}
bool uses_character_set(Vr vr) noexcept {
    return in(vr, kCharacterSet);
}
bool is_single_valued_text(Vr vr) noexcept {
    return in(vr, kSingleValued);
}
char padding(Vr vr) noexcept {
    return is_text(vr) && vr != Vr::UI ? ' ' : '\0';
}

}  // namespace sagitta::dicom
