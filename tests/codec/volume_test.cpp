#include "codec/volume.h"

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "codec/volume_file.h"
#include "core/bytes.h"
#include "dicom/part10.h"
#include "dicom/write_file.h"
#include "dicom/writer.h"
#include "tests/codec/sample_images.h"
#include "tests/support/oracle.h"
#include "tests/support/shared_data.h"

namespace sagitta::codec {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kRows = 3;
constexpr std::uint32_t kColumns = 4;

void write_object(const dicom::DataSet& image, const fs::path& path) {
    const auto meta = dicom::file_meta_of(image, "1.2.840.10008.1.2.1");
    ASSERT_TRUE(meta.has_value());
    const ByteBuffer header = dicom::make_file_header(*meta);
    ByteBuffer body;
    ASSERT_TRUE(
        dicom::write_data_set(image, *dicom::find_transfer_syntax("1.2.840.10008.1.2.1"), body).has_value());
    const std::array parts{header.span(), std::as_const(body).span()};
    ASSERT_TRUE(dicom::write_file(path.string(), parts).has_value());
}

/// 3 × 4 signed pixels: value = 100 × `seed` + pixel.
dicom::DataSet plain_image(int seed, std::uint16_t frames = 1) {
    dicom::DataSet image;
    image.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.2");
    image.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4." + std::to_string(seed));
    image.set_text(tags::StudyInstanceUID, Vr::UI, "1.2.3");
    image.set_text(tags::SeriesInstanceUID, Vr::UI, "1.2.3.4");
    image.set_text(tags::Modality, Vr::CS, "CT");
    image.set_text(tags::InstanceNumber, Vr::IS, std::to_string(100 - seed));
    image.set_uint16(tags::SamplesPerPixel, 1);
    image.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME2");
    if (frames > 1) image.set_text(tags::NumberOfFrames, Vr::IS, std::to_string(frames));
    image.set_uint16(tags::Rows, kRows);
    image.set_uint16(tags::Columns, kColumns);
    image.set_uint16(tags::BitsAllocated, 16);
    image.set_uint16(tags::BitsStored, 12);
    image.set_uint16(tags::HighBit, 11);
    image.set_uint16(tags::PixelRepresentation, 1);
    std::vector<std::int16_t> pixels;
    for (int frame = 0; frame < frames; ++frame) {
        for (unsigned n = 0; n < kRows * kColumns; ++n)
            pixels.push_back(static_cast<std::int16_t>(100 * (seed + frame) + static_cast<int>(n)));
    }
    image.set(tags::PixelData, Vr::OW, bytes_of(pixels));
    return image;
}

std::string ds(double value) {
    return fmt::format("{}", value);
}

/// A coronal-like slice: rows along x, columns along -z, so that the normal is y.
dicom::DataSet slice(int seed, double y) {
    auto image = plain_image(seed);
    image.set_text(tags::ImagePositionPatient, Vr::DS, "-10\\" + ds(y) + "\\20");
    image.set_text(tags::ImageOrientationPatient, Vr::DS, "1\\0\\0\\0\\0\\-1");
    image.set_text(tags::PixelSpacing, Vr::DS, "0.5\\0.25");
    image.set_text(tags::RescaleSlope, Vr::DS, "2");
    image.set_text(tags::RescaleIntercept, Vr::DS, "-1000");
    image.set_text(tags::RescaleType, Vr::LO, "HU");
    return image;
}

class VolumeTest : public testing::Test {
protected:
    void SetUp() override {
        folder_ = fs::temp_directory_path() / ("sagitta-volume-" + std::to_string(getpid()));
        fs::create_directories(folder_ / "in");
    }
    void TearDown() override { fs::remove_all(folder_); }

    void add(const std::string& name, const dicom::DataSet& image) {
        write_object(image, folder_ / "in" / name);
    }

    Result<Volume> plan(const VolumeOptions& options = {}) {
        const auto found = dicom::read_series_below((folder_ / "in").string());
        if (!found || found->series.size() != 1) return Error(Errc::not_found, "not one series");
        return plan_volume(found->series.front(), options);
    }

    std::string out(const std::string& name) const { return (folder_ / name).string(); }

