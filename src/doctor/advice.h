// What a failure means in words, and what to change on which side. Pure.
#pragma once

#include <string>
#include <string_view>

#include "doctor/attempt.h"
#include "doctor/findings.h"
#include "doctor/reach.h"
#include "net/dimse/status.h"

namespace sagitta::doctor {

/// Whom we examine, as whom, and how we look from there.
struct Names {
    std::string calling;
    std::string called;
    std::string host;
    std::uint16_t port = 104;
    std::string local_address;
};

/// Fills `what` and `advice` of a step.
void explain_resolve(Finding& finding, const Names& names);
void explain_connect(Finding& finding, const Error& error, const Names& names);
void explain_reject(Finding& finding, const net::ul::AssociateRj& rj, const Names& names);
void explain_speaker(Finding& finding, Speaker speaker, const Names& names);
void explain_abort(Finding& finding, const net::ul::Abort& abort, const Names& names);
/// A DIMSE status that is not success; `service` as in "the query".
void explain_status(Finding& finding, const net::dimse::Outcome& outcome, std::string_view service,
                    const Names& names);

/// "A801: move destination unknown", Error Comment and Offending Elements included, escaped.
[[nodiscard]] std::string in_words(const net::dimse::Outcome& outcome);

}  // namespace sagitta::doctor
