#include "codec/palette.h"

#include <algorithm>

#include "dicom/generated/tags.h"

namespace sagitta::codec {

namespace tags = dicom::tags;

std::array<double, 3> Palette::operator()(double stored) const noexcept {
    const auto input = static_cast<std::int64_t>(std::clamp(stored, -1e15, 1e15));
    const auto level = [input](const LookupTable& table) {
        return static_cast<double>(table.at(input)) / table.max_value();
    };
    return {level(red), level(green), level(blue)};
}

Result<Palette> read_palette(const dicom::ElementRange& image, const PixelFormat& format) {
    constexpr std::array<LookupTableTags, 3> kColours = {{
        {tags::RedPaletteColorLookupTableDescriptor, tags::RedPaletteColorLookupTableData,
         tags::SegmentedRedPaletteColorLookupTableData},
        {tags::GreenPaletteColorLookupTableDescriptor, tags::GreenPaletteColorLookupTableData,
         tags::SegmentedGreenPaletteColorLookupTableData},
        {tags::BluePaletteColorLookupTableDescriptor, tags::BluePaletteColorLookupTableData,
         tags::SegmentedBluePaletteColorLookupTableData},
    }};
    Palette palette;
    const std::array<LookupTable*, 3> tables = {&palette.red, &palette.green, &palette.blue};
    std::uint16_t highest = 0;
    std::uint32_t bits = 0;
    for (std::size_t n = 0; n < tables.size(); ++n) {
        auto table = read_lookup_table(image, kColours[n], format.is_signed);
        if (!table) return std::move(table).error();
        highest = std::max(highest, *std::max_element(table->entries.begin(), table->entries.end()));
        bits = std::max(bits, table->bits);
        *tables[n] = std::move(*table);
    }
    // PS3.3 C.7.6.3.1.5 knows 8 and 16 bits, the same for all three; entries that all fit into 8 were
    // meant so, whatever the descriptor says: nobody draws a picture that is black throughout.
    for (LookupTable* table : tables) table->bits = bits <= 8 || highest <= UINT8_MAX ? 8 : 16;
    return palette;
}

Result<std::optional<Palette>> read_supplemental_palette(const dicom::DataSet& data_set,
                                                         const PixelFormat& format) {
    const bool has_one = format.photometric == Photometric::monochrome2 &&
                         data_set.contains(tags::RedPaletteColorLookupTableDescriptor) &&
                         (data_set.contains(tags::RedPaletteColorLookupTableData) ||
                          data_set.contains(tags::SegmentedRedPaletteColorLookupTableData));
    // MIXED and COLOR are the presentations that use it (PS3.3 C.8.16.2.1.1.3).
    const auto use = data_set.text(tags::PixelPresentation);
    if (!has_one || use == "MONOCHROME") return std::optional<Palette>();
    auto palette = read_palette(data_set.elements(), format);
    if (!palette) return std::move(palette).error();
    return std::optional<Palette>(std::move(*palette));
}

}  // namespace sagitta::codec
