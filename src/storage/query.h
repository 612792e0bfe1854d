// Questions to the index and what comes back. Values only; instance_index.h asks them.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "dicom/date_time_key.h"
#include "dicom/matching.h"
#include "dicom/tag.h"
#include "dicom/uid.h"
#include "dicom/vr.h"
#include "storage/instance_record.h"

namespace sagitta::storage {

/// Where a stored instance lies: a complete Part 10 file at `offset` of a volume.
struct InstanceLocation {
    dicom::Uid sop_instance_uid;
    std::string sop_class_uid;
    std::string transfer_syntax_uid;
    std::uint32_t volume = 0;           ///< DATA/volumes/<volume, 8 digits>.tar
    std::uint64_t offset = 0;           ///< of the file's first byte in the volume
    std::uint64_t length = 0;           ///< bytes of the file
    std::uint64_t data_set_offset = 0;  ///< in the file: bytes of preamble and File Meta Information
    std::uint64_t header_length = 0;    ///< in the file: bytes before the pixel data's value (or all)
};

/// A C-FIND or QIDO question (PS3.4 C.4.1). All keys must match.
struct Query {
    Level level = Level::study;
    /// Keys on attributes of `level` and the levels above. Those of a level below are `unindexed`,
    /// but ModalitiesInStudy and SOPClassesInStudy, which are the study's.
    std::vector<dicom::MatchKey> keys;
    /// Dates with their times, both columns of `level` or a level above; others restrict nothing.
    std::vector<dicom::DateTimeKey> date_times{};
    std::uint64_t limit = std::numeric_limits<std::uint64_t>::max();  ///< answers
    /// Fill Match::instance, for reading attributes that are no column from the stored header.
    bool want_instance = false;
};

/// One attribute of an answer.
struct Attribute {
    dicom::Tag tag;
    dicom::Vr vr;
    std::string_view value;  ///< UTF-8; several values with backslashes; empty when absent
};

/// One answer. Everything in it is valid only during the callback.
struct Match {
    /// The columns of the level and all levels above, in tag-table order (not sorted by tag): the
    /// UIDs; at study level also ModalitiesInStudy, SOPClassesInStudy; and the counts
    /// (0020,1200) to (0020,1209) as decimal text.
    std::span<const Attribute> attributes;
    /// One instance under this entity; null unless Query::want_instance.
    const InstanceLocation* instance = nullptr;

    /// Value by tag; empty when absent.
    [[nodiscard]] std::string_view value(dicom::Tag tag) const noexcept;
};

/// What `find` could do.
struct FindSummary {
    std::uint64_t matches = 0;
    bool limit_reached = false;  ///< stopped at Query::limit, or because the callback said so
};

/// What to retrieve (PS3.4 C.4.2.1.4): lists that are not empty must all contain the instance's own.
/// All empty means nothing, not everything.
struct Scope {
    std::vector<std::string> patient_ids;
    std::vector<std::string> study_instance_uids;
    std::vector<std::string> series_instance_uids;
    std::vector<std::string> sop_instance_uids;
};

}  // namespace sagitta::storage
