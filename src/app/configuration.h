// What an operator decides: one TOML file, flags above it, defaults below. Values only; how they are
// read is configuration_file.h, what they do is node.h. Every key is in docs/CONFIGURATION.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/log.h"
#include "deid/project_settings.h"
#include "dicom/match_rule.h"
#include "dicom/tag.h"
#include "net/ul/ae_title.h"
#include "storage/archive.h"

namespace sagitta::app {

/// What a peer may ask of us, `allow` in the file.
struct Rights {
    bool echo = true;
    bool store = true;
    bool find = true;
    bool move = true;
    bool get = true;
    bool commit = true;
    bool mpps = true;
};

/// A remote node, `AET@HOST:PORT`.
struct PeerAddress {
    net::ul::AeTitle ae_title;
    std::string host;
    std::uint16_t port = 104;
};

struct Peer {
    PeerAddress address;
    Rights rights;
    std::string deidentify;   ///< the project that stands between the archive and this peer; empty: none
    bool tls = false;         ///< when we call it
    std::string certificate;  ///< whose certificate it has (net::ul::has_identity); empty: not asked
    bool notify = false;      ///< told which instances are available
};

/// What happens to what comes in; the first that applies decides.
struct Sender {
    std::vector<std::string> from;  ///< calling AE titles with * and ?; empty: anybody's
    dicom::MatchRule match;
    std::string deidentify;  ///< the project whose result is filed; empty: filed as it came
    std::string written;     ///< the rule as an operator reads it
};

/// How long studies are kept; the first rule that applies decides.
struct Retention {
    dicom::MatchRule match;
    std::optional<std::chrono::seconds> keep_for;  ///< since anything arrived; empty: forever
    std::string written;                           ///< the rule as an operator reads it
};

struct NodeSettings {
    net::ul::AeTitle ae_title = *net::ul::AeTitle::parse("SAGITTA");
    std::string bind = "127.0.0.1";
    std::uint16_t port = 11112;
    std::string data = "sagitta-data";
    bool promiscuous = false;
    bool require_user = false;
};

/// The port for TLS (PS3.15 B.12), and what we show when we call by TLS.
struct TlsConfiguration {
    std::string certificate;  ///< PEM files; empty: nothing listens
    std::string key;
    std::string ca;
    std::string bind;  ///< empty: node.bind
    std::uint16_t port = 2762;
    bool plain = true;  ///< node.port is open too
    bool require_client_certificate = true;
    bool only_tls_1_3 = false;
};

/// Who may state his name when associating.
struct User {
    std::string name;
    std::string passcode;  ///< as hash_passcode makes it; empty: the name is enough
};

/// What happens when a quota is passed.
enum class QuotaPolicy : std::uint8_t {
    refuse,   ///< what comes is refused
    recycle,  ///< the oldest studies that are not protected go
};

struct StorageSettings {
    storage::StorageLayout layout = storage::StorageLayout::volumes;
    std::uint64_t volume_size = 4ull << 30;
    std::uint64_t direct_write_from = 256ull << 10;  ///< bytes of a batch; 0: never
    storage::OnConflict on_conflict = storage::OnConflict::keep;
    std::uint64_t memory_budget = 256ull << 20;
    std::uint64_t stream_above = 16ull << 20;
    bool accept_unknown_sop_classes = true;
    std::vector<std::string> preferred_transfer_syntaxes;  ///< UIDs, the first first
    std::vector<dicom::Tag> index;                         ///< attributes, beside those always indexed
    std::chrono::milliseconds undelete_for = std::chrono::hours(24 * 7);
    std::uint64_t quota = 0;          ///< bytes of instances; 0: as many as fit
    std::uint32_t quota_studies = 0;  ///< 0: any number
    std::uint64_t min_free = 0;       ///< bytes of the file system
    QuotaPolicy quota_policy = QuotaPolicy::refuse;
};

/// When an extension of Query/Retrieve is used.
enum class Extension : std::uint8_t {
    never,
    negotiated,  ///< with peers that ask for it by SOP Class Extended Negotiation
    always,
};

/// What may be agreed beyond plain queries (PS3.4 C.5).
struct QuerySettings {
    Extension relational = Extension::negotiated;
    Extension combined_date_time = Extension::negotiated;
    Extension fuzzy_names = Extension::negotiated;
    Extension empty_values = Extension::negotiated;
};

/// Storage commitment (PS3.4 Annex J).
struct CommitmentSettings {
    std::chrono::milliseconds retry = std::chrono::seconds(30);  ///< first pause, doubled up to 10 minutes
    std::chrono::milliseconds give_up = std::chrono::hours(24);
    std::uint32_t max_instances = 50'000;  ///< that one request names
    std::uint32_t max_requests = 10'000;   ///< that wait to be reported
};

/// Modality Performed Procedure Steps (PS3.4 Annex F).
struct MppsSettings {
    bool strict = false;                     ///< refuse what lacks an attribute that is required
    std::uint64_t max_object = 8ull << 20;   ///< of one step
    std::uint32_t max_in_progress = 10'000;  ///< steps that have not come to their end
    std::chrono::milliseconds patience = std::chrono::minutes(10);  ///< until what is missing is logged
    std::chrono::milliseconds keep = std::chrono::hours(24 * 365);  ///< since the last change
};

/// Instance Availability Notification (PS3.4 Annex R).
struct AvailabilitySettings {
    std::chrono::milliseconds quiet = std::chrono::seconds(60);  ///< of a study no step tells of; 0: never
    std::chrono::milliseconds retry = std::chrono::seconds(30);  ///< first pause, doubled up to 10 minutes
    std::chrono::milliseconds give_up = std::chrono::hours(24);
};

/// The archive is read again while it is served.
struct PatrolConfiguration {
    std::chrono::milliseconds every = std::chrono::hours(24 * 30);  ///< 0: never
    std::uint64_t rate = 10ull << 20;                               ///< bytes a second; 0: no limit
};

struct WorklistSettings {
    std::string folder;  ///< of worklist files; empty: DATA/worklist
};

/// The audit trail (PS3.15 A.5); nothing is written when both are empty.
struct AuditSettings {
    std::string file;                        ///< messages are appended to it
    std::string collector;                   ///< "udp://HOST:PORT", "tcp://HOST:PORT"
    std::uint64_t spool_size = 64ull << 20;  ///< for messages the collector has not got yet
};

struct Limits {
    std::uint32_t associations = 512;
    std::uint32_t associations_per_peer = 0;  ///< by calling AE title and host; 0: no limit of its own
    std::uint32_t max_pdu = 256 * 1024;
    std::uint16_t operations_window = 64;
    std::size_t associations_to_peer = 8;
    std::chrono::milliseconds keep_associations{2000};
    std::uint64_t max_object = 2ull << 30;
    std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
    std::uint64_t min_rate = 256;  ///< bytes a second, of a message in either direction; 0: none
    std::chrono::milliseconds rate_window = std::chrono::seconds(60);
    std::chrono::milliseconds artim_timeout = std::chrono::seconds(30);
    std::chrono::milliseconds response_timeout = std::chrono::seconds(60);
    std::chrono::milliseconds shutdown_grace = std::chrono::seconds(30);
    std::uint64_t max_matches = 0;  ///< of one C-FIND; 0: as many as there are
    std::uint32_t sequence_depth = 64;
    std::uint32_t silent_connections = 256;  ///< that ask for no association
    std::chrono::milliseconds silent_grace{1000};
};

struct Configuration {
    NodeSettings node;
    TlsConfiguration tls;
    std::vector<Peer> peers;
    std::vector<User> users;
    std::vector<Retention> retentions;
    std::vector<Sender> senders;
    std::vector<deid::ProjectSettings> projects;  ///< [deid.NAME]
    StorageSettings storage;
    QuerySettings query;
    CommitmentSettings commitment;
    MppsSettings mpps;
    AvailabilitySettings availability;
    PatrolConfiguration patrol;
    WorklistSettings worklist;
    Limits limits;
    AuditSettings audit;
    log::Level log_level = log::Level::info;
    std::string trace_folder;  ///< of association traces; empty: none are written
    std::uint32_t network_threads = 2;
    std::uint32_t worker_threads = 4;
};

[[nodiscard]] inline bool listens_for_tls(const Configuration& configuration) {
    return !configuration.tls.certificate.empty() && !configuration.tls.key.empty();
}
[[nodiscard]] inline const std::string& tls_bind(const Configuration& configuration) {
    return configuration.tls.bind.empty() ? configuration.node.bind : configuration.tls.bind;
}

/// Where worklist files lie.
[[nodiscard]] inline std::string worklist_folder(const Configuration& configuration) {
    return configuration.worklist.folder.empty() ? configuration.node.data + "/worklist"
                                                 : configuration.worklist.folder;
}

}  // namespace sagitta::app
