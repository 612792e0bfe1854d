// Members larger than what is read at once cost no more memory and give the same records.
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>

#include "storage/maintenance.h"
#include "storage/member_record.h"
#include "storage/volume_scanner.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

/// Counts the most that was asked for at once.
class MeasuredFile final : public File {
public:
    explicit MeasuredFile(std::string bytes) : bytes_(std::move(bytes)) {}
    Result<std::size_t> read_at(std::uint64_t offset, std::span<std::byte> into) const override {
        most_ = std::max(most_, into.size());
        const auto all = as_bytes(bytes_);
        if (offset >= all.size()) return std::size_t{0};
        const auto part = all.subspan(offset, std::min<std::size_t>(into.size(), all.size() - offset));
        std::copy(part.begin(), part.end(), into.begin());
        return part.size();
    }
    Result<void> write_at(std::uint64_t, std::span<const std::span<const std::byte>>) override { return {}; }
    Result<void> sync() override { return {}; }
    Result<void> truncate(std::uint64_t) override { return {}; }
    Result<std::uint64_t> size() const override { return bytes_.size(); }
    std::size_t most() const { return most_; }

private:
    std::string bytes_;
    mutable std::size_t most_ = 0;
};

Sample large() {
    Sample sample;
    sample.content = std::string(300'000, 'p');
    return sample;
}

std::vector<Sample> large_ones() {
    std::vector<Sample> all(4, large());
    all[1].more[dicom::Tag(0x0029, 0x1000)] = {Vr::OB,
                                               std::string(100'000, 'q')};      // a long way to the pixels
    all[2].more[dicom::Tag(0x7fe0, 0x0001)] = {Vr::OV, std::string(16, '\0')};  // group 7FE0 before them
    all[2].more[dicom::Tag(0x7fe0, 0x0002)] = {Vr::OV, std::string(16, '\0')};
    all[3].more[tags::PatientName] = {Vr::PN, "Odd^Length^"};
    return all;
}

void expect_equal(const InstanceRecord& a, const InstanceRecord& b) {
    EXPECT_EQ(a.sop_instance_uid, b.sop_instance_uid);
    EXPECT_EQ(a.sop_class_uid, b.sop_class_uid);
    EXPECT_EQ(a.transfer_syntax_uid, b.transfer_syntax_uid);
    EXPECT_EQ(a.values, b.values);
    EXPECT_EQ(a.data_set_offset, b.data_set_offset);
    EXPECT_EQ(a.data_set_length, b.data_set_length);
    EXPECT_EQ(a.header_length, b.header_length);
    EXPECT_EQ(a.digest, b.digest);
}

TEST(LongMember, GivesTheRecordOfTheWholeWhateverIsReadFirst) {
    for (const auto& sample : large_ones()) {
        const auto bytes = file_bytes(sample);
        MeasuredFile volume(std::string(512, 'h') + bytes);
        for (std::size_t head = 1; head <= bytes.size(); head += head < 3000 ? 7 : 50'021) {
            SCOPED_TRACE(head);
            auto record = record_of_member(volume, 512, bytes.size(),
                                           as_bytes(std::string_view(bytes).substr(0, head)));
            ASSERT_TRUE(record) << record.error().message();
            expect_equal(*record, incoming(sample).record);
        }
    }
}

TEST(LongMember, IsIndexedByWhatABoundedHeaderShows) {
    const auto sample = large_ones()[1];
    const auto bytes = file_bytes(sample);
    MeasuredFile volume(bytes);
    auto record =
        record_of_member(volume, 0, bytes.size(), as_bytes(std::string_view(bytes).substr(0, 1000)), 50'000);
    ASSERT_TRUE(record) << record.error().message();
    EXPECT_EQ(record->values, incoming(sample).record.values);
    EXPECT_EQ(record->digest, incoming(sample).record.digest);
    EXPECT_EQ(record->header_length, bytes.size());
}

TEST(LongMember, IsProvedPieceByPiece) {
    TemporaryDirectory directory;
    {
        auto archive = open_archive(directory.path());
        ASSERT_TRUE(put(*archive, large()));
    }
    std::ifstream file(directory.path() + "/volumes/00000001.tar", std::ios::binary);
    std::string bytes(std::istreambuf_iterator<char>(file), {});
    const auto size = bytes.size();
    std::vector<std::string> digests;
    for (const std::size_t piece : {1000u, 4096u, 1000000u}) {
        MeasuredFile volume(bytes);
        VolumeScanner scanner(volume, 0, size, {.sha256 = true, .piece_bytes = piece});
        auto found = scanner.next();
        ASSERT_TRUE(found && *found);
        EXPECT_EQ((*found)->kind, ScannedMember::Kind::instance);
        EXPECT_EQ((*found)->end, size);
        EXPECT_LE(volume.most(), piece);
        EXPECT_EQ(as_text(scanner.head()), file_bytes(large()).substr(0, piece));
        digests.push_back((*found)->sha256);
    }
    EXPECT_EQ(digests, std::vector<std::string>(3, digests[0]));
    bytes[size - 1000] = static_cast<char>(bytes[size - 1000] ^ 1);
    MeasuredFile volume(bytes);
    VolumeScanner scanner(volume, 0, size, {.piece_bytes = 1000});
    auto found = scanner.next();
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->kind, ScannedMember::Kind::damaged);
}

TEST(LongMember, SurvivesReindexSealAndVerify) {
    TemporaryDirectory directory;
    ArchiveOptions options;
    options.volume_size = 3u << 20;
    std::vector<std::string> before;
    auto bytes_of = [](int n) {
        auto sample = large();
        sample.sop_uid = fmt::format("1.2.3.4.{}", n);
        sample.content = std::string((2u << 20) + 100, static_cast<char>('a' + n));
        return sample;
    };
    {
        auto archive = open_archive(directory.path(), options);
        for (int n = 0; n < 3; ++n) ASSERT_TRUE(put(*archive, bytes_of(n)));
        before = everything(archive->index());
    }
    ASSERT_TRUE(reindex(directory.path(), {}));
    {
        auto archive = open_archive(directory.path(), options);
        EXPECT_EQ(everything(archive->index()), before);
        EXPECT_EQ(served(*archive, "1.2.3.4.1"), file_bytes(bytes_of(1)));
    }
    EXPECT_EQ(verify(directory.path(), [](auto line) { ADD_FAILURE() << line; })->instances, 3u);
}

}  // namespace
}  // namespace sagitta::storage::testing
