// `sagitta render` and `sagitta volume` from outside: files, exit statuses, what is refused.
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/transfer_syntax.h"
#include "dicom/writer.h"

namespace sagitta {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using dicom::Vr;

struct Ended {
    int status = -1;
    std::string output;
};

class Picture : public testing::Test {
protected:
    void SetUp() override {
        std::string pattern = (fs::temp_directory_path() / "sagitta-picture-XXXXXX").string();
        ASSERT_NE(mkdtemp(pattern.data()), nullptr);
        folder_ = pattern;
        fs::create_directory(folder_ / "series");
        for (int n = 1; n <= 3; ++n) write_slice("series/" + std::to_string(n), n, n, 1);
        write_slice("cine.dcm", 9, 9, 3);
    }
    void TearDown() override { fs::remove_all(folder_); }

    Ended sagitta(const std::string& arguments) {
        Ended run;
        const std::string command =
            "cd '" + folder_.string() + "' && '" SAGITTA_PROGRAM "' " + arguments + " 2>&1";
        FILE* pipe = popen(command.c_str(), "r");
        if (pipe == nullptr) return run;
        char part[4096];
        while (const auto got = std::fread(part, 1, sizeof part, pipe)) run.output.append(part, got);
        const int ended = pclose(pipe);
        if (WIFEXITED(ended)) run.status = WEXITSTATUS(ended);
        return run;
    }

    /// 2 × 4 pixels of 8 bits, at height `z`.
    void write_slice(const std::string& name, int number, double z, int frames) {
        dicom::DataSet image;
        image.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.7");
        image.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3." + std::to_string(number));
        image.set_text(tags::SeriesInstanceUID, Vr::UI, "1.2.3");
        image.set_text(tags::PatientName, Vr::PN, "Canary^Yellow");
        image.set_text(tags::ImagePositionPatient, Vr::DS, "0\\0\\" + std::to_string(z));
        image.set_text(tags::ImageOrientationPatient, Vr::DS, "1\\0\\0\\0\\1\\0");
        image.set_uint16(tags::SamplesPerPixel, 1);
        image.set_text(tags::PhotometricInterpretation, Vr::CS, "MONOCHROME2");
        image.set_text(tags::NumberOfFrames, Vr::IS, std::to_string(frames));
        image.set_uint16(tags::Rows, 2);
        image.set_uint16(tags::Columns, 4);
        image.set_text(tags::PixelSpacing, Vr::DS, "1\\1");
        image.set_uint16(tags::BitsAllocated, 8);
        image.set_uint16(tags::BitsStored, 8);
        image.set_uint16(tags::HighBit, 7);
        image.set_uint16(tags::PixelRepresentation, 0);
        const std::vector<std::byte> pixels(static_cast<std::size_t>(8 * frames), std::byte{7});
        image.set(tags::PixelData, Vr::OB, pixels);
        const auto meta = dicom::file_meta_of(image, "1.2.840.10008.1.2.1");
        ASSERT_TRUE(meta.has_value());
        ByteBuffer bytes = dicom::make_file_header(*meta);
        ASSERT_TRUE(dicom::write_data_set(image, dicom::explicit_vr_little_endian(), bytes).has_value());
        std::ofstream(folder_ / name, std::ios::binary) << as_text(bytes.span());
    }

