#include "service/commitment.h"

#include <gtest/gtest.h>

#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/writer.h"

namespace sagitta::service {
namespace {

using dicom::Vr;
namespace tags = dicom::tags;

net::dimse::NormalizedRequest message(const dicom::DataSet& data_set) {
    net::dimse::NormalizedRequest request;
    request.syntax = &dicom::implicit_vr_little_endian();
    EXPECT_TRUE(dicom::write_data_set(data_set, *request.syntax, request.data_set));
    return request;
}

TEST(Commitment, RequestsAreReadAsTheyAreWritten) {
    storage::CommitmentRequest request;
    request.transaction_uid = "1.2.3";
    request.references = {{"1.2.840.10008.5.1.4.1.1.2", "1.2.4"}, {"1.2.840.10008.5.1.4.1.1.4", "1.2.5"}};
    const auto read = read_commitment_request(message(commitment_request(request)));
    ASSERT_TRUE(read) << read.error().message();
    EXPECT_EQ(read->transaction_uid, "1.2.3");
    EXPECT_EQ(read->references, request.references);
}

TEST(Commitment, ReportsSayWhatFailedAndWhy) {
    const std::vector<CommitmentResult> results{
        {{"1.2.840.10008.5.1.4.1.1.2", "1.2.4"}, 0},
        {{"1.2.840.10008.5.1.4.1.1.2", "1.2.5"}, kNoSuchObjectInstance}};
    const auto report = commitment_report("1.2.3", results);
    EXPECT_EQ(report.event_type_id, 2);
    EXPECT_EQ(report.information.text(tags::TransactionUID), "1.2.3");
    const auto failed = report.information.find(tags::FailedSOPSequence);
    ASSERT_TRUE(failed);
    EXPECT_EQ((*failed->children().begin()).children().integer(tags::FailureReason), 0x0112);
    const auto read = read_commitment_report(message(report.information));
    ASSERT_TRUE(read);
    ASSERT_EQ(read->results.size(), 2u);
    EXPECT_EQ(read->results[0].reference, results[0].reference);
    EXPECT_EQ(read->results[1].reference, results[1].reference);
    EXPECT_EQ(read->results[1].failure_reason, kNoSuchObjectInstance);

    const auto good = commitment_report("1.2.3", {results[0]});
    EXPECT_EQ(good.event_type_id, 1);
    EXPECT_FALSE(good.information.contains(tags::FailedSOPSequence));
}

TEST(Commitment, RequestsThatNameNothingAreRefused) {
    dicom::DataSet data_set;
    EXPECT_EQ(read_commitment_request(message(data_set)).error().code, Errc::invalid_argument);
    data_set.set_text(tags::TransactionUID, Vr::UI, "1.2.3");
    EXPECT_EQ(read_commitment_request(message(data_set)).error().code, Errc::invalid_argument);
    data_set.set_empty_sequence(tags::ReferencedSOPSequence);
    EXPECT_EQ(read_commitment_request(message(data_set)).error().code, Errc::invalid_argument);
    dicom::DataSetBuilder builder;
    builder.add_text(tags::TransactionUID, Vr::UI, "1.2.3");
    builder.begin_sequence(tags::ReferencedSOPSequence);
    builder.begin_item();
    builder.add_text(tags::ReferencedSOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.2");
    builder.end();
    builder.end();
    EXPECT_EQ(read_commitment_request(message(builder.finish())).error().code, Errc::invalid_argument);
}

}  // namespace
}  // namespace sagitta::service
