// DIMSE-N as far as we serve it (PS3.7 section 10): a request to be carried out, and a report of what came of
// it, which may go back over the association the request came on.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "core/task.h"
#include "dicom/data_set.h"
#include "dicom/tag.h"
#include "dicom/transfer_syntax.h"
#include "dicom/uid.h"
#include "net/dimse/status.h"

namespace sagitta::net::dimse {

/// A request about a managed instance (PS3.7 10.1).
struct NormalizedRequest {
    dicom::Uid sop_class_uid;
    dicom::Uid sop_instance_uid;                    ///< empty: an N-CREATE leaves it to us
    std::uint16_t type_id = 0;                      ///< Action Type ID or Event Type ID
    const dicom::TransferSyntax* syntax = nullptr;  ///< of `data_set`; never null
    ByteBuffer data_set;                            ///< empty when there is none
    std::vector<dicom::Tag> attributes;             ///< of an N-GET: what is wanted; none: all
};

/// The answer to an N-CREATE, N-SET or N-GET.
struct InstanceAnswer {
    Outcome outcome;
    dicom::Uid sop_instance_uid;  ///< empty: the request's
    dicom::DataSet attributes;    ///< Attribute List; empty: none is sent
};

/// An N-EVENT-REPORT on its way out.
struct EventReport {
    dicom::Uid sop_class_uid;
    dicom::Uid sop_instance_uid;
    std::uint16_t event_type_id = 0;
    dicom::DataSet information;
};

/// The association a request came on, for a report to whoever asked. Thread-safe; may outlive it.
class EventChannel {
public:
    virtual ~EventChannel() = default;
    /// The report leaves between two operations. `done` comes exactly once, on any thread, with the peer's
    /// answer, or an Error when the association ended or was to be released first.
    virtual void report(EventReport event, std::function<void(Result<Outcome>)> done) = 0;
};

}  // namespace sagitta::net::dimse
