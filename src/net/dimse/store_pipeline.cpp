#include "net/dimse/store_pipeline.h"

#include <utility>

namespace sagitta::net::dimse {

/// Errors leave the association open, or end it: the caller looks.
Task<Result<void>> StorePipeline::send(OutgoingStore store) {
    const auto* context = settings_.context_for(store);
    if (context == nullptr)
        co_return Error(Errc::unsupported, "the peer accepted no presentation context for it");
    std::uint16_t id = settings_.next_message_id();
    while (outstanding_.contains(id)) id = settings_.next_message_id();
    CommandSet command;
    command.field = CommandField::c_store_rq;
    command.message_id = id;
    command.affected_sop_class_uid = store.sop_class_uid;
    command.affected_sop_instance_uid = store.sop_instance_uid;
    command.priority = std::uint16_t{0};
    command.move_originator = store.move_originator;
    if (store.move_originator) command.move_originator_message_id = store.move_originator_message_id;
    auto sent = co_await messenger_.send(context->id, std::move(command), *store.payload);
    if (!sent) co_return std::move(sent).error();
    outstanding_.emplace(id, given_ - 1);
    co_return Result<void>();
}

/// Takes what has arrived, and waits while more than `most_outstanding` answers are missing.
Task<Result<void>> StorePipeline::take_answers(std::size_t most_outstanding, const OnStored& on_stored) {
    auto& association = messenger_.association();
    while (!outstanding_.empty()) {
        auto response = messenger_.take_response();
        if (!response && outstanding_.size() <= most_outstanding) break;
        if (!response) {
            association.expect_data(settings_.response_timeout);
            auto received = co_await messenger_.receive_response();
            association.expect_data(ul::Duration::zero());
            if (!received) co_return std::move(received).error();
            response = std::move(*received);
        }
        const auto& command = response->command;
        const auto asked = outstanding_.find(*command.responded_message_id);
        if (command.field != CommandField::c_store_rsp || asked == outstanding_.end())
            co_return messenger_.protocol_error("response to a message that was not sent");
        const std::size_t index = asked->second;
        outstanding_.erase(asked);
        Result<Outcome> answer = command.outcome();
        co_await on_stored(index, std::move(answer));
    }
    co_return Result<void>();
}

Task<Result<void>> StorePipeline::run(NextStore next, OnStored on_stored) {
    Result<void> result;
    for (;;) {
        if (messenger_.ended()) {
            result = Error(Errc::connection_lost, "the association ended");
            break;
        }
        auto store = co_await next();
        if (!store) break;
        const std::size_t index = given_++;
        auto sent = co_await send(std::move(*store));
        if (!sent) {
            const Error why = sent.error();
            Result<Outcome> answer = why;
            co_await on_stored(index, std::move(answer));
            if (messenger_.ended()) {
                result = why;
                break;
            }
        }
        result = co_await take_answers(settings_.window - 1u, on_stored);
        if (!result) break;
    }
    auto rest = co_await take_answers(0, on_stored);
    if (result) result = std::move(rest);
    if (result) co_return result;
    for (const auto& [id, index] : std::exchange(outstanding_, {})) {
        Result<Outcome> answer = result.error();
        co_await on_stored(index, std::move(answer));
    }
    co_return result;
}

}  // namespace sagitta::net::dimse
