// One association served: requests in order, each given to its handler, each answered (PS3.7
// section 9.1). Internal to net/dimse; others use server.h.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <string>

#include "net/dimse/handlers.h"
#include "net/dimse/messenger.h"
#include "net/dimse/server.h"

namespace sagitta::net::dimse {

class Session final : public Messenger, public std::enable_shared_from_this<Session> {
public:
    /// `at_end` runs when no handler of this session will run any more.
    Session(std::shared_ptr<ul::Association> association, const ServerSettings& settings,
            const Handlers& handlers, std::function<void()> at_end);
    ~Session() override;

    bool needs_time(const ul::AssociateRq& request) const override;
    Task<void> prepare(const ul::AssociateRq& request) override;
    std::variant<ul::Negotiated, ul::Rejection> decide(const ul::AssociateRq& request) override;
    void established() override;
    void all_taken() override;
    void ended(const ul::End& end) override;

    /// The C-STORE sub-operations of a C-GET.
    [[nodiscard]] Task<Result<void>> store_to_peer(NextStore next, OnStored on_stored,
                                                   std::uint16_t request_message_id);
    [[nodiscard]] std::vector<std::string> transfer_syntaxes_to_peer(const dicom::Uid& sop_class_uid) const;

    /// Thread-safe: see EventChannel.
    void post_report(EventReport event, std::function<void(Result<Outcome>)> done);

private:
    struct PendingReport {
        EventReport event;
        std::function<void(Result<Outcome>)> done;
    };

    void meet(const ul::AssociateRq& request);
    [[nodiscard]] bool is_simple_echo(const Message& message) const;
    Task<void> run();
    [[nodiscard]] bool may_overlap(const Message& message) const;
    Task<void> serve_alone(Message message);
    void begin_store(Message message);
    Task<void> serve_beside(Message message);
    Task<void> await_stores(std::size_t most);
    Task<Result<void>> serve(Message message);
    void note(const Message& message, const Outcome& outcome) const;
    Task<Result<void>> answer(const Message& message, Outcome outcome);
    Task<Result<void>> serve_unknown(Message message);
    Task<Result<void>> serve_echo(Message message);
    Task<Result<void>> serve_store(Message message);
    Task<Result<void>> serve_find(Message message);
    Task<Result<void>> serve_get(Message message);
    Task<Result<void>> serve_move(Message message);
    Task<Result<void>> serve_action(Message message);
    Task<Result<void>> serve_event(Message message);
    Task<Result<void>> serve_instance(Message message);
    [[nodiscard]] std::optional<Outcome> check_instance(const Message& message) const;
    Task<Result<void>> answer_instance(const Message& message, InstanceAnswer answer);
    Task<void> send_reports();
    Task<Result<Outcome>> send_report(const EventReport& event);
    Task<Result<Outcome>> await_answer(CommandField request, std::uint16_t message_id);
    void drop_reports();
    [[nodiscard]] std::optional<Outcome> check_normalized(const Message& message, bool peer_may,
                                                          bool has_handler) const;
    [[nodiscard]] NormalizedRequest normalized_of(Message& message) const;
    Task<Result<void>> finish_retrieve(const Message& message, RetrieveOutcome result);
    [[nodiscard]] const ul::AcceptedPresentationContext& context_of(const Message& message) const;
    [[nodiscard]] std::optional<Outcome> check_query(const Message& message, ul::ServiceKind wanted,
                                                     bool has_handler) const;
    [[nodiscard]] std::optional<Outcome> check_store(const Message& message) const;
    [[nodiscard]] StoreRequest store_request_of(const Message& message) const;
    [[nodiscard]] std::unique_ptr<ObjectReceiver> receiver_for(Message& message);
    [[nodiscard]] std::size_t front_room_for(const Message& message);
    [[nodiscard]] QueryRequest query_of(Message& message) const;

    const ServerSettings& settings_;
    const Handlers& handlers_;
    std::function<void()> at_end_;
    AssociationInfo info_;
    bool admitted_ = false;
    std::variant<ul::NegotiationPolicy, ul::Rejection> admission_;
    std::optional<Identity> identity_;
    ul::QueryExtensions assumed_extensions_;
    std::deque<PendingReport> reports_;
    std::uint16_t next_message_id_ = 1;
    ul::AsynchronousOperationsWindow window_;  ///< agreed: of the peer's operations, and of ours
    std::size_t stores_ = 0;                   ///< being served at the same time
    std::uint64_t store_bytes_ = 0;
    ul::Signal store_done_;
    bool running_ = false;  ///< run() was needed, and will say when it is over
    bool serving_ = false;  ///< requests and reports are taken
};

}  // namespace sagitta::net::dimse
