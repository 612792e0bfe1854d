// What the DIMSE server asks of those who know what a request means: one interface per service,
// implemented in `service`. Handlers run on the association's executor, may co_await anything
// (WorkerPool for what blocks), and answer in every case: their return value is the response.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "core/task.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"
#include "dicom/uid.h"
#include "net/dimse/normalized.h"
#include "net/dimse/object_receiver.h"
#include "net/dimse/outgoing_store.h"
#include "net/dimse/status.h"
#include "net/ul/ae_title.h"
#include "net/ul/negotiation.h"
#include "net/ul/tls_identity.h"

namespace sagitta::net::dimse {

/// Who is on the other side. Lives as long as the association's handlers run.
struct AssociationInfo {
    std::uint64_t id = 0;  ///< unique in this process; stands in every log line
    ul::AeTitle calling;
    ul::AeTitle called;
    std::string peer_address;  ///< "192.0.2.7:50312"
    std::string peer_host;     ///< "192.0.2.7"
    std::string peer_implementation_class_uid;
    std::string peer_implementation_version_name;  ///< untrusted text
    std::string user;                              ///< proven by user identity negotiation, else empty
    std::optional<ul::TlsPeer> tls;                ///< nothing on a plain connection
};

/// Decides who may come in. Called on io threads: thread-safe, does not block.
class AssociationGate {
public:
    virtual ~AssociationGate() = default;

