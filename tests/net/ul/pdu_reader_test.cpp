#include "net/ul/pdu_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/bytes.h"

namespace sagitta::net::ul {
namespace {

using namespace std::string_view_literals;

/// What the reader says about `stream` handed over in pieces of `piece` bytes, one line an item;
/// fragments of one PDV are put together again.
std::string story(std::string_view stream, std::size_t piece, std::uint32_t max_p_data = 1024) {
    PduReader reader(max_p_data, 2048);
    std::string text;
    while (!stream.empty()) {
        auto input = as_bytes(stream.substr(0, piece));
        stream.remove_prefix(input.size());
        while (const auto item = reader.next(input)) {
            if (std::holds_alternative<PduReader::PDataBegins>(*item)) text += "data;";
            if (std::holds_alternative<ControlPdu>(*item))
                text += "control" + std::to_string(std::get<ControlPdu>(*item).index()) + ";";
            if (const auto* pdv = std::get_if<Pdv>(&*item)) {
                text += as_text(pdv->bytes);
                if (pdv->is_last) text += pdv->is_command ? "!c" : "!d";
            }
            if (const auto* bad = std::get_if<PduReader::Invalid>(&*item))
                text += "invalid" + std::to_string(static_cast<int>(bad->reason)) + ";";
        }
    }
    return text;
}

// P-DATA-TF with three PDVs (2 + 0 + 3 bytes), then A-RELEASE-RQ.
constexpr auto kThreePdvs =
    "\x04\x00\x00\x00\x00\x17"
    "\x00\x00\x00\x04\x01\x03"
    "ab"
    "\x00\x00\x00\x02\x01\x00"
    "\x00\x00\x00\x05\x01\x02"
    "xyz"
    "\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv;

TEST(PduReader, GivesTheSameWhateverThePieces) {
    for (std::size_t piece = 1; piece <= kThreePdvs.size(); ++piece)
        EXPECT_EQ(story(kThreePdvs, piece), "data;ab!cxyz!dcontrol3;") << piece;
}

TEST(PduReader, UnknownTypeIsInvalidAtOnceAndForGood) {
    EXPECT_EQ(story("\x08\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"sv, 100), "invalid1;");
    EXPECT_EQ(story("GET / HTTP/1.0\r\n\r\n"sv, 3), "invalid1;");
}

TEST(PduReader, LengthsBeyondTheLimitsAreRefusedFromTheHeader) {
    EXPECT_EQ(story("\x04\x00\x00\x00\x04\x00"sv, 6), "data;");
    EXPECT_EQ(story("\x04\x00\x00\x00\x04\x01"sv, 6), "invalid6;");
    EXPECT_EQ(story("\x01\x00\xff\xff\xff\xff"sv, 6), "invalid6;");
}

TEST(PduReader, PdvLengthsMustFillThePdu) {
    EXPECT_EQ(story("\x04\x00\x00\x00\x00\x00"sv, 100), "invalid6;");  // no PDV
    EXPECT_EQ(story("\x04\x00\x00\x00\x00\x06\x00\x00\x00\x01\x01\x03"sv, 100),
              "data;invalid6;");  // too short
    EXPECT_EQ(story("\x04\x00\x00\x00\x00\x06\x00\x00\x00\x03\x01\x03"sv, 100),
              "data;invalid6;");  // too long
    EXPECT_EQ(story("\x04\x00\x00\x00\x00\x06\xff\xff\xff\xff\x01\x03"sv, 100),
              "data;invalid6;");  // far too long
    EXPECT_EQ(story("\x04\x00\x00\x00\x00\x08\x00\x00\x00\x02\x01\x03zz"sv, 100),
              "data;invalid6;");                                          // stray bytes
    for (const std::size_t piece : {std::size_t{1}, std::size_t{100}}) {  // and none of the value before them
        EXPECT_EQ(story("\x04\x00\x00\x00\x00\x0b\x00\x00\x00\x04\x01\x03"
                        "abzzz"sv,
                        piece),
                  "data;invalid6;");
    }
}

TEST(PduReader, ShortPdusOfAnotherLengthAreInvalid) {
    EXPECT_EQ(story("\x05\x00\x00\x00\x00\x05zzzzz"sv, 100), "invalid6;");
    EXPECT_EQ(story("\x07\x00\x00\x00\x00\x00"sv, 100), "invalid6;");
}

}  // namespace
}  // namespace sagitta::net::ul
