// The way back: what a de-identified object, or a result that refers to one, says with the identity it
// came from. Needs the vault of the project.
#pragma once

#include "core/result.h"
#include "deid/vault.h"
#include "dicom/data_set.h"

namespace sagitta::deid {

/// UIDs at all depths that the vault knows, the patient's attributes, those of the study, and dates that
/// were moved. What was removed or cut out stays so. Text becomes UTF-8 where the object's own character set
/// cannot hold it. Errors: not_found when the vault does not know the Patient ID; those of Vault::find.
[[nodiscard]] Result<dicom::DataSet> reidentified(const dicom::DataSet& object, const Vault& vault);

}  // namespace sagitta::deid
