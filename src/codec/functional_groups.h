// Attributes of one frame: the functional groups of an enhanced image (PS3.3 C.7.6.16), or the top level
// of any other. Knows where attributes stand, not what they mean.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "dicom/data_set.h"

namespace sagitta::codec {

/// Valid as long as the data set is neither changed nor destroyed.
class FunctionalGroups {
public:
    explicit FunctionalGroups(const dicom::DataSet& data_set);

    /// Has Shared or Per-frame Functional Groups.
    [[nodiscard]] bool present() const noexcept { return shared_ || !frames_.empty(); }
    /// What the group's macro says of that frame (counted from 0): per frame, else shared; nothing when
    /// neither has it.
    [[nodiscard]] std::optional<dicom::ElementRange> find(std::uint32_t frame, dicom::Tag group) const;
    /// The same, else the top level.
    [[nodiscard]] dicom::ElementRange level_of(std::uint32_t frame, dicom::Tag group) const;

private:
    const dicom::DataSet* data_set_;
    std::vector<std::uint32_t> frames_;  ///< rows of the items of the Per-frame Functional Groups Sequence
    std::optional<std::uint32_t> shared_;
};

/// The n-th decimal of a DS, FD or FL; nothing when there is none, or it is no finite number.
[[nodiscard]] std::optional<double> decimal(const dicom::ElementRange& level, dicom::Tag tag,
                                            std::size_t n = 0);

/// All of them, when there are exactly so many.
[[nodiscard]] std::optional<std::vector<double>> decimals(const dicom::ElementRange& level, dicom::Tag tag,
                                                          std::size_t count);

}  // namespace sagitta::codec
