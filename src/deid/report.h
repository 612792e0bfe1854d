// What was done, for people and programs that check it: tags, rules and counts, never a value.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "deid/decision.h"
#include "deid/residue.h"

namespace sagitta::deid {

/// Of one instance.
struct InstanceReport {
    struct Done {
        Tag parent;  ///< the sequence around it; Tag() at the top level
        Tag tag;
        Decision decision;
        Action action;
    };
    struct Cut {
        Tag parent;
        Tag tag;
        ResidueCounts counts;
    };
    std::vector<Done> done;         ///< everything but what was kept unasked, in document order
    std::vector<Cut> cut;           ///< texts of which something was cut out
    std::uint64_t kept = 0;         ///< elements that stayed as they were
    std::uint32_t pixel_masks = 0;  ///< by a PixelStep
};

/// Of everything that was done in one run. Not thread-safe.
class Report {
public:
    Report(const Profile& profile, std::string key_identifier)
        : profile_(profile), key_identifier_(std::move(key_identifier)) {}

    /// Under the new Study Instance UID.
    void add(const std::string& study, const InstanceReport& instance);
    void add_quarantined(const std::string& study, const std::string& sop_instance_uid, std::string reason);
    /// A file that could not be read as a DICOM object, counted from 1 in the order they were found.
    void add_unreadable(std::uint64_t number, std::string reason);

    [[nodiscard]] std::string json() const;
    [[nodiscard]] std::string text() const;

private:
    using Key = std::tuple<Tag, Tag, std::string, std::string>;  // parent, tag, decision, action
    struct Study {
        std::uint64_t instances = 0;
        std::uint64_t kept = 0;
        std::uint64_t pixel_masks = 0;
        std::map<Key, std::uint64_t> done;
        std::map<std::pair<Tag, Tag>, ResidueCounts> cut;
        std::vector<std::pair<std::string, std::string>> quarantined;  // new SOP Instance UID, reason
    };

    const Profile& profile_;
    std::string key_identifier_;
    std::map<std::string, Study> studies_;
    std::vector<std::pair<std::uint64_t, std::string>> unreadable_;
};

/// "RequestAttributesSequence.ScheduledProcedureStepID".
[[nodiscard]] std::string attribute_name(Tag parent, Tag tag);

}  // namespace sagitta::deid
