// What storage commitment says on the wire (PS3.4 J.3): requests read, reports written, and reports read by
// who asked. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "net/dimse/normalized.h"
#include "net/dimse/status.h"
#include "storage/commitment_log.h"

namespace sagitta::service {

/// The Action Information of a request: transaction and references. Errors: invalid_argument (with what is
/// missing), malformed, truncated.
[[nodiscard]] Result<storage::CommitmentRequest> read_commitment_request(
    const net::dimse::NormalizedRequest& request);

/// The same as a data set, to ask others.
[[nodiscard]] dicom::DataSet commitment_request(const storage::CommitmentRequest& request);

/// Failure Reason (PS3.3 C.14.1.1) of one reference; 0: committed.
struct CommitmentResult {
    storage::CommitmentReference reference;
    std::uint16_t failure_reason = 0;
};

inline constexpr std::uint16_t kProcessingFailure = 0x0110;
inline constexpr std::uint16_t kNoSuchObjectInstance = 0x0112;
inline constexpr std::uint16_t kClassInstanceConflict = 0x0119;

/// The report of a transaction: event type 1 when all are committed, 2 otherwise (J.3.3.1).
[[nodiscard]] net::dimse::EventReport commitment_report(const std::string& transaction_uid,
                                                        const std::vector<CommitmentResult>& results);

struct CommitmentReport {
    std::string transaction_uid;
    std::vector<CommitmentResult> results;
};

/// A peer's report. Errors: as read_commitment_request.
[[nodiscard]] Result<CommitmentReport> read_commitment_report(const net::dimse::NormalizedRequest& report);

}  // namespace sagitta::service
