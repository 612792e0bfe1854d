#include "audit/message.h"

#include <array>
#include <ctime>
#include <span>

#include <fmt/format.h>

#include "dicom/base64.h"

namespace sagitta::audit {

namespace {

/// A code of DICOM's own (PS3.16 Annex D) or of RFC 3881.
struct Code {
    std::string_view value;
    std::string_view system;
    std::string_view meaning;
};

constexpr Code kSourceRole{"110153", "DCM", "Source Role ID"};
constexpr Code kDestinationRole{"110152", "DCM", "Destination Role ID"};
constexpr Code kApplication{"110150", "DCM", "Application"};

std::string coded(std::string_view element, const Code& code) {
    return fmt::format("<{} csd-code=\"{}\" codeSystemName=\"{}\" originalText=\"{}\"/>", element, code.value,
                       code.system, code.meaning);
}

Code event_id(Kind kind) {
    switch (kind) {
        case Kind::application_start:
        case Kind::application_stop: return {"110100", "DCM", "Application Activity"};
        case Kind::begin_transferring: return {"110102", "DCM", "Begin Transferring DICOM Instances"};
        case Kind::instances_transferred: return {"110104", "DCM", "DICOM Instances Transferred"};
        case Kind::query: return {"110112", "DCM", "Query"};
        case Kind::study_deleted: return {"110105", "DCM", "DICOM Study Deleted"};
        case Kind::security_alert: break;
    }
    return {"110113", "DCM", "Security Alert"};
}

char action_of(const Event& event) {
    if (event.kind == Kind::study_deleted) return 'D';
    if (event.kind != Kind::instances_transferred) return 'E';
    return event.received ? 'C' : 'R';
}

std::string event_identification(const Event& event) {
    std::string out = fmt::format(
        "<EventIdentification EventActionCode=\"{}\" EventDateTime=\"{}\" EventOutcomeIndicator=\"{}\">",
        action_of(event), time_text(event.time), static_cast<unsigned>(event.outcome));
    out += coded("EventID", event_id(event.kind));
    if (event.kind == Kind::application_start)
        out += coded("EventTypeCode", {"110120", "DCM", "Application Start"});
    if (event.kind == Kind::application_stop)
        out += coded("EventTypeCode", {"110121", "DCM", "Application Stop"});
    if (event.kind == Kind::security_alert)
        out += coded("EventTypeCode", {"110126", "DCM", "Node Authentication"});
    return out + "</EventIdentification>";
}

std::string participant(const Node& node, const Code& role) {
    std::string out = fmt::format(
        "<ActiveParticipant UserID=\"{}\" AlternativeUserID=\"AETITLES={}\" UserIsRequestor=\"{}\"",
        xml_escaped(node.user.empty() ? node.ae_title : node.user), xml_escaped(node.ae_title),
        node.requestor);
    if (!node.host.empty()) {
        const bool number = node.host.find_first_not_of("0123456789abcdefABCDEF.:") == std::string::npos;
        out += fmt::format(" NetworkAccessPointID=\"{}\" NetworkAccessPointTypeCode=\"{}\"",
                           xml_escaped(node.host), number ? 2 : 1);
    }
    return out + ">" + coded("RoleIDCode", role) + "</ActiveParticipant>";
}

std::string object(std::string_view id, int type, int role, const Code& id_type, std::string_view content) {
    return fmt::format(
        "<ParticipantObjectIdentification ParticipantObjectID=\"{}\" "
        "ParticipantObjectTypeCode=\"{}\" ParticipantObjectTypeCodeRole=\"{}\">{}{}"
        "</ParticipantObjectIdentification>",
        xml_escaped(id), type, role, coded("ParticipantObjectIDTypeCode", id_type), content);
}

std::string base64(std::string_view bytes) {
    std::string out;
    dicom::append_base64(std::as_bytes(std::span(bytes)), out);
    return out;
}

std::string study_objects(const StudyObjects& study) {
    std::string classes;
    for (const auto& [uid, count] : study.instances)
        classes += fmt::format("<SOPClass UID=\"{}\" NumberOfInstances=\"{}\"/>", xml_escaped(uid), count);
    std::string out =
        object(study.study_instance_uid, 2, 3, {"110180", "DCM", "Study Instance UID"}, classes);
    return out + object(study.patient_id, 1, 1, {"2", "RFC-3881", "Patient Number"}, "");
}

std::string query_object(const Event& event) {
    const auto query = fmt::format(
        "<ParticipantObjectQuery>{}</ParticipantObjectQuery>"
        "<ParticipantObjectDetail type=\"TransferSyntax\" value=\"{}\"/>",
        base64(event.identifier), base64(event.transfer_syntax_uid));
    return object(event.sop_class_uid, 2, 3, {"110181", "DCM", "SOP Class UID"}, query);
}

std::string alert_object(const Event& event) {
    const auto why =
        fmt::format("<ParticipantObjectDetail type=\"Alert Description\" value=\"{}\"/>", base64(event.text));
    return object(event.source.host, 2, 13, {"110182", "DCM", "Node ID"}, why);
}

/// Where a UTF-8 sequence that XML 1.0 allows ends; 0 when none begins here.
std::size_t character_bytes(std::string_view text) {
    const auto lead = static_cast<unsigned char>(text[0]);
    if (lead < 0x80) return lead >= 0x20 || lead == '\t' || lead == '\n' || lead == '\r' ? 1 : 0;
    const std::size_t count = lead >= 0xf0 && lead < 0xf5   ? 4
                              : lead >= 0xe0 && lead < 0xf0 ? 3
                              : lead >= 0xc2 && lead < 0xe0 ? 2
                                                            : 0;
    if (count == 0 || text.size() < count) return 0;
    std::uint32_t code = lead & (0xffu >> (count + 1));
    for (std::size_t i = 1; i < count; ++i) {
        const auto next = static_cast<unsigned char>(text[i]);
        if ((next & 0xc0) != 0x80) return 0;
        code = code << 6 | (next & 0x3fu);
    }
    const bool overlong = (count == 3 && code < 0x800) || (count == 4 && code < 0x10000);
    const bool forbidden =
        (code >= 0xd800 && code < 0xe000) || code == 0xfffe || code == 0xffff || code > 0x10ffff;
    return overlong || forbidden ? 0 : count;
}

}  // namespace

std::string xml_escaped(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        const std::size_t count = character_bytes(text);
        switch (text[0]) {
            case '&': out += "&amp;"; break;
            case '<': out += "&lt;"; break;
            case '>': out += "&gt;"; break;
            case '"': out += "&quot;"; break;
            case '\'': out += "&apos;"; break;
            case '\t': out += "&#9;"; break;
            case '\n': out += "&#10;"; break;
            case '\r': out += "&#13;"; break;
            default: out += count == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(0, count);
        }
        text.remove_prefix(count == 0 ? 1 : count);
    }
    return out;
}

