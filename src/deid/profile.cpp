#include "deid/profile.h"

#include <array>

namespace sagitta::deid {
namespace {

constexpr std::array<std::string_view, 9> kActions = {"K", "X", "Z", "D", "U", "C", "shift", "hash", "set"};

}  // namespace

std::string_view to_string(Action action) noexcept {
    return kActions[static_cast<std::size_t>(action)];
}

std::optional<Action> parse_action(std::string_view word) noexcept {
    for (std::size_t index = 0; index < kActions.size(); ++index) {
        if (kActions[index] == word) return static_cast<Action>(index);
    }
    return std::nullopt;
}

}  // namespace sagitta::deid
