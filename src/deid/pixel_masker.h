// Covers what may identify in the pixels of an instance, in all frames, native and compressed
// (PS3.15 E.3.1). Where is pixel_areas.h; this is how.
#pragma once

#include <vector>

#include "codec/pixel_format.h"
#include "deid/pixel_areas.h"
#include "deid/pixel_step.h"

namespace sagitta::deid {

/// JPEG of 8 bits keeps its coefficients outside of the masks; everything else is decoded and encoded
/// again without loss in the transfer syntax it came in. Thread-safe.
class PixelMasker final : public PixelStep {
public:
    explicit PixelMasker(std::vector<PixelRule> rules, codec::PixelLimits limits = {})
        : rules_(std::move(rules)), limits_(limits) {}

    /// Safe when a rule decided, or Burned In Annotation says NO, and every frame was covered; what an
    /// ultrasound scanner states as its regions is kept without a rule, but not called safe. Burned In
    /// Annotation becomes NO only when something was covered. Errors: those of the codecs; unsupported when
    /// nothing here can write the transfer syntax without loss; refused by a rule.
    [[nodiscard]] Result<Outcome> clean(const dicom::DataSet& original, const dicom::TransferSyntax& syntax,
                                        dicom::DataSet& cleaned) const override;

private:
    std::vector<PixelRule> rules_;
    codec::PixelLimits limits_;
};

}  // namespace sagitta::deid
