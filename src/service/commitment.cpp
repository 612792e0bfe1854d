#include "service/commitment.h"

#include <algorithm>
#include <utility>

#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/parser.h"

namespace sagitta::service {
namespace {

using dicom::Vr;
using storage::CommitmentReference;
namespace tags = dicom::tags;

constexpr std::uint16_t kAllCommitted = 1;
constexpr std::uint16_t kFailuresExist = 2;

Result<dicom::ParsedDataSet> parse(const net::dimse::NormalizedRequest& message) {
    dicom::ParseOptions options;
    options.max_depth = 8;
    options.max_inflated_bytes = 64u << 20;
    return dicom::parse_data_set(message.data_set.span(), *message.syntax, options);
}

Result<std::string> transaction_of(const dicom::DataSet& data_set) {
    const auto uid = dicom::Uid::parse(data_set.text(tags::TransactionUID));
    if (!uid || uid->empty())
        return Error(Errc::invalid_argument, "Transaction UID (0008,1195) missing or not a UID");
    return uid->str();
}

/// The items of one sequence; those of a failed one carry a reason.
Result<void> append(const dicom::DataSet& data_set, dicom::Tag sequence, bool failed,
                    std::vector<CommitmentResult>& out) {
    const auto found = data_set.find(sequence);
    if (!found) return {};
    for (const auto item : found->children()) {
        const auto level = item.children();
        const auto sop_class = level.find(tags::ReferencedSOPClassUID);
        const auto instance = level.find(tags::ReferencedSOPInstanceUID);
        const auto class_uid = sop_class ? dicom::Uid::parse(sop_class->text(0)) : std::nullopt;
        const auto instance_uid = instance ? dicom::Uid::parse(instance->text(0)) : std::nullopt;
        if (!class_uid || class_uid->empty() || !instance_uid || instance_uid->empty())
            return Error(Errc::invalid_argument,
                         to_string(sequence) + ": an item without SOP Class or Instance");
        CommitmentResult result{{class_uid->str(), instance_uid->str()}, 0};
        if (failed) {
            const auto reason = level.find(tags::FailureReason);
            const auto number = reason ? reason->integer(0) : std::nullopt;
            result.failure_reason = number && *number > 0 && *number <= 0xffff
                                        ? static_cast<std::uint16_t>(*number)
                                        : kProcessingFailure;
        }
        out.push_back(std::move(result));
    }
    return {};
}

void add_items(dicom::DataSetBuilder& builder, dicom::Tag sequence,
               const std::vector<CommitmentResult>& results, bool failed) {
    const auto belongs = [&](const CommitmentResult& one) { return (one.failure_reason != 0) == failed; };
    if (std::none_of(results.begin(), results.end(), belongs)) return;
    builder.begin_sequence(sequence);
    for (const auto& result : results) {
        if (!belongs(result)) continue;
        builder.begin_item();
        builder.add_text(tags::ReferencedSOPClassUID, Vr::UI, result.reference.sop_class_uid);
        builder.add_text(tags::ReferencedSOPInstanceUID, Vr::UI, result.reference.sop_instance_uid);
        if (failed) {
            const std::byte reason[] = {static_cast<std::byte>(result.failure_reason & 0xff),
                                        static_cast<std::byte>(result.failure_reason >> 8)};
            builder.add(tags::FailureReason, Vr::US, reason);
        }
        builder.end();
    }
    builder.end();
}

}  // namespace

Result<storage::CommitmentRequest> read_commitment_request(const net::dimse::NormalizedRequest& request) {
    auto parsed = parse(request);
    if (!parsed) return std::move(parsed).error();
    auto transaction = transaction_of(parsed->data_set);
    if (!transaction) return std::move(transaction).error();
    std::vector<CommitmentResult> references;
    auto read = append(parsed->data_set, tags::ReferencedSOPSequence, false, references);
    if (!read) return std::move(read).error();
    if (references.empty())
        return Error(Errc::invalid_argument, "Referenced SOP Sequence (0008,1199) missing or empty");
    storage::CommitmentRequest answer;
    answer.transaction_uid = std::move(*transaction);
    for (auto& one : references) answer.references.push_back(std::move(one.reference));
    return answer;
}

dicom::DataSet commitment_request(const storage::CommitmentRequest& request) {
    std::vector<CommitmentResult> references;
    for (const auto& one : request.references) references.push_back({one, 0});
    dicom::DataSetBuilder builder;
    builder.add_text(tags::TransactionUID, Vr::UI, request.transaction_uid);
    add_items(builder, tags::ReferencedSOPSequence, references, false);
    return builder.finish();
}

net::dimse::EventReport commitment_report(const std::string& transaction_uid,
                                          const std::vector<CommitmentResult>& results) {
    const bool failures =
        std::any_of(results.begin(), results.end(), [](const auto& one) { return one.failure_reason != 0; });
    dicom::DataSetBuilder builder;
    builder.add_text(tags::TransactionUID, Vr::UI, transaction_uid);
    add_items(builder, tags::FailedSOPSequence, results, true);
    add_items(builder, tags::ReferencedSOPSequence, results, false);
    net::dimse::EventReport report;
    report.sop_class_uid = *dicom::Uid::parse(dicom::uids::StorageCommitmentPushModel);
    report.sop_instance_uid = *dicom::Uid::parse(dicom::uids::StorageCommitmentPushModelInstance);
    report.event_type_id = failures ? kFailuresExist : kAllCommitted;
    report.information = builder.finish();
    return report;
}

Result<CommitmentReport> read_commitment_report(const net::dimse::NormalizedRequest& report) {
    auto parsed = parse(report);
    if (!parsed) return std::move(parsed).error();
    auto transaction = transaction_of(parsed->data_set);
    if (!transaction) return std::move(transaction).error();
    CommitmentReport answer;
    answer.transaction_uid = std::move(*transaction);
    auto read = append(parsed->data_set, tags::ReferencedSOPSequence, false, answer.results);
    if (read) read = append(parsed->data_set, tags::FailedSOPSequence, true, answer.results);
    if (!read) return std::move(read).error();
    return answer;
}

}  // namespace sagitta::service
