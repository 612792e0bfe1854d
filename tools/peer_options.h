// What every command that calls another node shares: whom, as whom, and how patiently.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/configuration.h"
#include "command.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "net/dimse/status.h"
#include "net/scu/client.h"

namespace sagitta::tools {

struct PeerOptions {
    std::string peer;
    std::string calling = "SAGITTA";
    std::string timeout = "60s";
    std::string user;
    std::string passcode_file;
    bool tls = false;
    std::string tls_ca;
    std::string tls_certificate;
    std::string tls_key;
    std::string tls_peer;
    bool tls_insecure = false;
    std::string trace_folder;
    bool json = false;
};

/// PEER, --calling, --timeout, --user, --passcode-file, --trace, --tls…, --json.
void add_peer_options(CLI::App& command, PeerOptions& options);

struct Caller {
    net::scu::Address address;
    net::scu::ClientSettings settings;
    std::shared_ptr<net::ul::AssociationObservers> trace;  ///< what `settings` points to; may be null
};

/// Errors: invalid_argument; not_found, io_failure (the passcode's file); what is wrong with files of TLS.
[[nodiscard]] Result<Caller> make_caller(const PeerOptions& options);

/// What a query or retrieval names: -k, --level, --model.
struct QueryOptions {
    std::vector<std::string> keys;
    std::string level;
    std::string model;
};

void add_query_options(CLI::App& command, QueryOptions& options);

struct Query {
    dicom::DataSet identifier;
    std::string level;  ///< "STUDY" …
    bool patient_root = false;
    bool worklist = false;  ///< has no levels
};

/// Keys understood, the level as stated, or `default_level`, or, when that is empty, the deepest
/// level of which a unique key is given. Errors: invalid_argument.
[[nodiscard]] Result<Query> make_query(const QueryOptions& options, const std::string& default_level);

/// "0xA700 out of resources: Error Comment".
[[nodiscard]] std::string describe(const net::dimse::Outcome& outcome);

/// "7 done, 1 failed, 0 with warnings, 3 to come".
[[nodiscard]] std::string describe(const net::dimse::SubOperationCounts& counts);

}  // namespace sagitta::tools
