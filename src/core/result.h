// Result<T>: a value or an Error. Member names are those of C++23 std::expected, so that it can
// become it. Knows nothing of exceptions: asking for the value of a failure ends the process.
#pragma once

#include <cstdlib>
#include <functional>
#include <optional>
#include <type_traits>
#include <utility>
#include <variant>

#include "core/error.h"

namespace sagitta {

template <class T>
class [[nodiscard]] Result {
public:
    using value_type = T;

    Result(T value) : state_(std::in_place_index<0>, std::move(value)) {}      // NOLINT: implicit on purpose
    Result(Error error) : state_(std::in_place_index<1>, std::move(error)) {}  // NOLINT

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] T& value() & { return checked(); }
    [[nodiscard]] const T& value() const& { return const_cast<Result*>(this)->checked(); }
    [[nodiscard]] T&& value() && { return std::move(checked()); }
    [[nodiscard]] T& operator*() & { return checked(); }
    [[nodiscard]] const T& operator*() const& { return const_cast<Result*>(this)->checked(); }
    [[nodiscard]] T&& operator*() && { return std::move(checked()); }
    [[nodiscard]] T* operator->() { return &checked(); }
    [[nodiscard]] const T* operator->() const { return &const_cast<Result*>(this)->checked(); }

    [[nodiscard]] Error& error() & {
        if (has_value()) std::abort();
        return *std::get_if<1>(&state_);
    }
    [[nodiscard]] const Error& error() const& { return const_cast<Result*>(this)->error(); }
    [[nodiscard]] Error&& error() && { return std::move(error()); }

    template <class U>
    [[nodiscard]] T value_or(U&& fallback) const& {
        return has_value() ? **this : static_cast<T>(std::forward<U>(fallback));
    }

private:
    T& checked() {
        if (!has_value()) std::abort();
        return *std::get_if<0>(&state_);
    }

    std::variant<T, Error> state_;
};

template <>
class [[nodiscard]] Result<void> {
public:
    using value_type = void;

    Result() = default;
    Result(Error error) : error_(std::move(error)) {}  // NOLINT: implicit on purpose

    [[nodiscard]] bool has_value() const noexcept { return !error_.has_value(); }
    explicit operator bool() const noexcept { return has_value(); }

    [[nodiscard]] Error& error() & {
        if (!error_) std::abort();
        return *error_;
    }
    [[nodiscard]] const Error& error() const& { return const_cast<Result*>(this)->error(); }
    [[nodiscard]] Error&& error() && { return std::move(error()); }

private:
    std::optional<Error> error_;
};

}  // namespace sagitta
