// The part of a session that serves DIMSE-N (PS3.7 section 10).
#include <utility>

#include <asio/post.hpp>

#include "dicom/writer.h"
#include "net/dimse/session.h"

namespace sagitta::net::dimse {

namespace {

/// What a service holds of a session: the way back, as long as there is one.
class SessionChannel final : public EventChannel {
public:
    explicit SessionChannel(std::weak_ptr<Session> session) : session_(std::move(session)) {}

    void report(EventReport event, std::function<void(Result<Outcome>)> done) override {
        if (const auto session = session_.lock())
            return session->post_report(std::move(event), std::move(done));
        done(Error(Errc::connection_lost, "the association is over"));
    }

private:
    std::weak_ptr<Session> session_;
};

}  // namespace

std::optional<Outcome> Session::check_normalized(const Message& message, bool peer_may,
                                                 bool has_handler) const {
    const auto& context = context_of(message);
    const auto& command = message.command;
    const bool is_event = command.field == CommandField::n_event_report_rq;
    const auto& sop_class = is_event ? command.affected_sop_class_uid : command.requested_sop_class_uid;
    const auto& instance = is_event ? command.affected_sop_instance_uid : command.requested_sop_instance_uid;
    const auto& type = is_event ? command.event_type_id : command.action_type_id;
    if (ul::service_kind(context.abstract_syntax) != ul::ServiceKind::commitment || !has_handler || !peer_may)
        return Outcome(Status::sop_class_not_supported, "service not offered in this context");
    if (!sop_class || !(*sop_class == context.abstract_syntax))
        return Outcome(Status::no_such_sop_class, "SOP Class UID is not the context's abstract syntax");
    if (!instance) return Outcome(Status::no_such_sop_instance, "SOP Instance UID missing or not a UID");
    if (!type)
        return Outcome(is_event ? Status::no_such_event_type : Status::no_such_action, "type id missing");
    if (message.data_set_too_long)
        return Outcome(Status::resource_limitation, "data set longer than the limit here");
    if (dicom::find_transfer_syntax(context.transfer_syntax) == nullptr)
        return Outcome(Status::processing_failure, "unknown transfer syntax");
    return std::nullopt;
}

NormalizedRequest Session::normalized_of(Message& message) const {
    const auto& command = message.command;
    const bool is_event = command.field == CommandField::n_event_report_rq;
    NormalizedRequest request;
    request.sop_class_uid = is_event ? *command.affected_sop_class_uid : *command.requested_sop_class_uid;
    request.sop_instance_uid =
        is_event ? *command.affected_sop_instance_uid : *command.requested_sop_instance_uid;
    request.type_id = is_event ? *command.event_type_id : *command.action_type_id;
    request.syntax = dicom::find_transfer_syntax(context_of(message).transfer_syntax);
    request.data_set = std::move(message.data_set);
    return request;
}

Task<Result<void>> Session::serve_action(Message message) {
    const bool peer_may = context_of(message).requestor_is_scu;
    if (auto refusal = check_normalized(message, peer_may, handlers_.action != nullptr))
        co_return co_await answer(message, std::move(*refusal));
    NormalizedRequest request = normalized_of(message);
    std::shared_ptr<EventChannel> back = std::make_shared<SessionChannel>(weak_from_this());
    auto outcome = co_await handlers_.action->action(info_, std::move(request), std::move(back));
    co_return co_await answer(message, std::move(outcome));
}

Task<Result<void>> Session::serve_event(Message message) {
    const bool peer_may = context_of(message).requestor_is_scp;
    if (auto refusal = check_normalized(message, peer_may, handlers_.event != nullptr))
        co_return co_await answer(message, std::move(*refusal));
    NormalizedRequest request = normalized_of(message);
    auto outcome = co_await handlers_.event->event(info_, std::move(request));
    co_return co_await answer(message, std::move(outcome));
}

// ---- reports

void Session::post_report(EventReport event, std::function<void(Result<Outcome>)> done) {
    auto take = [self = shared_from_this(),
                 report = PendingReport{std::move(event), std::move(done)}]() mutable {
        if (!self->serving_) return report.done(Error(Errc::connection_lost, "the association is over"));
        self->reports_.push_back(std::move(report));
        self->interrupt();
        self->all_taken();
    };
    asio::post(association_->executor(), std::move(take));
}

Task<void> Session::send_reports() {
    association_->expect_data(ul::Duration::zero());
    while (!reports_.empty()) {
        PendingReport report = std::move(reports_.front());
        reports_.pop_front();
        auto outcome = co_await send_report(report.event);
        report.done(std::move(outcome));
    }
}

Task<Result<Outcome>> Session::send_report(const EventReport& event) {
    if (Messenger::ended() || release_is_requested())
        co_return Error(Errc::connection_lost, "the association is over");
    const ul::AcceptedPresentationContext* context = nullptr;
    for (const auto& one : association_->contexts())
        if (event.sop_class_uid == one.abstract_syntax && one.requestor_is_scu) context = &one;
    if (context == nullptr) co_return Error(Errc::unsupported, "no presentation context for the report");
    ByteBuffer encoded;
    auto written = dicom::write_data_set(event.information,
                                         *dicom::find_transfer_syntax(context->transfer_syntax), encoded);
    if (!written) co_return std::move(written).error();
    CommandSet command;
    command.field = CommandField::n_event_report_rq;
    command.message_id = next_message_id_++;
    command.affected_sop_class_uid = event.sop_class_uid;
    command.affected_sop_instance_uid = event.sop_instance_uid;
    command.event_type_id = event.event_type_id;
    command.has_data_set = true;
    const std::uint16_t id = *command.message_id;
    expects_responses_ = true;
    auto sent = co_await send(context->id, std::move(command), encoded.span());
    if (!sent) {
        expects_responses_ = false;
        co_return std::move(sent).error();
    }
    co_return co_await await_answer(CommandField::n_event_report_rq, id);
}

void Session::drop_reports() {
    for (auto& report : std::exchange(reports_, {}))
        report.done(Error(Errc::connection_lost, "the association is over"));
}

}  // namespace sagitta::net::dimse
