#include "net/dimse/message.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "net/ul/pdu_reader.h"

namespace sagitta::net::dimse {
namespace {

using namespace std::string_view_literals;

constexpr auto kContext = ul::PresentationContextId{1};

// C-ECHO-RQ, message 7, as PS3.7 Table 9.3-12 says.
constexpr auto kEchoRq =
    "\x00\x00\x00\x00\x04\x00\x00\x00\x38\x00\x00\x00"  // group length 56
    "\x00\x00\x02\x00\x12\x00\x00\x00"
    "1.2.840.10008.1.1\0"                          // affected SOP class
    "\x00\x00\x00\x01\x02\x00\x00\x00\x30\x00"     // command field 0030
    "\x00\x00\x10\x01\x02\x00\x00\x00\x07\x00"     // message id 7
    "\x00\x00\x00\x08\x02\x00\x00\x00\x01\x01"sv;  // no data set

TEST(CommandSet, EchoRequestMatchesGoldenBytes) {
    CommandSet command;
    command.field = CommandField::c_echo_rq;
    command.message_id = std::uint16_t{7};
    command.affected_sop_class_uid = dicom::Uid::parse("1.2.840.10008.1.1");
    ByteBuffer out;
    encode(command, out);
    EXPECT_EQ(as_text(out.span()), kEchoRq);
    auto decoded = decode_command_set(as_bytes(kEchoRq));
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, command);
}

CommandSet full() {
    CommandSet command;
    command.field = CommandField::c_move_rsp;
    command.message_id = std::uint16_t{1};
    command.responded_message_id = std::uint16_t{2};
    command.affected_sop_class_uid = dicom::Uid::parse("1.2.3");
    command.affected_sop_instance_uid = dicom::Uid::parse("1.2.3.4");
    command.priority = std::uint16_t{2};
    command.status = Status::out_of_resources;
    command.move_destination = ul::AeTitle::parse("THERE");
    command.move_originator = ul::AeTitle::parse("HERE");
    command.move_originator_message_id = std::uint16_t{3};
    command.remaining = std::uint16_t{4};
    command.completed = std::uint16_t{5};
    command.failed = std::uint16_t{6};
    command.warning = std::uint16_t{7};
    command.error_comment = "no room";
    command.offending_elements = {dicom::Tag(0x0010, 0x0020)};
    command.error_id = std::uint16_t{0xa710};
    command.attribute_identifiers = {dicom::Tag(0x0040, 0x0252), dicom::Tag(0x0008, 0x0060)};
    command.has_data_set = true;
    return command;
}

TEST(CommandSet, EverythingSurvivesARoundTrip) {
    ByteBuffer out;
    encode(full(), out);
    auto decoded = decode_command_set(out.span());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(*decoded, full());
    EXPECT_EQ(load_le<std::uint32_t>(out.data() + 8), out.size() - 12);
}

TEST(CommandSet, TellsAWrongInstanceUidFromNone) {
    const auto decoded_with = [](std::string_view uid) {
        ByteBuffer out;
        CommandSet command;
        command.field = CommandField::n_create_rq;
        encode(command, out);
        append_le<std::uint32_t>(out, 0x10000000u);
        append_le(out, static_cast<std::uint32_t>(uid.size()));
        append_text(out, uid);
        return decode_command_set(out.span());
    };
    for (const auto& [uid, wrong] : {std::pair<std::string_view, bool>{"1.2.3\0", false},
                                     {"", false},
                                     {"  ", false},
                                     {"1.2.x ", true}}) {
        const auto command = decoded_with(uid);
        ASSERT_TRUE(command);
        EXPECT_EQ(command->instance_uid_is_none, wrong) << uid;
    }
}

TEST(CommandSet, EveryTruncationIsAnErrorOrAShorterCommand) {
    ByteBuffer out;
    encode(full(), out);
    for (std::size_t size = 0; size < out.size(); ++size) {
        auto decoded = decode_command_set(out.span().first(size));
        EXPECT_TRUE(!decoded || *decoded != full()) << size;
    }
}

TEST(CommandSet, LongCommentsAreCutAndMadePrintable) {
    CommandSet command;
    command.field = CommandField::c_store_rsp;
    command.error_comment = "tab\there " + std::string(100, 'x');
    ByteBuffer out;
    encode(command, out);
    auto decoded = decode_command_set(out.span());
    ASSERT_TRUE(decoded);
    EXPECT_EQ(decoded->error_comment, "tab?here " + std::string(55, 'x'));
}

TEST(CommandSet, ForeignGroupsAndMissingFieldAreMalformed) {
    EXPECT_FALSE(decode_command_set({}));
    EXPECT_FALSE(decode_command_set(as_bytes("\x08\x00\x05\x00\x00\x00\x00\x00"sv)));
    EXPECT_FALSE(decode_command_set(as_bytes("\x00\x00\x00\x01\x04\x00\x00\x00\x30\x00\x00\x00"sv)));
}

/// Encodes a C-STORE-RQ with `data` and feeds it to an assembler in pieces of `piece` bytes.
std::optional<Message> through(std::string_view data, std::uint32_t max_pdu_bytes, std::size_t piece,
                               AssemblyLimits limits = {}, ReceiverSource source = {}) {
    CommandSet command = full();
    command.field = CommandField::c_store_rq;
    ByteBuffer pdus;
    encode_message(kContext, command, as_bytes(data), max_pdu_bytes, pdus);
    ul::PduReader reader(max_pdu_bytes, 1024);
    MessageAssembler assembler(limits, std::move(source));
    std::optional<Message> message;
    auto left = pdus.span();
    while (!left.empty()) {
        auto input = left.first(std::min(piece, left.size()));
        left = left.subspan(input.size());
        while (const auto item = reader.next(input)) {
            EXPECT_FALSE(std::holds_alternative<ul::PduReader::Invalid>(*item));
            const auto* pdv = std::get_if<ul::Pdv>(&*item);
            if (pdv == nullptr) continue;
            auto added = assembler.add(*pdv);
            EXPECT_TRUE(added);
            if (added && added->has_value()) message = std::move(**added);
        }
    }
    return message;
}

TEST(MessageAssembly, WorksForEverySplit) {
    const std::string data(1001, 'd');
    for (const std::uint32_t pdu : {8u, 9u, 50u, 1000u, 4096u}) {
        for (const std::size_t piece : {1u, 7u, 64u, 5000u, 100'000u}) {
            auto message = through(data, pdu, piece);
            ASSERT_TRUE(message) << pdu << " " << piece;
            EXPECT_EQ(as_text(message->data_set.span()), data);
            EXPECT_EQ(message->command.field, CommandField::c_store_rq);
        }
    }
}

TEST(MessageAssembly, EmptyDataSetIsOneEmptyFragment) {
    auto message = through("", 100, 3);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->data_set.empty());
}

TEST(MessageAssembly, TooLongDataSetsAreDroppedButReadToTheirEnd) {
    AssemblyLimits limits;
    limits.max_object_bytes = 1000;
    EXPECT_FALSE(through(std::string(1000, 'd'), 100, 64, limits)->data_set_too_long);
    auto message = through(std::string(1001, 'd'), 100, 64, limits);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->data_set_too_long);
    EXPECT_TRUE(message->data_set.empty());
}

