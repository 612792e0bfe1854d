// What a C-GET did not bring: found by C-FIND, with what must be offered to get it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "dicom/uid.h"
#include "peer_options.h"

namespace sagitta::tools {

/// One instance the peer has.
struct RemoteInstance {
    dicom::Uid study;
    dicom::Uid series;
    dicom::Uid sop_instance;
    dicom::Uid sop_class;
    std::vector<std::string> transfer_syntaxes;  ///< empty: the peer does not say
};

/// Walks studies, series and instances of `query` level by level, as strict peers want it, and
/// lists those that are not in `received`. Errors: of the association.
[[nodiscard]] Task<Result<std::vector<RemoteInstance>>> missing_instances(
    const Caller& caller, const Query& query, const std::set<dicom::Uid>& received);

/// Instances that fit the presentation contexts of one association together.
struct RetrieveGroup {
    std::vector<net::scu::WantedContext> contexts;
    std::vector<RemoteInstance> instances;
};

/// One context for each (SOP class, transfer syntax); where the syntax is not known, one for each of
/// the current storage syntaxes.
[[nodiscard]] std::vector<RetrieveGroup> group_by_contexts(std::vector<RemoteInstance> instances);

/// IMAGE-level identifiers that name all of them, at most 64 a piece.
[[nodiscard]] std::vector<dicom::DataSet> image_identifiers(const RetrieveGroup& group, const Query& query);

}  // namespace sagitta::tools
