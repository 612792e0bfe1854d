// What we ask of other nodes: echo, store, find, get, move over one association (PS3.7 section 9.1).
// The peer is hostile: wrong ids, endless or missing answers end in an Error, never in a hang.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "core/task.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"
#include "dicom/uid.h"
#include "net/dimse/handlers.h"
#include "net/dimse/message.h"
#include "net/dimse/outgoing_store.h"
#include "net/dimse/payload.h"
#include "net/dimse/status.h"
#include "net/ul/association.h"
#include "net/ul/tls_context.h"

namespace sagitta::net::scu {

struct Address {
    ul::AeTitle called;
    std::string host;  ///< name or number
    std::uint16_t port = 104;
    std::shared_ptr<const ul::TlsContext> tls;  ///< null: plain
    std::string tls_identity;                   ///< as of ul::ConnectOptions
};

/// One wish: this SOP class in any of these transfer syntaxes, in order of preference.
struct WantedContext {
    std::string sop_class_uid;
    std::vector<std::string> transfer_syntaxes;
    bool as_scp = false;  ///< we take C-STOREs for it (C-GET) or bring reports: proposes the SCP role
    bool as_scu = true;   ///< false with as_scp: proposes the SCP role alone
    bool operator==(const WantedContext&) const = default;
};

struct ClientSettings {
    ul::AeTitle calling;
    ul::AssociationSettings association;
    std::uint32_t max_pdu_bytes = 256 * 1024;
    ul::Duration response_timeout = std::chrono::seconds(60);  ///< between two messages of the peer
    std::uint64_t max_object_bytes = std::uint64_t{2} << 30;   ///< of an incoming data set
    /// C-STOREs whose answers may be outstanding, if the peer agrees (PS3.7 D.3.3.3): of ours, and of its own
    /// in a C-GET. 1 proposes nothing.
    std::uint16_t operations_window = 1;
    std::optional<ul::UserIdentityRq> user_identity;  ///< who we say we are (PS3.7 D.3.3.7)
};

/// Presentation contexts for what is to be sent: one context per (SOP class, transfer syntax), at
/// most 128 in all; when they do not fit, contexts of one SOP class share, then the rest is left
/// out. Duplicates are merged.
[[nodiscard]] std::vector<ul::ProposedPresentationContext> propose(std::span<const WantedContext> wanted);

/// What a C-STORE says beside its bytes.
struct StoreOperation {
    dicom::Uid sop_class_uid;
    dicom::Uid sop_instance_uid;
    std::string transfer_syntax_uid;
    std::optional<ul::AeTitle> move_originator;
    std::uint16_t move_originator_message_id = 0;
};

/// An instance that a C-GET brought.
struct ReceivedInstance {
    dicom::Uid sop_class_uid;
    dicom::Uid sop_instance_uid;
    std::string transfer_syntax_uid;
    ByteBuffer data_set;
};

/// The end of a C-GET or C-MOVE as the peer tells it.
struct RetrieveReport {
    dimse::Outcome outcome;
    dimse::SubOperationCounts counts;
    /// What came without UIDs or data set, or too long: refused here, whatever the peer says of it.
    std::uint64_t unusable = 0;
};

/// A request of the SOP Class's own kind (PS3.7 10.1.4), or a report of ours (10.1.1).
struct NormalizedOperation {
    dicom::Uid sop_class_uid;
    dicom::Uid sop_instance_uid;
    std::uint16_t type_id = 0;
    dicom::DataSet data_set;
};

/// One identifier of a C-FIND; `data_set` lives during the call. False stops with a C-CANCEL.
using OnMatch = std::function<Task<bool>(const dicom::DataSet& identifier)>;
using OnInstance = std::function<Task<dimse::Outcome>(ReceivedInstance instance)>;
/// Progress of a retrieval; false sends a C-CANCEL.
using OnProgress = std::function<bool(const dimse::SubOperationCounts& counts)>;

/// Open association. One operation at a time; all on the executor it was opened on. Destroyed
/// without release, it aborts. An Error (not a status) means that the association is over, except
/// where noted.
class Client {
public:
    /// Connects and negotiates on the caller's executor. Errors: refused (with the reason),
    /// timeout, connection_lost, not_found (no such host), protocol_error.
    [[nodiscard]] static Task<Result<std::unique_ptr<Client>>> open(Address peer, ClientSettings settings,
                                                                    std::vector<WantedContext> wanted);
    ~Client();
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;

    [[nodiscard]] std::span<const ul::AcceptedPresentationContext> contexts() const;
    /// False once released, aborted or lost.
    [[nodiscard]] bool is_open() const;
    /// A context for that SOP class, and transfer syntax unless it is empty; null when none.
    [[nodiscard]] const ul::AcceptedPresentationContext* context_for(
        std::string_view sop_class_uid, std::string_view transfer_syntax_uid = {}) const;

    /// Error unsupported (here and below): no context for it; the association goes on.
    [[nodiscard]] Task<Result<dimse::Outcome>> echo();
    /// When the payload fails before its first byte, its error is returned and the association
    /// goes on (is_open).
    [[nodiscard]] Task<Result<dimse::Outcome>> store(StoreOperation operation, dimse::Payload& payload);
    /// Many, as many at a time as the peer agreed to: see StorePipeline.
    [[nodiscard]] Task<Result<void>> store_all(dimse::NextStore next, dimse::OnStored on_stored);
    /// What was agreed: our operations at a time.
    [[nodiscard]] std::uint16_t window() const;
    /// `identifier` is encoded in the context's transfer syntax.
    [[nodiscard]] Task<Result<dimse::Outcome>> find(dicom::Uid sop_class_uid,
                                                    const dicom::DataSet& identifier, OnMatch on_match);
    [[nodiscard]] Task<Result<RetrieveReport>> get(dicom::Uid sop_class_uid, const dicom::DataSet& identifier,
                                                   OnInstance on_instance, OnProgress on_progress = {});
    [[nodiscard]] Task<Result<RetrieveReport>> move(dicom::Uid sop_class_uid,
                                                    const dicom::DataSet& identifier, ul::AeTitle destination,
                                                    OnProgress on_progress = {});

    /// N-ACTION, N-EVENT-REPORT: the peer's answer. A report goes out also where the peer left the SCP role
    /// we proposed unanswered, as many do.
    [[nodiscard]] Task<Result<dimse::Outcome>> action(const NormalizedOperation& operation);
    [[nodiscard]] Task<Result<dimse::Outcome>> report(const NormalizedOperation& operation);
    /// Any DIMSE-N request (normalized.h); an empty data set is left out. The peer's response.
    [[nodiscard]] Task<Result<dimse::Message>> request(dimse::CommandSet command,
                                                       const dicom::DataSet& data_set);
    /// The next N-EVENT-REPORT from the peer, answered with success. Errors: timeout after `patience`: the
    /// association is over.
    [[nodiscard]] Task<Result<dimse::NormalizedRequest>> await_report(ul::Duration patience);

    /// A-RELEASE and its answer; nothing else afterwards.
    [[nodiscard]] Task<Result<void>> release();
    /// A-ABORT by the user.
    void abort();

private:
    struct Impl;
    explicit Client(std::shared_ptr<Impl> impl);
    std::shared_ptr<Impl> impl_;
};

}  // namespace sagitta::net::scu
