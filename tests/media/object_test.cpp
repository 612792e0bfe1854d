#include "media/object.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>

#include "media/byte_budget.h"
#include "tests/storage/sample.h"

namespace sagitta::media {
namespace {

using storage::testing::file_bytes;
using storage::testing::incoming;
using storage::testing::Sample;

std::string part_10(const Sample& sample) {
    return file_bytes(sample);
}

TEST(Object, TheDataSetStaysAsItIs) {
    const Sample sample{.content = "some pixels"};
    const auto object = object_of(ByteBuffer(as_bytes(part_10(sample))), {});
    ASSERT_TRUE(object && *object);
    const auto& instance = (*object)->instance;
    EXPECT_EQ(as_text(instance.data_set.span()), as_text(incoming(sample).data_set.span()));
    EXPECT_EQ(instance.record.data_set_offset, instance.file_header.size());
    EXPECT_EQ(instance.record.digest, incoming(sample).record.digest);
    EXPECT_TRUE((*object)->has_pixels);
}

TEST(Object, ADataSetAloneIsGivenItsFileMetaInformation) {
    const auto bare = incoming(Sample{});
    const auto object = object_of(ByteBuffer(bare.data_set.span()), {});
    ASSERT_TRUE(object && *object);
    EXPECT_EQ(as_text((*object)->instance.file_header.span()), as_text(bare.file_header.span()));
}

TEST(Object, WhatElseTheMetaInformationSaysIsKept) {
    auto sample = incoming(Sample{});
    dicom::FileMeta meta{*dicom::Uid::parse(Sample{}.sop_class), *dicom::Uid::parse(Sample{}.sop_uid),
                         sample.record.transfer_syntax_uid, "SCANNER"};
    ByteBuffer file = dicom::make_file_header(meta);
    file.append(sample.data_set.span());
    const auto object = object_of(std::move(file), {});
    ASSERT_TRUE(object && *object);
    EXPECT_NE(as_text((*object)->instance.file_header.span()).find("SCANNER"), std::string_view::npos);
}

TEST(Object, HalfAFileIsRefused) {
    const auto whole = part_10(Sample{.content = std::string(1000, 'x')});
    for (std::size_t length = 140; length < whole.size(); length += 7) {
        const auto object = object_of(ByteBuffer(as_bytes(whole).first(length)), {});
        EXPECT_FALSE(object) << length;
    }
}

std::string compressed(const std::string& bytes, std::uint64_t stated) {
    std::string out(compressBound(bytes.size()), '\0');
    uLongf length = out.size();
    EXPECT_EQ(Z_OK, compress(reinterpret_cast<Bytef*>(out.data()), &length,
                             reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
    std::string head(8, '\0');
    for (std::size_t n = 0; n < 8; ++n) head[n] = static_cast<char>(stated >> (8 * n));
    return head + out.substr(0, length);
}

TEST(Attachment, IsInflatedToTheLengthItSays) {
    const std::string text(100'000, 'a');
    const auto inflate = [&](std::uint64_t stated, std::uint64_t most) {
        return inflate_attachment(ByteBuffer(as_bytes(compressed(text, stated))), most);
    };
    const auto good = inflate(text.size(), 1 << 20);
    ASSERT_TRUE(good);
    EXPECT_EQ(as_text(good->span()), text);
    EXPECT_FALSE(inflate(text.size() - 1, 1 << 20));
    EXPECT_FALSE(inflate(text.size() + 1, 1 << 20));
    EXPECT_EQ(inflate(text.size(), 1000).error().code, Errc::limit_exceeded);
    EXPECT_EQ(inflate(UINT64_MAX, 1 << 20).error().code, Errc::limit_exceeded);
}

TEST(ByteBudget, WhatIsLargerThanAllOfItGetsInAlone) {
    ByteBudget budget(100);
    budget.take(1000);
    budget.give_back(1000);
    budget.take(60);
    budget.take_more(60);
    budget.give_back(120);
    budget.wait_until_empty();
}

}  // namespace
}  // namespace sagitta::media
