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

}  // namespace
}  // namespace sagitta::service
