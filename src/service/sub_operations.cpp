#include "service/sub_operations.h"

#include <algorithm>
#include <utility>

namespace sagitta::service {
namespace {

using net::dimse::Outcome;
using net::dimse::Status;

std::uint16_t on_the_wire(std::size_t count) {
    return static_cast<std::uint16_t>(std::min<std::size_t>(count, UINT16_MAX));
}

}  // namespace

void SubOperations::answered(const dicom::Uid& sop_instance, Status status) {
    if (status == Status::success) {
        completed();
    } else if (net::dimse::is_warning(status)) {
        warned();
    } else {
        failed(sop_instance);
    }
}

net::dimse::SubOperationCounts SubOperations::counts() const {
    net::dimse::SubOperationCounts counts;
    counts.remaining = on_the_wire(remaining_);
    counts.completed = on_the_wire(completed_);
    counts.failed = on_the_wire(failed_.size());
    counts.warning = on_the_wire(warning_);
    return counts;
}

net::dimse::RetrieveOutcome SubOperations::outcome(bool cancelled, std::string first_failure) const {
    net::dimse::RetrieveOutcome outcome;
    outcome.counts = counts();
    outcome.failed_sop_instance_uids = failed_;
    if (cancelled) {
        outcome.outcome = Outcome(Status::cancel);
    } else if (!failed_.empty() && completed_ == 0 && warning_ == 0) {
        outcome.outcome = Outcome(Status::unable_to_perform_sub_operations, std::move(first_failure));
    } else if (!failed_.empty() || warning_ != 0) {
        outcome.outcome = Outcome(Status::coercion_of_data_elements, std::move(first_failure));
    }
    return outcome;
}

}  // namespace sagitta::service
