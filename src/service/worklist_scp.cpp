#include "service/worklist_scp.h"

#include <utility>

#include "core/log.h"
#include "dicom/data_set_matching.h"
#include "dicom/generated/uids.h"
#include "dicom/parser.h"
#include "service/dimse_status.h"
#include "service/requested.h"

namespace sagitta::service {

using net::dimse::Outcome;
using net::dimse::Status;

Result<std::vector<dicom::DataSet>> WorklistScp::answers(const net::dimse::QueryRequest& request) {
    dicom::ParseOptions options;
    options.max_depth = 8;
    options.max_elements = 100'000;
    options.max_inflated_bytes = 16u << 20;
    auto identifier = dicom::parse_data_set(request.identifier.span(), *request.syntax, options);
    if (!identifier) return std::move(identifier).error().within("identifier");
    const auto matcher = dicom::DataSetMatcher::parse(identifier->data_set);
    if (!matcher) return matcher.error();
    std::vector<dicom::DataSet> found;
    for (const auto& item : worklist_.items()) {
        if (matcher->matches(item)) found.push_back(requested(identifier->data_set, item));
    }
    return found;
}

Task<Outcome> WorklistScp::find(const net::dimse::AssociationInfo& association,
                                net::dimse::QueryRequest request, net::dimse::FindResponder& out) {
    if (!(request.sop_class_uid == dicom::uids::ModalityWorklistInformationModelFind))
        co_return co_await others_.find(association, std::move(request), out);
    auto work = [this, &request] { return answers(request); };
    auto found = co_await workers_.run(std::move(work));
    if (!found) co_return query_outcome(found.error());
    std::uint64_t sent = 0;
    for (const dicom::DataSet& answer : *found) {
        if (out.cancelled()) co_return Outcome(Status::cancel);
        if (max_matches_ != 0 && sent == max_matches_)
            co_return Outcome(Status::out_of_resources, "more matches than limits.max_matches");
        auto told = co_await out.pending(answer);
        if (!told) co_return Outcome(Status::cancel);
        ++sent;
    }
    log::debug("association={} worklist matches={}", association.id, sent);
    co_return Outcome();
}

}  // namespace sagitta::service