    fs::path folder_;
};

std::vector<std::string> kinds_of(const Volume& volume) {
    std::vector<std::string> kinds;
    for (const auto& finding : volume.findings) kinds.push_back(finding.kind);
    return kinds;
}

template <class T>
std::vector<T> numbers_behind(const std::string& file, std::size_t offset) {
    std::vector<T> numbers((file.size() - offset) / sizeof(T));
    std::memcpy(numbers.data(), file.data() + offset, numbers.size() * sizeof(T));
    return numbers;
}

using Kinds = std::vector<std::string>;

TEST_F(VolumeTest, IsSortedInSpaceAndRescaled) {
    add("a", slice(3, 7.5));
    add("b", slice(1, 2.5));
    add("c", slice(2, 5));
    const auto volume = plan();
    ASSERT_TRUE(volume.has_value()) << volume.error().message();
    EXPECT_EQ(kinds_of(*volume), Kinds());
    EXPECT_EQ(volume->spacing_mm, (std::array{0.25, 0.5, 2.5}));
    EXPECT_EQ(volume->origin_mm, (std::array{-10.0, 2.5, 20.0}));
    EXPECT_EQ(volume->direction[2], (std::array{0.0, 1.0, 0.0}));
    EXPECT_EQ(volume->type, NumberType::int16);
    EXPECT_EQ(volume->unit, "HU");
    ASSERT_TRUE(write_volume(*volume, out("v.npy")).has_value());
    const auto file = test::contents(out("v.npy"));
    EXPECT_EQ(file.substr(0, 8), std::string("\x93NUMPY\x01\x00", 8));
    EXPECT_NE(file.find("{'descr': '<i2', 'fortran_order': False, 'shape': (3, 3, 4), }"), std::string::npos);
    const auto numbers = numbers_behind<std::int16_t>(file, 128);
    ASSERT_EQ(numbers.size(), 36u);
    for (std::size_t n = 0; n < 36; ++n)
        EXPECT_EQ(numbers[n], static_cast<int>(100 * (1 + n / 12) + n % 12) * 2 - 1000) << n;
    const auto about = nlohmann::json::parse(test::contents(out("v.json")));
    EXPECT_EQ(about["shape"], (nlohmann::json{3, 3, 4}));
    EXPECT_EQ(about["dtype"], "int16");
    EXPECT_EQ(about["series_instance_uid"], "1.2.3.4");
    EXPECT_EQ(about["affine"].dump(),
              "[[0.25,0.0,0.0,-10.0],[0.0,0.0,2.5,2.5],[0.0,-0.5,0.0,20.0],[0,0,0,1]]");
    EXPECT_EQ(about["slices"][0]["sop_instance_uid"], "1.2.3.4.1");
}

TEST_F(VolumeTest, NrrdRawAndCompressedHoldTheSame) {
    for (int n = 1; n <= 3; ++n) add(std::to_string(n), slice(n, 2.5 * n));
    VolumeOptions options;
    options.type = NumberType::float32;
    const auto volume = plan(options);
    ASSERT_TRUE(volume.has_value());
    VolumeFileOptions file;
    file.format = VolumeFormat::nrrd_raw;
    ASSERT_TRUE(write_volume(*volume, out("raw.nrrd"), file).has_value());
    file.format = VolumeFormat::nrrd_gzip;
    ASSERT_TRUE(write_volume(*volume, out("gzip.nrrd"), file).has_value());
    const auto raw = test::contents(out("raw.nrrd"));
    const auto end = raw.find("\n\n") + 2;
    EXPECT_EQ(
        raw.substr(0, end),
        "NRRD0005\ntype: float\ndimension: 3\nspace: left-posterior-superior\nsizes: 4 3 3\n"
        "space directions: (0.25,0,0) (0,0,-0.5) (0,2.5,0)\nkinds: domain domain domain\nendian: little\n"
        "encoding: raw\nspace origin: (-10,2.5,20)\n\n");
    EXPECT_EQ(numbers_behind<float>(raw, end).at(13), 201 * 2 - 1000);
    const auto packed = test::contents(out("gzip.nrrd"));
    const auto data = packed.find("\n\n") + 2;
    EXPECT_NE(packed.find("encoding: gzip\n"), std::string::npos);
    fs::create_directories(folder_ / "x");
    std::FILE* gz = std::fopen(out("x/data.gz").c_str(), "wb");
    ASSERT_NE(gz, nullptr);
    std::fwrite(packed.data() + data, 1, packed.size() - data, gz);
    std::fclose(gz);
    EXPECT_EQ(test::contents(out("x/data.gz")), raw.substr(end));
    EXPECT_FALSE(fs::exists(out("raw.json")));
}

TEST_F(VolumeTest, FindingsAreRefusedUnlessAllowed) {
    for (const int n : {1, 2, 4}) add(std::to_string(n), slice(n, 2.5 * n));
    const auto volume = plan();
    ASSERT_TRUE(volume.has_value());
    EXPECT_EQ(kinds_of(*volume), (Kinds{"gap"}));
    const auto refused = refuse_findings(*volume, {});
    ASSERT_TRUE(refused);
    EXPECT_EQ(refused->code, Errc::mismatch);
    EXPECT_EQ(refused->message(), "gap: 1 missing before " + (folder_ / "in" / "4").string() + " frame 1");
    EXPECT_FALSE(refuse_findings(*volume, {"gap"}));
}

TEST_F(VolumeTest, SizesThatDifferAreRefusedInAnyCase) {
    add("1", slice(1, 0));
    auto other = slice(2, 1);
    other.set_uint16(tags::Rows, kRows - 1);
    add("2", other);
    const auto volume = plan();
    ASSERT_TRUE(volume.has_value());
    EXPECT_TRUE(refuse_findings(*volume, {"mixed_size"}));
}

TEST_F(VolumeTest, AStackThatLeansIsToldAndPlacedAsItLies) {
    for (int n = 0; n < 3; ++n) {
        auto image = slice(n + 1, 2.0 * n);
        image.set_text(tags::ImagePositionPatient, Vr::DS, "-10\\" + ds(2.0 * n) + "\\" + ds(20 + n));
        add(std::to_string(n), image);
    }
    const auto volume = plan();
    ASSERT_TRUE(volume.has_value());
    EXPECT_EQ(kinds_of(*volume), (Kinds{"sheared"}));
    for (std::size_t n = 0; n < 3; ++n)
        EXPECT_NEAR(volume->direction[2][n] * volume->spacing_mm[2], (std::array{0.0, 2.0, 1.0})[n], 1e-9);
}

TEST_F(VolumeTest, ASliceBesideTheStackIsTold) {
    for (int n = 0; n < 4; ++n) {
        auto image = slice(n + 1, 2.0 * n);
        if (n == 2) image.set_text(tags::ImagePositionPatient, Vr::DS, "-12\\4\\20");
        add(std::to_string(n), image);
    }
    const auto volume = plan();
    ASSERT_TRUE(volume.has_value());
    EXPECT_EQ(kinds_of(*volume), (Kinds{"shifted"}));
}

TEST_F(VolumeTest, WithoutGeometryTheOrderIsOfNumbers) {
    for (int n = 1; n <= 2; ++n) add(std::to_string(n), plain_image(n));
    const auto volume = plan();
    ASSERT_TRUE(volume.has_value());
    EXPECT_EQ(kinds_of(*volume), (Kinds{"no_geometry"}));
    EXPECT_FALSE(volume->placed);
    EXPECT_EQ(volume->slices.front().sop_instance_uid.view(), "1.2.3.4.2") << "Instance Number 98";
    VolumeFileOptions raw;
    raw.format = VolumeFormat::nrrd_raw;
    ASSERT_TRUE(write_volume(*volume, out("v.nrrd"), raw).has_value());
    EXPECT_NE(test::contents(out("v.nrrd")).find("spacings: 1 1 1\n"), std::string::npos);
}

TEST_F(VolumeTest, TypeIsExactForAllSlices) {
    add("1", slice(1, 0));
    auto image = slice(2, 1);
    image.set_text(tags::RescaleSlope, Vr::DS, "100");
    add("2", image);
    EXPECT_EQ(plan()->type, NumberType::int32);
    image.set_text(tags::RescaleSlope, Vr::DS, "0.5");
    image.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4.9");
    image.set_text(tags::ImagePositionPatient, Vr::DS, "-10\\2\\20");
    add("3", image);
    EXPECT_EQ(plan()->type, NumberType::float32);
    VolumeOptions options;
    options.type = NumberType::int8;
    const auto volume = plan(options);
    const auto written = write_volume(*volume, out("v.npy"));
    ASSERT_FALSE(written.has_value());
    EXPECT_EQ(written.error().code, Errc::limit_exceeded);
    EXPECT_FALSE(fs::exists(out("v.npy"))) << "nothing is left";
    EXPECT_FALSE(fs::exists(out("v.json")));
    EXPECT_EQ(std::distance(fs::directory_iterator(folder_), {}), 1);
}

TEST_F(VolumeTest, NothingIsOverwritten) {
    add("1", slice(1, 0));
    const auto volume = plan();
    ASSERT_TRUE(write_volume(*volume, out("v.npy")).has_value());
    EXPECT_EQ(write_volume(*volume, out("v.npy")).error().code, Errc::already_exists);
    fs::remove(out("v.npy"));
    EXPECT_EQ(write_volume(*volume, out("v.npy")).error().code, Errc::already_exists) << "the .json is there";
    EXPECT_FALSE(fs::exists(out("v.npy")));
    VolumeFileOptions options;
    options.if_exists = dicom::IfFileExists::replace;
    EXPECT_TRUE(write_volume(*volume, out("v.npy"), options).has_value());
}

/// Two time points of three slices, frames in no useful order.
dicom::DataSet enhanced() {
    auto image = plain_image(0, 6);
    image.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.4.1");
    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::SharedFunctionalGroupsSequence);
    builder.begin_item();
    builder.begin_sequence(tags::PlaneOrientationSequence);
    builder.begin_item();
    builder.add_text(tags::ImageOrientationPatient, Vr::DS, "1\\0\\0\\0\\1\\0");
    builder.end();
    builder.end();
    builder.begin_sequence(tags::PixelMeasuresSequence);
    builder.begin_item();
    builder.add_text(tags::PixelSpacing, Vr::DS, "2\\1");
    builder.end();
    builder.end();
    builder.end();
    builder.end();
    builder.begin_sequence(tags::PerFrameFunctionalGroupsSequence);
    for (int frame = 0; frame < 6; ++frame) {
        builder.begin_item();
        builder.begin_sequence(tags::FrameContentSequence);
        builder.begin_item();
        add_numbers<std::uint32_t>(builder, tags::TemporalPositionIndex, Vr::UL, {frame % 2 == 0 ? 1u : 2u});
        builder.end();
        builder.end();
        builder.begin_sequence(tags::PlanePositionSequence);
        builder.begin_item();
        builder.add_text(tags::ImagePositionPatient, Vr::DS, "0\\0\\" + ds(10 - 3.0 * (frame / 2)));
        builder.end();
        builder.end();
        builder.end();
    }
    builder.end();
    const auto groups = builder.finish();
    for (const auto element : groups.elements()) image.set(element);
    return image;
}

