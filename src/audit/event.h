// What the audit trail is told (PS3.15 A.5.3): values, complete in themselves. They hold patient IDs: that is
// what they are for.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sagitta::audit {

enum class Kind : std::uint8_t {
    application_start,  ///< A.5.3.1
    application_stop,
    begin_transferring,     ///< A.5.3.3
    instances_transferred,  ///< A.5.3.7
    query,                  ///< A.5.3.10
    security_alert,         ///< A.5.3.11
    study_deleted,          ///< A.5.3.8; a study, or parts of it
};

/// EventOutcomeIndicator.
enum class Outcome : std::uint8_t { success = 0, minor_failure = 4, serious_failure = 8, major_failure = 12 };

/// One side of what happened.
struct Node {
    std::string ae_title;
    std::string host;  ///< as a number where it is known
    std::string user;  ///< proven by user identity negotiation
    bool requestor = false;
};

/// The instances of one study.
struct StudyObjects {
    std::string study_instance_uid;
    std::string patient_id;
    std::map<std::string, std::uint64_t> instances;  ///< by SOP class UID
};

struct Event {
    Kind kind = Kind::application_start;
    Outcome outcome = Outcome::success;
    std::chrono::system_clock::time_point time = std::chrono::system_clock::now();
    Node source;  ///< of instances or of the query; the peer of an alert; who deleted; ourselves
    Node destination;
    bool received = true;  ///< instances came in rather than went out
    std::vector<StudyObjects> studies;
    std::string sop_class_uid;        ///< of a query
    std::string transfer_syntax_uid;  ///< of its identifier
    std::string identifier;           ///< its bytes
    std::string text;                 ///< why, of an alert
};

}  // namespace sagitta::audit
