#include "app/control_messages.h"

#include <gtest/gtest.h>

namespace sagitta::app::testing {
namespace {

using Kind = ControlRequest::Kind;

std::string every_byte() {
    std::string bytes;
    for (int n = 1; n < 256; ++n) bytes += static_cast<char>(n);
    return bytes;
}

TEST(ControlMessages, ARequestComesAsItWasSent) {
    ControlRequest request;
    request.kind = Kind::remove;
    request.scope.patient_ids = {every_byte(), ""};
    request.scope.study_instance_uids = {"1.2", "1.3"};
    request.scope.series_instance_uids = {"1.2.1"};
    request.scope.sop_instance_uids = {"1.2.1.1"};
    request.flag = true;
    const auto line = request_line(request);
    EXPECT_EQ(line.find('\n'), line.size() - 1) << "one line, whatever is in it";
    const auto read = parse_request(line);
    ASSERT_TRUE(read);
    EXPECT_EQ(read->scope.patient_ids, request.scope.patient_ids);
    EXPECT_EQ(read->scope.study_instance_uids, request.scope.study_instance_uids);
    EXPECT_EQ(read->scope.series_instance_uids, request.scope.series_instance_uids);
    EXPECT_EQ(read->scope.sop_instance_uids, request.scope.sop_instance_uids);
    EXPECT_TRUE(read->flag);
    EXPECT_EQ(request_line(*read), line);
}

TEST(ControlMessages, EveryKindHasItsName) {
    for (auto kind = Kind::remove; kind <= Kind::import;
         kind = static_cast<Kind>(static_cast<int>(kind) + 1)) {
        ControlRequest request;
        request.kind = kind;
        request.until = -5;
        request.threads = 7;
        request.names = {every_byte()};
        const auto read = parse_request(request_line(request));
        ASSERT_TRUE(read) << to_string(kind);
        EXPECT_EQ(read->kind, kind);
        EXPECT_EQ(read->names, request.names);
        EXPECT_EQ(read->until, kind == Kind::purge ? -5 : 0);
        EXPECT_EQ(read->threads, kind == Kind::import ? 7u : 1u);
    }
}

TEST(ControlMessages, WhatMightNameMoreThanWasMeantIsRefused) {
    for (const auto* line :
         {"", "7", "[]", "{}", "null", "{\"request\":7}", "{\"request\":\"format\"}",
          R"({"request":"delete","patients":["P1"],"studies":"1.2"})",
          R"({"request":"delete","patients":["P1"],"studies":[7]})",
          R"({"request":"delete","patients":["P1"],"modalities":["CT"]})",
          R"({"request":"delete","patients":["P1"],"flag":1})", R"({"request":"purge","until":"now"})",
          R"({"request":"delete","names":[[[["x"]]]]})", R"({"request":"delete","patients":["P1")",
          "{\"request\":\"delete\"} x"}) {
        const auto read = parse_request(line);
        ASSERT_FALSE(read) << line;
        EXPECT_EQ(read.error().code, Errc::malformed) << line;
    }
    EXPECT_FALSE(parse_request(std::string(1 << 20, '[')));
    EXPECT_TRUE(parse_request(R"({"request":"delete","patients":["[[[[[[\\\"[[[["]})")) << "text is not deep";
}

TEST(ControlMessages, AnErrorComesAsItWas) {
    for (const auto code : {Errc::not_found, Errc::refused, Errc::shutting_down, Errc::io_failure}) {
        const auto read =
            parse_answer<storage::KeeperReport>(answer_line(Result<void>(Error(code, "why \xff", 17))));
        ASSERT_FALSE(read);
        EXPECT_EQ(read.error().code, code);
        EXPECT_EQ(read.error().message(), "why \xff at byte 17");
    }
}

TEST(ControlMessages, SomethingElseIsNoAnswer) {
    for (const auto* line : {"", "{}", "[]", "{\"doing\":true}", "{\"done\""})
        EXPECT_EQ(parse_answer<void>(line).error().code, Errc::malformed) << line;
}

TEST(ControlMessages, ReportsComeAsTheyWere) {
    const auto purged = parse_answer<storage::PurgeReport>(
        answer_line(Result<storage::PurgeReport>(storage::PurgeReport{1, 2, 3, 4, 5, 6})));
    ASSERT_TRUE(purged);
    EXPECT_EQ(purged->members, 1u);
    EXPECT_EQ(purged->bytes, 2u);
    EXPECT_EQ(purged->not_given_back, 3u);
    EXPECT_EQ(purged->compacted, 4u);
    EXPECT_EQ(purged->left_alone, 5u);
    EXPECT_EQ(purged->being_read, 6u);

    const std::vector<storage::DeletedStudy> studies{{"1.2", 3, UINT64_MAX, -1, 9}, {}};
    const auto listed = parse_answer<std::vector<storage::DeletedStudy>>(
        answer_line(Result<std::vector<storage::DeletedStudy>>(studies)));
    ASSERT_TRUE(listed);
    ASSERT_EQ(listed->size(), 2u);
    EXPECT_EQ(listed->front().study_instance_uid, "1.2");
    EXPECT_EQ(listed->front().bytes, UINT64_MAX);
    EXPECT_EQ(listed->front().when, -1);

    for (const auto outcome :
         {storage::IngestOutcome::stored, storage::IngestOutcome::duplicate_identical,
          storage::IngestOutcome::conflict_quarantined, storage::IngestOutcome::conflict_replaced}) {
        const auto read = parse_answer<storage::IngestOutcome>(answer_line(Result(outcome)));
        ASSERT_TRUE(read);
        EXPECT_EQ(*read, outcome);
    }
}

TEST(ControlMessages, ProgressIsNoAnswer) {
    media::ImportReport report;
    report.imported = 5;
    report.interrupted = true;
    report.failures.push_back({every_byte(), "why"});
    const auto progress = parse_progress(progress_line(report));
    ASSERT_TRUE(progress);
    EXPECT_EQ(progress->imported, 5u);
    const auto answer = answer_line(Result<media::ImportReport>(report));
    EXPECT_FALSE(parse_progress(answer));
    const auto read = parse_answer<media::ImportReport>(answer);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->interrupted);
    ASSERT_EQ(read->failures.size(), 1u);
    EXPECT_EQ(read->failures.front().path, every_byte());
}

}  // namespace
}  // namespace sagitta::app::testing
