// What PS3.4 Table F.7.2-1 asks of a Modality Performed Procedure Step: when it is created, when it is
// changed, and in its final state. Pure; what is made of the findings is the SCP's business.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/tag.h"
#include "storage/procedure_step_log.h"

namespace sagitta::service {

/// The requirement on the SCP (PS3.4 5.4): 1 has a value, 2 is there, 3 may be there.
enum class StepNeed : std::uint8_t { type1, type2, type3, not_allowed };

/// A row of the table: an attribute, inside of up to two sequences.
struct StepAttribute {
    std::array<dicom::Tag, 3> path{};  ///< the last that is not (0000,0000) is the attribute
    StepNeed create = StepNeed::type3;
    StepNeed set = StepNeed::type3;
    StepNeed final_state = StepNeed::type3;
};

[[nodiscard]] std::span<const StepAttribute> step_attributes() noexcept;

/// Each attribute once, in the order it was found.
struct StepFindings {
    std::vector<dicom::Tag> missing;      ///< type 1 or 2, absent
    std::vector<dicom::Tag> empty;        ///< type 1, without a value
    std::vector<dicom::Tag> invalid;      ///< a UID that is none
    std::vector<dicom::Tag> not_allowed;  ///< may not be set
    [[nodiscard]] bool clean() const noexcept;
};

/// Of an attribute list; attributes that the table does not name are type 3.
[[nodiscard]] StepFindings check_create(const dicom::DataSet& attributes);
/// Of a modification list.
[[nodiscard]] StepFindings check_set(const dicom::DataSet& modifications);
/// Of the whole step when it is to be COMPLETED or DISCONTINUED.
[[nodiscard]] StepFindings check_final_state(const dicom::DataSet& step);

/// The step with the modifications in it: each attribute replaces the one that is there. Those that may not
/// be set stay as they are; `refused` names those that differ. Texts of two character sets become ISO_IR 192.
[[nodiscard]] dicom::DataSet modified_step(const dicom::DataSet& step, const dicom::DataSet& modifications,
                                           std::vector<dicom::Tag>& refused);

/// Study Instance UIDs of the Scheduled Step Attributes Sequence, each once.
[[nodiscard]] std::vector<std::string> studies_of_step(const dicom::DataSet& step);

/// "(0008,0060) (0020,0010)": for logs and comments.
[[nodiscard]] std::string to_string(std::span<const dicom::Tag> tags);

}  // namespace sagitta::service
