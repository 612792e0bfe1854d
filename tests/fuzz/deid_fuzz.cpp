// De-identification of any data set. The first byte chooses the encoding and the options, the rest is the
// data set; a patient of our own is put into it. What must hold: what comes out is written, is read again
// strictly, is the same every time, and does not hold the patient's name or identifier outside the pixels.
#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/bytes.h"
#include "deid/deidentifier.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"

namespace {

using namespace sagitta;
namespace tags = dicom::tags;

constexpr std::string_view kNeedles[] = {"zwyxqvogel", "quetzaltan", "plnt773155"};

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

deid::Deidentifier make(std::uint16_t options) {
    deid::Profile profile;
    profile.options = deid::OptionSet(options);
    profile.at_risk = deid::Profile::AtRisk::keep;
    profile.encapsulated = deid::Profile::Encapsulated::keep;
    profile.unknown = (options & 1) != 0 ? deid::Profile::Unknown::clean : deid::Profile::Unknown::remove;
    std::array<std::uint8_t, 32> secret{};
    secret.fill(7);
    return {profile, deid::Pseudonyms(*deid::ProjectKey::from_bytes(secret))};
}

// The values of every element but pixel data, at all depths.
void require_clean(const dicom::DataSet& made) {
    const auto nodes = made.nodes();
    for (std::uint32_t row = 0; row < nodes.size(); ++row) {
        if (nodes[row].tag.group() == 0x7fe0) {
            row += nodes[row].subtree;
            continue;
        }
        if (nodes[row].subtree != 0 || nodes[row].vr == dicom::Vr::SQ) continue;
        std::string value(as_text(made.value_of(nodes[row])));
        std::transform(value.begin(), value.end(), value.begin(),
                       [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
        for (const auto needle : kNeedles)
            require(value.find(needle) == std::string::npos, "nothing of the patient is left");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const deid::Deidentifier kinds[] = {make(0), make(0x0bd), make(0x3b5), make(0x3df)};
    if (size < 1) return 0;
    const auto bytes = std::as_bytes(std::span(data + 1, size - 1));
    const auto& syntax =
        (data[0] & 4) != 0 ? dicom::implicit_vr_little_endian() : dicom::explicit_vr_little_endian();
    dicom::ParseOptions options;
    options.max_depth = 32;
    const auto parsed = dicom::parse_data_set(bytes, syntax, options);
    if (!parsed) return 0;
    dicom::DataSet original = parsed->data_set;
    original.set_text(tags::SOPClassUID, dicom::Vr::UI, "1.2.840.10008.5.1.4.1.1.2");
    original.set_text(tags::SOPInstanceUID, dicom::Vr::UI, "1.2.3");
    original.set_text(tags::PatientName, dicom::Vr::PN, "Zwyxqvogel^Quetzaltan");
    original.set_text(tags::PatientID, dicom::Vr::LO, "PLNT773155");
    const auto& deidentifier = kinds[data[0] & 3];
    const auto made = deidentifier.apply(original, syntax);
    if (!made) return 0;
    if (made->quarantined) {
        require(made->bytes.empty() && made->data_set.empty(), "what is quarantined is nowhere");
        return 0;
    }
    require_clean(made->data_set);
    dicom::ParseOptions again;
    again.max_depth = 64;
    const auto read = dicom::parse_data_set(made->bytes.span(), syntax, again);
    require(read.has_value(), "what was written can be read");
    require_clean(read->data_set);
    const auto twice = deidentifier.apply(original, syntax);
    require(twice && as_text(twice->bytes.span()) == as_text(made->bytes.span()),
            "the same original gives the same bytes");
    return 0;
}
