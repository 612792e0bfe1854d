#include "storage/long_data_set.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "core/byte_buffer.h"
#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"

namespace sagitta::storage {
namespace {

namespace tags = dicom::tags;

constexpr dicom::Tag kItem(0xfffe, 0xe000);
constexpr dicom::Tag kSequenceDelimitation(0xfffe, 0xe0dd);
constexpr std::uint32_t kUndefinedLength = 0xffffffff;
constexpr std::size_t kItemHeader = 8;
constexpr std::uint64_t kFirstRead = 64u << 10;
constexpr std::uint64_t kMostFragments = 8u << 20;  // as ParseOptions::max_elements

/// The bytes of a file where headers of items are looked for, read some at a time.
class Window {
public:
    Window(const File& file, std::uint64_t base, std::uint64_t length)
        : file_(file), base_(base), length_(length) {}

    /// An item header at `at`; nothing where the data set ends before.
    Result<std::optional<std::array<std::byte, kItemHeader>>> header_at(std::uint64_t at) {
        std::array<std::byte, kItemHeader> header{};
        if (at > length_ || length_ - at < header.size())
            return std::optional<std::array<std::byte, kItemHeader>>();
        if (at < begin_ || at + header.size() > begin_ + bytes_.size()) {
            bytes_.resize(static_cast<std::size_t>(std::min<std::uint64_t>(kBytes, length_ - at)));
            auto read = file_.read_at(base_ + at, bytes_);
            if (!read) return std::move(read).error();
            if (*read < bytes_.size()) return Error(Errc::io_failure, "a spooled file has become shorter");
            begin_ = at;
        }
        std::memcpy(header.data(), bytes_.data() + (at - begin_), header.size());
        return std::optional(header);
    }

private:
    static constexpr std::uint64_t kBytes = 4096;  // fragments are mostly longer
    const File& file_;
    const std::uint64_t base_;
    const std::uint64_t length_;
    std::uint64_t begin_ = 0;
    std::vector<std::byte> bytes_;
};

/// Grows the bytes in memory until the parser comes to the end of the data set. What is stepped over is
/// taken out of them, and its element made to say that it is empty.
class LongReader {
public:
    LongReader(const SpooledInstance& spooled, const dicom::TransferSyntax& syntax,
               const LongDataSetOptions& options)
        : file_(spooled.file()),
          base_(spooled.offset() + spooled.file_header_length()),
          length_(spooled.data_set_length()),
          syntax_(syntax),
          options_(options) {
        parse_.max_depth = options.max_depth;
    }

    Result<LongDataSet> read() {
        std::uint64_t wanted = kFirstRead;
        while (true) {
            if (auto filled = fill(wanted); !filled) return std::move(filled).error();
            parse_.prefix = bytes_->size() + skipped_ < length_;
            auto parsed = dicom::parse_data_set(std::as_const(*bytes_).span(), syntax_, parse_, bytes_);
            if (!parsed) return placed(std::move(parsed).error());
            if (!parse_.prefix) return finished(std::move(*parsed));
            auto stepped = step_over(*parsed);
            if (!stepped) return std::move(stepped).error();
            wanted = *stepped ? bytes_->size() + kFirstRead
                              : std::max(parsed->wanted_bytes, 2 * std::uint64_t{bytes_->size()});
            if (bytes_->size() >= options_.most_bytes)
                return Error(Errc::limit_exceeded, "too much besides pixel data and large values");
        }
    }

private:
    struct Gap {
        std::uint64_t at = 0;       ///< in memory
        std::uint64_t skipped = 0;  ///< bytes missing there
    };

    Result<void> fill(std::uint64_t wanted) {
        wanted = std::min({wanted, length_ - skipped_, options_.most_bytes});
        if (wanted <= bytes_->size()) return {};
        const auto room = bytes_->prepare(static_cast<std::size_t>(wanted) - bytes_->size());
        auto read = file_.read_at(base_ + skipped_ + bytes_->size(), room);
        if (!read) return std::move(read).error();
        if (*read < room.size()) return Error(Errc::io_failure, "a spooled file has become shorter");
        bytes_->commit(*read);
        return {};
    }

    /// True when a value was taken out; the parser then has to begin again.
    Result<bool> step_over(const dicom::ParsedDataSet& parsed) {
        if (parsed.cut_value) return leave_value(*parsed.cut_value);
        return leave_fragments(parsed.consumed_bytes);
    }

    /// Not of sequences, whose items are to be checked, nor UN that may be one (PS3.5 6.2.2).
    bool leave_value(const dicom::Node& cut) {
        const bool may_be_sequence =
            cut.vr == dicom::Vr::SQ || (cut.vr == dicom::Vr::UN && cut.tag.group() % 2 == 0);
        const bool large = cut.length > UINT16_MAX && cut.length >= options_.large_value_bytes;
        const bool fits = cut.length <= length_ - skipped_ - cut.offset;
        if (may_be_sequence || !large || !fits) return false;
        std::memset(bytes_->data() + cut.offset - sizeof(std::uint32_t), 0, sizeof(std::uint32_t));
        take_out(cut.offset, cut.length);
        return true;
    }

