#include "net/dimse/session.h"

#include <utility>

#include <asio/post.hpp>

#include "core/log.h"
#include "dicom/generated/tags.h"
#include "dicom/writer.h"
#include "net/dimse/store_pipeline.h"
#include "net/ul/io_threads.h"

namespace sagitta::net::dimse {

namespace {

/// Of objects that one association has us store at the same time.
constexpr std::uint64_t kMaxOverlappingBytes = std::uint64_t{64} << 20;
/// C-STOREs of a C-GET to a peer that takes any number at a time.
constexpr std::uint16_t kMaxOwnOperations = 64;
/// Answers that wait for the peer to read.
constexpr std::size_t kMaxEchoBytes = 16 * 1024;

CommandSet response_command(const Message& request, const Outcome& outcome) {
    CommandSet command;
    command.field = response_to(request.command.field);
    command.responded_message_id = request.command.message_id;
    command.affected_sop_class_uid = request.command.affected_sop_class_uid;
    if (!command.affected_sop_class_uid)
        command.affected_sop_class_uid = request.command.requested_sop_class_uid;
    command.affected_sop_instance_uid = request.command.affected_sop_instance_uid;
    if (!command.affected_sop_instance_uid)
        command.affected_sop_instance_uid = request.command.requested_sop_instance_uid;
    command.event_type_id = request.command.event_type_id;
    command.action_type_id = request.command.action_type_id;
    command.status = outcome.status;
    command.error_comment = outcome.error_comment;
    command.offending_elements = outcome.offending_elements;
    return command;
}

void set_counts(CommandSet& command, const SubOperationCounts& counts, bool with_remaining) {
    if (with_remaining) command.remaining = counts.remaining;
    command.completed = counts.completed;
    command.failed = counts.failed;
    command.warning = counts.warning;
}

class FindOut final : public FindResponder {
public:
    FindOut(Session& session, const Message& request, const dicom::TransferSyntax& syntax)
        : session_(session), request_(request), syntax_(syntax) {}

