#include "service/dimse_status.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "dicom/tag.h"

namespace sagitta::service {
namespace {

using net::dimse::Outcome;
using net::dimse::Status;

/// The elements that a sentence of ours names, as (gggg,eeee).
std::vector<dicom::Tag> named_in(std::string_view sentence) {
    constexpr std::size_t kLength = 11;
    std::vector<dicom::Tag> tags;
    for (auto at = sentence.find('('); at != std::string_view::npos; at = sentence.find('(', at + 1)) {
        const auto text = sentence.substr(at, kLength);
        const auto tag = text.ends_with(')') ? dicom::parse_tag(text) : std::nullopt;
        if (tag && std::find(tags.begin(), tags.end(), *tag) == tags.end()) tags.push_back(*tag);
    }
    return tags;
}

// The whole message, for the log; the wire gets its first 64 characters (Error Comment is a LO).
Outcome outcome(Status status, const Error& error) {
    return {status, error.message()};
}

/// The same where the response has a place for Offending Elements (PS3.4 B.2.3, C.4.1.1.4).
Outcome outcome_of_data(Status status, const Error& error) {
    auto message = error.message();
    auto tags = named_in(message);
    return {status, std::move(message), std::move(tags)};
}

}  // namespace

Outcome store_outcome(const Error& error) {
    switch (error.code) {
        case Errc::no_space:
        case Errc::limit_exceeded:
        case Errc::shutting_down: return outcome(Status::out_of_resources, error);
        case Errc::mismatch: return outcome_of_data(Status::identifier_does_not_match_sop_class, error);
        case Errc::malformed:
        case Errc::truncated:
        case Errc::unsupported:
        case Errc::invalid_argument: return outcome_of_data(Status::cannot_understand, error);
        default: return outcome(Status::processing_failure, error);
    }
}

Outcome query_outcome(const Error& error) {
    switch (error.code) {
        case Errc::invalid_argument:
        case Errc::mismatch: return outcome_of_data(Status::identifier_does_not_match_sop_class, error);
        case Errc::no_space:
        case Errc::limit_exceeded:
        case Errc::shutting_down: return outcome(Status::out_of_resources, error);
        default: return outcome_of_data(Status::cannot_understand, error);
    }
}

}  // namespace sagitta::service
