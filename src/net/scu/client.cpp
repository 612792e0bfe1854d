#include "net/scu/client.h"

#include <algorithm>
#include <utility>

#include <asio/post.hpp>

#include "dicom/parser.h"
#include "dicom/writer.h"
#include "net/dimse/messenger.h"
#include "net/dimse/store_pipeline.h"
#include "net/ul/connect.h"

namespace sagitta::net::scu {

using dimse::CommandField;
using dimse::CommandSet;
using dimse::Message;

namespace {

constexpr std::string_view kVerification = "1.2.840.10008.1.1";

dimse::AssemblyLimits limits_of(const ClientSettings& settings) {
    dimse::AssemblyLimits limits;
    limits.max_object_bytes = settings.max_object_bytes;
    return limits;
}

/// Only data sets that are used for something are waited for.
class Talk final : public dimse::Messenger {
public:
    Talk(std::shared_ptr<ul::Association> association, const ClientSettings& settings)
        : Messenger(std::move(association), limits_of(settings)) {
        expects_responses_ = true;
        confirms_release_at_once_ = true;
    }
    void established() override {
        association_->expect_data(ul::Duration::zero());
        one_at_a_time_ = !association_->operations_window();
    }
};

ul::AssociateRq request_of(const Address& peer, const ClientSettings& settings,
                           const std::vector<WantedContext>& wanted) {
    ul::AssociateRq request;
    request.called = peer.called;
    request.calling = settings.calling;
    request.contexts = propose(wanted);
    request.user.max_pdu_bytes = settings.max_pdu_bytes;
    request.user.implementation_class_uid = ul::kImplementationClassUid;
    request.user.implementation_version_name = ul::kImplementationVersionName;
    request.user.user_identity = settings.user_identity;
    if (settings.operations_window != 1) {
        request.user.asynchronous_operations =
            ul::AsynchronousOperationsWindow{settings.operations_window, settings.operations_window};
    }
    for (const auto& wish : wanted) {
        if (!wish.as_scp) continue;
        bool known = false;
        for (const auto& role : request.user.roles) known = known || role.sop_class_uid == wish.sop_class_uid;
        if (known) continue;
        const ul::RoleSelection role{wish.sop_class_uid, wish.as_scu, true};
        request.user.roles.push_back(role);
    }
    return request;
}

}  // namespace

struct Client::Impl {
    ClientSettings settings;
    std::shared_ptr<Talk> talk;
    std::uint16_t next_message_id = 1;
    std::uint64_t unusable = 0;  ///< in the retrieve that goes on

    void stop() {
        if (talk->ended()) return;
        talk->association().abort(ul::user_abort(), Error(Errc::cancelled, "aborted by this side"));
    }

    /// A request command with the next message id.
    CommandSet command(CommandField field, std::string_view sop_class_uid) {
        CommandSet set;
        set.field = field;
        set.message_id = next_message_id++;
        set.affected_sop_class_uid = dicom::Uid::parse(sop_class_uid);
        if (field != CommandField::c_echo_rq) set.priority = std::uint16_t{0};
        return set;
    }

    /// What the peer says next, within the response timeout. A response must be to `id`.
    Task<Result<Message>> receive(CommandField request, std::uint16_t id) {
        talk->association().expect_data(settings.response_timeout);
        auto message = co_await talk->receive_any();
        talk->association().expect_data(ul::Duration::zero());
        if (!message) co_return message;
        const CommandSet& command = message->command;
        if (!dimse::is_response(command.field)) co_return message;
        if (command.field != dimse::response_to(request) || command.responded_message_id != id)
            co_return talk->protocol_error("response to a message that was not sent");
        co_return message;
    }

    /// The same where only a response may come.
    Task<Result<Message>> receive_response(CommandField request, std::uint16_t id) {
        auto message = co_await receive(request, id);
        if (message && !dimse::is_response(message->command.field))
            co_return talk->protocol_error("request where a response was due");
        co_return message;
    }