std::string time_text(std::chrono::system_clock::time_point time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    const auto thousandths =
        std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count() % 1000;
    std::tm parts{};
    ::gmtime_r(&seconds, &parts);
    std::array<char, 32> text{};
    const auto size = std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &parts);
    return fmt::format("{}.{:03}Z", std::string_view(text.data(), size), thousandths);
}

std::string to_xml(const Event& event, std::string_view audit_source_id) {
    std::string out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><AuditMessage>";
    out += event_identification(event);
    const bool is_ours_alone = event.kind == Kind::application_start ||
                               event.kind == Kind::application_stop || event.kind == Kind::study_deleted;
    if (is_ours_alone) {
        out += participant(event.source, kApplication);
    } else {
        out += participant(event.source, kSourceRole);
        out += participant(event.destination, kDestinationRole);
    }
    out += fmt::format("<AuditSourceIdentification AuditSourceID=\"{}\"/>", xml_escaped(audit_source_id));
    for (const auto& study : event.studies) out += study_objects(study);
    if (event.kind == Kind::query) out += query_object(event);
    if (event.kind == Kind::security_alert) out += alert_object(event);
    return out + "</AuditMessage>";
}

std::string to_syslog(const Event& event, const SyslogOrigin& origin, std::string_view xml) {
    constexpr int kFacility = 10;
    const int severity = event.outcome == Outcome::success ? 5 : 4;
    return fmt::format("<{}>1 {} {} sagitta {} DICOM+RFC3881 - \xef\xbb\xbf{}", kFacility * 8 + severity,
                       time_text(event.time), origin.host_name.empty() ? "-" : origin.host_name,
                       origin.process_id, xml);
}

std::string framed(std::string_view syslog_message) {
    return fmt::format("{} {}", syslog_message.size(), syslog_message);
}

}  // namespace sagitta::audit
