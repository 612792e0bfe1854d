// The part of a session that serves N-CREATE, N-SET and N-GET (PS3.7 10.1.2, 10.1.3, 10.1.5).
#include <utility>

#include "dicom/writer.h"
#include "net/dimse/session.h"

namespace sagitta::net::dimse {

namespace {

/// N-CREATE names what is affected, the others what is requested (PS3.7 10.3). Some peers confuse the two.
const std::optional<dicom::Uid>& named(CommandField field, const std::optional<dicom::Uid>& affected,
                                       const std::optional<dicom::Uid>& requested) {
    const bool creates = field == CommandField::n_create_rq;
    const auto& meant = creates ? affected : requested;
    const auto& other = creates ? requested : affected;
    return meant ? meant : other;
}

const std::optional<dicom::Uid>& sop_class_of(const CommandSet& command) {
    return named(command.field, command.affected_sop_class_uid, command.requested_sop_class_uid);
}

const std::optional<dicom::Uid>& instance_of(const CommandSet& command) {
    return named(command.field, command.affected_sop_instance_uid, command.requested_sop_instance_uid);
}

}  // namespace

std::optional<Outcome> Session::check_instance(const Message& message) const {
    const auto& context = context_of(message);
    const auto& command = message.command;
    const bool offered =
        ul::service_kind(context.abstract_syntax) == ul::ServiceKind::procedure_step && handlers_.instance;
    if (!offered || !context.requestor_is_scu)
        return Outcome(Status::sop_class_not_supported, "service not offered in this context");
    const auto& sop_class = sop_class_of(command);
    if (!sop_class || !(*sop_class == context.abstract_syntax))
        return Outcome(Status::no_such_sop_class, "SOP Class UID is not the context's abstract syntax");
    if (command.instance_uid_is_none)
        return Outcome(Status::invalid_object_instance, "SOP Instance UID is no UID");
    if (command.field != CommandField::n_create_rq && !instance_of(command))
        return Outcome(Status::no_such_sop_instance, "SOP Instance UID missing");
    if (message.data_set_too_long)
        return Outcome(Status::resource_limitation, "data set longer than the limit here");
    if (dicom::find_transfer_syntax(context.transfer_syntax) == nullptr)
        return Outcome(Status::processing_failure, "unknown transfer syntax");
    return std::nullopt;
}

Task<Result<void>> Session::serve_instance(Message message) {
    InstanceAnswer reply;
    if (auto refusal = check_instance(message)) {
        reply.outcome = std::move(*refusal);
        co_return co_await answer_instance(message, std::move(reply));
    }
    const auto field = message.command.field;
    NormalizedRequest request;
    request.sop_class_uid = *sop_class_of(message.command);
    request.sop_instance_uid = instance_of(message.command).value_or(dicom::Uid());
    request.syntax = dicom::find_transfer_syntax(context_of(message).transfer_syntax);
    request.data_set = std::move(message.data_set);
    request.attributes = message.command.attribute_identifiers;
    if (field == CommandField::n_create_rq) {
        reply = co_await handlers_.instance->create(info_, std::move(request));
    } else if (field == CommandField::n_set_rq) {
        reply = co_await handlers_.instance->set(info_, std::move(request));
    } else {
        reply = co_await handlers_.instance->get(info_, std::move(request));
    }
    co_return co_await answer_instance(message, std::move(reply));
}

/// As PS3.7 10.3 has the responses: affected UIDs, Attribute Identifier List (Annex C), Attribute List.
Task<Result<void>> Session::answer_instance(const Message& message, InstanceAnswer reply) {
    CommandSet command;
    command.field = response_to(message.command.field);
    command.responded_message_id = message.command.message_id;
    command.affected_sop_class_uid = sop_class_of(message.command);
    command.affected_sop_instance_uid = instance_of(message.command);
    if (!reply.sop_instance_uid.empty()) command.affected_sop_instance_uid = reply.sop_instance_uid;
    ByteBuffer attributes;
    if (!reply.attributes.empty()) {
        const auto* syntax = dicom::find_transfer_syntax(context_of(message).transfer_syntax);
        auto written = dicom::write_data_set(reply.attributes, *syntax, attributes);
        if (!written) reply.outcome = Outcome(Status::processing_failure, written.error().message());
        command.has_data_set = written.has_value();
    }
    note(message, reply.outcome);
    command.status = reply.outcome.status;
    command.error_comment = std::move(reply.outcome.error_comment);
    command.error_id = reply.outcome.error_id;
    command.attribute_identifiers = std::move(reply.outcome.offending_elements);
    co_return co_await send(message.context, std::move(command), attributes.span());
}

}  // namespace sagitta::net::dimse
