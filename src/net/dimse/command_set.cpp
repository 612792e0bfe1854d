#include "net/dimse/command_set.h"

#include <algorithm>
#include <string_view>

#include "core/bytes.h"

namespace sagitta::net::dimse {

namespace {

/// Element numbers of group 0000 (PS3.7 Table E.1-1).
enum Number : std::uint16_t {
    kGroupLength = 0x0000,
    kAffectedSopClassUid = 0x0002,
    kRequestedSopClassUid = 0x0003,
    kCommandField = 0x0100,
    kMessageId = 0x0110,
    kRespondedMessageId = 0x0120,
    kMoveDestination = 0x0600,
    kPriority = 0x0700,
    kDataSetType = 0x0800,
    kStatus = 0x0900,
    kOffendingElement = 0x0901,
    kErrorComment = 0x0902,
    kErrorId = 0x0903,
    kAffectedSopInstanceUid = 0x1000,
    kRequestedSopInstanceUid = 0x1001,
    kEventTypeId = 0x1002,
    kAttributeIdentifiers = 0x1005,
    kActionTypeId = 0x1008,
    kRemaining = 0x1020,
    kCompleted = 0x1021,
    kFailed = 0x1022,
    kWarning = 0x1023,
    kMoveOriginator = 0x1030,
    kMoveOriginatorMessageId = 0x1031,
};
constexpr std::uint16_t kNoDataSet = 0x0101;
constexpr std::size_t kMaxErrorCommentChars = 64;

/// The member that holds a number element; null for others.
std::optional<std::uint16_t>* number_member(CommandSet& command, std::uint16_t number) noexcept {
    switch (number) {
        case kMessageId: return &command.message_id;
        case kRespondedMessageId: return &command.responded_message_id;
        case kPriority: return &command.priority;
        case kErrorId: return &command.error_id;
        case kEventTypeId: return &command.event_type_id;
        case kActionTypeId: return &command.action_type_id;
        case kRemaining: return &command.remaining;
        case kCompleted: return &command.completed;
        case kFailed: return &command.failed;
        case kWarning: return &command.warning;
        case kMoveOriginatorMessageId: return &command.move_originator_message_id;
        default: return nullptr;
    }
}

void take_tags(std::span<const std::byte> value, std::vector<dicom::Tag>& into) {
    for (std::size_t at = 0; at + 4 <= value.size(); at += 4)
        into.emplace_back(load_le<std::uint16_t>(value.data() + at),
                          load_le<std::uint16_t>(value.data() + at + 2));
}

/// Nothing is no UID either, but only a wrong one is to be told apart.
void take_instance(CommandSet& command, std::string_view text, std::optional<dicom::Uid>& into) {
    into = dicom::Uid::parse(text);
    const bool blank = text.find_first_not_of(std::string_view(" \0", 2)) == std::string_view::npos;
    if (!into && !blank) command.instance_uid_is_none = true;
}

void take_text(CommandSet& command, std::uint16_t number, std::span<const std::byte> value) {
    std::string_view text = as_text(value);
    switch (number) {
        case kAffectedSopClassUid: command.affected_sop_class_uid = dicom::Uid::parse(text); break;
        case kRequestedSopClassUid: command.requested_sop_class_uid = dicom::Uid::parse(text); break;
        case kAffectedSopInstanceUid: take_instance(command, text, command.affected_sop_instance_uid); break;
        case kRequestedSopInstanceUid:
            take_instance(command, text, command.requested_sop_instance_uid);
            break;
        case kMoveDestination: command.move_destination = ul::AeTitle::parse(text); break;
        case kMoveOriginator: command.move_originator = ul::AeTitle::parse(text); break;
        case kErrorComment:
            while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
            command.error_comment = text;
            break;
        case kOffendingElement: take_tags(value, command.offending_elements); break;
        case kAttributeIdentifiers: take_tags(value, command.attribute_identifiers); break;
        default: break;
    }
}

void append_header(ByteBuffer& out, std::uint16_t number, std::size_t length) {
    append_le<std::uint16_t>(out, 0);
    append_le(out, number);
    append_le(out, static_cast<std::uint32_t>(length));
}

void append_number(ByteBuffer& out, std::uint16_t number, std::uint16_t value) {
    append_header(out, number, 2);
    append_le(out, value);
}

void append_number(ByteBuffer& out, std::uint16_t number, const std::optional<std::uint16_t>& value) {
    if (value) append_number(out, number, *value);
}

void append_text_element(ByteBuffer& out, std::uint16_t number, std::string_view text, char padding) {
    append_header(out, number, text.size() + text.size() % 2);
    append_text(out, text);
    if (text.size() % 2 != 0) append_le(out, static_cast<std::uint8_t>(padding));
}

void append_uid(ByteBuffer& out, std::uint16_t number, const std::optional<dicom::Uid>& uid) {
    if (uid) append_text_element(out, number, uid->view(), '\0');
}

void append_tags(ByteBuffer& out, std::uint16_t number, const std::vector<dicom::Tag>& tags) {
    if (tags.empty()) return;
    append_header(out, number, tags.size() * 4);
    for (const auto tag : tags) {
        append_le(out, tag.group());
        append_le(out, tag.element());
    }
}

void append_status(ByteBuffer& out, const CommandSet& command) {
    if (command.status) append_number(out, kStatus, code(*command.status));
    append_tags(out, kOffendingElement, command.offending_elements);
    if (command.error_comment.empty()) return;
    std::string comment = command.error_comment.substr(0, kMaxErrorCommentChars);
    std::replace_if(
        comment.begin(), comment.end(), [](char c) { return c < ' ' || c > '~' || c == '\\'; }, '?');
    append_text_element(out, kErrorComment, comment, ' ');
}

}  // namespace

Outcome CommandSet::outcome() const {
    Outcome outcome(status.value_or(Status::processing_failure), error_comment, offending_elements);
    const auto& attributes = attribute_identifiers;
    outcome.offending_elements.insert(outcome.offending_elements.end(), attributes.begin(), attributes.end());
    outcome.error_id = error_id;
    return outcome;
}

SubOperationCounts CommandSet::counts() const {
    SubOperationCounts counts;
    counts.remaining = remaining.value_or(0);
    counts.completed = completed.value_or(0);
    counts.failed = failed.value_or(0);
    counts.warning = warning.value_or(0);
    return counts;
}

Result<CommandSet> decode_command_set(std::span<const std::byte> bytes) {
    CommandSet command;
    bool has_field = false;
    ByteReader reader(bytes);
    while (reader.remaining() != 0) {
        const std::size_t at = reader.offset();
        const auto group = reader.le<std::uint16_t>();
        const auto number = reader.le<std::uint16_t>();
        const auto length = reader.le<std::uint32_t>();
        if (!group || !number || !length) return Error(Errc::truncated, "command element cut short", at);
        if (*group != 0) return Error(Errc::malformed, "element outside group 0000 in a command set", at);
        const auto value = reader.take(*length);
        if (!value) return Error(Errc::truncated, "command element longer than the command set", at);
        auto* const member = number_member(command, *number);
        const bool is_number =
            member != nullptr || *number == kCommandField || *number == kDataSetType || *number == kStatus;
        if (!is_number) {
            take_text(command, *number, *value);
            continue;
        }
        if (value->size() != 2) return Error(Errc::malformed, "command element is not one US value", at);
        const auto us = load_le<std::uint16_t>(value->data());
        if (member != nullptr) *member = us;
        if (*number == kStatus) command.status = static_cast<Status>(us);
        if (*number == kDataSetType) command.has_data_set = us != kNoDataSet;
        if (*number == kCommandField) {
            command.field = static_cast<CommandField>(us);
            has_field = true;
        }
    }
    if (!has_field) return Error(Errc::malformed, "command set without Command Field");
    return command;
}

void encode(const CommandSet& command, ByteBuffer& out) {
    append_header(out, kGroupLength, 4);
    append_le<std::uint32_t>(out, 0);
    const std::size_t begin = out.size();
    append_uid(out, kAffectedSopClassUid, command.affected_sop_class_uid);
    append_uid(out, kRequestedSopClassUid, command.requested_sop_class_uid);
    append_number(out, kCommandField, static_cast<std::uint16_t>(command.field));
    append_number(out, kMessageId, command.message_id);
    append_number(out, kRespondedMessageId, command.responded_message_id);
    if (command.move_destination)
        append_text_element(out, kMoveDestination, command.move_destination->view(), ' ');
    append_number(out, kPriority, command.priority);
    append_number(out, kDataSetType, static_cast<std::uint16_t>(command.has_data_set ? 1 : kNoDataSet));
    append_status(out, command);
    append_number(out, kErrorId, command.error_id);
    append_uid(out, kAffectedSopInstanceUid, command.affected_sop_instance_uid);
    append_uid(out, kRequestedSopInstanceUid, command.requested_sop_instance_uid);
    append_number(out, kEventTypeId, command.event_type_id);
    append_tags(out, kAttributeIdentifiers, command.attribute_identifiers);
    append_number(out, kActionTypeId, command.action_type_id);
    append_number(out, kRemaining, command.remaining);
    append_number(out, kCompleted, command.completed);
    append_number(out, kFailed, command.failed);
    append_number(out, kWarning, command.warning);
    if (command.move_originator)
        append_text_element(out, kMoveOriginator, command.move_originator->view(), ' ');
    append_number(out, kMoveOriginatorMessageId, command.move_originator_message_id);
    store_le(out.data() + begin - 4, static_cast<std::uint32_t>(out.size() - begin));
}

}  // namespace sagitta::net::dimse
