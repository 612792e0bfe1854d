// What an operator decides: one TOML file, flags above it, defaults below. Values only; how they are
// read is configuration_file.h, what they do is node.h. Every key is in docs/CONFIGURATION.md.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "core/log.h"
#include "deid/project_settings.h"
#include "dicom/match_rule.h"
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
    std::string deidentify;  ///< the project that stands between the archive and this peer; empty: none
};

/// What happens to what comes in; the first that applies decides.
struct Sender {
    std::vector<std::string> from;  ///< calling AE titles with * and ?; empty: anybody's
    dicom::MatchRule match;
    std::string deidentify;  ///< the project whose result is filed; empty: filed as it came
    std::string written;     ///< the rule as an operator reads it
};

struct NodeSettings {
    net::ul::AeTitle ae_title = *net::ul::AeTitle::parse("SAGITTA");
    std::string bind = "127.0.0.1";
    std::uint16_t port = 11112;
    std::string data = "sagitta-data";
    bool promiscuous = false;
    bool require_user = false;
};

/// Who may state his name when associating.
struct User {
    std::string name;
    std::string passcode;  ///< as hash_passcode makes it; empty: the name is enough
};

struct StorageSettings {
    storage::StorageLayout layout = storage::StorageLayout::volumes;
    std::uint64_t volume_size = 4ull << 30;
    storage::OnConflict on_conflict = storage::OnConflict::keep;
    std::uint64_t memory_budget = 256ull << 20;
    bool accept_unknown_sop_classes = true;
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

struct WorklistSettings {
    std::string folder;  ///< of worklist files; empty: DATA/worklist
};

struct Limits {
    std::uint32_t associations = 512;
    std::uint32_t associations_per_peer = 0;  ///< by calling AE title and host; 0: no limit of its own
    std::uint32_t max_pdu = 256 * 1024;
    std::uint64_t max_object = 2ull << 30;
    std::chrono::milliseconds idle_timeout = std::chrono::seconds(60);
    std::chrono::milliseconds artim_timeout = std::chrono::seconds(30);
    std::chrono::milliseconds response_timeout = std::chrono::seconds(60);
    std::chrono::milliseconds shutdown_grace = std::chrono::seconds(30);
    std::uint64_t max_matches = 0;  ///< of one C-FIND; 0: as many as there are
    std::uint32_t sequence_depth = 64;
};

struct Configuration {
    NodeSettings node;
    std::vector<Peer> peers;
    std::vector<User> users;
    std::vector<Sender> senders;
    std::vector<deid::ProjectSettings> projects;  ///< [deid.NAME]
    StorageSettings storage;
    QuerySettings query;
    CommitmentSettings commitment;
    WorklistSettings worklist;
    Limits limits;
    log::Level log_level = log::Level::info;
    std::uint32_t network_threads = 2;
    std::uint32_t worker_threads = 4;
};

/// Where worklist files lie.
[[nodiscard]] inline std::string worklist_folder(const Configuration& configuration) {
    return configuration.worklist.folder.empty() ? configuration.node.data + "/worklist"
                                                 : configuration.worklist.folder;
}

}  // namespace sagitta::app
