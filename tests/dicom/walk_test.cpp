#include "dicom/walk.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

// Two levels of sequences, an empty item, an empty sequence, a private element, fragments.
DataSet nested() {
    DataSetBuilder builder;
    builder.begin_sequence(tags::ReferencedStudySequence);
    builder.end();
    builder.begin_sequence(tags::ReferencedSeriesSequence);
    builder.begin_item();
    builder.end();
    builder.begin_item();
    builder.begin_sequence(tags::ReferencedInstanceSequence);
    builder.begin_item();
    builder.add_text(tags::ReferencedSOPInstanceUID, Vr::UI, "1.2");
    builder.end();
    builder.begin_item();
    builder.add_text(tags::ReferencedSOPInstanceUID, Vr::UI, "1.3");
    builder.end();
    builder.end();
    builder.add_text(tags::SeriesInstanceUID, Vr::UI, "1.1");
    builder.end();
    builder.end();
    builder.add_text(Tag(0x00091001u), Vr::LO, "private");
    builder.begin_fragments(tags::PixelData, Vr::OB);
    builder.add(kItem, Vr::none, {});
    builder.end();
    return builder.finish();
}

TEST(Walk, VisitsEveryElementWithItsPath) {
    const DataSet data_set = nested();
    std::vector<std::string> paths;
    for (Walk walk(data_set); walk.next();) paths.push_back(walk.path_text());
    EXPECT_EQ(paths, (std::vector<std::string>{
                         "ReferencedStudySequence",
                         "ReferencedSeriesSequence",
                         "ReferencedSeriesSequence[1].ReferencedInstanceSequence",
                         "ReferencedSeriesSequence[1].ReferencedInstanceSequence[0].ReferencedSOPInstanceUID",
                         "ReferencedSeriesSequence[1].ReferencedInstanceSequence[1].ReferencedSOPInstanceUID",
                         "ReferencedSeriesSequence[1].SeriesInstanceUID",
                         "(0009,1001)",
                         "PixelData",
                     }));
}

TEST(Walk, SkipsWhatIsInsideAndStops) {
    const DataSet data_set = nested();
    std::vector<Tag> seen;
    const bool all = walk(data_set, [&](const Walk& at) {
        seen.push_back(at.element().tag());
        if (at.element().tag() == tags::ReferencedInstanceSequence) return WalkAnswer::skip_inside;
        return at.element().tag().is_private() ? WalkAnswer::stop : WalkAnswer::go_on;
    });
    EXPECT_FALSE(all);
    EXPECT_EQ(seen, (std::vector<Tag>{tags::ReferencedStudySequence, tags::ReferencedSeriesSequence,
                                      tags::ReferencedInstanceSequence, tags::SeriesInstanceUID,
                                      Tag(0x00091001u)}));
    EXPECT_TRUE(walk(data_set, [](const Walk&) { return WalkAnswer::skip_inside; }));
    EXPECT_TRUE(walk(DataSet(), [](const Walk&) { return WalkAnswer::stop; })) << "nothing to visit";
}

TEST(Walk, BeginsAnywhere) {
    const DataSet data_set = nested();
    auto item = data_set.find(tags::ReferencedSeriesSequence)->children().begin();
    EXPECT_FALSE(Walk((*item).children()).next()) << "an empty item";
    ++item;
    Walk walk((*item).children());
    ASSERT_TRUE(walk.next());
    EXPECT_EQ(walk.element().tag(), tags::ReferencedInstanceSequence);
    EXPECT_EQ(walk.depth(), 0u);
    ASSERT_TRUE(walk.next());
    EXPECT_EQ(walk.depth(), 1u);
    EXPECT_EQ(walk.level().text(tags::ReferencedSOPInstanceUID), "1.2");
    ASSERT_TRUE(walk.next());
    ASSERT_TRUE(walk.next());
    EXPECT_EQ(walk.element().tag(), tags::SeriesInstanceUID);
    EXPECT_FALSE(walk.next());
    EXPECT_FALSE(walk.next()) << "the end stays the end";
}

TEST(Walk, GoesAsDeepAsItMust) {
    constexpr int kDepth = 20000;
    DataSetBuilder builder;
    for (int n = 0; n < kDepth; ++n) {
        builder.begin_sequence(tags::ContentSequence);
        builder.begin_item();
    }
    for (int n = 0; n < 2 * kDepth; ++n) builder.end();
    const DataSet data_set = builder.finish();
    std::size_t deepest = 0;
    for (Walk walk(data_set); walk.next();) deepest = std::max(deepest, walk.depth());
    EXPECT_EQ(deepest, kDepth - 1u);
}

std::vector<std::uint32_t> indices(std::span<const WalkStep> path) {
    std::vector<std::uint32_t> all;
    for (const WalkStep& step : path) {
        all.push_back(step.sequence.index());
        all.push_back(step.item.index());
        all.push_back(static_cast<std::uint32_t>(step.number));
    }
    return all;
}

TEST(Walk, SeesEachElementOfTheCorpusOnceAndPathsAgree) {
    int files = 0;
    for (const auto& path : test::shared_objects()) {
        ParseOptions options;
        options.keep_readable_part = true;
        options.max_elements = 20000;
        const auto file = read_file(path.string(), options);
        if (!file) continue;
        SCOPED_TRACE(path.filename().string());
        const auto nodes = file->data_set.nodes();
        std::vector<bool> seen(nodes.size());
        std::size_t count = 0;
        for (Walk walk(file->data_set); walk.next();) {
            ASSERT_FALSE(seen[walk.element().index()]);
            seen[walk.element().index()] = true;
            if (++count % 7 == 0) {
                EXPECT_EQ(indices(path_to(walk.element())), indices(walk.path()));
                EXPECT_EQ(walk.level().find(walk.element().tag()).has_value(), true);
            }
        }
        for (std::size_t n = 0; n < nodes.size(); ++n) EXPECT_EQ(seen[n], nodes[n].tag != kItem);
        ++files;
    }
    if (files == 0) GTEST_SKIP() << "../shared/data is not there";
    EXPECT_GT(files, 300);
}

}  // namespace
}  // namespace sagitta::dicom
