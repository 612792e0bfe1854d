#include "storage/stored_header.h"

#include <utility>

#include "dicom/part10.h"

namespace sagitta::storage {

Result<StoredHeader> read_header(const InstanceStore& store, const InstanceLocation& instance) {
    auto bytes = store.read(instance, 0, instance.header_length);
    if (!bytes) return std::move(bytes).error();
    StoredHeader header;
    header.bytes = std::move(*bytes);
    const auto span = std::as_const(header.bytes).span();
    auto layout = dicom::read_file_layout(span);
    if (!layout) return Error(Errc::corrupt, layout.error().message());
    dicom::ParseOptions options;
    options.stop_before_pixel_data = true;
    options.keep_readable_part = true;
    auto parsed = dicom::parse_data_set(span.subspan(static_cast<std::size_t>(layout->data_set_offset)),
                                        *layout->syntax, options);
    if (!parsed) return Error(Errc::corrupt, parsed.error().message());
    header.meta = std::move(layout->meta);
    header.data_set = std::move(parsed->data_set);
    return header;
}

}  // namespace sagitta::storage
