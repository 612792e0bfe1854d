// What every object that is stored goes through, whichever way it arrived. Internal to service.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "core/task.h"
#include "dicom/data_set.h"
#include "dicom/part10.h"
#include "service/storage_scp.h"

namespace sagitta::service {

/// Errors: malformed, or mismatch where SOP Class or Instance are not those that were announced.
[[nodiscard]] Result<void> check_identity(const dicom::DataSet& data_set,
                                          const net::dimse::StoreRequest& request);

/// A data set that cannot be read, as the sender is to hear of it.
[[nodiscard]] Error unreadable(Error error);

/// The file meta information of an object stored as it came.
[[nodiscard]] dicom::FileMeta meta_of(const net::dimse::StoreRequest& request,
                                      const net::dimse::AssociationInfo& association);

/// Submits, waits until it is safe, and tells. What is referred to must live until then.
[[nodiscard]] Task<net::dimse::Outcome> file(storage::Archive& archive, const StorageScpSettings& settings,
                                             const net::dimse::AssociationInfo& association,
                                             storage::IncomingInstance instance);

}  // namespace sagitta::service
