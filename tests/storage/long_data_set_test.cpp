// A data set read with its large values stepped over is judged, and indexed, as one read whole.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "dicom/parser.h"
#include "dicom/writer.h"
#include "storage/long_data_set.h"
#include "tests/storage/sample.h"
#include "tests/support/shared_data.h"

namespace sagitta::storage::testing {
namespace {

constexpr std::string_view kExplicit = "1.2.840.10008.1.2.1";
constexpr std::string_view kImplicit = "1.2.840.10008.1.2";
constexpr std::string_view kJpeg = "1.2.840.10008.1.2.4.50";

LongDataSetOptions least() {
    LongDataSetOptions options;
    options.large_value_bytes = 1;  // whatever is longer than 64 KiB
    return options;
}

struct Both {
    Result<InstanceRecord> whole;
    Result<InstanceRecord> stepped;
};

/// The record by both ways.
Both read_both(const std::string& folder, std::string_view data_set, std::string_view uid,
               const LongDataSetOptions& options = least()) {
    const auto header = std::string(132, 'h');
    auto spooled =
        SpooledInstance::begin(real_file_system(), folder + "/spooled", kTarBlock, as_bytes(header));
    EXPECT_TRUE(spooled);
    EXPECT_TRUE((*spooled)->append(as_bytes(data_set)));
    const auto& syntax = *dicom::find_transfer_syntax(uid);
    auto whole = [&]() -> Result<InstanceRecord> {
        auto parsed = dicom::parse_data_set(as_bytes(data_set), syntax);
        if (!parsed) return std::move(parsed).error();
        return extract_record(parsed->data_set, {uid, header.size(), as_bytes(data_set)});
    }();
    auto stepped = [&]() -> Result<InstanceRecord> {
        auto read = read_long_data_set(**spooled, syntax, options);
        if (!read) return std::move(read).error();
        return record_of_spooled(**spooled, *read, uid);
    }();
    return {std::move(whole), std::move(stepped)};
}

void expect_equal(const Both& both) {
    ASSERT_EQ(both.whole.has_value(), both.stepped.has_value())
        << (both.whole ? both.stepped.error() : both.whole.error()).message();
    if (!both.whole) {
        EXPECT_EQ(both.whole.error().code, both.stepped.error().code);
        return;
    }
    EXPECT_EQ(both.whole->values, both.stepped->values);
    EXPECT_EQ(both.whole->sop_instance_uid, both.stepped->sop_instance_uid);
    EXPECT_EQ(both.whole->transfer_syntax_uid, both.stepped->transfer_syntax_uid);
    EXPECT_EQ(both.whole->data_set_offset, both.stepped->data_set_offset);
    EXPECT_EQ(both.whole->data_set_length, both.stepped->data_set_length);
    EXPECT_EQ(both.whole->header_length, both.stepped->header_length);
    EXPECT_TRUE(both.whole->digest == both.stepped->digest);
}

std::string encoded(const dicom::DataSet& data_set, std::string_view uid) {
    ByteBuffer bytes;
    EXPECT_TRUE(dicom::write_data_set(data_set, *dicom::find_transfer_syntax(uid), bytes));
    return std::string(as_text(bytes.span()));
}

dicom::DataSet with_values() {
    Sample sample;
    sample.content = std::string(400'000, 'p');
    sample.more[dicom::Tag(0x0029, 0x0010)] = {Vr::LO, "CREATOR"};
    sample.more[dicom::Tag(0x0029, 0x1000)] = {Vr::OB, std::string(100'000, 'q')};
    sample.more[dicom::Tag(0x0029, 0x1001)] = {Vr::UN, std::string(90'000, 'r')};
    sample.more[dicom::Tag(0x0042, 0x0011)] = {Vr::OB, std::string(70'000, 's')};
    sample.more[dicom::Tag(0xfffc, 0xfffc)] = {Vr::OB, std::string(66'000, '\0')};
    return data_set_of(sample);
}

std::string fragment(std::size_t length) {
    std::string item("\xfe\xff\x00\xe0", 4);
    for (int shift = 0; shift < 32; shift += 8) item += static_cast<char>(length >> shift & 0xff);
    return item + std::string(length, 'f');
}

/// JPEG fragments of these lengths behind an empty offset table, and an element behind them.
std::string encapsulated(std::initializer_list<std::size_t> lengths, bool delimited = true) {
    Sample sample;
    auto data_set = data_set_of(sample);
    data_set.erase(tags::PixelData);
    auto bytes = encoded(data_set, kJpeg);
    bytes += std::string("\xe0\x7f\x10\x00OB\0\0\xff\xff\xff\xff", 12) + fragment(0);
    for (const auto length : lengths) bytes += fragment(length);
    if (delimited) bytes += std::string("\xfe\xff\xdd\xe0\0\0\0\0", 8);
    if (delimited) bytes += std::string("\xfc\xff\xfc\xffOB\0\0\x02\0\0\0\0\0", 14);
    return bytes;
}

TEST(LongDataSet, IsIndexedAsOneReadWhole) {
    TemporaryDirectory folder;
    for (const auto uid : {kExplicit, kImplicit}) {
        const auto both = read_both(folder.path(), encoded(with_values(), uid), uid);
        ASSERT_TRUE(both.stepped) << both.stepped.error().message();
        expect_equal(both);
    }
    for (const auto& lengths :
         {std::initializer_list<std::size_t>{300'000}, {50'000, 2, 100'000, 0, 4000, 70'000}, {100, 200}}) {
        const auto both = read_both(folder.path(), encapsulated(lengths), kJpeg);
        ASSERT_TRUE(both.stepped) << both.stepped.error().message();
        expect_equal(both);
    }
}

TEST(LongDataSet, IsRefusedWhereverItIsCutShort) {
    TemporaryDirectory folder;
    const auto native = encoded(with_values(), kExplicit);
    const auto jpeg = encapsulated({50'000, 2, 100'000});
    for (std::size_t at = 1; at < 60; ++at) {
        expect_equal(read_both(folder.path(), native.substr(0, native.size() * at / 60 - 1), kExplicit));
        expect_equal(read_both(folder.path(), jpeg.substr(0, jpeg.size() * at / 60 - 1), kJpeg));
    }
    const auto open = encapsulated({50'000, 100'000}, false);
    EXPECT_FALSE(read_both(folder.path(), open, kJpeg).stepped);
    expect_equal(read_both(folder.path(), open, kJpeg));
}

TEST(LongDataSet, IsRefusedForSomethingElseAmongItsFragments) {
    TemporaryDirectory folder;
    auto bytes = encapsulated({100'000, 100'000});
    const auto second = bytes.rfind(std::string("\xfe\xff\x00\xe0", 4));
    for (const auto& [offset, value] : {std::pair<std::size_t, char>{2, '\x01'}, {7, '\x7f'}}) {
        auto wrong = bytes;
        wrong[second + offset] = value;
        const auto both = read_both(folder.path(), wrong, kJpeg);
        EXPECT_FALSE(both.stepped);
        expect_equal(both);
    }
}

TEST(LongDataSet, HasALimitForWhatIsNotSteppedOver) {
    TemporaryDirectory folder;
    Sample sample;
    for (std::uint16_t n = 0; n < 40; ++n) {
        sample.more[dicom::Tag(0x0029, 0x1000 + n)] = {Vr::OB, std::string(60'000, 'q')};
    }
    const auto bytes = encoded(data_set_of(sample), kExplicit);
    auto options = least();
    EXPECT_TRUE(read_both(folder.path(), bytes, kExplicit, options).stepped);
    options.most_bytes = 1'000'000;
    const auto both = read_both(folder.path(), bytes, kExplicit, options);
    ASSERT_FALSE(both.stepped);
    EXPECT_EQ(both.stepped.error().code, Errc::limit_exceeded);
}

TEST(LongDataSet, IsReadLikeTheWholeInRealFiles) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "the corpus is not there";
    TemporaryDirectory folder;
    std::size_t compared = 0;
    for (const auto& path : files) {
        if (std::filesystem::file_size(path) > (64u << 20)) continue;
        std::ifstream file(path, std::ios::binary);
        const std::string bytes{std::istreambuf_iterator<char>(file), {}};
        auto layout = dicom::read_file_layout(as_bytes(bytes));
        if (!layout || layout->syntax->deflated || layout->syntax->uid != layout->transfer_syntax_uid)
            continue;
        SCOPED_TRACE(path.filename());
        expect_equal(read_both(folder.path(), std::string_view(bytes).substr(layout->data_set_offset),
                               layout->transfer_syntax_uid));
        ++compared;
    }
    EXPECT_GT(compared, 100u);
}

}  // namespace
}  // namespace sagitta::storage::testing
