// Beside the process that has the archive open: the same bytes, and what proves them.
#include "storage/reading.h"

#include <gtest/gtest.h>

#include "core/log.h"
#include "storage/digest.h"
#include "storage/keeper.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

class Reading : public ::testing::TestWithParam<StorageLayout> {
protected:
    Reading() { log::set_level(log::Level::off); }
    ~Reading() override { log::set_level(log::Level::info); }

    std::unique_ptr<Archive> open() {
        ArchiveOptions options;
        options.layout = GetParam();
        return open_archive(directory_.path(), options);
    }
    static std::optional<InstanceLocation> place(const InstanceIndex& index) {
        auto found = index.find_instance(*dicom::Uid::parse(Sample().sop_uid));
        EXPECT_TRUE(found);
        return found ? *found : std::nullopt;
    }

    TemporaryDirectory directory_;
};

TEST_P(Reading, SeesWhatIsStoredMeanwhileAndWhatProvesIt) {
    auto archive = open();
    auto beside = open_for_reading(directory_.path());
    ASSERT_TRUE(beside) << beside.error().message();
    EXPECT_FALSE(place(*beside->index));
    ASSERT_TRUE(put(*archive, Sample()));
    const auto at = place(*beside->index);
    ASSERT_TRUE(at);
    const auto bytes = beside->store->read(*at, 0, at->length);
    ASSERT_TRUE(bytes);
    EXPECT_EQ(as_text(bytes->span()), file_bytes(Sample()));
    const auto checksum = beside->store->checksum(*at);
    ASSERT_TRUE(checksum);
    EXPECT_EQ(*checksum, member_checksum({bytes->span()}));
    EXPECT_EQ(*archive->store().checksum(*at), *checksum);
}

TEST_P(Reading, WhatWasPurgedHasNoChecksum) {
    auto archive = open();
    ASSERT_TRUE(put(*archive, Sample()));
    auto beside = open_for_reading(directory_.path());
    ASSERT_TRUE(beside);
    const auto at = place(*beside->index);
    ASSERT_TRUE(at);
    Scope scope;
    scope.study_instance_uids = {Sample().study_uid};
    ASSERT_TRUE(archive->keeper().remove(scope, {}));
    EXPECT_FALSE(place(*beside->index));
    ASSERT_TRUE(archive->keeper().purge(INT64_MAX));
    EXPECT_EQ(beside->store->checksum(*at).error().code, Errc::not_found);
    EXPECT_EQ(archive->store().checksum(*at).error().code, Errc::not_found);
}

TEST_P(Reading, WhereNothingIsThereIsNoArchive) {
    EXPECT_EQ(open_for_reading(directory_.path() + "/absent").error().code, Errc::not_found);
    EXPECT_EQ(open_for_reading(directory_.path()).error().code, Errc::not_found);
}

INSTANTIATE_TEST_SUITE_P(In, Reading, ::testing::Values(StorageLayout::volumes, StorageLayout::files),
                         [](const auto& instance) {
                             return instance.param == StorageLayout::files ? "Files" : "Volumes";
                         });

}  // namespace
}  // namespace sagitta::storage::testing
