// Whether all is there: what a procedure step says was made, beside what the archive has. Evidence that a
// study is complete. Pure but for its questions to index and log.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "storage/instance_index.h"
#include "storage/procedure_step_log.h"

namespace sagitta::service {

struct ExpectedInstance {
    std::string series_instance_uid;
    std::string sop_class_uid;
    std::string sop_instance_uid;
    bool operator==(const ExpectedInstance&) const = default;
};

/// What the Performed Series Sequence names in Referenced Image Sequence and Referenced Non-Image Composite
/// SOP Instance Sequence, each SOP Instance once, in its order.
[[nodiscard]] std::vector<ExpectedInstance> expected_instances(const dicom::DataSet& step);

/// A step and what has come of it.
struct StepProgress {
    storage::ProcedureStep step;  ///< without its data set
    std::vector<ExpectedInstance> expected;
    std::vector<std::string> missing;  ///< SOP Instance UIDs

    [[nodiscard]] std::uint64_t present() const noexcept { return expected.size() - missing.size(); }
    /// In a final state, and all it names is there, though that may be nothing.
    [[nodiscard]] bool has_arrived() const noexcept;
};

/// Errors: those of the index; malformed (the step's data set).
[[nodiscard]] Result<StepProgress> progress_of(storage::ProcedureStep step,
                                               const storage::InstanceIndex& index);
/// All steps that name the study, in the order they were created. Errors also: those of the log.
[[nodiscard]] Result<std::vector<StepProgress>> progress_of_study(std::string_view study_instance_uid,
                                                                  storage::ProcedureStepLog& log,
                                                                  const storage::InstanceIndex& index);
/// The steps are evidence that their study is complete: one at least is COMPLETED and names instances, none
/// is in progress, and all that any of them names is there.
[[nodiscard]] bool prove_complete(const std::vector<StepProgress>& steps) noexcept;

}  // namespace sagitta::service
