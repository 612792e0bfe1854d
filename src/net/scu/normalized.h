// What is asked of managed instances (PS3.7 10.1): N-CREATE, N-SET, N-GET over an open association.
#pragma once

#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "dicom/data_set.h"
#include "dicom/tag.h"
#include "dicom/uid.h"
#include "net/dimse/status.h"
#include "net/scu/client.h"

namespace sagitta::net::scu {

struct InstanceResponse {
    dimse::Outcome outcome;
    dicom::Uid sop_instance_uid;  ///< as the peer names it, else as we asked
    dicom::DataSet attributes;    ///< Attribute List; empty when there was none
};

/// `operation.type_id` means nothing here. An empty SOP Instance UID of an N-CREATE leaves it to the peer.
/// Errors as of Client.
[[nodiscard]] Task<Result<InstanceResponse>> n_create(Client& client, const NormalizedOperation& operation);
[[nodiscard]] Task<Result<InstanceResponse>> n_set(Client& client, const NormalizedOperation& operation);
/// No `attributes`: all there are.
[[nodiscard]] Task<Result<InstanceResponse>> n_get(Client& client, dicom::Uid sop_class_uid,
                                                   dicom::Uid sop_instance_uid,
                                                   std::vector<dicom::Tag> attributes);

}  // namespace sagitta::net::scu
