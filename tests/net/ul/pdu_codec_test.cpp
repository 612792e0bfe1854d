// PDUs against bytes written by hand from PS3.8 section 9.3 and PS3.7 Annex D.3.
#include "net/ul/pdu_codec.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "core/bytes.h"
#include "net/ul/abort.h"
#include "net/ul/reject.h"

namespace sagitta::net::ul {
namespace {

using namespace std::string_view_literals;

/// Everything the fixed part of an A-ASSOCIATE PDU says after its header.
std::string fixed_part() {
    return std::string("\x00\x01"sv) +  // protocol version: bit 0
           std::string("\x00\x00"sv) +  // reserved
           "ANY-SCP         "           // called AE title, 16
           "STORESCU        " +         // calling AE title, 16
           std::string(32, '\0');       // reserved
}

std::string application_context() {
    return std::string("\x10\x00\x00\x15"sv) + "1.2.840.10008.3.1.1.1";  // item 10H, 21 bytes
}

/// A-ASSOCIATE-RQ with one of everything.
std::string golden_request() {
    const std::string context =                                    //
        std::string("\x01\x00\x00\x00"sv) +                        // context id 1, reserved
        std::string("\x30\x00\x00\x11"sv) + "1.2.840.10008.1.1" +  // abstract syntax, 17 bytes
        std::string("\x40\x00\x00\x11"sv) + "1.2.840.10008.1.2" +  // transfer syntax, 17 bytes
        std::string("\x40\x00\x00\x13"sv) + "1.2.840.10008.1.2.1";
    const std::string user =
        std::string("\x51\x00\x00\x04\x00\x00\x40\x00"sv) +                    // maximum length 16384
        std::string("\x52\x00\x00\x05"sv) + "1.2.3" +                          // implementation class UID
        std::string("\x53\x00\x00\x04\x00\x02\x00\x03"sv) +                    // asynchronous window 2, 3
        std::string("\x54\x00\x00\x07\x00\x03"sv) + "1.4" + "\x01" + "\x01" +  // role: both
        std::string("\x56\x00\x00\x07\x00\x03"sv) + "1.5" + "\x01" + "\x02" +  // extended negotiation
        std::string("\x57\x00\x00\x11\x00\x03"sv) + "1.6" +                    // common extended: SOP class
        std::string("\x00\x03"sv) + "1.7" +                                    // service class
        std::string("\x00\x05\x00\x03"sv) + "1.8" +                            // related general classes
        std::string("\x55\x00\x00\x04"sv) + "V1.0" +                           // implementation version
        std::string("\x58\x00\x00\x0a\x02\x01\x00\x02"sv) + "me" +             // user identity: name
        std::string("\x00\x02"sv) + "pw";                                      // and passcode
    // The encoder writes common extended negotiation before the version name, as above.
    const auto length16 = [](std::size_t n) {
        return std::string{static_cast<char>(n >> 8), static_cast<char>(n & 0xff)};
    };
    return fixed_part() + application_context() +                            //
           std::string("\x20\x00"sv) + length16(context.size()) + context +  // proposed context
           std::string("\x50\x00"sv) + length16(user.size()) + user;         // user information
}

AssociateRq expected_request() {
    AssociateRq rq;
    rq.called = *AeTitle::parse("ANY-SCP");
    rq.calling = *AeTitle::parse("STORESCU");
    rq.contexts = {
        {PresentationContextId{1}, "1.2.840.10008.1.1", {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1"}}};
    rq.user.max_pdu_bytes = 16384;
    rq.user.implementation_class_uid = "1.2.3";
    rq.user.implementation_version_name = "V1.0";
    rq.user.asynchronous_operations = AsynchronousOperationsWindow{2, 3};
    rq.user.roles = {{"1.4", true, true}};
    rq.user.extended = {{"1.5", {std::byte{1}, std::byte{2}}}};
    rq.user.common_extended = {{"1.6", "1.7", {"1.8"}}};
    rq.user.user_identity = UserIdentityRq{2, true, "me", "pw"};
    return rq;
}

std::string with_header(char type, const std::string& body) {
    std::string pdu{
        type, '\0', '\0', '\0', static_cast<char>(body.size() >> 8), static_cast<char>(body.size())};
    return pdu + body;
}

template <class Pdu>
Pdu decoded(PduType type, std::string_view body) {
    auto pdu = decode_control_pdu(type, as_bytes(body));
    if (!pdu) {
        ADD_FAILURE() << pdu.error().message();
        return {};
    }
    return std::get<Pdu>(*pdu);
}

TEST(PduCodec, AssociateRequestMatchesGoldenBytes) {
    EXPECT_EQ(decoded<AssociateRq>(PduType::associate_rq, golden_request()), expected_request());
    ByteBuffer out;
    ASSERT_TRUE(encode(expected_request(), out));
    EXPECT_EQ(as_text(out.span()), with_header(1, golden_request()));
}

TEST(PduCodec, AssociateAcceptMatchesGoldenBytes) {
    const std::string body = fixed_part() + application_context() +
                             std::string("\x21\x00\x00\x19"sv) +  // context answer, 25 bytes
                             std::string("\x03\x00\x00\x00"sv) +  // id 3, acceptance
                             std::string("\x40\x00\x00\x11"sv) + "1.2.840.10008.1.2" +  // transfer syntax
                             std::string("\x50\x00\x00\x08"sv) +                        // user information
                             std::string("\x51\x00\x00\x04\x00\x04\x00\x00"sv);  // maximum length 262144
    AssociateAc ac;
    ac.called = *AeTitle::parse("ANY-SCP");
    ac.calling = *AeTitle::parse("STORESCU");
    ac.contexts = {{PresentationContextId{3}, ContextResult::acceptance, "1.2.840.10008.1.2"}};
    ac.user.max_pdu_bytes = 262144;
    EXPECT_EQ(decoded<AssociateAc>(PduType::associate_ac, body), ac);
    ByteBuffer out;
    ASSERT_TRUE(encode(ac, out));
    EXPECT_EQ(as_text(out.span()), with_header(2, body));
}

TEST(PduCodec, ShortPdusMatchGoldenBytes) {
    ByteBuffer out;
    encode(AssociateRj{1, 1, 7}, out);
    encode(ReleaseRq{}, out);
    encode(ReleaseRp{}, out);
    encode(Abort{2, 6}, out);
    EXPECT_EQ(as_text(out.span()),
              "\x03\x00\x00\x00\x00\x04\x00\x01\x01\x07"  // A-ASSOCIATE-RJ: permanent, user, called AE title
              "\x05\x00\x00\x00\x00\x04\x00\x00\x00\x00"  // A-RELEASE-RQ
              "\x06\x00\x00\x00\x00\x04\x00\x00\x00\x00"  // A-RELEASE-RP
              "\x07\x00\x00\x00\x00\x04\x00\x00\x02\x06"sv  // A-ABORT: provider, invalid parameter value
    );
    EXPECT_EQ(decoded<AssociateRj>(PduType::associate_rj, "\x00\x02\x03\x02"sv), (AssociateRj{2, 3, 2}));
    EXPECT_EQ(decoded<Abort>(PduType::abort, "\x00\x00\x02\x01"sv), (Abort{2, 1}));
    decoded<ReleaseRq>(PduType::release_rq, "\x00\x00\x00\x00"sv);
    decoded<ReleaseRp>(PduType::release_rp, "\xff\xff\xff\xff"sv);  // reserved: not tested
}

TEST(PduCodec, DataHeaderMatchesGoldenBytes) {
    std::array<std::byte, 12> header{};
    write_p_data_header({PresentationContextId{5}, true, true, 10}, header.data());
    EXPECT_EQ(as_text(header),
              "\x04\x00\x00\x00\x00\x10"      // P-DATA-TF of 16 bytes
              "\x00\x00\x00\x0c\x05\x03"sv);  // PDV of 12 bytes, context 5, command and last
}

TEST(PduCodec, EveryTruncationOfARequestIsAnError) {
    const std::string whole = golden_request();
    // Cuts between items leave a shorter but valid PDU; all others must be refused, none may crash.
    int valid = 0;
    for (std::size_t size = 0; size < whole.size(); ++size)
        valid += decode_control_pdu(PduType::associate_rq, as_bytes(std::string_view(whole).substr(0, size)))
                     ? 1
                     : 0;
    EXPECT_EQ(valid, 3);
}

TEST(PduCodec, UnknownItemsAreSkipped) {
    const std::string body = golden_request() + std::string("\x77\x00\x00\x02xy"sv);
    EXPECT_EQ(decoded<AssociateRq>(PduType::associate_rq, body), expected_request());
}

TEST(PduCodec, EvenAndRepeatedContextIdsAreMalformed) {
    const auto context = [](char id) {
        return std::string("\x20\x00\x00\x04"sv) + id + std::string(3, '\0');
    };
    const std::string start = fixed_part() + application_context();
    EXPECT_TRUE(decode_control_pdu(PduType::associate_rq, as_bytes(start + context(1) + context(3))));
    EXPECT_FALSE(decode_control_pdu(PduType::associate_rq, as_bytes(start + context(2))));
    EXPECT_FALSE(decode_control_pdu(PduType::associate_rq, as_bytes(start + context(1) + context(1))));
}

TEST(PduCodec, ItemTooLongToEncodeIsAnError) {
    AssociateRq rq = expected_request();
    rq.user.user_identity->primary.assign(70'000, 'x');
    ByteBuffer out;
    EXPECT_EQ(encode(rq, out).error().code, Errc::limit_exceeded);
    EXPECT_TRUE(out.empty());
}

TEST(AeTitleTest, TrimsAndRefuses) {
    EXPECT_EQ(AeTitle::parse("  PACS 1  ")->view(), "PACS 1");
    EXPECT_FALSE(AeTitle::parse("                "));
    EXPECT_FALSE(AeTitle::parse("SEVENTEEN-LETTERS"));
    EXPECT_FALSE(AeTitle::parse("A\\B"));
    EXPECT_FALSE(AeTitle::parse("A\nB"));
}

TEST(Reasons, HaveTextForEveryNumber) {
    EXPECT_EQ(describe(AssociateRj{1, 1, 3}),
              "rejected permanently by service user: calling AE title not recognized");
    EXPECT_EQ(describe(AssociateRj{2, 3, 2}),
              "rejected for now by service provider (presentation): local limit exceeded");
    EXPECT_EQ(describe(AssociateRj{9, 9, 9}), "rejected by unknown source: reason 9");
    EXPECT_EQ(describe(Abort{0, 0}), "aborted by service user");
    EXPECT_EQ(describe(Abort{2, 2}), "aborted by service provider: unexpected PDU");
    EXPECT_EQ(to_pdu(RejectReason::called_ae_title_not_recognized), (AssociateRj{1, 1, 7}));
    EXPECT_EQ(to_pdu(RejectReason::protocol_version_not_supported), (AssociateRj{1, 2, 2}));
    EXPECT_EQ(to_pdu(RejectReason::local_limit_exceeded), (AssociateRj{2, 3, 2}));
}

}  // namespace
}  // namespace sagitta::net::ul
