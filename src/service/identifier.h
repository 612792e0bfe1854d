// The identifier of a C-FIND, C-GET or C-MOVE understood: model, level, keys (PS3.4 C.4.1.1.3, C.6).
// Pure: bytes in, values out. Says what the index is asked, what the stored header is asked, and
// what comes back.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/character_set.h"
#include "dicom/data_set.h"
#include "dicom/data_set_matching.h"
#include "dicom/matching.h"
#include "dicom/transfer_syntax.h"
#include "storage/query.h"

namespace sagitta::service {

/// Query/Retrieve Information Models (PS3.4 C.6).
enum class Model : std::uint8_t { patient_root, study_root, patient_study_only };

/// Where the value of a returned attribute comes from.
enum class Source : std::uint8_t {
    index,      ///< storage::Match::attributes
    header,     ///< the stored object's data set
    level,      ///< Query/Retrieve Level, as asked
    retrieve,   ///< Retrieve AE Title: ours
    available,  ///< Instance Availability: ONLINE
    syntax,     ///< Available Transfer Syntax UID at IMAGE level: how the instance is stored
    nothing,    ///< an attribute of a level below: returned empty
};

struct ReturnKey {
    dicom::Tag tag;
    dicom::Vr vr = dicom::Vr::none;
    Source source = Source::nothing;
};

struct Identifier {
    Model model = Model::study_root;
    storage::Level level = storage::Level::study;
    std::string level_text;
    std::vector<dicom::MatchKey> keys;  ///< that the index judges
    /// What only the stored header can judge: other attributes, sequences, private elements.
    std::optional<dicom::DataSetMatcher> header_keys;
    std::vector<ReturnKey> returns;
};

/// Reads `bytes` in `syntax` for the given Q/R SOP class. Errors: invalid_argument (no or wrong level
/// for the model, a unique key of this level or above missing, a malformed key, a sequence key of several
/// items; answered A900),
/// malformed or truncated (not a data set).
[[nodiscard]] Result<Identifier> read_identifier(std::span<const std::byte> bytes,
                                                 const dicom::TransferSyntax& syntax,
                                                 const dicom::Uid& sop_class_uid);

/// The unique keys of a retrieve (PS3.4 C.4.2.2.1). Errors: invalid_argument when the one of the
/// identifier's own level names nothing, or a wildcard or range stands where a UID must.
[[nodiscard]] Result<storage::Scope> retrieve_scope(const Identifier& identifier);

/// PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID.
[[nodiscard]] dicom::Tag unique_key(storage::Level level) noexcept;

}  // namespace sagitta::service
