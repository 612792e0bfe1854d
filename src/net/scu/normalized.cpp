#include "net/scu/normalized.h"

#include <memory>
#include <utility>

#include "dicom/parser.h"
#include "net/dimse/message.h"

namespace sagitta::net::scu {

using dimse::CommandField;
using dimse::CommandSet;

namespace {

Task<Result<InstanceResponse>> ask(Client& client, CommandSet command, const dicom::DataSet& data_set) {
    auto meant = command.requested_sop_instance_uid;
    if (!meant) meant = command.affected_sop_instance_uid;
    auto message = co_await client.request(std::move(command), data_set);
    if (!message) co_return std::move(message).error();
    InstanceResponse response;
    response.outcome = message->command.outcome();
    const auto& told = message->command.affected_sop_instance_uid;
    response.sop_instance_uid = told ? *told : meant.value_or(dicom::Uid());
    if (!message->command.has_data_set) co_return response;
    if (message->data_set_too_long) co_return Error(Errc::limit_exceeded, "the answer is too long");
    const auto* context = ul::find_context(client.contexts(), message->context);
    const auto* syntax = dicom::find_transfer_syntax(context->transfer_syntax);
    if (syntax == nullptr) co_return Error(Errc::unsupported, "unknown transfer syntax");
    const auto bytes = std::make_shared<ByteBuffer>(std::move(message->data_set));
    const dicom::ParseOptions options;
    auto parsed = dicom::parse_data_set(bytes->span(), *syntax, options, bytes);
    if (!parsed) co_return std::move(parsed).error().within("the answer");
    response.attributes = std::move(parsed->data_set);
    co_return response;
}

}  // namespace

Task<Result<InstanceResponse>> n_create(Client& client, const NormalizedOperation& operation) {
    CommandSet command;
    command.field = CommandField::n_create_rq;
    command.affected_sop_class_uid = operation.sop_class_uid;
    if (!operation.sop_instance_uid.empty()) command.affected_sop_instance_uid = operation.sop_instance_uid;
    co_return co_await ask(client, std::move(command), operation.data_set);
}

Task<Result<InstanceResponse>> n_set(Client& client, const NormalizedOperation& operation) {
    CommandSet command;
    command.field = CommandField::n_set_rq;
    command.requested_sop_class_uid = operation.sop_class_uid;
    command.requested_sop_instance_uid = operation.sop_instance_uid;
    co_return co_await ask(client, std::move(command), operation.data_set);
}

Task<Result<InstanceResponse>> n_get(Client& client, dicom::Uid sop_class_uid, dicom::Uid sop_instance_uid,
                                     std::vector<dicom::Tag> attributes) {
    CommandSet command;
    command.field = CommandField::n_get_rq;
    command.requested_sop_class_uid = sop_class_uid;
    command.requested_sop_instance_uid = sop_instance_uid;
    command.attribute_identifiers = std::move(attributes);
    const dicom::DataSet none;
    co_return co_await ask(client, std::move(command), none);
}

}  // namespace sagitta::net::scu
