// Where the pixels of an instance are made safe (PS3.15 E.3.1). De-identification of attributes knows only
// that somebody may do it.
#pragma once

#include <cstdint>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::deid {

/// Thread-safe.
class PixelStep {
public:
    virtual ~PixelStep() = default;

    struct Outcome {
        bool safe = false;        ///< nothing identifying can be left in the pixels
        std::uint32_t masks = 0;  ///< rectangles that were covered
    };
    /// Covers what identifies in the pixels of `cleaned`, whose other attributes are already clean; what was
    /// done to them is recorded there (Burned In Annotation, Derivation …). `original` is for its decisions.
    [[nodiscard]] virtual Result<Outcome> clean(const dicom::DataSet& original,
                                                const dicom::TransferSyntax& syntax,
                                                dicom::DataSet& cleaned) const = 0;
};

}  // namespace sagitta::deid
