// Whole files: preamble, meta information, data set. What must hold: the two ways to read a file
// agree, and a header made from what was read leads to the same data set.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "core/bytes.h"
#include "dicom/part10.h"

namespace {

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace sagitta;
    using namespace sagitta::dicom;
    const auto bytes = std::as_bytes(std::span(data, size));

    ParseOptions options;
    options.max_inflated_bytes = 1 << 20;
    const auto layout = read_file_layout(bytes);
    const auto strict = parse_file(bytes, options);
    options.keep_readable_part = true;
    const auto lenient = parse_file(bytes, options);

    require(layout || !strict, "a file that parses has a layout");
    require(lenient || !strict, "what parses strictly parses leniently");
    if (layout) require(layout->data_set_offset <= size, "the data set begins inside the file");
    if (!strict) return 0;
    require(strict->layout.data_set_offset == layout->data_set_offset,
            "both find the data set at the same place");
    require(strict->layout.syntax == layout->syntax && layout->syntax != nullptr,
            "both find the same syntax");
    require(strict->data_set.nodes().size() == lenient->data_set.nodes().size(),
            "lenient adds nothing to a good file");

    const auto sop_class = strict->data_set.uid(Tag(0x0008, 0x0016));
    const auto sop_instance = strict->data_set.uid(Tag(0x0008, 0x0018));
    if (!sop_class || !sop_instance || layout->syntax->deflated) return 0;
    FileMeta meta;
    meta.sop_class_uid = *sop_class;
    meta.sop_instance_uid = *sop_instance;
    meta.transfer_syntax_uid = layout->syntax->uid;
    meta.source_ae_title = "FUZZ";
    auto file = make_file_header(meta);
    const auto header_bytes = file.size();
    file.append(bytes.subspan(static_cast<std::size_t>(layout->data_set_offset)));
    options.keep_readable_part = false;
    const auto again = parse_file(file.span(), options);
    require(again.has_value(), "the data set behind a header of ours parses");
    require(again->layout.data_set_offset == header_bytes, "the header has the length it says");
    require(again->data_set.nodes().size() == strict->data_set.nodes().size(), "and is the same data set");
    return 0;
}
