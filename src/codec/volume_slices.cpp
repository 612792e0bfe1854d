#include <cmath>
#include <utility>

#include "codec/functional_groups.h"
#include "codec/volume.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"

namespace sagitta::codec {

namespace tags = dicom::tags;

namespace {

template <std::size_t Size>
std::optional<std::array<double, Size>> numbers(const dicom::ElementRange& level, dicom::Tag tag) {
    const auto all = decimals(level, tag, Size);
    if (!all) return std::nullopt;
    std::array<double, Size> array{};
    std::copy(all->begin(), all->end(), array.begin());
    return array;
}

/// Dimensions along which slices of one volume follow each other (PS3.3 C.7.6.17).
bool is_spatial(dicom::Tag pointer) {
    return pointer == tags::InStackPositionNumber || pointer == tags::ImagePositionPatient ||
           pointer == tags::ImagePositionVolume || pointer == tags::PlanePositionSequence ||
           pointer == tags::InConcatenationNumber;
}

/// Which of the Dimension Index Values are not of space.
std::vector<std::size_t> other_dimensions(const dicom::DataSet& header) {
    std::vector<std::size_t> others;
    const auto sequence = header.find(tags::DimensionIndexSequence);
    if (!sequence || sequence->vr() != dicom::Vr::SQ) return others;
    std::size_t n = 0;
    for (const auto item : sequence->children()) {
        const auto pointer = item.children().integer(tags::DimensionIndexPointer);
        if (pointer && !is_spatial(dicom::Tag(static_cast<std::uint32_t>(*pointer)))) others.push_back(n);
        ++n;
    }
    return others;
}

/// Image Position of a frame of an RT Dose: along the normal by the Grid Frame Offset Vector, whose
/// values are relative to its first one (PS3.3 C.8.8.3.2).
std::optional<std::array<double, 3>> on_grid(const dicom::DataSet& header, const VolumeSlice& slice) {
    const auto first = decimal(header.elements(), tags::GridFrameOffsetVector, 0);
    const auto own = decimal(header.elements(), tags::GridFrameOffsetVector, slice.frame);
    if (!first || !own || !slice.position_mm || !slice.orientation) return std::nullopt;
    const auto& o = *slice.orientation;
    const std::array<double, 3> normal = {o[1] * o[5] - o[2] * o[4], o[2] * o[3] - o[0] * o[5],
                                          o[0] * o[4] - o[1] * o[3]};
    auto position = *slice.position_mm;
    for (std::size_t n = 0; n < 3; ++n) position[n] += normal[n] * (*own - *first);
    return position;
}

/// Everything of a slice that its header says.
class SliceReader {
public:
    SliceReader(const dicom::DataSet& header, const PixelFormat& format, std::uint32_t frames)
        : header_(header),
          groups_(header),
          format_(format),
          frames_(frames),
          others_(other_dimensions(header)) {}

    Result<VolumeSlice> read(std::uint32_t frame) const {
        VolumeSlice slice;
        slice.frame = frame;
        slice.format = format_;
        slice.sop_instance_uid = header_.uid(tags::SOPInstanceUID).value_or(dicom::Uid());
        slice.number = frames_ > 1 ? std::int64_t{frame} + 1 : header_.integer(tags::InstanceNumber);
        place(slice);
        set_stack(slice);
        auto transform = modality_transform(header_, groups_, frame, format_);
        if (!transform) return std::move(transform).error();
        slice.range = transformed_range(format_, *transform);
        slice.integers = makes_integers(format_, *transform);
        slice.unit = transform->type;
        if (const auto padding = pixel_padding(header_, format_)) {
            const double a = (*transform)(padding->lowest);
            const double b = (*transform)(padding->highest);
            slice.padding = ValueRange{std::min(a, b), std::max(a, b)};
        }
        return slice;
    }

private:
    void place(VolumeSlice& slice) const {
        const auto level = [&](dicom::Tag group) { return groups_.level_of(slice.frame, group); };
        const auto measures = level(tags::PixelMeasuresSequence);
        slice.orientation = numbers<6>(level(tags::PlaneOrientationSequence), tags::ImageOrientationPatient);
        slice.pixel_spacing_mm = numbers<2>(measures, tags::PixelSpacing);
        slice.thickness_mm = decimal(measures, tags::SpacingBetweenSlices);
        if (!slice.thickness_mm) slice.thickness_mm = decimal(measures, tags::SliceThickness);
        const auto own = groups_.find(slice.frame, tags::PlanePositionSequence);
        slice.position_mm = numbers<3>(own.value_or(header_.elements()), tags::ImagePositionPatient);
        // One position for many frames is that of the first.
        if (!own && frames_ > 1) slice.position_mm = on_grid(header_, slice);
    }

    void set_stack(VolumeSlice& slice) const {
        const auto content = groups_.find(slice.frame, tags::FrameContentSequence);
        if (!content) {
            for (const auto tag : {tags::TemporalPositionIdentifier, tags::EchoNumbers})
                slice.stack.push_back(header_.integer(tag).value_or(0));
            return;
        }
        if (const auto values = content->find(tags::DimensionIndexValues)) {
            for (const std::size_t n : others_) slice.stack.push_back(values->integer(n).value_or(0));
        }
        slice.stack.push_back(content->integer(tags::TemporalPositionIndex).value_or(0));
    }

    const dicom::DataSet& header_;
    FunctionalGroups groups_;
    PixelFormat format_;
    std::uint32_t frames_;
    std::vector<std::size_t> others_;
};

}  // namespace

Result<std::vector<VolumeSlice>> slices_of_file(const std::string& path, const PixelLimits& limits) {
    const auto header = dicom::read_file_header(path);
    if (!header) return Error(header.error());
    const auto tag = header->pixel_data ? header->pixel_data->tag : dicom::Tag();
    const auto format = describe_pixels(header->data_set.elements(), limits, tag);
    if (!format) return Error(format.error()).within(path);
    if (format->samples_per_pixel != 1 || format->photometric == Photometric::palette_color) {
        return Error(Errc::unsupported, path + ": colours cannot be stacked into a volume");
    }
    const std::int64_t frames = header->data_set.integer(tags::NumberOfFrames).value_or(1);
    if (frames < 1 || frames > limits.max_frames) {
        return Error(Errc::limit_exceeded, path + ": Number of Frames is not from 1 to the limit of " +
                                               std::to_string(limits.max_frames));
    }
    // Each frame takes some bytes here: more frames than could be in the file are not believed.
    if (static_cast<std::uint64_t>(frames) > header->file_bytes * 8) {
        return Error(Errc::truncated, path + ": more frames than the file has bits");
    }
    const SliceReader reader(header->data_set, *format, static_cast<std::uint32_t>(frames));
    std::vector<VolumeSlice> slices;
    for (std::int64_t frame = 0; frame < frames; ++frame) {
        auto slice = reader.read(static_cast<std::uint32_t>(frame));
        if (!slice) return std::move(slice).error().within(path);
        slice->path = path;
        slices.push_back(std::move(*slice));
    }
    return slices;
}

}  // namespace sagitta::codec
