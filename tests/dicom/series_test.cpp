#include "dicom/series.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <random>
#include <set>
#include <string>

#include <stdlib.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dicom/generated/tags.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

using Kind = SeriesFinding::Kind;
using Findings = std::vector<SeriesFinding>;

/// An axial slice.
SeriesInstance slice(int number, double z) {
    SeriesInstance instance;
    instance.series_instance_uid = *Uid::parse("1.2.3");
    instance.sop_instance_uid = *Uid::parse("1.2.3." + std::to_string(number));
    instance.modality = "CT";
    instance.instance_number = number;
    instance.rows = instance.columns = 512;
    instance.position_mm = {-100, -100, z};
    instance.orientation = {1, 0, 0, 0, 1, 0};
    instance.pixel_spacing_mm = {0.5, 0.5};
    return instance;
}

Series only_series(std::vector<SeriesInstance> instances) {
    std::shuffle(instances.begin(), instances.end(), std::mt19937(7));  // NOLINT: the same every time
    auto all = sort_into_series(std::move(instances));
    EXPECT_EQ(all.size(), 1u);
    return all.empty() ? Series() : std::move(all.front());
}

std::vector<std::int64_t> numbers(const Series& series) {
    std::vector<std::int64_t> all;
    for (const auto& instance : series.instances) all.push_back(instance.instance_number.value_or(-1));
    return all;
}

TEST(Series, IsSortedAlongTheNormalOfItsImages) {
    const auto up = only_series({slice(3, 0), slice(2, 2.5), slice(1, 5), slice(4, -2.5)});
    EXPECT_EQ(up.order, SeriesOrder::geometry);
    EXPECT_EQ(numbers(up), (std::vector<std::int64_t>{4, 3, 2, 1})) << "by place, not by number";
    EXPECT_DOUBLE_EQ(up.spacing_mm.value(), 2.5);
    EXPECT_EQ(up.findings, Findings());
    EXPECT_EQ(up.modality, "CT");

    std::vector<SeriesInstance> flipped = {slice(1, 0), slice(2, 2.5), slice(3, 5)};
    for (auto& instance : flipped) instance.orientation = {1, 0, 0, 0, -1, 0};  // the normal points down
    EXPECT_EQ(numbers(only_series(flipped)), (std::vector<std::int64_t>{3, 2, 1}));

    std::vector<SeriesInstance> oblique;
    for (int n = 0; n < 5; ++n) {
        auto instance = slice(n, 0);
        instance.orientation = {0.8, 0.6, 0, 0, 0, -1};  // normal (-0.6, 0.8, 0)
        instance.position_mm = {-0.6 * 3 * n + 0.8 * n, 0.8 * 3 * n + 0.6 * n,
                                7};  // shifted in the plane, too
        oblique.push_back(instance);
    }
    const auto sorted = only_series(oblique);
    EXPECT_EQ(numbers(sorted), (std::vector<std::int64_t>{0, 1, 2, 3, 4}));
    EXPECT_NEAR(sorted.spacing_mm.value(), 3, 1e-9);
    EXPECT_EQ(sorted.findings, Findings());
}

TEST(Series, FindsGapsAndUnevenSpacing) {
    const auto gap = only_series({slice(1, 0), slice(2, 1), slice(3, 2), slice(6, 5), slice(7, 6)});
    EXPECT_EQ(gap.findings, (Findings{{Kind::gap, 3, 2}}));
    const auto uneven = only_series({slice(1, 0), slice(2, 1), slice(3, 2), slice(4, 3.4), slice(5, 4.4)});
    EXPECT_EQ(uneven.findings, (Findings{{Kind::uneven_spacing, 3}}));
    const auto rounded = only_series({slice(1, 0), slice(2, 1.004), slice(3, 1.999), slice(4, 3)});
    EXPECT_EQ(rounded.findings, Findings());
}

TEST(Series, FindsDuplicatesAndEqualPositions) {
    auto again = slice(2, 1);
    again.path = "copy";
    const auto copies = only_series({slice(1, 0), slice(2, 1), again, slice(3, 2)});
    EXPECT_EQ(numbers(copies), (std::vector<std::int64_t>{1, 2, 3}));
    ASSERT_EQ(copies.duplicates.size(), 1u);
    EXPECT_EQ(copies.duplicates[0].sop_instance_uid, slice(2, 1).sop_instance_uid);
    EXPECT_EQ(copies.findings, Findings());

    // Two phases at each place; what differs by rounding alone is in the order of its numbers.
    const auto phases = only_series({slice(1, 0), slice(11, 1e-6), slice(2, 1), slice(12, 1 - 1e-6)});
    EXPECT_EQ(numbers(phases), (std::vector<std::int64_t>{1, 11, 2, 12}));
    EXPECT_EQ(phases.findings, (Findings{{Kind::same_position, 1}, {Kind::same_position, 3}}));
    EXPECT_NEAR(phases.spacing_mm.value(), 1, 1e-5);

    const auto one_place = only_series({slice(1, 4), slice(2, 4), slice(3, 4)});
    EXPECT_FALSE(one_place.spacing_mm.has_value());
    EXPECT_EQ(one_place.findings.size(), 2u);
}