    /// The policy to negotiate by, or why not (AE titles, host, limits). `info` has no id semantics
    /// beyond logging.
    [[nodiscard]] virtual std::variant<ul::NegotiationPolicy, ul::Rejection> admit(
        const AssociationInfo& info) = 0;
    /// The association is over, however it ended; once for every admitted one.
    virtual void closed(const AssociationInfo& info) = 0;
};

/// What came of a user identity.
struct Identity {
    bool accepted = true;
    std::string user;  ///< proven; empty when nobody in particular was accepted
    std::string why;   ///< not accepted: one line for the log, untrusted text escaped
};

/// Decides who somebody is (PS3.7 D.3.3.7), once admitted by the gate.
class IdentityHandler {
public:
    virtual ~IdentityHandler() = default;
    /// Asked of every association. `claim` holds secrets: not kept, not logged.
    [[nodiscard]] virtual Task<Identity> identify(const AssociationInfo& association,
                                                  std::optional<ul::UserIdentityRq> claim) = 0;
};

class EchoHandler {
public:
    virtual ~EchoHandler() = default;
    [[nodiscard]] virtual Task<Outcome> echo(const AssociationInfo& association) = 0;
};

struct StoreRequest {
    dicom::Uid sop_class_uid;  ///< Affected SOP Class UID, the same as the context's
    dicom::Uid sop_instance_uid;
    std::string transfer_syntax_uid;  ///< of the data set
    std::optional<ul::AeTitle> move_originator;
    std::uint16_t move_originator_message_id = 0;
};

class StoreHandler {
public:
    virtual ~StoreHandler() = default;
    /// `data_set` is the object as received, without file meta information. Success means durable.
    [[nodiscard]] virtual Task<Outcome> store(const AssociationInfo& association, StoreRequest request,
                                              ByteBuffer data_set) = 0;
    /// Bytes that `store` will put in front of the data set; where they are known there is room for them
    /// (ByteBuffer::front). Asked before each object.
    [[nodiscard]] virtual std::size_t front_room(const AssociationInfo& /*association*/,
                                                 const StoreRequest& /*request*/) {
        return 0;
    }
    /// Asked once an object has become longer than ServerSettings::stream_above_bytes: who takes it as it
    /// arrives; null: it is collected for `store` all the same. `on_room` may be called on any thread.
    [[nodiscard]] virtual std::unique_ptr<ObjectReceiver> receive(const AssociationInfo& /*association*/,
                                                                  StoreRequest /*request*/,
                                                                  std::function<void()> /*on_room*/) {
        return nullptr;
    }
};

/// The identifier of a query or retrieval, encoded in `syntax`.
struct QueryRequest {
    dicom::Uid sop_class_uid;
    const dicom::TransferSyntax* syntax = nullptr;  ///< never null
    ByteBuffer identifier;
    std::uint16_t priority = 0;  ///< 0 medium, 1 high, 2 low
    std::uint16_t message_id = 0;
    ul::QueryExtensions extensions;  ///< agreed, or done for this peer without
};

/// Where the matches go. Belongs to the server; valid until `find` returns.
class FindResponder {
public:
    virtual ~FindResponder() = default;
    /// One match. Encoded at once, so `identifier` is not kept; several leave in one write. Errors
    /// mean that nobody is listening any more: stop.
    [[nodiscard]] virtual Task<Result<void>> pending(const dicom::DataSet& identifier,
                                                     Status status = Status::pending) = 0;
    /// A C-CANCEL-RQ has come, or the association is gone: stop soon and answer Status::cancel.
    [[nodiscard]] virtual bool cancelled() const = 0;
};

class FindHandler {
public:
    virtual ~FindHandler() = default;
    [[nodiscard]] virtual Task<Outcome> find(const AssociationInfo& association, QueryRequest request,
                                             FindResponder& out) = 0;
};

/// PS3.7 9.1.3.1.6 to 9.1.3.1.9.
struct SubOperationCounts {
    std::uint16_t remaining = 0;
    std::uint16_t completed = 0;
    std::uint16_t failed = 0;
    std::uint16_t warning = 0;
};

/// The end of a C-GET or C-MOVE. `counts.remaining` is sent only with Status::cancel.
struct RetrieveOutcome {
    Outcome outcome;
    SubOperationCounts counts;
    std::vector<dicom::Uid> failed_sop_instance_uids;  ///< sent as (0008,0058)
};

class MoveResponder {
public:
    virtual ~MoveResponder() = default;
    /// Progress. Errors mean that nobody is listening any more.
    [[nodiscard]] virtual Task<Result<void>> pending(SubOperationCounts counts) = 0;
    [[nodiscard]] virtual bool cancelled() const = 0;
};

class GetResponder : public MoveResponder {
public:
    /// C-STOREs on the same association, until `next` has no more; as StorePipeline::run. Errors: what ended
    /// the association.
    [[nodiscard]] virtual Task<Result<void>> store_all(NextStore next, OnStored on_stored) = 0;
    /// What the peer takes for a SOP class; empty when it takes none.
    [[nodiscard]] virtual std::vector<std::string> transfer_syntaxes_for(
        const dicom::Uid& sop_class_uid) const = 0;
};

class GetHandler {
public:
    virtual ~GetHandler() = default;
    [[nodiscard]] virtual Task<RetrieveOutcome> get(const AssociationInfo& association, QueryRequest request,
                                                    GetResponder& out) = 0;
};

class MoveHandler {
public:
    virtual ~MoveHandler() = default;
    /// Opens associations of its own (net/scu) to `destination`, naming `association.calling` and
    /// `request.message_id` as move originator.
    [[nodiscard]] virtual Task<RetrieveOutcome> move(const AssociationInfo& association, QueryRequest request,
                                                     ul::AeTitle destination, MoveResponder& out) = 0;
};

class ActionHandler {
public:
    virtual ~ActionHandler() = default;
    /// N-ACTION. `back` is for what is known only later.
    [[nodiscard]] virtual Task<Outcome> action(const AssociationInfo& association, NormalizedRequest request,
                                               std::shared_ptr<EventChannel> back) = 0;
};

/// Managed instances that others create, change and read: N-CREATE, N-SET, N-GET.
class InstanceHandler {
public:
    virtual ~InstanceHandler() = default;
    [[nodiscard]] virtual Task<InstanceAnswer> create(const AssociationInfo& association,
                                                      NormalizedRequest request) = 0;
    [[nodiscard]] virtual Task<InstanceAnswer> set(const AssociationInfo& association,
                                                   NormalizedRequest request) = 0;
    [[nodiscard]] virtual Task<InstanceAnswer> get(const AssociationInfo& association,
                                                   NormalizedRequest request) = 0;
};

class EventHandler {
public:
    virtual ~EventHandler() = default;
    /// N-EVENT-REPORT from a peer in the SCP role.
    [[nodiscard]] virtual Task<Outcome> event(const AssociationInfo& association,
                                              NormalizedRequest request) = 0;
};

/// A null handler means the service is not offered: its requests answer 0122. Not owned.
struct Handlers {
    AssociationGate* gate = nullptr;      ///< required
    IdentityHandler* identity = nullptr;  ///< null: whatever identity is stated means nothing
    EchoHandler* echo = nullptr;          ///< null: the server itself answers success
    StoreHandler* store = nullptr;
    FindHandler* find = nullptr;
    GetHandler* get = nullptr;
    MoveHandler* move = nullptr;
    ActionHandler* action = nullptr;
    EventHandler* event = nullptr;
    InstanceHandler* instance = nullptr;
};

}  // namespace sagitta::net::dimse
