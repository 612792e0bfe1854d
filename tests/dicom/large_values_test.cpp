// Headers of files whose large values are left where they lie.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <vector>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/writer.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::dicom {
namespace {

// A document of 100,000 bytes, then an element of the same group, in a file.
std::filesystem::path file_with_a_document(const std::filesystem::path& folder) {
    DataSet data_set;
    data_set.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.104.1");
    data_set.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.3");
    data_set.set(tags::EncapsulatedDocument, Vr::OB, std::vector<std::byte>(100'000, std::byte{'x'}));
    data_set.set_text(tags::MIMETypeOfEncapsulatedDocument, Vr::LO, "application/pdf");
    auto path = folder / "document.dcm";
    const auto meta = file_meta_of(data_set, std::string(explicit_vr_little_endian().uid));
    EXPECT_TRUE(meta);
    ByteBuffer bytes = make_file_header(*meta);
    EXPECT_TRUE(write_data_set(data_set, explicit_vr_little_endian(), bytes));
    std::ofstream(path, std::ios::binary) << as_text(bytes.span());
    return path;
}

TEST(HeaderOfAFile, LeavesLargeValuesInTheFile) {
    const test::TemporaryFolder folder;
    const auto path = file_with_a_document(folder.path()).string();
    HeaderOptions options;
    options.large_value_bytes = 65536;
    options.max_header_bytes = 32 * 1024;  // so that reading the document would fail
    const auto header = read_file_header(path, options);
    ASSERT_TRUE(header) << header.error().message();
    EXPECT_TRUE(header->data_set.find(tags::EncapsulatedDocument)->empty());
    EXPECT_EQ(header->data_set.text(tags::MIMETypeOfEncapsulatedDocument), "application/pdf");
    ASSERT_EQ(header->large_values.size(), 1u);
    EXPECT_EQ(header->large_values[0].tag, tags::EncapsulatedDocument);
    EXPECT_EQ(header->large_values[0].length_bytes, 100'000u);
    const auto end = read_value(path, header->large_values[0], 99'990, 100);
    ASSERT_TRUE(end);
    EXPECT_EQ(as_text(end->span()), "xxxxxxxxxx");
    EXPECT_EQ(read_file_header(path)->large_values.size(), 0u);
}

TEST(HeaderOfAFile, OffsetsBehindALargeValueCountInTheFile) {
    const test::TemporaryFolder folder;
    const auto path = file_with_a_document(folder.path());
    const auto size = std::filesystem::file_size(path);
    std::filesystem::resize_file(path, size - 4);
    HeaderOptions options;
    options.keep_readable_part = false;
    const auto whole = read_file_header(path.string(), options);
    options.large_value_bytes = 65536;
    const auto apart = read_file_header(path.string(), options);
    ASSERT_FALSE(whole);
    ASSERT_FALSE(apart);
    EXPECT_EQ(whole.error().message(), apart.error().message());
    EXPECT_GT(*apart.error().offset_bytes, 100'000u);
}

TEST(Corpus, WithoutItsLargeValuesAHeaderHasTheSameElements) {
    const auto files = test::shared_objects();
    if (files.empty()) GTEST_SKIP() << "../shared/data is not there";
    int compared = 0;
    for (const auto& path : files) {
        SCOPED_TRACE(path.string());
        const auto whole = read_file(path.string());
        HeaderOptions options;
        options.large_value_bytes = 65536;
        options.first_read_bytes = 1024;
        const auto header = read_file_header(path.string(), options);
        if (!whole || !header) continue;
        ++compared;
        for (const ValueInFile& value : header->large_values) {
            const auto element = whole->data_set.find(value.tag);
            ASSERT_TRUE(element && header->data_set.find(value.tag)->empty());
            const auto read = read_value(path.string(), value, 0, value.length_bytes);
            ASSERT_TRUE(read);
            ASSERT_EQ(as_text(read->span()), as_text(element->value()));
        }
    }
    EXPECT_GT(compared, 300);
}

}  // namespace
}  // namespace sagitta::dicom