TEST_F(VolumeTest, StacksOfAnEnhancedImageAreToldApart) {
    add("1", enhanced());
    const auto unclear = plan();
    ASSERT_FALSE(unclear.has_value());
    EXPECT_EQ(unclear.error().message(),
              "2 stacks that differ in stack, time, echo or segment; choose one: 1 (3 slices), 2 (3 slices)");
    VolumeOptions options;
    options.stack = 2;
    const auto volume = plan(options);
    ASSERT_TRUE(volume.has_value()) << volume.error().message();
    EXPECT_EQ(kinds_of(*volume), Kinds());
    EXPECT_EQ(volume->spacing_mm, (std::array{1.0, 2.0, 3.0}));
    EXPECT_EQ(volume->origin_mm[2], 4);
    std::vector<std::uint32_t> frames;
    for (const auto& one : volume->slices) frames.push_back(one.frame);
    EXPECT_EQ(frames, (std::vector<std::uint32_t>{5, 3, 1}));
    ASSERT_TRUE(write_volume(*volume, out("v.npy")).has_value());
    EXPECT_EQ(numbers_behind<std::int16_t>(test::contents(out("v.npy")), 128).at(0), 500);
    options.stack = 3;
    EXPECT_EQ(plan(options).error().message(), "no stack 3, there are 2");
}