/// Keeps what it is given.
class Collecting final : public ObjectReceiver {
public:
    explicit Collecting(std::string& into, bool room = true) : into_(into), room_(room) {}
    void add(ByteBuffer bytes) override { into_ += as_text(bytes.span()); }
    bool wants_more() const override { return room_; }
    Task<Outcome> finish() override { co_return Outcome(); }

private:
    std::string& into_;
    bool room_;
};

TEST(MessageAssembly, AnObjectBeyondTheLimitGoesToItsReceiver) {
    AssemblyLimits limits;
    limits.stream_above_bytes = 1000;
    std::string data;
    for (unsigned n = 0; data.size() < 3'000'001; ++n) data += static_cast<char>('a' + n * n % 23);
    for (const std::size_t length : {999u, 1000u, 1001u, 50'000u, 3'000'001u}) {
        std::string taken;
        int asked = 0;
        auto source = [&](Message&) {
            ++asked;
            return std::make_unique<Collecting>(taken);
        };
        const auto sent = data.substr(0, length);
        auto message = through(sent, 16'000, 5000, limits, source);
        ASSERT_TRUE(message) << length;
        EXPECT_EQ(asked, length > 1000 ? 1 : 0) << length;
        EXPECT_EQ(message->receiver != nullptr, length > 1000) << length;
        EXPECT_TRUE((length > 1000 ? taken : as_text(message->data_set.span())) == sent) << length;
        EXPECT_EQ(message->data_set.empty(), length > 1000) << length;
    }
}

TEST(MessageAssembly, WithoutAReceiverALargeObjectIsCollected) {
    AssemblyLimits limits;
    limits.stream_above_bytes = 1000;
    int asked = 0;
    auto source = [&](Message&) {
        ++asked;
        return nullptr;
    };
    const std::string data(200'000, 'd');
    EXPECT_EQ(as_text(through(data, 4000, 5000, limits, source)->data_set.span()), data);
    EXPECT_EQ(asked, 1);
}

TEST(MessageAssembly, AReceiverForgetsWhatBecomesTooLong) {
    AssemblyLimits limits;
    limits.stream_above_bytes = 1000;
    limits.max_object_bytes = 100'000;
    std::string taken;
    auto source = [&](Message&) { return std::make_unique<Collecting>(taken); };
    auto message = through(std::string(100'001, 'd'), 4000, 5000, limits, source);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->data_set_too_long);
    EXPECT_EQ(message->receiver, nullptr);
    auto refusing = [](Message& refused) {
        refused.data_set_too_long = true;
        return nullptr;
    };
    message = through(std::string(50'000, 'd'), 4000, 5000, limits, refusing);
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->data_set_too_long && message->data_set.empty());
}

ul::Pdv fragment(bool is_command, bool is_last, std::string_view bytes, int context = 1) {
    return {static_cast<ul::PresentationContextId>(context), is_command, is_last, as_bytes(bytes)};
}

TEST(MessageAssembly, StopsThePeerWhileTheReceiverIsFull) {
    AssemblyLimits limits;
    limits.stream_above_bytes = 10;
    std::string taken;
    MessageAssembler assembler(limits, [&](Message&) { return std::make_unique<Collecting>(taken, false); });
    CommandSet command = full();
    command.field = CommandField::c_store_rq;
    ByteBuffer encoded_command;
    encode(command, encoded_command);
    ASSERT_TRUE(assembler.add(fragment(true, true, as_text(encoded_command.span()))));
    ASSERT_TRUE(assembler.add(fragment(false, false, "0123456789")));
    EXPECT_TRUE(assembler.wants_more());
    ASSERT_TRUE(assembler.add(fragment(false, false, "0")));
    EXPECT_FALSE(assembler.wants_more());
    ASSERT_TRUE(assembler.add(fragment(false, true, "0")));
    EXPECT_TRUE(assembler.wants_more()) << "the next message is another one's";
}

/// Asked for once the length of the last object says that it is worth it; one that is longer than that one
/// was has its bytes all the same.
TEST(MessageAssembly, LeavesRoomInFrontOfALargeDataSet) {
    std::size_t asked = 0;
    const auto room = [&](const Message& message) {
        EXPECT_EQ(message.command.field, CommandField::c_store_rq);
        ++asked;
        return std::size_t{900};
    };
    MessageAssembler assembler({}, {}, room);
    CommandSet command = full();
    command.field = CommandField::c_store_rq;
    ByteBuffer encoded_command;
    encode(command, encoded_command);
    const auto fed = [&](std::size_t count) {
        const std::string data(count, 'd');
        EXPECT_TRUE(assembler.add(fragment(true, true, as_text(encoded_command.span()))));
        EXPECT_TRUE(assembler.add(fragment(false, false, data.substr(0, count / 2))));
        auto added = assembler.add(fragment(false, true, data.substr(count / 2)));
        EXPECT_TRUE(added && added->has_value());
        auto message = std::move(**added);
        EXPECT_EQ(as_text(message.data_set.span()), data);
        return message.data_set.front().size();
    };
    EXPECT_EQ(fed(200'000), 0u) << "nobody knows how long the first will be";
    EXPECT_EQ(fed(200'000), 900u);
    EXPECT_EQ(fed(203'000), 900u);
    EXPECT_EQ(fed(400'000), 0u);
    EXPECT_EQ(fed(10'000), 900u);
    EXPECT_EQ(asked, 4u);
    EXPECT_EQ(fed(10'000), 0u) << "small ones are copied";
    EXPECT_EQ(asked, 4u);
}

TEST(MessageAssembly, WrongOrdersAreErrors) {
    MessageAssembler data_first({});
    EXPECT_EQ(data_first.add(fragment(false, false, "x")).error().code, Errc::protocol_error);
    MessageAssembler two_contexts({});
    ASSERT_TRUE(two_contexts.add(fragment(true, false, kEchoRq.substr(0, 10))));
    EXPECT_EQ(two_contexts.add(fragment(true, true, kEchoRq.substr(10), 3)).error().code,
              Errc::protocol_error);
    MessageAssembler endless({});
    const std::string chunk(60'000, 'x');
    ASSERT_TRUE(endless.add(fragment(true, false, chunk)));
    EXPECT_EQ(endless.add(fragment(true, false, chunk)).error().code, Errc::limit_exceeded);
}

TEST(MessageAssembly, EmptyFragmentsBetweenOthersChangeNothing) {
    MessageAssembler assembler({});
    ASSERT_TRUE(assembler.add(fragment(true, false, "")));
    ASSERT_TRUE(assembler.add(fragment(true, false, kEchoRq)));
    auto added = assembler.add(fragment(true, true, ""));
    ASSERT_TRUE(added && added->has_value());
    EXPECT_EQ((*added)->command.field, CommandField::c_echo_rq);
    EXPECT_TRUE(assembler.between_messages());
}

}  // namespace
}  // namespace sagitta::net::dimse
