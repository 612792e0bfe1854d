// What an examination of a peer found, as values: for people and for programs alike. Holds no patient data.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sagitta::doctor {

enum class Verdict : std::uint8_t {
    works,
    fails,
    not_offered,  ///< the peer does not claim to do it
    not_tried,    ///< not asked for, or something before it failed
};

/// One step and what came of it.
struct Finding {
    std::string step;  ///< "connect", "echo", "move" …
    Verdict verdict = Verdict::not_tried;
    std::string what;                 ///< one line
    std::vector<std::string> advice;  ///< what to change, and on which side
    std::optional<double> milliseconds;
};

/// What the peer says of itself in A-ASSOCIATE-AC (PS3.7 D.3.3).
struct PeerTraits {
    std::string implementation_class_uid;
    std::string implementation_version_name;
    std::uint32_t max_pdu_bytes = 0;                 ///< 0: any
    std::optional<std::uint16_t> operations_window;  ///< agreed; absent when it was not answered
};

/// What became of one SOP class: a row of the negotiation matrix.
struct ClassAnswer {
    std::string sop_class_uid;
    std::string keyword;
    std::vector<std::string> transfer_syntaxes;  ///< accepted, each in a context of its own
    bool scp_role = false;                       ///< the peer lets us take its C-STOREs (C-GET)
};

struct Findings {
    std::string peer;     ///< "PACS@10.0.0.5:104"
    std::string calling;  ///< our AE title
    std::optional<PeerTraits> traits;
    std::vector<Finding> steps;
    std::vector<ClassAnswer> services;  ///< all but Storage
    std::vector<ClassAnswer> storage;   ///< every Storage SOP class
    std::size_t proposed_syntaxes = 0;  ///< for each of them
    std::size_t associations = 0;       ///< that the matrix took

    /// Nothing that was tried failed.
    [[nodiscard]] bool good() const {
        for (const auto& step : steps)
            if (step.verdict == Verdict::fails) return false;
        return true;
    }
};

}  // namespace sagitta::doctor
