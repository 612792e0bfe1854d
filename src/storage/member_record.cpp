#include "storage/member_record.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/byte_buffer.h"
#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "storage/digest.h"

namespace sagitta::storage {
namespace {

namespace tags = dicom::tags;

constexpr std::size_t kPiece = 1u << 20;

/// All of the file is in memory.
Result<InstanceRecord> record_of_file(std::span<const std::byte> file) {
    auto parsed = dicom::parse_file(file);
    if (!parsed) {
        // A receiver that was more tolerant may have stored it: what can be read decides.
        dicom::ParseOptions tolerant;
        tolerant.keep_readable_part = true;
        parsed = dicom::parse_file(file, tolerant);
    }
    if (!parsed) return std::move(parsed).error();
    const auto& layout = parsed->layout;
    return extract_record(parsed->data_set, {layout.transfer_syntax_uid, layout.data_set_offset,
                                             file.subspan(static_cast<std::size_t>(layout.data_set_offset))});
}

/// A file of which only the beginning is in memory.
class LongMember {
public:
    LongMember(const File& volume, std::uint64_t offset, std::uint64_t size)
        : volume_(volume), offset_(offset), size_(size) {}

    Result<InstanceRecord> record(std::span<const std::byte> head, std::uint64_t most_header) {
        while (true) {
            auto found = try_head(head, false);
            if (found && *found) return std::move(**found);
            if (!found && found.error().code == Errc::io_failure) {
                return std::move(found).error();
            }
            const auto next = std::min({std::uint64_t{head.size()} * 4, size_, most_header});
            if (next <= head.size()) break;
            if (auto grown = read_head(next); !grown) return std::move(grown).error();
            head = head_.span();
        }
        auto found = try_head(head, true);
        if (!found) return std::move(found).error();
        return std::move(**found);
    }

private:
    Result<void> read_head(std::uint64_t length) {
        head_.clear();
        auto read = volume_.read_at(offset_, head_.prepare(static_cast<std::size_t>(length)));
        if (!read) return std::move(read).error();
        head_.commit(*read);
        return {};
    }

    /// Empty when the header may go on behind `head`; never when `last`.
    Result<std::optional<InstanceRecord>> try_head(std::span<const std::byte> head, bool last) {
        auto layout = dicom::read_file_layout(head);
        if (!layout) return std::move(layout).error();
        dicom::ParseOptions options;
        options.stop_before_pixel_data = true;
        options.keep_readable_part = last;
        const auto bytes = head.subspan(static_cast<std::size_t>(layout->data_set_offset));
        auto parsed = dicom::parse_data_set(bytes, *layout->syntax, options);
        if (!parsed) return std::move(parsed).error();
        const bool stopped = !layout->syntax->deflated && parsed->consumed_bytes < bytes.size();
        if (!stopped && !last) return std::optional<InstanceRecord>();
        auto record = extract_columns(parsed->data_set);
        if (!record) return std::move(record).error();
        record->transfer_syntax_uid = layout->transfer_syntax_uid;
        record->data_set_offset = layout->data_set_offset;
        record->data_set_length = size_ - layout->data_set_offset;
        auto header = stopped ? pixels_at(layout->data_set_offset + parsed->header_bytes, *layout->syntax)
                              : Result<std::uint64_t>(size_);
        if (!header) return std::move(header).error();
        record->header_length = *header;
        auto digest = digest_from(layout->data_set_offset);
        if (!digest) return std::move(digest).error();
        record->digest = *digest;
        return std::optional<InstanceRecord>(std::move(*record));
    }

    /// Where the pixel data's value begins, in the file; `at` is the first element of group 7FE0.
    /// The size of the file where there is none.
    Result<std::uint64_t> pixels_at(std::uint64_t at, const dicom::TransferSyntax& syntax) const {
        while (at + 12 <= size_) {
            std::array<std::byte, 12> bytes{};
            auto read = volume_.read_at(offset_ + at, bytes);
            if (!read) return std::move(read).error();
            auto number = [&]<class T>(std::size_t from, T) {
                return syntax.big_endian ? load_be<T>(bytes.data() + from) : load_le<T>(bytes.data() + from);
            };
            const dicom::Tag tag(number(0, std::uint16_t{}), number(2, std::uint16_t{}));
            std::uint64_t header = 8;
            std::uint64_t length = number(4, std::uint32_t{});
            if (syntax.explicit_vr) {
                const auto vr =
                    dicom::vr_from_letters(static_cast<char>(bytes[4]), static_cast<char>(bytes[5]));
                if (!vr) return size_;
                const bool is_long = dicom::has_long_header(*vr);
                header = is_long ? 12 : 8;
                length = is_long ? number(8, std::uint32_t{}) : number(6, std::uint16_t{});
            }
            if (tag == tags::FloatPixelData || tag == tags::DoubleFloatPixelData || tag == tags::PixelData) {
                return at + header;
            }
            if (tag.group() != 0x7fe0 || length == 0xffffffff) return size_;
            at += header + length;
        }
        return size_;
    }

    Result<DataSetDigest> digest_from(std::uint64_t from) const {
        PieceDigest digest;
        std::vector<std::byte> piece(kPiece);
        for (auto at = from; at < size_;) {
            const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(kPiece, size_ - at));
            auto read = volume_.read_at(offset_ + at, std::span(piece).first(wanted));
            if (!read) return std::move(read).error();
            if (*read == 0) return Error(Errc::io_failure, "the volume has become shorter", offset_ + at);
            digest.add(std::span<const std::byte>(piece).first(*read));
            at += *read;
        }
        return digest.data_set_digest();
    }

    const File& volume_;
    const std::uint64_t offset_;
    const std::uint64_t size_;
    ByteBuffer head_;
};

}  // namespace

Result<InstanceRecord> record_of_member(const File& volume, std::uint64_t offset, std::uint64_t size,
                                        std::span<const std::byte> head, std::uint64_t most_header) {
    if (head.size() == size) return record_of_file(head);
    return LongMember(volume, offset, size).record(head, most_header);
}

}  // namespace sagitta::storage
