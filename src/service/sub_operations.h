// The counts of a retrieve (PS3.7 9.1.3.1, PS3.4 C.4.2.1.6): one bookkeeping for C-GET and C-MOVE.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "net/dimse/handlers.h"

namespace sagitta::service {

/// Counts are 16 bits on the wire and saturate there.
class SubOperations {
public:
    explicit SubOperations(std::size_t total) : remaining_(total) {}

    void completed() { ++completed_, --remaining_; }
    void warned() { ++warning_, --remaining_; }
    void failed(const dicom::Uid& sop_instance) {
        failed_.push_back(sop_instance);
        --remaining_;
    }
    /// By the status of the C-STORE response.
    void answered(const dicom::Uid& sop_instance, net::dimse::Status status);

    [[nodiscard]] net::dimse::SubOperationCounts counts() const;

    /// Success when none failed, A702 when all did, else B000; FE00 when cancelled.
    [[nodiscard]] net::dimse::RetrieveOutcome outcome(bool cancelled, std::string first_failure) const;

private:
    std::size_t remaining_;
    std::size_t completed_ = 0;
    std::size_t warning_ = 0;
    std::vector<dicom::Uid> failed_;
};

}  // namespace sagitta::service
