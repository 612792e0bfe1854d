#include "media/file_kind.h"

#include <gtest/gtest.h>

#include <string>

#include "core/bytes.h"

namespace sagitta::media {
namespace {

using namespace std::string_literals;

FileKind kind(const std::string& head, std::string_view name = "x") {
    return tell_kind(as_bytes(head), name);
}

TEST(FileKind, ThePrefixIsBehindThePreambleOrAtTheBeginning) {
    EXPECT_EQ(kind(std::string(128, '\0') + "DICM"), FileKind::part_10);
    EXPECT_EQ(kind("DICM\2\0\0\0UL"s), FileKind::part_10);
    EXPECT_EQ(kind(std::string(128, '\0') + "DIC"), FileKind::other);
}

TEST(FileKind, APreambleMayLookLikeSomethingElse) {
    EXPECT_EQ(kind("PK\3\4" + std::string(124, '\0') + "DICM"), FileKind::part_10);
}

TEST(FileKind, DataSetsMayBeginWithTheirFirstGroups) {
    EXPECT_EQ(kind("\x08\0\x05\0CS\x0a\0"s), FileKind::bare_data_set);
    EXPECT_EQ(kind("\0\x08\0\x05\0CS\x0a"s), FileKind::bare_data_set);
    EXPECT_EQ(kind("\x10\0\x10\0PN\x0a\0"s), FileKind::bare_data_set);
    EXPECT_EQ(kind("\x08\0\x05\0"s), FileKind::other);
    EXPECT_EQ(kind("{\"0008\":1}"), FileKind::other);
    EXPECT_EQ(kind(""), FileKind::other);
}

TEST(FileKind, ContainersByTheirMagic) {
    EXPECT_EQ(kind("PK\3\4rest of it"), FileKind::container);
    EXPECT_EQ(kind("\x1f\x8b\x08 rest"), FileKind::container);
    EXPECT_EQ(kind(std::string(257, 'a') + "ustar"), FileKind::container);
    EXPECT_EQ(kind(std::string(257, 'a') + "usta"), FileKind::other);
}

TEST(FileKind, CompressedAttachmentsByNameAndStream) {
    const std::string stream = "\x10\x27\0\0\0\0\0\0\x78\x9c rest"s;
    const std::string_view name = "0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f";
    EXPECT_EQ(kind(stream, name), FileKind::orthanc_compressed);
    EXPECT_NE(kind(stream, "0a1b2c3d.dcm"), FileKind::orthanc_compressed);
    EXPECT_NE(kind("\x10\x27\0\0\0\0\0\0\x78\x9d rest"s, name), FileKind::orthanc_compressed);
}

TEST(FileKind, Uuids) {
    EXPECT_TRUE(is_uuid("0a1b2c3d-0a1b-0A1B-0a1b-0a1b2c3d4e5f"));
    EXPECT_FALSE(is_uuid("0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5g"));
    EXPECT_FALSE(is_uuid("0a1b2c3d00a1b-0a1b-0a1b-0a1b2c3d4e5f"));
    EXPECT_FALSE(is_uuid("0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f.dcm"));
}

}  // namespace
}  // namespace sagitta::media
