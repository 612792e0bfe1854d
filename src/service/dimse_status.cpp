#include "service/dimse_status.h"

namespace sagitta::service {
namespace {

using net::dimse::Outcome;
using net::dimse::Status;

// Error Comment is a LO: 64 characters (PS3.7 Annex C). The start of a message says most.
Outcome outcome(Status status, const Error& error) { return {status, error.message().substr(0, 64)}; }

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