TEST_F(VolumeTest, MoreFramesThanTheFileHasBitsAreNotBelieved) {
    auto image = plain_image(1);
    image.set_text(tags::NumberOfFrames, Vr::IS, "16000000");
    add("1", image);
    EXPECT_EQ(plan().error().code, Errc::truncated);
    image.set_text(tags::NumberOfFrames, Vr::IS, "0");
    image.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3.4.9");
    fs::remove(folder_ / "in" / "1");
    add("2", image);
    EXPECT_EQ(plan().error().code, Errc::limit_exceeded);
}

TEST_F(VolumeTest, OneFrameAfterAnotherComesOutOfOneFile) {
    add("1", enhanced());
    VolumeOptions options;
    options.stack = 1;
    const auto volume = plan(options);
    ASSERT_TRUE(volume.has_value());
    VolumeFileOptions file;
    std::vector<std::size_t> told;
    file.on_slice = [&](std::size_t written) { told.push_back(written); };
    ASSERT_TRUE(write_volume(*volume, out("v.npy"), file).has_value());
    EXPECT_EQ(told, (std::vector<std::size_t>{1, 2, 3}));
}

TEST_F(VolumeTest, ColoursAreRefused) {
    auto image = plain_image(1);
    image.set_text(tags::PhotometricInterpretation, Vr::CS, "PALETTE COLOR");
    add("1", image);
    EXPECT_EQ(plan().error().code, Errc::unsupported);
}

