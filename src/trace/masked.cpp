#include "trace/masked.h"

#include <algorithm>

#include <fmt/format.h>

#include "core/log.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/uid.h"
#include "dicom/value_text.h"
#include "dicom/walk.h"

namespace sagitta::trace {

namespace {

namespace tags = dicom::tags;
constexpr std::size_t kMaxLines = 2000;

bool is_plain(dicom::Tag tag) {
    return tag == tags::QueryRetrieveLevel || tag == tags::SpecificCharacterSet || tag == tags::Modality ||
           tag == tags::RetrieveAETitle || tag == tags::InstanceAvailability;
}

std::string counted(std::size_t count, std::string_view what) {
    return fmt::format("{} {}{}", count, what, count == 1 ? "" : "s");
}

/// UIDs alone are told: text that only claims to be one is not.
std::string uid_values(std::string_view text) {
    std::string out;
    std::size_t shown = 0;
    while (!text.empty() && shown < 8) {
        const auto end = std::min(text.find('\\'), text.size());
        const auto one = text.substr(0, end);
        out.append(out.empty() ? "" : " \\ ");
        out += one.empty() || dicom::Uid::parse(one) ? named_uid(one) : counted(one.size(), "character");
        text.remove_prefix(std::min(end + 1, text.size()));
        ++shown;
    }
    if (!text.empty()) out += " …";
    return out;
}

std::string masked_text(std::string_view text) {
    std::string out = counted(text.size(), "character");
    const auto values = std::count(text.begin(), text.end(), '\\') + 1;
    const auto wildcards =
        std::count_if(text.begin(), text.end(), [](char c) { return c == '*' || c == '?'; });
    if (values > 1) out += ", " + counted(static_cast<std::size_t>(values), "value");
    if (wildcards != 0) out += ", " + counted(static_cast<std::size_t>(wildcards), "wildcard");
    return out;
}

std::string masked_value(const dicom::Element& element) {
    if (element.empty()) return "empty";
    if (element.vr() == dicom::Vr::SQ) return "sequence";
    if (element.vr() == dicom::Vr::UI) return uid_values(element.text());
    if (is_plain(element.tag())) return log::escaped(element.text());
    if (dicom::is_text(element.vr())) return masked_text(element.text());
    return counted(static_cast<std::size_t>(element.length()), "byte");
}

}  // namespace

std::string named_uid(std::string_view uid) {
    const auto* entry = dicom::find_uid(uid);
    return entry == nullptr ? log::escaped(uid) : fmt::format("{} {}", uid, entry->keyword);
}

std::vector<std::string> masked_lines(const dicom::DataSet& data_set) {
    std::vector<std::string> lines;
    for (dicom::Walk walk(data_set); walk.next();) {
        if (lines.size() == kMaxLines) {
            lines.emplace_back("… and more");
            break;
        }
        const auto element = walk.element();
        const auto* entry = dicom::find_tag(element.tag());
        lines.push_back(fmt::format("{}{}: {}", std::string(2 * walk.depth(), ' '),
                                    entry != nullptr ? std::string(entry->keyword) : to_string(element.tag()),
                                    masked_value(element)));
    }
    return lines;
}

std::string command_name(net::dimse::CommandField field) {
    using enum net::dimse::CommandField;
    switch (field) {
        case c_store_rq: return "C-STORE-RQ";
        case c_store_rsp: return "C-STORE-RSP";
        case c_get_rq: return "C-GET-RQ";
        case c_get_rsp: return "C-GET-RSP";
        case c_find_rq: return "C-FIND-RQ";
        case c_find_rsp: return "C-FIND-RSP";
        case c_move_rq: return "C-MOVE-RQ";
        case c_move_rsp: return "C-MOVE-RSP";
        case c_echo_rq: return "C-ECHO-RQ";
        case c_echo_rsp: return "C-ECHO-RSP";
        case c_cancel_rq: return "C-CANCEL-RQ";
        case n_event_report_rq: return "N-EVENT-REPORT-RQ";
        case n_event_report_rsp: return "N-EVENT-REPORT-RSP";
        case n_action_rq: return "N-ACTION-RQ";
        case n_action_rsp: return "N-ACTION-RSP";
        default: break;
    }
    return fmt::format("command {:04X}", static_cast<unsigned>(field));
}

std::vector<std::string> command_lines(const net::dimse::CommandSet& c, bool from_peer) {
    std::vector<std::string> lines;
    const auto number = [&](std::string_view keyword, const auto& value) {
        if (value) lines.push_back(fmt::format("{}: {}", keyword, *value));
    };
    const auto uid = [&](std::string_view keyword, const auto& value) {
        if (value) lines.push_back(fmt::format("{}: {}", keyword, named_uid(value->view())));
    };
    number("MessageID", c.message_id);
    number("MessageIDBeingRespondedTo", c.responded_message_id);
    uid("AffectedSOPClassUID", c.affected_sop_class_uid);
    uid("RequestedSOPClassUID", c.requested_sop_class_uid);
    uid("AffectedSOPInstanceUID", c.affected_sop_instance_uid);
    uid("RequestedSOPInstanceUID", c.requested_sop_instance_uid);
    number("Priority", c.priority);
    if (c.status) lines.push_back(fmt::format("Status: {:04X}", net::dimse::code(*c.status)));
    if (c.move_destination) lines.push_back(fmt::format("MoveDestination: {}", c.move_destination->view()));
    if (c.move_originator)
        lines.push_back(fmt::format("MoveOriginatorApplicationEntityTitle: {}", c.move_originator->view()));
    number("MoveOriginatorMessageID", c.move_originator_message_id);
    number("NumberOfRemainingSuboperations", c.remaining);
    number("NumberOfCompletedSuboperations", c.completed);
    number("NumberOfFailedSuboperations", c.failed);
    number("NumberOfWarningSuboperations", c.warning);
    number("EventTypeID", c.event_type_id);
    number("ActionTypeID", c.action_type_id);
    if (!c.error_comment.empty()) {
        lines.push_back("ErrorComment: " + (from_peer ? counted(c.error_comment.size(), "character")
                                                      : log::escaped(c.error_comment)));
    }
    for (const auto tag : c.offending_elements) lines.push_back("OffendingElement: " + dicom::to_string(tag));
    lines.emplace_back(c.has_data_set ? "a data set follows" : "no data set");
    return lines;
}

}  // namespace sagitta::trace
