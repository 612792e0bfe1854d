// What went wrong, for an operator. Carries codes, offsets, limits and file names; never an
// attribute value, because errors reach logs and peers (no patient data in either).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace sagitta {

/// The few kinds of failure callers decide on. Everything finer is text for people.
enum class Errc : std::uint8_t {
    malformed,         ///< bytes from outside break the standard
    truncated,         ///< bytes from outside end too early
    limit_exceeded,    ///< a configured limit says no
    unsupported,       ///< valid, but nothing here can do it
    invalid_argument,  ///< the caller (command line, configuration, request) asked for nonsense
    not_found,
    already_exists,
    mismatch,         ///< two statements that must agree do not (SOP Class, SOP Instance, digest)
    no_space,         ///< the disk or a quota is full
    io_failure,       ///< the disk or the operating system failed
    corrupt,          ///< bytes of our own on disk are not what we wrote
    refused,          ///< the peer answered no
    connection_lost,  ///< the peer vanished, or the transport failed
    protocol_error,   ///< the peer broke PS3.7 or PS3.8
    timeout,
    cancelled,
    shutting_down,
};

/// Stable lower-case name of `code`, for logs and JSON.
[[nodiscard]] constexpr std::string_view to_string(Errc code) noexcept {
    switch (code) {
        case Errc::malformed: return "malformed";
        case Errc::truncated: return "truncated";
        case Errc::limit_exceeded: return "limit_exceeded";
        case Errc::unsupported: return "unsupported";
        case Errc::invalid_argument: return "invalid_argument";
        case Errc::not_found: return "not_found";
        case Errc::already_exists: return "already_exists";
        case Errc::mismatch: return "mismatch";
        case Errc::no_space: return "no_space";
        case Errc::io_failure: return "io_failure";
        case Errc::corrupt: return "corrupt";
        case Errc::refused: return "refused";
        case Errc::connection_lost: return "connection_lost";
        case Errc::protocol_error: return "protocol_error";
        case Errc::timeout: return "timeout";
        case Errc::cancelled: return "cancelled";
        case Errc::shutting_down: return "shutting_down";
    }
    return "unknown";
}

/// A failure: a code to decide on and a sentence to read. `context` never holds attribute values.
struct Error {
    Errc code = Errc::io_failure;
    std::string context;
    std::optional<std::uint64_t> offset_bytes;  ///< where in the input, when that helps

    Error(Errc error_code, std::string what) : code(error_code), context(std::move(what)) {}
    Error(Errc error_code, std::string what, std::uint64_t offset)
        : code(error_code), context(std::move(what)), offset_bytes(offset) {}

    /// The same failure seen from one level up: "prefix: context".
    [[nodiscard]] Error within(std::string_view prefix) && {
        context.insert(0, ": ").insert(0, prefix);
        return std::move(*this);
    }

    /// "context at byte N", one line.
    [[nodiscard]] std::string message() const {
        return offset_bytes ? context + " at byte " + std::to_string(*offset_bytes) : context;
    }

    bool operator==(const Error&) const = default;
};

}  // namespace sagitta