    Task<Result<void>> cancel(ul::PresentationContextId context, std::uint16_t id) {
        CommandSet set;
        set.field = CommandField::c_cancel_rq;
        set.responded_message_id = id;
        return talk->send(context, std::move(set));
    }

    Task<Result<void>> send_identifier(const ul::AcceptedPresentationContext& context, CommandSet command,
                                       const dicom::DataSet& identifier);
    Task<Result<void>> take_instance(Message message, const OnInstance& on_instance);
    Task<Result<dimse::Outcome>> send_normalized(CommandSet command, const NormalizedOperation& operation);
    Task<Result<RetrieveReport>> retrieve(CommandSet command, ul::PresentationContextId context,
                                          const OnInstance& on_instance, const OnProgress& on_progress);
};

Client::Client(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}

/// May run on any thread, the abort does not.
Client::~Client() {
    asio::post(impl_->talk->association().executor(), [impl = impl_] { impl->stop(); });
}

Task<Result<std::unique_ptr<Client>>> Client::open(Address peer, ClientSettings settings,
                                                   std::vector<WantedContext> wanted) {
    auto impl = std::make_shared<Impl>();
    impl->settings = settings;
    ul::ConnectOptions options;
    options.host = peer.host;
    options.port = peer.port;
    options.tls = peer.tls;
    options.tls_identity = peer.tls_identity;
    options.request = request_of(peer, settings, wanted);
    options.settings = settings.association;
    options.make_user = [impl](std::shared_ptr<ul::Association> association) {
        impl->talk = std::make_shared<Talk>(std::move(association), impl->settings);
        return impl->talk;
    };
    if (options.request.contexts.empty()) co_return Error(Errc::invalid_argument, "nothing to propose");
    auto opened = co_await ul::connect(std::move(options));
    if (!opened) co_return std::move(opened).error();
    std::unique_ptr<Client> client(new Client(std::move(impl)));
    co_return std::move(client);
}

std::span<const ul::AcceptedPresentationContext> Client::contexts() const {
    return impl_->talk->association().contexts();
}

bool Client::is_open() const {
    return !impl_->talk->ended();
}

const ul::AcceptedPresentationContext* Client::context_for(std::string_view sop_class_uid,
                                                           std::string_view transfer_syntax_uid) const {
    for (const auto& context : contexts()) {
        const bool fits = transfer_syntax_uid.empty() || context.transfer_syntax == transfer_syntax_uid;
        if (fits && context.requestor_is_scu && context.abstract_syntax == sop_class_uid) return &context;
    }
    return nullptr;
}

namespace {
Error no_context() {
    return {Errc::unsupported, "the peer accepted no presentation context for it"};
}
}  // namespace

Task<Result<dimse::Outcome>> Client::echo() {
    const auto impl = impl_;
    const auto* context = context_for(kVerification);
    if (context == nullptr) co_return no_context();
    CommandSet command = impl->command(CommandField::c_echo_rq, kVerification);
    const std::uint16_t id = *command.message_id;
    auto sent = co_await impl->talk->send(context->id, std::move(command));
    if (!sent) co_return std::move(sent).error();
    auto response = co_await impl->receive_response(CommandField::c_echo_rq, id);
    if (!response) co_return std::move(response).error();
    co_return response->command.outcome();
}

Task<Result<dimse::Outcome>> Client::store(StoreOperation operation, dimse::Payload& payload) {
    const auto impl = impl_;
    const auto* context = context_for(operation.sop_class_uid.view(), operation.transfer_syntax_uid);
    if (context == nullptr) co_return no_context();
    CommandSet command = impl->command(CommandField::c_store_rq, operation.sop_class_uid.view());
    command.affected_sop_instance_uid = operation.sop_instance_uid;
    command.move_originator = operation.move_originator;
    if (operation.move_originator) command.move_originator_message_id = operation.move_originator_message_id;
    const std::uint16_t id = *command.message_id;
    auto sent = co_await impl->talk->send(context->id, std::move(command), payload);
    if (!sent) co_return std::move(sent).error();
    auto response = co_await impl->receive_response(CommandField::c_store_rq, id);
    if (!response) co_return std::move(response).error();
    co_return response->command.outcome();
}

std::uint16_t Client::window() const {
    const auto wanted = impl_->settings.operations_window;
    const auto& agreed = impl_->talk->association().operations_window();
    if (!agreed || wanted <= 1) return 1;
    return agreed->invoked == 0 ? wanted : std::min(agreed->invoked, wanted);
}

Task<Result<void>> Client::store_all(dimse::NextStore next, dimse::OnStored on_stored) {
    const auto impl = impl_;
    dimse::StorePipeline::Settings settings;
    settings.window = window();
    settings.response_timeout = impl->settings.response_timeout;
    settings.context_for = [this](const dimse::OutgoingStore& store) {
        return context_for(store.sop_class_uid.view(), store.transfer_syntax_uid);
    };
    settings.next_message_id = [impl] { return impl->next_message_id++; };
    dimse::StorePipeline pipeline(*impl->talk, std::move(settings));
    co_return co_await pipeline.run(std::move(next), std::move(on_stored));
}

Task<Result<void>> Client::Impl::send_identifier(const ul::AcceptedPresentationContext& context,
                                                 CommandSet command, const dicom::DataSet& identifier) {
    const auto* syntax = dicom::find_transfer_syntax(context.transfer_syntax);
    if (syntax == nullptr) co_return Error(Errc::unsupported, "unknown transfer syntax");
    ByteBuffer encoded;
    auto written = dicom::write_data_set(identifier, *syntax, encoded);
    if (!written) co_return std::move(written).error();
    command.has_data_set = true;
    co_return co_await talk->send(context.id, std::move(command), encoded.span());
}

Task<Result<dimse::Outcome>> Client::find(dicom::Uid sop_class_uid, const dicom::DataSet& identifier,
                                          OnMatch on_match) {
    const auto impl = impl_;
    const auto* context = context_for(sop_class_uid.view());
    if (context == nullptr) co_return no_context();
    const auto* syntax = dicom::find_transfer_syntax(context->transfer_syntax);
    CommandSet command = impl->command(CommandField::c_find_rq, sop_class_uid.view());
    const std::uint16_t id = *command.message_id;
    auto sent = co_await impl->send_identifier(*context, std::move(command), identifier);
    if (!sent) co_return std::move(sent).error();
    std::optional<std::chrono::steady_clock::time_point> cancelled;
    for (;;) {
        auto response = co_await impl->receive_response(CommandField::c_find_rq, id);
        if (!response) co_return std::move(response).error();
        if (!dimse::is_pending(*response->command.status)) co_return response->command.outcome();
        if (cancelled) {
            if (std::chrono::steady_clock::now() > *cancelled)
                co_return impl->talk->protocol_error("matches go on long after C-CANCEL");
            continue;
        }
        if (!response->command.has_data_set || response->data_set_too_long)
            co_return impl->talk->protocol_error("pending response without a usable identifier");
        auto parsed = dicom::parse_data_set(response->data_set.span(), *syntax);
        if (!parsed)
            co_return impl->talk->protocol_error("identifier cannot be parsed: " + parsed.error().message());
        const bool go_on = co_await on_match(parsed->data_set);
        if (go_on) continue;
        cancelled = std::chrono::steady_clock::now() + impl->settings.response_timeout;
        auto told = co_await impl->cancel(context->id, id);
        if (!told) co_return std::move(told).error();
    }
}

Task<Result<void>> Client::Impl::take_instance(Message message, const OnInstance& on_instance) {
    const auto* context = ul::find_context(talk->association().contexts(), message.context);
    CommandSet& command = message.command;
    CommandSet response;
    response.field = CommandField::c_store_rsp;
    response.responded_message_id = command.message_id;
    response.affected_sop_class_uid = command.affected_sop_class_uid;
    response.affected_sop_instance_uid = command.affected_sop_instance_uid;
    dimse::Outcome outcome;
    if (command.field != CommandField::c_store_rq || !context->requestor_is_scp)
        co_return talk->protocol_error("request we did not offer to serve");
    const bool named = command.affected_sop_class_uid && command.affected_sop_instance_uid &&
                       command.has_data_set && *command.affected_sop_class_uid == context->abstract_syntax;
    if (message.data_set_too_long || !named) ++unusable;
    if (message.data_set_too_long) {
        outcome = dimse::Outcome(dimse::Status::out_of_resources, "object longer than the limit here");
    } else if (!named) {
        outcome =
            dimse::Outcome(dimse::Status::cannot_understand, "SOP Class, SOP Instance or data set missing");
    } else {
        ReceivedInstance instance;
        instance.sop_class_uid = *command.affected_sop_class_uid;
        instance.sop_instance_uid = *command.affected_sop_instance_uid;
        instance.transfer_syntax_uid = context->transfer_syntax;
        instance.data_set = std::move(message.data_set);
        outcome = co_await on_instance(std::move(instance));
    }
    response.status = outcome.status;
    response.error_comment = std::move(outcome.error_comment);
    response.offending_elements = std::move(outcome.offending_elements);
    co_return co_await talk->send(message.context, std::move(response));
}

/// Reads until the final response. Without `on_instance` (C-MOVE) no sub-operation may come.
Task<Result<RetrieveReport>> Client::Impl::retrieve(CommandSet command, ul::PresentationContextId context,
                                                    const OnInstance& on_instance,
                                                    const OnProgress& on_progress) {
    const std::uint16_t id = *command.message_id;
    bool cancelled = false;
    unusable = 0;
    for (;;) {
        auto message = co_await receive(command.field, id);
        if (!message) co_return std::move(message).error();
        if (!dimse::is_response(message->command.field)) {
            if (!on_instance) co_return talk->protocol_error("request where a response was due");
            auto taken = co_await take_instance(std::move(*message), on_instance);
            if (!taken) co_return std::move(taken).error();
            continue;
        }
        RetrieveReport report;
        report.outcome = message->command.outcome();
        report.counts = message->command.counts();
        report.unusable = unusable;
        if (!dimse::is_pending(report.outcome.status)) co_return std::move(report);
        if (cancelled || !on_progress || on_progress(report.counts)) continue;
        cancelled = true;
        auto told = co_await cancel(context, id);
        if (!told) co_return std::move(told).error();
    }
}

Task<Result<RetrieveReport>> Client::get(dicom::Uid sop_class_uid, const dicom::DataSet& identifier,
                                         OnInstance on_instance, OnProgress on_progress) {
    const auto impl = impl_;
    const auto* context = context_for(sop_class_uid.view());
    if (context == nullptr) co_return no_context();
    CommandSet command = impl->command(CommandField::c_get_rq, sop_class_uid.view());
    CommandSet kept = command;
    auto sent = co_await impl->send_identifier(*context, std::move(command), identifier);
    if (!sent) co_return std::move(sent).error();
    co_return co_await impl->retrieve(std::move(kept), context->id, on_instance, on_progress);
}

Task<Result<RetrieveReport>> Client::move(dicom::Uid sop_class_uid, const dicom::DataSet& identifier,
                                          ul::AeTitle destination, OnProgress on_progress) {
    const auto impl = impl_;
    const auto* context = context_for(sop_class_uid.view());
    if (context == nullptr) co_return no_context();
    CommandSet command = impl->command(CommandField::c_move_rq, sop_class_uid.view());
    command.move_destination = destination;
    CommandSet kept = command;
    auto sent = co_await impl->send_identifier(*context, std::move(command), identifier);
    if (!sent) co_return std::move(sent).error();
    const OnInstance none;
    co_return co_await impl->retrieve(std::move(kept), context->id, none, on_progress);
}

/// `command` says everything but who sends it where.
Task<Result<dimse::Outcome>> Client::Impl::send_normalized(CommandSet command,
                                                           const NormalizedOperation& operation) {
    const ul::AcceptedPresentationContext* context = nullptr;
    for (const auto& one : talk->association().contexts())
        if (operation.sop_class_uid == one.abstract_syntax) context = &one;
    if (context == nullptr) co_return no_context();
    command.message_id = next_message_id++;
    const auto field = command.field;
    const std::uint16_t id = *command.message_id;
    auto sent = co_await send_identifier(*context, std::move(command), operation.data_set);
    if (!sent) co_return std::move(sent).error();
    auto response = co_await receive_response(field, id);
    if (!response) co_return std::move(response).error();
    co_return response->command.outcome();
}

Task<Result<Message>> Client::request(CommandSet command, const dicom::DataSet& data_set) {
    const auto impl = impl_;
    const auto& sop_class =
        command.requested_sop_class_uid ? command.requested_sop_class_uid : command.affected_sop_class_uid;
    const auto* context = sop_class ? context_for(sop_class->view()) : nullptr;
    if (context == nullptr) co_return no_context();
    command.message_id = impl->next_message_id++;
    const auto field = command.field;
    const std::uint16_t id = *command.message_id;
    Result<void> sent;
    if (data_set.empty()) {
        sent = co_await impl->talk->send(context->id, std::move(command));
    } else {
        sent = co_await impl->send_identifier(*context, std::move(command), data_set);
    }
    if (!sent) co_return std::move(sent).error();
    co_return co_await impl->receive_response(field, id);
}

Task<Result<dimse::Outcome>> Client::action(const NormalizedOperation& operation) {
    const auto impl = impl_;
    CommandSet command;
    command.field = CommandField::n_action_rq;
    command.requested_sop_class_uid = operation.sop_class_uid;
    command.requested_sop_instance_uid = operation.sop_instance_uid;
    command.action_type_id = operation.type_id;
    co_return co_await impl->send_normalized(std::move(command), operation);
}

Task<Result<dimse::Outcome>> Client::report(const NormalizedOperation& operation) {
    const auto impl = impl_;
    CommandSet command;
    command.field = CommandField::n_event_report_rq;
    command.affected_sop_class_uid = operation.sop_class_uid;
    command.affected_sop_instance_uid = operation.sop_instance_uid;
    command.event_type_id = operation.type_id;
    co_return co_await impl->send_normalized(std::move(command), operation);
}

Task<Result<dimse::NormalizedRequest>> Client::await_report(ul::Duration patience) {
    const auto impl = impl_;
    const auto& talk = impl->talk;
    talk->association().expect_data(patience);
    auto message = co_await talk->receive_any();
    talk->association().expect_data(ul::Duration::zero());
    if (!message) co_return std::move(message).error();
    CommandSet& command = message->command;
    const auto* context = ul::find_context(talk->association().contexts(), message->context);
    dimse::NormalizedRequest request;
    request.syntax = dicom::find_transfer_syntax(context->transfer_syntax);
    const bool usable = command.field == CommandField::n_event_report_rq && command.affected_sop_class_uid &&
                        command.affected_sop_instance_uid && command.event_type_id && command.has_data_set &&
                        !message->data_set_too_long && request.syntax != nullptr;
    if (!usable) co_return talk->protocol_error("something else than a report of events");
    request.sop_class_uid = *command.affected_sop_class_uid;
    request.sop_instance_uid = *command.affected_sop_instance_uid;
    request.type_id = *command.event_type_id;
    request.data_set = std::move(message->data_set);
    CommandSet response;
    response.field = CommandField::n_event_report_rsp;
    response.responded_message_id = command.message_id;
    response.affected_sop_class_uid = command.affected_sop_class_uid;
    response.affected_sop_instance_uid = command.affected_sop_instance_uid;
    response.event_type_id = command.event_type_id;
    response.status = dimse::Status::success;
    auto answered = co_await talk->send(message->context, std::move(response));
    if (!answered) co_return std::move(answered).error();
    co_return request;
}

Task<Result<void>> Client::release() {
    const auto talk = impl_->talk;
    co_return co_await talk->association().release();
}

void Client::abort() {
    impl_->stop();
}

}  // namespace sagitta::net::scu
