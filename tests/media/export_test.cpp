// What is deleted while it is exported: at no moment does a wrong byte come out.
#include "media/export.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "core/log.h"
#include "tests/storage/sample.h"

namespace sagitta::media {
namespace {

using storage::testing::Sample;
namespace fs = std::filesystem;

/// Of one instance the n-th read and all after it give zeros, as when its bytes were purged; and from then on
/// it has no checksum.
class PurgedMeanwhile final : public storage::InstanceStore {
public:
    PurgedMeanwhile(const storage::InstanceStore& store, std::uint64_t offset, int reads)
        : store_(store), offset_(offset), reads_(reads) {}

    Result<ByteBuffer> read(const storage::InstanceLocation& where, std::uint64_t offset,
                            std::uint64_t max_bytes) const override {
        auto bytes = store_.read(where, offset, max_bytes);
        if (!bytes || !is_purged(where)) return bytes;
        ByteBuffer zeros;
        zeros.append(std::vector<std::byte>(bytes->size()));
        return zeros;
    }
    Result<std::size_t> read_into(const storage::InstanceLocation& where, std::uint64_t offset,
                                  std::span<std::byte> into) const override {
        auto got = store_.read_into(where, offset, into);
        if (got && is_purged(where)) std::fill_n(into.begin(), *got, std::byte{0});
        return got;
    }
    Result<std::optional<FileRange>> file_range(const storage::InstanceLocation& where) const override {
        return store_.file_range(where);
    }
    Result<std::uint64_t> checksum(const storage::InstanceLocation& where) const override {
        if (where.offset == offset_ && reads_ <= 0) return Error(Errc::not_found, "the instance was deleted");
        return store_.checksum(where);
    }
    [[nodiscard]] bool was_purged() const { return reads_ <= 0; }

private:
    bool is_purged(const storage::InstanceLocation& where) const {
        return where.offset == offset_ && --reads_ <= 0;
    }
    const storage::InstanceStore& store_;
    std::uint64_t offset_;
    mutable int reads_;
};

class ExportBeside : public ::testing::Test {
protected:
    ExportBeside() {
        log::set_level(log::Level::off);
        archive_ = storage::testing::open_archive(directory_.path() + "/data");
        for (int n = 0; n < 3; ++n) {
            Sample sample;
            sample.sop_uid += std::to_string(n);
            sample.content = std::string(5000, static_cast<char>('a' + n));
            sample.sop_class = "1.2.840.10008.5.1.4.1.1.7";
            EXPECT_TRUE(put(*archive_, sample));
            files_.insert(file_bytes(sample));
        }
        victim_ = (*archive_->index().find_instance(*dicom::Uid::parse(Sample().sop_uid + "1")))->offset;
    }
    ~ExportBeside() override { log::set_level(log::Level::info); }

    ExportReport run(const storage::InstanceStore& store, const std::string& output, bool as_medium = false) {
        const auto pattern = NamePattern::parse("{SOPInstanceUID}.dcm");
        ExportOptions options;
        options.output = output;
        options.pattern = as_medium ? nullptr : &*pattern;
        auto report = export_instances(archive_->index(), store, options, {});
        EXPECT_TRUE(report) << (report ? "" : report.error().message());
        return report ? std::move(*report) : ExportReport();
    }
    std::size_t whole_files(const std::string& folder) const {
        std::size_t count = 0;
        for (const auto& entry : fs::recursive_directory_iterator(folder)) {
            if (!entry.is_regular_file() || entry.path().filename() == "DICOMDIR") continue;
            std::ifstream file(entry.path(), std::ios::binary);
            const std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
            EXPECT_TRUE(files_.contains(bytes)) << entry.path();
            ++count;
        }
        return count;
    }

    storage::testing::TemporaryDirectory directory_;
    std::unique_ptr<storage::Archive> archive_;
    std::set<std::string> files_;
    std::uint64_t victim_ = 0;
};

TEST_F(ExportBeside, AFolderGetsWhatIsWholeAndTheReason) {
    for (int at = 0;; ++at) {
        SCOPED_TRACE(at);
        PurgedMeanwhile store(archive_->store(), victim_, at);
        const auto folder = directory_.path() + "/out" + std::to_string(at);
        const auto report = run(store, folder);
        EXPECT_EQ(whole_files(folder), report.exported);
        if (!store.was_purged()) {
            EXPECT_EQ(report.exported, 3u);
            EXPECT_GE(at, 3) << "two looks and the header";
            break;
        }
        EXPECT_EQ(report.exported, 2u);
        EXPECT_EQ(report.failed, 1u);
        ASSERT_EQ(report.failures.size(), 1u);
        EXPECT_EQ(report.failures.front().reason, "was deleted meanwhile");
    }
}

TEST_F(ExportBeside, AContainerIsThereWithoutItOrNotAtAll) {
    for (int at = 0;; ++at) {
        SCOPED_TRACE(at);
        PurgedMeanwhile store(archive_->store(), victim_, at);
        const auto report = run(store, directory_.path() + "/" + std::to_string(at) + ".tar");
        const bool is_there = fs::exists(directory_.path() + "/" + std::to_string(at) + ".tar");
        EXPECT_EQ(is_there ? (store.was_purged() ? 2u : 3u) : 0u, report.exported);
        if (!store.was_purged()) break;
        EXPECT_EQ(report.failures.at(0).reason, "was deleted meanwhile");
    }
}

TEST_F(ExportBeside, ADicomdirNamesNothingThatIsMissing) {
    for (int at = 0;; ++at) {
        SCOPED_TRACE(at);
        PurgedMeanwhile store(archive_->store(), victim_, at);
        const auto folder = directory_.path() + "/medium" + std::to_string(at);
        const auto report = run(store, folder, true);
        const auto files = whole_files(folder);
        EXPECT_EQ(files, report.exported);
        const bool has_directory = fs::exists(folder + "/DICOMDIR");
        EXPECT_TRUE(!has_directory || files == (store.was_purged() ? 2u : 3u)) << files;
        if (!store.was_purged()) break;
        EXPECT_GE(report.failed, 1u);
    }
}

TEST_F(ExportBeside, WhatIsDeletedMatchesNoHeaderAndIsNoFailure) {
    PurgedMeanwhile store(archive_->store(), victim_, 0);
    ExportOptions options;
    const auto pattern = NamePattern::parse("{SOPInstanceUID}.dcm");
    options.output = directory_.path() + "/matched";
    options.pattern = &*pattern;
    options.identifier.set_text(dicom::tags::DeviceSerialNumber, dicom::Vr::LO, "X*");
    auto report = export_instances(archive_->index(), store, options, {});
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_EQ(report->exported + report->failed, 0u);
}

}  // namespace
}  // namespace sagitta::media
