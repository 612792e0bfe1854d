#include "audit/message.h"

#include <gtest/gtest.h>

#include "audit/collector.h"

namespace sagitta::audit {
namespace {

TEST(AuditMessage, EscapesWhatXmlWouldMisread) {
    EXPECT_EQ(xml_escaped("A<B>&\"C'"), "A&lt;B&gt;&amp;&quot;C&apos;");
    EXPECT_EQ(xml_escaped("a\tb\nc\rd"), "a&#9;b&#10;c&#13;d");
    EXPECT_EQ(xml_escaped("M\xc3\xbcller \xe5\xb1\xb1 \xf0\x9f\x98\x80"),
              "M\xc3\xbcller \xe5\xb1\xb1 \xf0\x9f\x98\x80");
}

TEST(AuditMessage, ReplacesWhatXmlHasNoWayToSay) {
    const std::string gone = "\xef\xbf\xbd";
    EXPECT_EQ(xml_escaped(std::string_view("a\0b\x1b", 4)), "a" + gone + "b" + gone);
    EXPECT_EQ(xml_escaped("\xff"), gone);
    EXPECT_EQ(xml_escaped("\xc0\xaf"), gone + gone);             // overlong
    EXPECT_EQ(xml_escaped("\xed\xa0\x80"), gone + gone + gone);  // a surrogate
    EXPECT_EQ(xml_escaped("\xef\xbf\xbf"), gone + gone + gone);  // U+FFFF
    EXPECT_EQ(xml_escaped("\xe5\xb1"), gone + gone);             // cut off
}

Event at_a_known_time(Kind kind) {
    Event event;
    event.kind = kind;
    event.time = std::chrono::system_clock::time_point(std::chrono::milliseconds(1'709'201'730'123));
    event.source.ae_title = "CT1";
    event.source.host = "192.0.2.7";
    event.source.requestor = true;
    event.destination.ae_title = "SAGITTA";
    return event;
}

TEST(AuditMessage, TellsTransferredInstancesByStudyAndPatient) {
    Event event = at_a_known_time(Kind::instances_transferred);
    event.studies.push_back({"1.2.3", "ID&1", {{"1.2.840.10008.5.1.4.1.1.2", 40}}});
    const std::string xml = to_xml(event, "SAGITTA");
    const auto has = [&](std::string_view part) { return xml.find(part) != std::string::npos; };
    EXPECT_TRUE(has("EventDateTime=\"2024-02-29T10:15:30.123Z\" EventOutcomeIndicator=\"0\""));
    EXPECT_TRUE(has("EventActionCode=\"C\""));
    EXPECT_TRUE(has("csd-code=\"110104\" codeSystemName=\"DCM\""));
    EXPECT_TRUE(
        has("UserID=\"CT1\" AlternativeUserID=\"AETITLES=CT1\" UserIsRequestor=\"true\" "
            "NetworkAccessPointID=\"192.0.2.7\" NetworkAccessPointTypeCode=\"2\""));
    EXPECT_TRUE(has("ParticipantObjectID=\"1.2.3\" ParticipantObjectTypeCode=\"2\""));
    EXPECT_TRUE(has("<SOPClass UID=\"1.2.840.10008.5.1.4.1.1.2\" NumberOfInstances=\"40\"/>"));
    EXPECT_TRUE(has("ParticipantObjectID=\"ID&amp;1\" ParticipantObjectTypeCode=\"1\""));
}

TEST(AuditMessage, TellsWhoDeletedWhat) {
    Event event = at_a_known_time(Kind::study_deleted);
    event.source = {"SAGITTA", "", "operator", true};
    event.studies.push_back({"1.2.3", "ID1", {{"1.2.840.10008.5.1.4.1.1.2", 4}}});
    const std::string xml = to_xml(event, "SAGITTA");
    const auto has = [&](std::string_view part) { return xml.find(part) != std::string::npos; };
    EXPECT_TRUE(has("EventActionCode=\"D\""));
    EXPECT_TRUE(has("csd-code=\"110105\" codeSystemName=\"DCM\" originalText=\"DICOM Study Deleted\""));
    EXPECT_TRUE(has("UserID=\"operator\" AlternativeUserID=\"AETITLES=SAGITTA\" UserIsRequestor=\"true\""));
    EXPECT_EQ(xml.find("<ActiveParticipant", xml.find("<ActiveParticipant") + 1), std::string::npos);
    EXPECT_TRUE(has("<SOPClass UID=\"1.2.840.10008.5.1.4.1.1.2\" NumberOfInstances=\"4\"/>"));
    EXPECT_TRUE(has("ParticipantObjectID=\"ID1\" ParticipantObjectTypeCode=\"1\""));
}

TEST(AuditMessage, CarriesTheIdentifierOfAQueryInBase64) {
    Event event = at_a_known_time(Kind::query);
    event.sop_class_uid = "1.2.840.10008.5.1.4.1.2.2.1";
    event.identifier = std::string("\x08\0\x52\0", 4);
    EXPECT_NE(to_xml(event, "S").find("<ParticipantObjectQuery>CABSAA==</ParticipantObjectQuery>"),
              std::string::npos);
}

TEST(AuditMessage, IsFramedByItsLengthInOctets) {
    const Event event = at_a_known_time(Kind::security_alert);
    SyslogOrigin origin;
    origin.host_name = "node";
    origin.process_id = 7;
    const std::string message = to_syslog(event, origin, "<x/>");
    EXPECT_EQ(message, "<85>1 2024-02-29T10:15:30.123Z node sagitta 7 DICOM+RFC3881 - \xef\xbb\xbf<x/>");
    EXPECT_EQ(framed("\xc3\xbc"), "2 \xc3\xbc");
}

TEST(AuditCollector, IsUdpOrTcpWithAPort) {
    const auto udp = parse_collector("udp://logs.example.org:514");
    ASSERT_TRUE(udp);
    EXPECT_FALSE(udp->tcp);
    EXPECT_EQ(udp->host, "logs.example.org");
    const auto tcp = parse_collector("tcp://[2001:db8::5]:6514");
    ASSERT_TRUE(tcp);
    EXPECT_TRUE(tcp->tcp);
    EXPECT_EQ(tcp->host, "2001:db8::5");
    EXPECT_EQ(tcp->port, 6514);
    for (const auto* wrong :
         {"", "tcp://", "tcp://host", "tcp://:514", "tcp://host:0", "tcp://host:70000", "http://h:1"})
        EXPECT_FALSE(parse_collector(wrong)) << wrong;
}

}  // namespace
}  // namespace sagitta::audit
