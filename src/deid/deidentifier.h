// De-identification of one instance (PS3.15 Annex E): a data set in, a data set and its bytes out, or the
// reason why it must not leave. Knows no files and no network.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "deid/pixel_step.h"
#include "deid/profile.h"
#include "deid/pseudonyms.h"
#include "deid/report.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::deid {

/// What a vault needs to find the way back.
struct Mapping {
    enum class Kind : std::uint8_t { patient, study, uid };
    Kind kind = Kind::uid;
    std::string pseudonym;  ///< the new UID, Patient ID, or Study Instance UID
    std::string original;   ///< the old UID; of patients and studies what original_attributes() made
};

struct Deidentified {
    /// Why nothing may go out. Then there is neither a data set nor bytes. Holds no value.
    std::optional<std::string> quarantined;
    dicom::DataSet data_set;  ///< shares the bytes of the original
    ByteBuffer bytes;         ///< the data set in the syntax it came in, canonical, searched for residue
    std::string sop_class_uid;
    std::string sop_instance_uid;  ///< the new ones, also of what is quarantined
    std::string series_instance_uid;
    std::string study_instance_uid;
    InstanceReport report;
    std::vector<Mapping> mappings;  ///< empty unless asked for
};

struct DeidentifierOptions {
    bool mappings = false;
    /// Instead of the PixelMasker that the profile's option clean-pixel-data brings. Outlives the
    /// Deidentifier.
    const PixelStep* pixels = nullptr;
};

/// Immutable and thread-safe. The same original gives the same bytes, whenever and wherever.
class Deidentifier {
public:
    Deidentifier(Profile profile, Pseudonyms pseudonyms, DeidentifierOptions options = {});

    /// `original` is in the given syntax and is only read. Errors: malformed when it is no instance;
    /// limit_exceeded when the result cannot be written. Everything else that forbids it is `quarantined`.
    [[nodiscard]] Result<Deidentified> apply(const dicom::DataSet& original,
                                             const dicom::TransferSyntax& syntax) const;

    [[nodiscard]] const Profile& profile() const noexcept { return profile_; }
    [[nodiscard]] const Pseudonyms& pseudonyms() const noexcept { return pseudonyms_; }

private:
    Profile profile_;
    Pseudonyms pseudonyms_;
    DeidentifierOptions options_;
    std::shared_ptr<const PixelStep> masker_;
    dicom::DataSet markers_;
};

}  // namespace sagitta::deid
