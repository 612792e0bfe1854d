#include "service/dimse_status.h"

#include <gtest/gtest.h>

namespace sagitta::service {
namespace {

using net::dimse::Status;

TEST(DimseStatus, StoreErrorsHaveTheStatusesOfPs34B23) {
    const std::pair<Errc, Status> table[] = {
        {Errc::no_space, Status::out_of_resources},
        {Errc::limit_exceeded, Status::out_of_resources},
        {Errc::shutting_down, Status::out_of_resources},
        {Errc::mismatch, Status::identifier_does_not_match_sop_class},
        {Errc::malformed, Status::cannot_understand},
        {Errc::truncated, Status::cannot_understand},
        {Errc::unsupported, Status::cannot_understand},
        {Errc::io_failure, Status::processing_failure},
    };
    for (const auto& [code, status] : table) {
        EXPECT_EQ(store_outcome(Error(code, "what")).status, status) << to_string(code);
    }
}

TEST(DimseStatus, CommentSaysWhatAndWhere) {
    EXPECT_EQ(store_outcome(Error(Errc::malformed, "wrong", 7)).error_comment, "wrong at byte 7");
}

TEST(DimseStatus, ElementsThatASentenceNamesAreOffending) {
    const auto store =
        store_outcome(Error(Errc::mismatch, "(0008,0018) is not the Affected one (7FE0,0010)"));
    EXPECT_EQ(store.offending_elements,
              (std::vector<dicom::Tag>{dicom::Tag{0x00080018}, dicom::Tag{0x7fe00010}}));
    const auto query =
        query_outcome(Error(Errc::invalid_argument, "unique key (0020,000d) missing, (0020,000d)"));
    EXPECT_EQ(query.offending_elements, std::vector<dicom::Tag>{dicom::Tag{0x0020000d}});
    for (const auto* none : {"", "(", "(0020,000d", "()", "(0020,000g)", "(a limit)", "no UID"})
        EXPECT_TRUE(store_outcome(Error(Errc::malformed, none)).offending_elements.empty()) << none;
    EXPECT_TRUE(store_outcome(Error(Errc::no_space, "(0020,000d)")).offending_elements.empty())
        << "A7xx has an Error Comment alone";
}

}  // namespace
}  // namespace sagitta::service
