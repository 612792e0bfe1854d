// What a procedure step says of itself, made from the command line: attributes as they are written, those
// that PS3.4 Table F.7.2-1 requires beside them, and files for the instances that were made.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"

namespace sagitta::tools {

/// A data set from a DICOM file (*.dcm) or DICOM JSON (*.json). Errors: those of reading; unsupported.
[[nodiscard]] Result<dicom::DataSet> read_attributes(const std::string& path);

/// `PATH=VALUE` each, into `data_set`. Errors: invalid_argument.
[[nodiscard]] Result<dicom::DataSet> with_sets(const dicom::DataSet& data_set,
                                               const std::vector<std::string>& sets);

struct NewStep {
    std::string study_instance_uid;  ///< empty: a new one
    std::string station_ae_title;
    std::vector<std::string> sets;  ///< PATH=VALUE
    std::string attributes_file;    ///< empty: none
    std::string worklist_file;      ///< an item of the worklist; empty: none
};

/// The attribute list of an N-CREATE: what is required and nobody said is empty, or now, or ours.
[[nodiscard]] Result<dicom::DataSet> new_step(const NewStep& wanted);

struct StepChange {
    std::string state;  ///< "COMPLETED", "DISCONTINUED", or empty
    std::vector<std::string> sets;
    std::string attributes_file;
    std::vector<std::string> performed;  ///< files and folders of the instances that were made
};

/// The modification list of an N-SET.
[[nodiscard]] Result<dicom::DataSet> step_change(const StepChange& wanted);

}  // namespace sagitta::tools
