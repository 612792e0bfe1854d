// Data sets and files of small images, for tests and for other people's programs.
#pragma once

#include <array>
#include <cstdio>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "codec/pixel_format.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/writer.h"

namespace sagitta::test {

/// All but the pixels, of a Secondary Capture image.
inline dicom::DataSet image_header(const codec::PixelFormat& format, std::uint32_t frames = 1) {
    namespace tags = dicom::tags;
    using dicom::Vr;
    dicom::DataSet set;
    set.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.7");
    set.set_text(tags::SOPInstanceUID, Vr::UI, "2.25.1001");
    set.set_text(tags::Modality, Vr::CS, "OT");
    set.set_uint16(tags::SamplesPerPixel, format.samples_per_pixel);
    set.set_text(tags::PhotometricInterpretation, Vr::CS, codec::to_string(format.photometric));
    if (format.samples_per_pixel > 1) set.set_uint16(tags::PlanarConfiguration, format.planar ? 1 : 0);
    if (frames > 1) set.set_text(tags::NumberOfFrames, Vr::IS, std::to_string(frames));
    set.set_uint16(tags::Rows, static_cast<std::uint16_t>(format.rows));
    set.set_uint16(tags::Columns, static_cast<std::uint16_t>(format.columns));
    set.set_uint16(tags::BitsAllocated, format.bits_allocated);
    set.set_uint16(tags::BitsStored, format.bits_stored);
    set.set_uint16(tags::HighBit, format.high_bit);
    set.set_uint16(tags::PixelRepresentation, format.is_signed ? 1 : 0);
    return set;
}

/// `fragments` behind an offset table.
inline dicom::DataSet encapsulated_image(const dicom::DataSet& header, std::span<const std::byte> offsets,
                                         const std::vector<std::span<const std::byte>>& fragments) {
    dicom::DataSetBuilder builder(header);
    for (const dicom::Element element : header.elements()) builder.keep(element);
    builder.begin_fragments(dicom::tags::PixelData, dicom::Vr::OB);
    builder.add(dicom::kItem, dicom::Vr::none, offsets);
    for (const auto fragment : fragments) builder.add(dicom::kItem, dicom::Vr::none, fragment);
    builder.end();
    return builder.finish();
}

inline ByteBuffer part10(const dicom::DataSet& set, std::string_view transfer_syntax_uid) {
    auto meta = dicom::file_meta_of(set, std::string(transfer_syntax_uid));
    ByteBuffer bytes = dicom::make_file_header(*meta);
    (void)dicom::write_data_set(set, *dicom::find_transfer_syntax(transfer_syntax_uid), bytes);
    return bytes;
}

inline void write_bytes(const std::string& path, std::span<const std::byte> bytes) {
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

inline bool has_program(const std::string& name) {
    return std::system(("command -v " + name + " > /dev/null 2>&1").c_str()) == 0;
}

/// Its exit status; what it says is thrown away.
inline int run_quietly(const std::string& command) {
    return std::system((command + " > /dev/null 2>&1").c_str());
}

}  // namespace sagitta::test