    [[nodiscard]] std::string bytes_of(const std::string& name) const {
        std::ifstream file(folder_ / name, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
    }
    [[nodiscard]] bool exists(const std::string& name) const { return fs::exists(folder_ / name); }

    fs::path folder_;
};

TEST_F(Picture, IsPngOrJpegByItsName) {
    EXPECT_EQ(sagitta("render series/1 a.png").status, 0);
    EXPECT_EQ(bytes_of("a.png").substr(1, 3), "PNG");
    EXPECT_EQ(sagitta("render series/1 a.JPG --quality 50").status, 0);
    EXPECT_EQ(bytes_of("a.JPG").substr(0, 3), "\xff\xd8\xff");
    EXPECT_EQ(bytes_of("a.png").find("Canary"), std::string::npos);
    const auto refused = sagitta("render series/1 a.bmp");
    EXPECT_EQ(refused.status, 2);
    EXPECT_EQ(refused.output, "sagitta: a.bmp: name it .png or .jpg\n");
    EXPECT_EQ(sagitta("render series/1 b.jpg --bits 16").status, 2);
}

TEST_F(Picture, OfEveryFrameOrAllInOne) {
    EXPECT_EQ(sagitta("render cine.dcm out.png --frame all").status, 0);
    EXPECT_TRUE(exists("out-1.png") && exists("out-2.png") && exists("out-3.png") && !exists("out.png"));
    EXPECT_EQ(sagitta("render cine.dcm sheet.png --contact-sheet --size 16").status, 0);
    // Two cells of 16 × 8 beside each other, two below: bytes 16 to 23 of a PNG are its size.
    EXPECT_EQ(bytes_of("sheet.png").substr(16, 8), std::string("\0\0\0\x20\0\0\0\x10", 8));
    const auto beyond = sagitta("render cine.dcm x.png --frame 4");
    EXPECT_EQ(beyond.status, 1);
    EXPECT_EQ(beyond.output, "sagitta: cine.dcm: no frame 4, there are 3\n");
    EXPECT_EQ(sagitta("render cine.dcm x.png --frame 0").status, 2);
}

TEST_F(Picture, ReplacesNothingUnasked) {
    const auto before = bytes_of("series/1");
    fs::create_hard_link(folder_ / "series/1", folder_ / "same.png");
    EXPECT_EQ(sagitta("render series/1 same.png --force").status, 1);
    EXPECT_EQ(bytes_of("series/1"), before);
    EXPECT_EQ(sagitta("render series/1 a.png").status, 0);
    EXPECT_EQ(sagitta("render series/2 a.png").status, 1);
    EXPECT_EQ(sagitta("render series/2 a.png --force").status, 0);
}

TEST_F(Picture, RefusesWhatIsNoWindow) {
    for (const auto* window : {"40", "40,", "40,0", "a,b", "40,-3"}) {
        EXPECT_EQ(sagitta(std::string("render series/1 a.png --window ") + window).status, 2) << window;
    }
    EXPECT_EQ(sagitta("render series/1 a.png --window -40.5,4e2").status, 0);
    EXPECT_NE(sagitta("render series/1 b.png --window 1,2 --auto").status, 0);
    const auto missing = sagitta("render series/1 b.png --voi 1");
    EXPECT_EQ(missing.output,
              "sagitta: series/1: frame 1: no VOI 1: the image has 0 windows and 0 VOI LUTs\n");
    EXPECT_FALSE(exists("b.png"));
}

TEST_F(Picture, VolumeSaysWhatItIs) {
    const auto written = sagitta("volume series v.npy");
    EXPECT_EQ(written.status, 0);
    EXPECT_EQ(written.output, "3 slices of 2 x 4, uint8, voxels of 1 x 1 x 1 mm\n");
    EXPECT_TRUE(exists("v.npy") && exists("v.json"));
    EXPECT_EQ(bytes_of("v.json").find("Canary"), std::string::npos);
    EXPECT_EQ(sagitta("volume series v.npy").status, 1);
    EXPECT_EQ(sagitta("volume series v.npy --force --json").output, bytes_of("v.json"));
    EXPECT_EQ(sagitta("volume series v.nrrd --dtype float32").status, 0);
    EXPECT_EQ(bytes_of("v.nrrd").substr(0, 8), "NRRD0005");
    EXPECT_EQ(sagitta("volume series v.raw").status, 2);
}

TEST_F(Picture, VolumeWithAGapIsRefusedUnlessAllowed) {
    write_slice("series/6", 6, 6, 1);
    const auto refused = sagitta("volume series v.npy");
    EXPECT_EQ(refused.status, 1);
    EXPECT_EQ(refused.output,
              "sagitta: no plain stack: gap: 2 missing before series/6 frame 1; --allow KIND overrules\n");
    EXPECT_FALSE(exists("v.npy") || exists("v.json"));
    const auto allowed = sagitta("volume series v.npy --allow gap");
    EXPECT_EQ(allowed.status, 0);
    EXPECT_NE(allowed.output.find("allowed: gap: 2 missing before series/6 frame 1\n"), std::string::npos);
    EXPECT_EQ(sagitta("volume series w.npy --allow gaps").status, 2);
}

TEST_F(Picture, VolumeOfAFolderWithoutImagesSaysSo) {
    fs::create_directory(folder_ / "empty");
    EXPECT_EQ(sagitta("volume empty v.npy").output, "sagitta: empty: no images\n");
    EXPECT_EQ(sagitta("volume nowhere v.npy").status, 1);
    EXPECT_EQ(sagitta("volume series v.npy --series 1.2.4").output, "sagitta: series: no such series\n");
}

}  // namespace
}  // namespace sagitta
