#include "media/object.h"

#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "core/bytes.h"
#include "dicom/deflate.h"
#include "dicom/dicomdir.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"

namespace sagitta::media {
namespace {

namespace tags = dicom::tags;

bool has_pixels(const dicom::DataSet& data_set) {
    return data_set.contains(tags::PixelData) || data_set.contains(tags::FloatPixelData) ||
           data_set.contains(tags::DoubleFloatPixelData) || data_set.contains(tags::PixelDataProviderURL);
}

bool is_image(const dicom::DataSet& data_set) {
    return data_set.contains(tags::Rows) && data_set.contains(tags::Columns) &&
           data_set.contains(tags::BitsAllocated);
}

// The first `count` bytes go, the rest stays in the same memory: it may be two gigabytes.
void drop_front(ByteBuffer& bytes, std::size_t count) {
    if (count == 0) return;
    const auto left = bytes.size() - count;
    std::memmove(bytes.data(), bytes.data() + count, left);
    bytes.truncate(left);
}

}  // namespace

Result<std::optional<FileObject>> object_of(ByteBuffer file, const ObjectLimits& limits) {
    const auto bytes = std::as_const(file).span();
    dicom::ParseOptions options;
    options.max_depth = limits.sequence_depth;
    auto layout = dicom::read_file_layout(bytes);
    if (!layout) return std::move(layout).error();
    if (dicom::is_dicomdir(*layout)) return std::optional<FileObject>();
    if (!dicom::Uid::parse(layout->transfer_syntax_uid)) {
        return Error(Errc::malformed, "(0002,0010) is not a UID");
    }
    const auto offset = static_cast<std::size_t>(layout->data_set_offset);
    const auto data_set = bytes.subspan(offset);
    FileObject object;
    {
        auto parsed = dicom::parse_data_set(data_set, *layout->syntax, options);
        if (!parsed) {
            Error error = std::move(parsed).error();
            if (error.offset_bytes && !layout->syntax->deflated) *error.offset_bytes += offset;
            return error;
        }
        auto meta = dicom::file_meta_of(parsed->data_set, layout->transfer_syntax_uid, layout->meta);
        if (!meta) return std::move(meta).error();
        object.instance.file_header = dicom::make_file_header(*meta, layout->meta);
        const storage::EncodedInstance encoded{layout->transfer_syntax_uid,
                                               object.instance.file_header.size(), data_set};
        auto record = storage::extract_record(parsed->data_set, encoded);
        if (!record) return std::move(record).error();
        object.instance.record = std::move(*record);
        object.has_pixels = has_pixels(parsed->data_set);
        object.is_image = is_image(parsed->data_set);
    }
    drop_front(file, offset);
    object.instance.data_set = std::move(file);
    return std::optional<FileObject>(std::move(object));
}

Result<ByteBuffer> inflate_attachment(const ByteBuffer& attachment, std::uint64_t max_bytes) {
    constexpr std::size_t kLengthBytes = 8;
    if (attachment.size() < kLengthBytes) return Error(Errc::truncated, "compressed attachment is cut short");
    const auto length = load_le<std::uint64_t>(attachment.data());
    if (length > max_bytes) {
        return Error(Errc::limit_exceeded,
                     fmt::format("larger than {} bytes (limits.max_object)", max_bytes));
    }
    auto bytes = dicom::inflate(attachment.span().subspan(kLengthBytes), length);
    if (bytes && bytes->size() != length) {
        return Error(Errc::malformed, "compressed attachment has another length than it says");
    }
    return bytes;
}

}  // namespace sagitta::media