TEST(Series, OfSeveralOrientationsIsSortedByNumber) {
    auto sagittal = slice(2, 0);
    sagittal.orientation = {0, 1, 0, 0, 0, -1};
    const auto mixed = only_series({slice(1, 9), sagittal, slice(3, 1)});
    EXPECT_EQ(mixed.order, SeriesOrder::instance_number);
    EXPECT_EQ(numbers(mixed), (std::vector<std::int64_t>{1, 2, 3}));
    EXPECT_EQ(mixed.findings, (Findings{{Kind::mixed_orientation, 1}}));
}

TEST(Series, FindsMixedSpacingAndSize) {
    auto other = slice(2, 1);
    other.pixel_spacing_mm = {0.5, 0.6};
    other.rows = 256;
    const auto mixed = only_series({slice(1, 0), other, slice(3, 2)});
    EXPECT_EQ(mixed.order, SeriesOrder::geometry);
    EXPECT_EQ(mixed.findings, (Findings{{Kind::mixed_pixel_spacing, 1}, {Kind::mixed_size, 1}}));
}

TEST(Series, WithoutGeometryIsSortedByNumberThenUid) {
    auto unplaced = slice(2, 0);
    unplaced.position_mm.reset();
    const auto by_number = only_series({slice(1, 5), unplaced, slice(5, 1)});
    EXPECT_EQ(by_number.order, SeriesOrder::instance_number);
    EXPECT_EQ(numbers(by_number), (std::vector<std::int64_t>{1, 2, 5}));
    EXPECT_EQ(by_number.findings, (Findings{{Kind::gap, 2, 2}}));

    auto nine = slice(9, 0);
    auto ten = slice(10, 0);
    nine.instance_number.reset();
    nine.position_mm.reset();
    const auto by_uid = only_series({ten, nine});
    EXPECT_EQ(by_uid.order, SeriesOrder::sop_instance_uid);
    EXPECT_EQ(by_uid.instances[0].sop_instance_uid, nine.sop_instance_uid) << ".9 before .10";

    auto frames = slice(1, 0);
    frames.frames = 20;
    EXPECT_EQ(only_series({frames}).order, SeriesOrder::instance_number) << "one position, many images";
}

TEST(Series, SurvivesAbsurdNumbers) {
    std::vector<SeriesInstance> absurd = {slice(1, 1e308), slice(2, -1e308), slice(3, 1e308), slice(4, 0)};
    for (auto& instance : absurd) instance.position_mm = {(*instance.position_mm)[2], 1e308, 1e308};
    for (auto& instance : absurd) instance.orientation = {0.7, 0.7, 0, 0, 0.7, 0.7};
    EXPECT_EQ(only_series(absurd).instances.size(), 4u);
    for (auto& instance : absurd) instance.orientation = {1e200, 1e200, 0, 0, 1e200, 1e200};
    EXPECT_EQ(only_series(absurd).order, SeriesOrder::instance_number) << "no direction";
    for (auto& instance : absurd) instance.orientation = {1, 0, 0, 1, 0, 0};
    EXPECT_EQ(only_series(absurd).order, SeriesOrder::instance_number) << "no plane";
    auto least = slice(1, 0);
    auto most = slice(2, 0);
    least.instance_number = INT64_MIN;
    most.instance_number = INT64_MAX;
    least.position_mm.reset();
    EXPECT_EQ(only_series({least, most}).findings.size(), 1u);
}

TEST(Series, AreOnesOfTheirOwnByUid) {
    auto other = slice(1, 0);
    other.series_instance_uid = *Uid::parse("1.2.4");
    auto other_study = slice(2, 0);
    other_study.study_instance_uid = *Uid::parse("1.9");
    const auto all = sort_into_series({slice(1, 0), other, other_study, slice(3, 1)});
    ASSERT_EQ(all.size(), 3u);
    EXPECT_EQ(all[0].instances.size(), 2u);
    EXPECT_EQ(all[1].series_instance_uid, other.series_instance_uid);
    EXPECT_EQ(all[2].study_instance_uid, other_study.study_instance_uid);
    EXPECT_TRUE(sort_into_series({}).empty());
}

