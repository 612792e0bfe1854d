// Small things that tests of pixel values are made of.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "codec/pixel_format.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"

namespace sagitta::codec {

namespace tags = dicom::tags;
using dicom::Tag;
using dicom::Vr;

template <class T>
std::vector<std::byte> bytes_of(const std::vector<T>& numbers) {
    std::vector<std::byte> bytes(numbers.size() * sizeof(T));
    if (!bytes.empty()) std::memcpy(bytes.data(), numbers.data(), bytes.size());
    return bytes;
}

template <class T>
void add_numbers(dicom::DataSetBuilder& builder, Tag tag, Vr vr, const std::vector<T>& numbers) {
    builder.add(tag, vr, bytes_of(numbers));
}

/// LUT Descriptor and LUT Data, an item of a Modality, VOI or Presentation LUT Sequence.
inline void add_table_item(dicom::DataSetBuilder& builder, const std::vector<std::uint16_t>& descriptor,
                           const std::vector<std::uint16_t>& data) {
    builder.begin_item();
    add_numbers(builder, tags::LUTDescriptor, Vr::US, descriptor);
    add_numbers(builder, tags::LUTData, Vr::US, data);
    builder.end();
}

/// One row of grey pixels.
template <class T>
Frame gray_frame(const std::vector<T>& samples, std::uint16_t bits_stored, bool is_signed) {
    Frame frame;
    frame.format.rows = 1;
    frame.format.columns = static_cast<std::uint32_t>(samples.size());
    frame.format.bits_allocated = sizeof(T) * 8;
    frame.format.bits_stored = bits_stored;
    frame.format.high_bit = static_cast<std::uint16_t>(bits_stored - 1);
    frame.format.is_signed = is_signed;
    frame.bytes.append(bytes_of(samples));
    return frame;
}

}  // namespace sagitta::codec