    Task<Result<void>> pending(const dicom::DataSet& identifier, Status status) override {
        encoded_.clear();
        auto written = dicom::write_data_set(identifier, syntax_, encoded_);
        if (!written) co_return std::move(written).error();
        const Outcome outcome(status);
        CommandSet command = response_command(request_, outcome);
        command.has_data_set = true;
        co_return co_await session_.send_soon(request_.context, command, encoded_.span());
    }
    bool cancelled() const override { return session_.cancelled(); }

private:
    Session& session_;
    const Message& request_;
    const dicom::TransferSyntax& syntax_;
    ByteBuffer encoded_;
};

Task<Result<void>> send_progress(Session& session, const Message& request, SubOperationCounts counts) {
    const Outcome outcome(Status::pending);
    CommandSet command = response_command(request, outcome);
    set_counts(command, counts, true);
    co_return co_await session.send_soon(request.context, command, {});
}

class MoveOut final : public MoveResponder {
public:
    MoveOut(Session& session, const Message& request) : session_(session), request_(request) {}
    Task<Result<void>> pending(SubOperationCounts counts) override {
        return send_progress(session_, request_, counts);
    }
    bool cancelled() const override { return session_.cancelled(); }

private:
    Session& session_;
    const Message& request_;
};

class GetOut final : public GetResponder {
public:
    GetOut(Session& session, const Message& request) : session_(session), request_(request) {}
    Task<Result<void>> pending(SubOperationCounts counts) override {
        return send_progress(session_, request_, counts);
    }
    bool cancelled() const override { return session_.cancelled(); }
    Task<Result<void>> store_all(NextStore next, OnStored on_stored) override {
        return session_.store_to_peer(std::move(next), std::move(on_stored), *request_.command.message_id);
    }
    std::vector<std::string> transfer_syntaxes_for(const dicom::Uid& sop_class_uid) const override {
        return session_.transfer_syntaxes_to_peer(sop_class_uid);
    }

private:
    Session& session_;
    const Message& request_;
};

AssemblyLimits limits_of(const ServerSettings& settings) {
    AssemblyLimits limits;
    limits.max_object_bytes = settings.max_object_bytes;
    limits.stream_above_bytes = settings.stream_above_bytes;
    return limits;
}

std::string host_of(const std::string& address) {
    const auto host = address.substr(0, address.rfind(':'));
    return host.starts_with('[') ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

Session::Session(std::shared_ptr<ul::Association> association, const ServerSettings& settings,
                 const Handlers& handlers, std::function<void()> at_end)
    : Messenger(
          std::move(association), limits_of(settings),
          [this](Message& message) { return receiver_for(message); },
          [this](const Message& message) { return front_room_for(message); }),
      settings_(settings),
      handlers_(handlers),
      at_end_(std::move(at_end)),
      store_done_(association_->executor()) {}

Session::~Session() {
    if (at_end_) at_end_();
}

// ---- coming and going

/// Who it is, and whether the gate lets him in.
void Session::meet(const ul::AssociateRq& request) {
    info_.id = association_->id();
    info_.calling = request.calling;
    info_.called = request.called;
    info_.peer_address = association_->peer_address();
    info_.peer_host = host_of(info_.peer_address);
    info_.peer_implementation_class_uid = request.user.implementation_class_uid;
    info_.peer_implementation_version_name = request.user.implementation_version_name;
    if (const auto* tls = association_->tls_peer()) info_.tls = *tls;
    admission_ = handlers_.gate->admit(info_);
    admitted_ = std::holds_alternative<ul::NegotiationPolicy>(admission_);
}

bool Session::needs_time(const ul::AssociateRq&) const {
    return handlers_.identity != nullptr;
}

Task<void> Session::prepare(const ul::AssociateRq& request) {
    meet(request);
    if (!admitted_) co_return;
    auto claim = request.user.user_identity;
    identity_ = co_await handlers_.identity->identify(info_, std::move(claim));
    info_.user = identity_->user;
}

std::variant<ul::Negotiated, ul::Rejection> Session::decide(const ul::AssociateRq& request) {
    if (handlers_.identity == nullptr) meet(request);
    if (auto* refused = std::get_if<ul::Rejection>(&admission_)) return std::move(*refused);
    if (identity_ && !identity_->accepted)
        return ul::Rejection{ul::RejectReason::no_reason, std::move(identity_->why)};
    const auto& policy = std::get<ul::NegotiationPolicy>(admission_);
    assumed_extensions_ = policy.assumed_query_extensions;
    auto answer = ul::negotiate(request, policy);
    auto* negotiated = std::get_if<ul::Negotiated>(&answer);
    if (negotiated != nullptr) {
        window_ =
            negotiated->answer.user.asynchronous_operations.value_or(ul::AsynchronousOperationsWindow{});
        one_at_a_time_ = window_.invoked == 1 && window_.performed == 1;
    }
    const auto& claim = request.user.user_identity;
    // Empty for a user name, with or without a passcode (PS3.7 D.3.3.7.2).
    if (negotiated != nullptr && !info_.user.empty() && claim && claim->positive_response_requested)
        negotiated->answer.user.user_identity_response.emplace();
    return answer;
}

void Session::established() {
    log::info("association={} open peer={} calling={} called={} contexts={}{}{}", info_.id,
              info_.peer_address, log::escaped(info_.calling.view()), log::escaped(info_.called.view()),
              association_->contexts().size(), info_.user.empty() ? "" : " user=", log::escaped(info_.user));
    serving_ = true;
}

bool Session::is_simple_echo(const Message& message) const {
    return message.command.field == CommandField::c_echo_rq && handlers_.echo == nullptr &&
           ul::service_kind(context_of(message).abstract_syntax) == ul::ServiceKind::verification;
}

/// Nobody need serve echoes before anything else, nor a release behind them: run() begins with the first that
/// it is needed for, or with a peer that does not read.
void Session::all_taken() {
    if (!serving_ || running_) return;
    const auto* next = next_request();
    for (; next != nullptr && is_simple_echo(*next); next = next_request()) {
        if (association_->waiting_bytes() > kMaxEchoBytes) break;
        const Message message = pop(false);
        ByteBuffer pdus;
        encode_message(message.context, response_command(message, Outcome()), {},
                       association_->max_outgoing_pdu_bytes(), pdus);
        association_->write_soon(pdus.span());
    }
    if (next == nullptr && !is_interrupted()) {
        if (release_is_requested()) association_->confirm_release();
        return;
    }
    running_ = true;
    auto start = [self = shared_from_this()] { return self->run(); };
    ul::spawn_on(association_->executor(), std::move(start));
}

void Session::ended(const ul::End& end) {
    if (end.kind == ul::EndKind::released) {
        log::info("association={} released", association_->id());
    } else {
        log::warning("association={} ended peer={}: {}: {}", association_->id(), association_->peer_address(),
                     to_string(end.error.code), log::escaped(end.error.message()));
    }
    // Without run() nobody else will say that it is over.
    if (!running_) {
        serving_ = false;
        if (std::exchange(admitted_, false)) handlers_.gate->closed(info_);
    }
    Messenger::ended(end);
}

Task<void> Session::run() {
    const auto self = shared_from_this();
    const std::size_t most_beside = window_.invoked - std::size_t{1};  // never 0: what was agreed is a number
    while (!Messenger::ended()) {
        association_->expect_data(stores_ == 0 ? association_->settings().idle_timeout
                                               : ul::Duration::zero());
        auto request = co_await receive_request();
        if (!request) break;
        if (request->has_value() && may_overlap(**request)) {
            begin_store(std::move(**request));
            co_await await_stores(most_beside);
            continue;
        }
        co_await await_stores(0);
        if (request->has_value()) {
            Message message = std::move(**request);
            co_await serve_alone(std::move(message));
        } else if (!release_is_requested()) {
            co_await send_reports();
        } else {
            association_->confirm_release();
            break;
        }
    }
    co_await await_stores(0);
    serving_ = false;
    drop_reports();
    if (std::exchange(admitted_, false)) handlers_.gate->closed(info_);
}

/// C-STOREs, where the peer may have many on their way (PS3.7 D.3.3.3). Everything else has the session to
/// itself: queries and retrievals can be cancelled.
bool Session::may_overlap(const Message& message) const {
    return message.command.field == CommandField::c_store_rq && window_.invoked != 1;
}

Task<void> Session::serve_alone(Message message) {
    association_->expect_data(ul::Duration::zero());
    set_active(message.command.message_id, message.cancelled);
    auto done = co_await serve(std::move(message));
    set_active(std::nullopt);
    if (!done && !Messenger::ended()) association_->abort(ul::user_abort(), std::move(done).error());
}

void Session::begin_store(Message message) {
    ++stores_;
    store_bytes_ += message.data_set.size();
    association_->expect_data(ul::Duration::zero());
    auto begin = [self = shared_from_this(), held = std::move(message)]() mutable {
        return self->serve_beside(std::move(held));
    };
    ul::spawn_on(association_->executor(), std::move(begin));
}

Task<void> Session::serve_beside(Message message) {
    const auto self = shared_from_this();
    const auto bytes = message.data_set.size();
    auto done = co_await serve_store(std::move(message));
    if (!done && !Messenger::ended()) association_->abort(ul::user_abort(), std::move(done).error());
    --stores_;
    store_bytes_ -= bytes;
    if (stores_ == 0 && !Messenger::ended()) association_->expect_data(association_->settings().idle_timeout);
    store_done_.notify();
}

/// Until at most so many are being served, and they hold no more than one association should.
Task<void> Session::await_stores(std::size_t most) {
    while (stores_ > most || (stores_ > 1 && store_bytes_ > kMaxOverlappingBytes))
        co_await store_done_.wait();
}

// ---- answering

const ul::AcceptedPresentationContext& Session::context_of(const Message& message) const {
    return *ul::find_context(association_->contexts(), message.context);  // checked when it arrived
}

Task<Result<void>> Session::serve(Message message) {
    switch (message.command.field) {
        case CommandField::c_echo_rq: return serve_echo(std::move(message));
        case CommandField::c_store_rq: return serve_store(std::move(message));
        case CommandField::c_find_rq: return serve_find(std::move(message));
        case CommandField::c_get_rq: return serve_get(std::move(message));
        case CommandField::c_move_rq: return serve_move(std::move(message));
        case CommandField::n_action_rq: return serve_action(std::move(message));
        case CommandField::n_event_report_rq: return serve_event(std::move(message));
        case CommandField::n_create_rq:
        case CommandField::n_set_rq:
        case CommandField::n_get_rq: return serve_instance(std::move(message));
        default: break;
    }
    return serve_unknown(std::move(message));
}

Task<Result<void>> Session::serve_unknown(Message message) {
    Outcome outcome(Status::unrecognized_operation, "operation not supported");
    co_return co_await answer(message, std::move(outcome));
}

/// The one log line of a request that did not simply succeed.
void Session::note(const Message& message, const Outcome& outcome) const {
    if (outcome.status != Status::success) {
        log::warning("association={} peer={} operation={:04x} status={:04x}: {}", info_.id,
                     info_.peer_address, static_cast<std::uint16_t>(message.command.field),
                     code(outcome.status), log::escaped(outcome.error_comment));
    }
}

Task<Result<void>> Session::answer(const Message& message, Outcome outcome) {
    note(message, outcome);
    CommandSet command = response_command(message, outcome);
    if (window_.invoked == 1) co_return co_await send(message.context, std::move(command));
    co_return co_await send_soon(message.context, command, {});  // with the answers to others
}

Task<Result<void>> Session::serve_echo(Message message) {
    Outcome outcome;
    if (ul::service_kind(context_of(message).abstract_syntax) != ul::ServiceKind::verification) {
        outcome = Outcome(Status::sop_class_not_supported, "not a verification context");
    } else if (handlers_.echo != nullptr) {
        outcome = co_await handlers_.echo->echo(info_);
    }
    co_return co_await answer(message, std::move(outcome));
}

std::optional<Outcome> Session::check_store(const Message& message) const {
    const auto& context = context_of(message);
    const auto kind = ul::service_kind(context.abstract_syntax);
    const bool stores = kind == ul::ServiceKind::storage || kind == ul::ServiceKind::other;
    const auto& command = message.command;
    if (!stores || handlers_.store == nullptr)
        return Outcome(Status::sop_class_not_supported, "no storage service in this context");
    if (!context.requestor_is_scu)
        return Outcome(Status::sop_class_not_supported, "requestor gave up the SCU role in this context");
    if (!command.affected_sop_class_uid || !(*command.affected_sop_class_uid == context.abstract_syntax))
        return Outcome(Status::identifier_does_not_match_sop_class,
                       "Affected SOP Class UID is not the context's abstract syntax",
                       {dicom::tags::AffectedSOPClassUID});
    if (!command.affected_sop_instance_uid)
        return Outcome(Status::invalid_object_instance, "Affected SOP Instance UID missing or not a UID",
                       {dicom::tags::AffectedSOPInstanceUID});
    if (!command.has_data_set) return Outcome(Status::mistyped_argument, "C-STORE without a data set");
    if (message.data_set_too_long)
        return Outcome(Status::out_of_resources, "object longer than the limit here");
    return std::nullopt;
}

StoreRequest Session::store_request_of(const Message& message) const {
    StoreRequest request;
    request.sop_class_uid = *message.command.affected_sop_class_uid;
    request.sop_instance_uid = *message.command.affected_sop_instance_uid;
    request.transfer_syntax_uid = context_of(message).transfer_syntax;
    request.move_originator = message.command.move_originator;
    request.move_originator_message_id = message.command.move_originator_message_id.value_or(0);
    return request;
}

/// What will be refused is not kept while it arrives.
std::unique_ptr<ObjectReceiver> Session::receiver_for(Message& message) {
    if (check_store(message)) {
        message.data_set_too_long = true;
        return nullptr;
    }
    auto on_room = [weak = weak_from_this(), executor = association_->executor()] {
        asio::post(executor, [weak] {
            if (const auto self = weak.lock()) self->association_->resume();
        });
    };
    return handlers_.store->receive(info_, store_request_of(message), std::move(on_room));
}

std::size_t Session::front_room_for(const Message& message) {
    return check_store(message) ? 0 : handlers_.store->front_room(info_, store_request_of(message));
}

Task<Result<void>> Session::serve_store(Message message) {
    if (auto refusal = check_store(message)) co_return co_await answer(message, std::move(*refusal));
    if (message.receiver) {
        auto finished = co_await message.receiver->finish();
        co_return co_await answer(message, std::move(finished));
    }
    auto request = store_request_of(message);
    auto outcome = co_await handlers_.store->store(info_, std::move(request), std::move(message.data_set));
    co_return co_await answer(message, std::move(outcome));
}

std::optional<Outcome> Session::check_query(const Message& message, ul::ServiceKind wanted,
                                            bool has_handler) const {
    const auto& context = context_of(message);
    const auto& uid = message.command.affected_sop_class_uid;
    if (ul::service_kind(context.abstract_syntax) != wanted || !has_handler)
        return Outcome(Status::sop_class_not_supported, "service not offered in this context");
    if (!uid || !(*uid == context.abstract_syntax))
        return Outcome(Status::identifier_does_not_match_sop_class,
                       "Affected SOP Class UID is not the context's abstract syntax",
                       {dicom::tags::AffectedSOPClassUID});
    if (!message.command.has_data_set) return Outcome(Status::cannot_understand, "identifier missing");
    if (message.data_set_too_long)
        return Outcome(Status::out_of_resources, "identifier longer than the limit here");
    if (dicom::find_transfer_syntax(context.transfer_syntax) == nullptr)
        return Outcome(Status::cannot_understand, "unknown transfer syntax");
    return std::nullopt;
}

QueryRequest Session::query_of(Message& message) const {
    QueryRequest request;
    request.sop_class_uid = *message.command.affected_sop_class_uid;
    request.syntax = dicom::find_transfer_syntax(context_of(message).transfer_syntax);
    request.identifier = std::move(message.data_set);
    request.priority = message.command.priority.value_or(0);
    request.message_id = *message.command.message_id;
    const auto& context = context_of(message);
    request.extensions = ul::read_query_extensions(context.abstract_syntax, context.application_information) |
                         assumed_extensions_;
    return request;
}

Task<Result<void>> Session::serve_find(Message message) {
    if (auto refusal = check_query(message, ul::ServiceKind::find, handlers_.find != nullptr))
        co_return co_await answer(message, std::move(*refusal));
    QueryRequest request = query_of(message);
    FindOut out(*this, message, *request.syntax);
    auto outcome = co_await handlers_.find->find(info_, std::move(request), out);
    co_return co_await answer(message, std::move(outcome));
}

Task<Result<void>> Session::serve_get(Message message) {
    if (auto refusal = check_query(message, ul::ServiceKind::get, handlers_.get != nullptr))
        co_return co_await answer(message, std::move(*refusal));
    QueryRequest request = query_of(message);
    GetOut out(*this, message);
    auto result = co_await handlers_.get->get(info_, std::move(request), out);
    co_return co_await finish_retrieve(message, std::move(result));
}

Task<Result<void>> Session::serve_move(Message message) {
    auto refusal = check_query(message, ul::ServiceKind::move, handlers_.move != nullptr);
    if (!refusal && !message.command.move_destination)
        refusal.emplace(Status::move_destination_unknown, "Move Destination missing or not an AE title");
    if (refusal) co_return co_await answer(message, std::move(*refusal));
    QueryRequest request = query_of(message);
    const ul::AeTitle destination = *message.command.move_destination;
    MoveOut out(*this, message);
    auto result = co_await handlers_.move->move(info_, std::move(request), destination, out);
    co_return co_await finish_retrieve(message, std::move(result));
}

Task<Result<void>> Session::finish_retrieve(const Message& message, RetrieveOutcome result) {
    note(message, result.outcome);
    CommandSet command = response_command(message, result.outcome);
    set_counts(command, result.counts, result.outcome.status == Status::cancel);
    ByteBuffer identifier;
    if (!result.failed_sop_instance_uids.empty()) {
        std::string list;
        for (const auto& uid : result.failed_sop_instance_uids) {
            if (!list.empty()) list += '\\';
            list += uid.view();
        }
        dicom::DataSet failed;
        failed.set_text(dicom::Tag(0x0008, 0x0058), dicom::Vr::UI, list);
        const auto* syntax = dicom::find_transfer_syntax(context_of(message).transfer_syntax);
        // A list too long for its length field is left out: the counts still tell the truth.
        command.has_data_set = dicom::write_data_set(failed, *syntax, identifier).has_value();
    }
    co_return co_await send(message.context, std::move(command), identifier.span());
}

// ---- C-GET sub-operations

std::vector<std::string> Session::transfer_syntaxes_to_peer(const dicom::Uid& sop_class_uid) const {
    std::vector<std::string> syntaxes;
    for (const auto& context : association_->contexts())
        if (context.requestor_is_scp && sop_class_uid == context.abstract_syntax)
            syntaxes.push_back(context.transfer_syntax);
    return syntaxes;
}

Task<Result<void>> Session::store_to_peer(NextStore next, OnStored on_stored,
                                          std::uint16_t request_message_id) {
    StorePipeline::Settings settings;
    settings.window = window_.performed == 0 ? kMaxOwnOperations : window_.performed;
    settings.response_timeout = settings_.response_timeout;
    settings.context_for = [this](const OutgoingStore& store) {
        const ul::AcceptedPresentationContext* context = nullptr;
        for (const auto& one : association_->contexts()) {
            const bool fits = one.requestor_is_scp && store.sop_class_uid == one.abstract_syntax &&
                              store.transfer_syntax_uid == one.transfer_syntax;
            if (fits) context = &one;
        }
        return context;
    };
    settings.next_message_id = [this, request_message_id] {
        if (next_message_id_ == request_message_id) ++next_message_id_;
        return next_message_id_++;
    };
    expects_responses_ = true;
    StorePipeline pipeline(*this, std::move(settings));
    auto done = co_await pipeline.run(std::move(next), std::move(on_stored));
    expects_responses_ = false;
    co_return done;
}

Task<Result<Outcome>> Session::await_answer(CommandField request, std::uint16_t message_id) {
    association_->expect_data(settings_.response_timeout);
    auto response = co_await receive_response();
    association_->expect_data(ul::Duration::zero());
    expects_responses_ = false;
    if (!response) co_return std::move(response).error();
    const bool ours = response->command.field == response_to(request) &&
                      response->command.responded_message_id == message_id;
    if (!ours) co_return protocol_error("response to a message that was not sent");
    co_return response->command.outcome();
}

}  // namespace sagitta::net::dimse