TEST(SeriesInstance, IsReadFromAHeader) {
    DataSet header;
    EXPECT_EQ(series_instance(header).error().code, Errc::not_found);
    header.set_text(tags::SeriesInstanceUID, Vr::UI, "1.2");
    EXPECT_EQ(series_instance(header).error().code, Errc::not_found);
    header.set_text(tags::SOPInstanceUID, Vr::UI, "1.3");
    header.set_text(tags::ImagePositionPatient, Vr::DS, "1\\2");
    header.set_text(tags::ImageOrientationPatient, Vr::DS, "1\\0\\0\\0\\x\\0");
    auto instance = series_instance(header, "name");
    ASSERT_TRUE(instance.has_value());
    EXPECT_EQ(instance->path, "name");
    EXPECT_FALSE(instance->position_mm.has_value()) << "malformed is absent";
    EXPECT_FALSE(instance->orientation.has_value());
    EXPECT_EQ(instance->frames, 1);
    header.set_text(tags::ImagePositionPatient, Vr::DS, "1\\2\\-3.5");
    header.set_text(tags::NumberOfFrames, Vr::IS, "12");
    header.set_uint16(tags::Rows, 64);
    instance = series_instance(header);
    EXPECT_EQ(instance->position_mm, (std::array<double, 3>{1, 2, -3.5}));
    EXPECT_EQ(instance->frames, 12);
    EXPECT_EQ(instance->rows, 64);
}

// Where each slice lies is written down in the corpus by another program.
TEST(SeriesOfFiles, AreSortedAsTheirHeadersSay) {
    const auto folder = test::shared_data() / "series" / "mr16";
    if (!std::filesystem::exists(folder)) GTEST_SKIP() << "../shared/data is not there";
    const auto found = read_series_below(folder.string());
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->unreadable.empty());
    ASSERT_EQ(found->series.size(), 1u);
    const Series& series = found->series.front();
    EXPECT_EQ(series.order, SeriesOrder::geometry);
    ASSERT_EQ(series.instances.size(), 16u);
    for (std::size_t n = 0; n < 16; ++n) {
        const std::string name = std::filesystem::path(series.instances[n].path).filename().string();
        EXPECT_EQ(name, (n < 9 ? "MR0" : "MR") + std::to_string(n + 1) + ".dcm");
        std::ifstream file(test::shared_data() / "expected" / "series" / "mr16" / (name + ".json"));
        const auto position = nlohmann::json::parse(file)["dataset"]["00200032"]["Value"];
        EXPECT_EQ((*series.instances[n].position_mm)[1], position[1].get<double>());
    }
    EXPECT_NEAR(series.spacing_mm.value(), 2, 0.001);
    EXPECT_EQ(series.findings, Findings());
}

TEST(SeriesOfFiles, AreGroupedAsTheQueryOracleSays) {
    const auto folder = test::shared_data() / "series" / "qr";
    std::ifstream file(folder / "queries.json");
    if (!file) GTEST_SKIP() << "../shared/data is not there";
    std::map<std::string, std::set<std::string>> expected;
    const auto oracle = nlohmann::json::parse(file);
    for (const auto& instance : oracle["instances"])
        expected[instance["SeriesInstanceUID"]].insert(instance["SOPInstanceUID"]);
    const auto found = read_series_below(folder.string());
    ASSERT_TRUE(found.has_value());
    ASSERT_EQ(found->unreadable.size(), 1u);
    EXPECT_TRUE(found->unreadable[0].path.ends_with("queries.json"));
    std::map<std::string, std::set<std::string>> grouped;
    for (const Series& series : found->series) {
        for (const auto& instance : series.instances)
            grouped[series.series_instance_uid.str()].insert(instance.sop_instance_uid.str());
    }
    EXPECT_EQ(grouped, expected);
}

TEST(SeriesOfFiles, SayWhatIsUnreadableAndWhy) {
    std::string folder = (std::filesystem::temp_directory_path() / "series-XXXXXX").string();
    ASSERT_NE(mkdtemp(folder.data()), nullptr);
    std::filesystem::create_directory(folder + "/inner");
    std::ofstream(folder + "/inner/notes.txt") << "no DICOM file at all, but some text of a reader";
    std::ofstream(folder + "/empty");
    const auto found = read_series_below(folder);
    const auto absent = read_series_below(folder + "/nowhere");
    const std::vector<std::string> paths = {folder + "/gone.dcm"};
    const auto gone = read_series(paths);
    std::filesystem::remove_all(folder);
    ASSERT_TRUE(found.has_value());
    EXPECT_TRUE(found->series.empty());
    ASSERT_EQ(found->unreadable.size(), 2u);
    EXPECT_EQ(found->unreadable[0].path, folder + "/empty");
    EXPECT_EQ(found->unreadable[1].path, folder + "/inner/notes.txt");
    EXPECT_FALSE(found->unreadable[1].error.message().empty());
    ASSERT_FALSE(absent.has_value());
    EXPECT_EQ(absent.error().code, Errc::not_found);
    ASSERT_EQ(gone.unreadable.size(), 1u);
    EXPECT_EQ(gone.unreadable[0].error.code, Errc::not_found);
}

}  // namespace
}  // namespace sagitta::dicom