    /// Encapsulated pixel data whose value begins at `at` in memory (PS3.5 A.4).
    Result<bool> leave_fragments(std::uint64_t at) {
        if (!begins_fragments(at)) return false;
        Window window(file_, base_, length_);
        auto position = at + skipped_;
        for (std::uint64_t fragments = 0; fragments < kMostFragments; ++fragments) {
            auto header = window.header_at(position);
            if (!header) return std::move(header).error();
            if (!*header) return false;  // the parser says so when it has all there is
            const dicom::Tag tag(load<std::uint16_t>(**header, 0), load<std::uint16_t>(**header, 2));
            const auto length = load<std::uint32_t>(**header, 4);
            if (tag == kSequenceDelimitation) {
                take_out_fragments(at, position);
                return true;
            }
            if (tag != kItem)
                return Error(Errc::malformed, "pixel data holds something else than fragments", position);
            if (length == kUndefinedLength)
                return Error(Errc::malformed, "fragment of undefined length", position);
            if (length > length_ - position - kItemHeader)
                return Error(Errc::truncated, "a fragment is longer than the data set", position);
            position += kItemHeader + length;
        }
        return Error(Errc::limit_exceeded, "too many fragments");
    }

    bool begins_fragments(std::uint64_t at) const {
        constexpr std::uint64_t kHeader = 12;
        if (at < kHeader || at > bytes_->size()) return false;
        const auto header = std::as_const(*bytes_).span().subspan(static_cast<std::size_t>(at - kHeader));
        const dicom::Tag tag(load<std::uint16_t>(header, 0), load<std::uint16_t>(header, 2));
        return tag == tags::PixelData && load<std::uint32_t>(header, 8) == kUndefinedLength;
    }

    /// One empty item stays: an empty sequence of fragments would be another thing.
    void take_out_fragments(std::uint64_t at, std::uint64_t delimiter) {
        take_out(at, delimiter - skipped_ - at);
        const std::array<std::byte, kItemHeader> item{std::byte{0xfe}, std::byte{0xff}, std::byte{0x00},
                                                      std::byte{0xe0}};
        bytes_->append(item);
        gaps_.back().skipped -= item.size();
        skipped_ -= item.size();
    }

    void take_out(std::uint64_t at, std::uint64_t length) {
        bytes_->truncate(static_cast<std::size_t>(at));
        gaps_.push_back({at, length});
        skipped_ += length;
    }

    template <class T>
    T load(std::span<const std::byte> bytes, std::size_t from) const {
        return syntax_.big_endian ? load_be<T>(bytes.data() + from) : load_le<T>(bytes.data() + from);
    }

    /// Where in the data set lies what is at `at` in memory.
    std::uint64_t in_data_set(std::uint64_t at) const {
        auto place = at;
        for (const auto& gap : gaps_)
            if (gap.at < at) place += gap.skipped;
        return place;
    }

    Error placed(Error error) const {
        if (error.offset_bytes) error.offset_bytes = in_data_set(*error.offset_bytes);
        return error;
    }

    LongDataSet finished(dicom::ParsedDataSet parsed) const {
        LongDataSet read;
        read.before_pixels = length_;
        for (const auto tag : {tags::FloatPixelData, tags::DoubleFloatPixelData, tags::PixelData}) {
            const auto pixels = parsed.data_set.find(tag);
            if (!pixels) continue;
            read.before_pixels = in_data_set(pixels->node().offset);
            break;
        }
        read.data_set = std::move(parsed.data_set);
        return read;
    }

    const File& file_;
    const std::uint64_t base_;
    const std::uint64_t length_;
    const dicom::TransferSyntax& syntax_;
    const LongDataSetOptions& options_;
    dicom::ParseOptions parse_;
    std::shared_ptr<ByteBuffer> bytes_ = std::make_shared<ByteBuffer>();
    std::uint64_t skipped_ = 0;
    std::vector<Gap> gaps_;
};

}  // namespace

Result<LongDataSet> read_long_data_set(const SpooledInstance& spooled, const dicom::TransferSyntax& syntax,
                                       const LongDataSetOptions& options) {
    return LongReader(spooled, syntax, options).read();
}

Result<InstanceRecord> record_of_spooled(const SpooledInstance& spooled, const LongDataSet& read,
                                         std::string_view transfer_syntax_uid) {
    auto record = extract_columns(read.data_set);
    if (!record) return record;
    record->transfer_syntax_uid = std::string(transfer_syntax_uid);
    record->data_set_offset = spooled.file_header_length();
    record->data_set_length = spooled.data_set_length();
    record->header_length = record->data_set_offset + read.before_pixels;
    record->digest = spooled.data_set_digest();
    return record;
}

}  // namespace sagitta::storage
