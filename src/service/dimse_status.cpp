#include "service/dimse_status.h"

namespace sagitta::service {
namespace {

using net::dimse::Outcome;
using net::dimse::Status;

// The whole message, for the log; the wire gets its first 64 characters (Error Comment is a LO).
Outcome outcome(Status status, const Error& error) {
    return {status, error.message()};
}

}  // namespace

Outcome store_outcome(const Error& error) {
    switch (error.code) {
        case Errc::no_space:
        case Errc::limit_exceeded:
        case Errc::shutting_down: return outcome(Status::out_of_resources, error);
        case Errc::mismatch: return outcome(Status::identifier_does_not_match_sop_class, error);
        case Errc::malformed:
        case Errc::truncated:
        case Errc::unsupported:
        case Errc::invalid_argument: return outcome(Status::cannot_understand, error);
        default: return outcome(Status::processing_failure, error);
    }
}

Outcome query_outcome(const Error& error) {
    switch (error.code) {
        case Errc::invalid_argument:
        case Errc::mismatch: return outcome(Status::identifier_does_not_match_sop_class, error);
        case Errc::no_space:
        case Errc::limit_exceeded:
        case Errc::shutting_down: return outcome(Status::out_of_resources, error);
        default: return outcome(Status::cannot_understand, error);
    }
}

}  // namespace sagitta::service
