#include "trace/wire_reader.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "dicom/generated/tags.h"
#include "net/dimse/message.h"
#include "trace/masked.h"

namespace sagitta::trace {
namespace {

namespace ul = net::ul;

struct Notes final : WireEvents {
    void control(const ul::ControlPdu& pdu, std::uint32_t) override { said.push_back(pdu_name(pdu)); }
    void fragment(const ul::PdvHeader& header, std::uint32_t pdu_bytes) override {
        said.push_back("fragment " + std::to_string(header.bytes) + " of " + std::to_string(pdu_bytes));
    }
    void command(ul::PresentationContextId, const net::dimse::CommandSet& command) override {
        said.push_back(command_name(command.field));
    }
    void data_set(ul::PresentationContextId, const net::dimse::CommandSet&, std::span<const std::byte> first,
                  std::uint64_t bytes, std::chrono::steady_clock::duration) override {
        said.push_back("data set " + std::to_string(bytes) + " kept " + std::to_string(first.size()));
    }
    void lost(std::string_view why, std::span<const std::byte>) override {
        said.push_back("lost: " + std::string(why));
    }

    std::vector<std::string> said;
};

ByteBuffer message(net::dimse::CommandField field, std::size_t data_bytes) {
    net::dimse::CommandSet command;
    command.field = field;
    command.message_id = std::uint16_t{7};
    command.affected_sop_class_uid = dicom::Uid::parse("1.2.840.10008.5.1.4.1.2.2.1");
    command.has_data_set = true;
    const std::vector<std::byte> data(data_bytes);
    ByteBuffer out;
    net::dimse::encode_message(static_cast<ul::PresentationContextId>(1), command, data, 16384, out);
    return out;
}

TEST(WireReader, UnderstandsTheSameWhateverPiecesTheBytesComeIn) {
    ByteBuffer bytes = message(net::dimse::CommandField::c_find_rq, 20);
    ul::encode(ul::ReleaseRq{}, bytes);
    Notes whole;
    WireReader(whole).take(std::as_const(bytes).span());
    ASSERT_EQ(whole.said.size(), 5u);
    EXPECT_EQ(whole.said[1], "C-FIND-RQ");
    EXPECT_EQ(whole.said[3], "data set 20 kept 20");
    EXPECT_EQ(whole.said[4], "A-RELEASE-RQ");
    Notes pieces;
    WireReader reader(pieces);
    for (const auto& byte : std::as_const(bytes).span()) reader.take({&byte, 1});
    EXPECT_EQ(pieces.said, whole.said);
}

TEST(WireReader, KeepsNothingOfAnObject) {
    const ByteBuffer bytes = message(net::dimse::CommandField::c_store_rq, 40);
    Notes notes;
    WireReader(notes).take(bytes.span());
    EXPECT_EQ(notes.said.back(), "data set 40 kept 0");
}

TEST(WireReader, StepsOverWhatWentByUnseen) {
    const ByteBuffer bytes = message(net::dimse::CommandField::c_store_rq, 40);
    Notes notes;
    WireReader reader(notes);
    reader.take(bytes.span().first(bytes.size() - 40));
    reader.skip(40);
    EXPECT_EQ(notes.said.back(), "data set 40 kept 0");
}

TEST(WireReader, SaysOnceWhatItCannotRead) {
    const std::string text = "HTTP/1.1 400 Bad Request and more";
    Notes notes;
    WireReader reader(notes);
    reader.take(std::as_bytes(std::span(text)));
    reader.take(std::as_bytes(std::span(text)));
    EXPECT_EQ(notes.said, std::vector<std::string>{"lost: not a PDU of PS3.8"});
}

TEST(MaskedLines, TellKindAndLengthOfValuesAndUidsThemselves) {
    dicom::DataSet identifier;
    identifier.set_text(dicom::tags::QueryRetrieveLevel, dicom::Vr::CS, "STUDY");
    identifier.set_text(dicom::tags::PatientName, dicom::Vr::PN, "HIDDEN^PERS*");
    identifier.set_text(dicom::tags::PatientID, dicom::Vr::LO, "");
    identifier.set_text(dicom::tags::StudyInstanceUID, dicom::Vr::UI, "1.2.3");
    identifier.set_uint16(dicom::tags::Rows, 512);
    const std::vector<std::string> expected{"QueryRetrieveLevel: STUDY",
                                            "PatientName: 12 characters, 1 wildcard", "PatientID: empty",
                                            "StudyInstanceUID: 1.2.3", "Rows: 2 bytes"};
    EXPECT_EQ(masked_lines(identifier), expected);
}

TEST(MaskedLines, DoNotTakeTextForAUid) {
    dicom::DataSet identifier;
    identifier.set_text(dicom::tags::StudyInstanceUID, dicom::Vr::UI, "Hidden^Person");
    EXPECT_EQ(masked_lines(identifier), std::vector<std::string>{"StudyInstanceUID: 13 characters"});
}

TEST(ControlLines, SayWhoTheUserClaimsToBeAndNeverThePasscode) {
    ul::AssociateRq request;
    ul::UserIdentityRq identity;
    identity.type = 2;
    identity.primary = "anna";
    identity.secondary = "open sesame";
    request.user.user_identity = identity;
    std::string all;
    for (const auto& line : control_lines(request)) all += line + "\n";
    EXPECT_NE(all.find("user identity of type 2 'anna', with a passcode"), std::string::npos);
    EXPECT_EQ(all.find("sesame"), std::string::npos);
}

}  // namespace
}  // namespace sagitta::trace
