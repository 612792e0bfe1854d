#include "codec/transcode_for.h"

#include <optional>
#include <utility>
#include <vector>

#include "dicom/writer.h"

namespace sagitta::codec {

Result<EncodedDataSet> transcode_for(const dicom::DataSet& data_set, std::string_view source,
                                     std::span<const std::string> accepted, const TranscodeOptions& options) {
    std::optional<PixelFormat> format;
    if (auto described = describe_pixels(data_set.elements(), options.limits)) format = *described;
    const std::vector<std::string_view> choices(accepted.begin(), accepted.end());
    const auto target = choose_transfer_syntax(source, format, choices);
    if (!target)
        return Error(Errc::unsupported,
                     "no transfer syntax that the peer accepts holds the object without loss");
    auto made = transcode(data_set, source, *target, options);
    if (!made) return std::move(made).error();
    EncodedDataSet encoded{std::string(made->syntax->uid), {}};
    auto written = dicom::write_data_set(made->data_set, *made->syntax, encoded.bytes);
    if (!written) return std::move(written).error();
    return encoded;
}

}  // namespace sagitta::codec
