// What Instance Availability Notification says (PS3.4 Annex R): which instances of a study can be had from
// us.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "service/completeness.h"
#include "storage/instance_index.h"
#include "storage/notice_log.h"
#include "storage/procedure_step_log.h"

namespace sagitta::service {

/// The attribute list of Table R.3.2-1: instances of one study, by series, ONLINE at `retrieve_ae_title`. An
/// empty `step_instance_uid` refers to no procedure step. Pure.
[[nodiscard]] dicom::DataSet availability_of(std::string_view study_instance_uid,
                                             std::string_view step_instance_uid,
                                             const std::vector<ExpectedInstance>& instances,
                                             std::string_view retrieve_ae_title);

/// The instances a notice is about, as they are in the archive now, ordered by series: those its step names,
/// or without a step all of the study that no step names which has arrived. Errors: of log and index.
[[nodiscard]] Result<std::vector<ExpectedInstance>> instances_to_tell(std::string_view study_instance_uid,
                                                                      std::string_view step_instance_uid,
                                                                      storage::ProcedureStepLog& log,
                                                                      const storage::InstanceIndex& index);

/// The studies, as the archive has them, of what a step names. Errors: of the index.
[[nodiscard]] Result<std::vector<std::string>> studies_of(const StepProgress& progress,
                                                          const storage::InstanceIndex& index);

}  // namespace sagitta::service