/// The same stack by pydicom and NumPy alone.
class VolumeOracle : public VolumeTest {
protected:
    void SetUp() override {
        if (std::system("/usr/bin/python3 -c 'import numpy, pydicom' 2>/dev/null") != 0)
            GTEST_SKIP() << "numpy and pydicom are not installed";
        VolumeTest::SetUp();
    }

    void compare(const Result<Volume>& volume, const std::string& files,
                 const std::set<std::string>& allowed = {}) {
        ASSERT_TRUE(volume.has_value()) << volume.error().message();
        const auto refused = refuse_findings(*volume, allowed);
        ASSERT_FALSE(refused) << refused->message();
        ASSERT_TRUE(write_volume(*volume, out("v.npy")).has_value());
        const auto script = fs::path(SAGITTA_SOURCE_DIR) / "tests/codec/volume_oracle.py";
        const auto command = "/usr/bin/python3 " + script.string() + " " + out("v.npy") + " " + files;
        EXPECT_EQ(std::system(command.c_str()), 0) << files;
    }

    void compare_path(const fs::path& path, const std::set<std::string>& allowed = {}) {
        if (!fs::exists(path)) GTEST_SKIP() << path << " is not there";
        const bool folder = fs::is_directory(path);
        const std::vector<std::string> one = {path.string()};
        const auto found = folder ? *dicom::read_series_below(path.string()) : dicom::read_series(one);
        ASSERT_EQ(found.series.size(), 1u);
        compare(plan_volume(found.series.front()), path.string() + (folder ? "/*" : ""), allowed);
    }
};

const fs::path kPydicomFiles = "/usr/lib/python3/dist-packages/pydicom/data/test_files";

TEST_F(VolumeOracle, SyntheticSeries) {
    for (const int n : {5, 2, 7, 3, 6, 4}) add("f" + std::to_string(n * 37 % 11), slice(n, -1.5 * n));
    compare(plan(), (folder_ / "in").string() + "/*");
}

TEST_F(VolumeOracle, MrSeriesOfTheCorpus) {
    compare_path(test::shared_data() / "series/mr16");
}

TEST_F(VolumeOracle, CtSeriesOfPydicom) {
    compare_path(kPydicomFiles / "dicomdirtests/98892001/CT5N");
}

TEST_F(VolumeOracle, EnhancedMr) {
    compare_path(test::shared_data() / "codecs/mr_brucker.dcm");
}

TEST_F(VolumeOracle, EnhancedCtCompressed) {
    compare_path(test::shared_data() / "codecs/CT0012.not_fragmented_bot_rle.dcm");
}

TEST_F(VolumeOracle, Segmentation) {
    compare_path(test::shared_data() / "objects/seg_image_ct_binary.dcm");
}

TEST_F(VolumeOracle, DoseGrid) {
    compare_path(kPydicomFiles / "rtdose.dcm");
}

}  // namespace
}  // namespace sagitta::codec
