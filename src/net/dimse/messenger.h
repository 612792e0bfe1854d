// Messages over one association: queues what arrives, sends what is said. The part that the
// server's session and the client share.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "net/dimse/message.h"
#include "net/dimse/payload.h"
#include "net/ul/association.h"
#include "net/ul/signal.h"

namespace sagitta::net::dimse {

/// Not thread-safe; lives on the association's executor. `association` and this own each other
/// until the association's end.
class Messenger : public ul::AssociationUser {
public:
    Messenger(std::shared_ptr<ul::Association> association, AssemblyLimits limits,
              ReceiverSource receivers = {}, FrontRoom front_room = {});

    /// The next request, in order of arrival; nothing when the peer wants to release and nothing is left
    /// to do, or after interrupt(). Errors: what ended the association.
    [[nodiscard]] Task<Result<std::optional<Message>>> receive_request();
    /// The next response. Errors: as above.
    [[nodiscard]] Task<Result<Message>> receive_response();
    /// The same, if one is there.
    [[nodiscard]] std::optional<Message> take_response();
    /// Whatever comes next.
    [[nodiscard]] Task<Result<Message>> receive_any();

    /// A message without data set, or a small one; copied, and written at once.
    [[nodiscard]] Task<Result<void>> send(ul::PresentationContextId context, CommandSet command,
                                          std::span<const std::byte> data_set = {});
    /// A message whose data set comes in chunks. When the first chunk fails nothing has been sent
    /// and the association goes on; when a later one fails it is aborted.
    [[nodiscard]] Task<Result<void>> send(ul::PresentationContextId context, CommandSet command,
                                          Payload& payload);
    /// Like send, but leaves with what follows; waits only when much is waiting.
    [[nodiscard]] Task<Result<void>> send_soon(ul::PresentationContextId context, const CommandSet& command,
                                               std::span<const std::byte> data_set);

    /// Says which request a C-CANCEL-RQ means now; empty for none.
    void set_active(std::optional<std::uint16_t> message_id, bool already_cancelled = false);
    /// It has been cancelled, or nobody is there any more.
    [[nodiscard]] bool cancelled() const noexcept { return cancelled_ || ended_; }
    [[nodiscard]] bool ended() const noexcept { return ended_.has_value(); }
    [[nodiscard]] ul::Association& association() const noexcept { return *association_; }
    /// Aborts for a peer that broke PS3.7, and says so.
    Error protocol_error(std::string what);

    std::variant<ul::Negotiated, ul::Rejection> decide(const ul::AssociateRq& request) override;
    void established() override {}
    Result<void> received(const ul::Pdv& pdv) override;
    bool wants_more() const override;
    bool may_get_more() const override;
    void release_requested() override;
    void ended(const ul::End& end) override;

protected:
    /// Lets receive_request come back without a request, once.
    void interrupt();
    /// What receive_request would give now; null when nothing, or not a request.
    [[nodiscard]] const Message* next_request() const noexcept;
    [[nodiscard]] bool is_interrupted() const noexcept { return interrupted_; }
    /// Takes the first of them, which is there, off the queue.
    Message pop(bool response);
    [[nodiscard]] bool release_is_requested() const noexcept { return release_requested_; }

    /// Responses are a protocol error unless somebody waits for one.
    bool expects_responses_ = false;
    /// Without a window (PS3.7 D.3.3.3) the peer of a finished message waits for our answer.
    bool one_at_a_time_ = false;
    /// The peer may release whenever nothing is queued, without anybody receiving.
    bool confirms_release_at_once_ = false;
    std::shared_ptr<ul::Association> association_;

private:
    void take(Message message);
    [[nodiscard]] Task<Result<void>> send_chunks(ul::PresentationContextId context, ByteBuffer head,
                                                 std::span<const std::byte> first, Payload& payload);
    [[nodiscard]] Task<Result<void>> send_from_file(ul::PresentationContextId context, ByteBuffer head,
                                                    FileRange first, Payload& payload);
    Error abandon(Error why);
    [[nodiscard]] bool has(bool response) const noexcept;

    MessageAssembler assembler_;
    std::deque<Message> queue_;
    std::uint64_t queued_bytes_ = 0;
    ul::Signal arrived_;
    std::optional<ul::End> ended_;
    std::optional<std::uint16_t> active_;
    bool cancelled_ = false;
    bool answer_goes_on_ = false;  ///< the last message was a pending response
    bool release_requested_ = false;
    bool interrupted_ = false;
};

}  // namespace sagitta::net::dimse
