// Files of any length: the header is in memory, frames a few at a time. What is known only at the end
// (offset tables, the compression ratio) has its room from the beginning.
#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "codec/fragments.h"
#include "codec/pixel_bytes.h"
#include "codec/transcode_plan.h"
#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/part10.h"
#include "dicom/writer.h"

namespace sagitta::codec {
namespace {

namespace tags = dicom::tags;
namespace uids = dicom::uids;
using dicom::Vr;

constexpr std::size_t kPieceBytes = 1024 * 1024;
constexpr std::uint32_t kUndefinedLength = 0xFFFFFFFFu;
constexpr std::uint64_t kMaxTailBytes = 256ull << 20;
// Of a ratio, always: it has its place before it is known.
constexpr std::size_t kRatioDigits = 8;
constexpr dicom::WriteOptions kCanonical{dicom::WriteOptions::Form::canonical};

std::string ratio_text(double ratio) {
    return fmt::format("{:.6f}", std::min(ratio, 999999.9)).substr(0, kRatioDigits);
}

// PS3.5 7.1.2, 7.1.3; the VRs of pixel data have lengths of 32 bits.
void append_element(ByteBuffer& out, dicom::Tag tag, std::string_view vr, std::uint32_t length,
                    const dicom::TransferSyntax& syntax) {
    const auto u16 = [&](std::uint16_t value) {
        syntax.big_endian ? append_be(out, value) : append_le(out, value);
    };
    const auto u32 = [&](std::uint32_t value) {
        syntax.big_endian ? append_be(out, value) : append_le(out, value);
    };
    u16(tag.group());
    u16(tag.element());
    if (syntax.explicit_vr) {
        append_text(out, vr);
        u16(0);
    }
    u32(length);
}

// Preamble, meta information and the data set before the pixels.
Result<ByteBuffer> file_beginning(const dicom::DataSet& header, const dicom::DataSet& previous_meta,
                                  const dicom::TransferSyntax& syntax) {
    const auto meta = dicom::file_meta_of(header, std::string(syntax.uid), previous_meta);
    if (!meta) return meta.error();
    // The instance may have another UID than the file it comes from.
    ByteBuffer out = dicom::make_file_header(*meta, previous_meta);
    if (auto written = dicom::write_data_set(header, syntax, out, kCanonical); !written)
        return std::move(written).error();
    return out;
}

// A file to be read: its header, and what lies behind its pixels.
struct SourceFile {
    std::string path;
    dicom::FileHeader header;
    std::string_view uid;  ///< its transfer syntax
    dicom::DataSet tail;
};

Result<dicom::DataSet> read_tail(const SourceFile& source, std::uint64_t from) {
    if (from >= source.header.file_bytes) return dicom::DataSet();
    const std::uint64_t length = source.header.file_bytes - from;
    if (length > kMaxTailBytes) return Error(Errc::limit_exceeded, "too much behind the pixel data", from);
    const dicom::ValueInFile value{tags::PixelData, Vr::UN, from, length, false};
    auto bytes = dicom::read_value(source.path, value, 0, length);
    if (!bytes) return std::move(bytes).error();
    auto owner = std::make_shared<const ByteBuffer>(std::move(*bytes));
    const auto span = owner->span();
    dicom::ParseOptions options;
    options.keep_readable_part = true;
    auto parsed = dicom::parse_data_set(span, *source.header.layout.syntax, options, std::move(owner));
    if (!parsed) return std::move(parsed).error();
    return std::move(parsed->data_set);
}

// Where the pixel data element ends, its delimiter included.
Result<std::uint64_t> end_of_pixels(const SourceFile& source, const PixelLimits& limits) {
    const auto& pixels = *source.header.pixel_data;
    if (!pixels.encapsulated) return pixels.offset_bytes + pixels.length_bytes;
    auto bytes = pixel_bytes_in_file(source.path, pixels.offset_bytes, pixels.length_bytes);
    if (!bytes) return std::move(bytes).error();
    std::vector<Error> warnings;
    const auto table = walk_fragments(**bytes, limits.max_frames, warnings);
    if (!table) return table.error();
    std::uint64_t end = 8 + table->basic_offsets.size();
    if (!table->fragments.empty()) end = table->fragments.back().at + table->fragments.back().length;
    // Without its delimiter it goes to the end of the file.
    return warnings.empty() ? pixels.offset_bytes + end + 8 : source.header.file_bytes;
}

Result<SourceFile> open_source(const std::string& path) {
    dicom::HeaderOptions options;
    options.keep_readable_part = false;
    auto header = dicom::read_file_header(path, options);
    if (!header) return std::move(header).error();
    SourceFile source;
    source.path = path;
    source.header = std::move(*header);
    const std::string_view named = source.header.layout.transfer_syntax_uid;
    source.uid = named.empty() ? source.header.layout.syntax->uid : named;
    return source;
}

void swap_units(ByteBuffer& bytes, std::size_t unit) {
    for (std::byte* at = bytes.data(); at + unit <= bytes.data() + bytes.size(); at += unit)
        std::reverse(at, at + unit);
}

// `length` bytes of a file from `from` on, a piece at a time, each piece changed by `change`.
template <class Change>
Result<void> copy_bytes(const std::string& path, std::uint64_t from, std::uint64_t length, dicom::NewFile& to,
                        Change change) {
    auto bytes = pixel_bytes_in_file(path, from, length);
    if (!bytes) return std::move(bytes).error();
    for (std::uint64_t at = 0; at < length; at += kPieceBytes) {
        ByteBuffer piece;
        const auto room =
            piece.prepare(static_cast<std::size_t>(std::min<std::uint64_t>(kPieceBytes, length - at)));
        if (auto read = (*bytes)->read(at, room); !read) return read;
        piece.commit(room.size());
        change(piece);
        if (auto written = to.append(std::as_const(piece).span()); !written) return written;
    }
    return {};
}

// The pixels of the result, streamed.
class NewObject final : public FrameTarget {
public:
    NewObject(const SourceFile& source, const TranscodePlan& plan, std::string path,
              dicom::IfFileExists if_exists, TranscodeReport& report)
        : source_(source),
          plan_(plan),
          path_(std::move(path)),
          if_exists_(if_exists),
          report_(report),
          syntax_(*dicom::find_transfer_syntax(plan.target)) {}

    Result<void> begin(const PixelFormat& written, std::uint32_t frames) override {
        written_ = written;
        frames_ = frames;
        lengths_.clear();
        encoded_bytes_ = 0;
        native_.emplace(written);
        // Offsets of 32 bits do, unless frames grow to more than twice their size (PS3.5 A.4).
        extended_ = written.frame_bytes() * frames > 0x7FFFFFFFu;
        if (plan_.encoder == nullptr && native_->bytes_of(frames) >= kUndefinedLength)
            return Error(Errc::limit_exceeded, "native pixel data has at most 4 GiB (PS3.5 7.1.1)");
        file_.reset();
        auto file = dicom::NewFile::create(path_, if_exists_);
        if (!file) return std::move(file).error();
        file_.emplace(std::move(*file));
        auto start = beginning();
        if (!start) return std::move(start).error();
        return file_->append(start->span());
    }

    Result<void> frame(RecodedFrame frame) override {
        if (plan_.encoder == nullptr) {
            ByteBuffer out;
            native_->append(frame.bytes.span(), out);
            if (syntax_.big_endian) swap_words(out, written_.bits_allocated > 8);
            return file_->append(out.span());
        }
        if (frame.bytes.size() >= kUndefinedLength)
            return Error(Errc::limit_exceeded, "a fragment has at most 4 GiB (PS3.5 A.4)");
        lengths_.push_back(frame.bytes.size());
        encoded_bytes_ += frame.bytes.size();
        ByteBuffer item;
        append_item(item, dicom::kItem, static_cast<std::uint32_t>(frame.bytes.size()));
        if (auto written = file_->append(item.span()); !written) return written;
        return file_->append(frame.bytes.span());
    }

    Result<void> finish() {
        ByteBuffer end;
        if (plan_.encoder == nullptr) {
            native_->finish(end);
        } else {
            append_item(end, dicom::kSequenceDelimitation, 0);
        }
        if (auto written = dicom::write_data_set(source_.tail, syntax_, end, kCanonical); !written)
            return written;
        if (auto written = file_->append(end.span()); !written) return written;
        if (plan_.encoder != nullptr) {
            auto start = beginning();
            if (!start) return std::move(start).error();
            if (auto written = file_->overwrite(0, start->span()); !written) return written;
        }
        return file_->commit();
    }

private:
    static void append_item(ByteBuffer& out, dicom::Tag tag, std::uint32_t length) {
        append_le(out, tag.group());
        append_le(out, tag.element());
        append_le(out, length);
    }

    static void swap_words(ByteBuffer& bytes, bool are_words) {
        if (!are_words) return;
        swap_units(bytes, 2);
    }

    // Everything before the first frame; of the same length at the beginning and at the end.
    Result<ByteBuffer> beginning() {
        PixelChange change = plan_.change(written_, frames_);
        change.ratio = ratio_text(plan_.ratio(written_, frames_, encoded_bytes_));
        std::vector<Error> warnings;
        auto header = describe_change(source_.header.data_set, change, warnings);
        if (!header) return std::move(header).error();
        if (lengths_.empty())
            report_.warnings.insert(report_.warnings.end(), warnings.begin(), warnings.end());
        auto out = file_beginning(*header, source_.header.layout.meta, syntax_);
        if (!out) return out;
        if (plan_.encoder == nullptr) {
            append_element(*out, tags::PixelData, written_.bits_allocated > 8 ? "OW" : "OB",
                           static_cast<std::uint32_t>(native_->bytes_of(frames_)), syntax_);
            return out;
        }
        append_offset_tables(*out);
        return out;
    }

    // PS3.5 A.4, PS3.3 C.7.6.3.1.8.
    void append_offset_tables(ByteBuffer& out) const {
        if (extended_) {
            const std::uint32_t bytes = frames_ * 8;
            append_element(out, tags::ExtendedOffsetTable, "OV", bytes, syntax_);
            std::uint64_t offset = 0;
            for (std::uint32_t n = 0; n < frames_; ++n) {
                append_le(out, offset);
                offset += 8 + length_of(n);
            }
            append_element(out, tags::ExtendedOffsetTableLengths, "OV", bytes, syntax_);
            for (std::uint32_t n = 0; n < frames_; ++n) append_le(out, length_of(n));
        }
        append_element(out, tags::PixelData, "OB", kUndefinedLength, syntax_);
        append_item(out, dicom::kItem, extended_ ? 0 : frames_ * 4);
        if (extended_) return;
        std::uint64_t offset = 0;
        for (std::uint32_t n = 0; n < frames_; ++n) {
            append_le(out, static_cast<std::uint32_t>(offset));
            offset += 8 + length_of(n);
        }
    }

    // Zero where a frame is not known yet.
    [[nodiscard]] std::uint64_t length_of(std::uint32_t frame) const {
        return frame < lengths_.size() ? lengths_[frame] : 0;
    }

    const SourceFile& source_;
    const TranscodePlan& plan_;
    std::string path_;
    dicom::IfFileExists if_exists_;
    TranscodeReport& report_;
    const dicom::TransferSyntax& syntax_;
    PixelFormat written_;
    std::uint32_t frames_ = 0;
    bool extended_ = false;
    std::vector<std::uint64_t> lengths_;
    std::uint64_t encoded_bytes_ = 0;
    std::optional<NativeFrames> native_;
    std::optional<dicom::NewFile> file_;
};

struct Destination {
    std::string path;
    dicom::IfFileExists if_exists;
};

// The data set as it lies, behind meta information of ours.
Result<void> copy_object(const SourceFile& source, const Destination& to) {
    const auto& header = source.header;
    auto meta = dicom::file_meta_of(header.data_set, std::string(source.uid), header.layout.meta);
    if (!meta) return std::move(meta).error();
    auto file = dicom::NewFile::create(to.path, to.if_exists);
    if (!file) return std::move(file).error();
    const ByteBuffer start = dicom::make_file_header(*meta, header.layout.meta);
    if (auto written = file->append(start.span()); !written) return written;
    const std::uint64_t from = header.layout.data_set_offset;
    if (auto copied = copy_bytes(source.path, from, header.file_bytes - from, *file, [](ByteBuffer&) {});
        !copied)
        return copied;
    return file->commit();
}

// Native pixels in another native encoding: at most their bytes are swapped (PS3.5 7.3).
Result<void> convert_native(const SourceFile& source, std::string_view target, const Destination& to) {
    const auto& header = source.header;
    const auto& pixels = *header.pixel_data;
    const auto& syntax = *dicom::find_transfer_syntax(target);
    const std::uint64_t length = pixels.length_bytes + pixels.length_bytes % 2;
    if (length >= kUndefinedLength)
        return Error(Errc::limit_exceeded, "native pixel data has at most 4 GiB (PS3.5 7.1.1)");
    auto start = file_beginning(header.data_set, header.layout.meta, syntax);
    if (!start) return std::move(start).error();
    append_element(*start, pixels.tag, dicom::to_string(pixels.vr), static_cast<std::uint32_t>(length),
                   syntax);
    auto file = dicom::NewFile::create(to.path, to.if_exists);
    if (!file) return std::move(file).error();
    if (auto written = file->append(start->span()); !written) return written;
    const std::size_t unit = pixels.vr == Vr::OW ? 2 : pixels.vr == Vr::OF ? 4 : pixels.vr == Vr::OD ? 8 : 1;
    const bool swapped = unit > 1 && header.layout.syntax->big_endian != syntax.big_endian;
    const auto change = [&](ByteBuffer& piece) {
        if (swapped) swap_units(piece, unit);
    };
    if (auto copied = copy_bytes(source.path, pixels.offset_bytes, pixels.length_bytes, *file, change);
        !copied)
        return copied;
    ByteBuffer end;
    if (length != pixels.length_bytes) append_le(end, std::uint8_t{0});
    if (auto written = dicom::write_data_set(source.tail, syntax, end, kCanonical); !written) return written;
    if (auto written = file->append(end.span()); !written) return written;
    return file->commit();
}

Result<void> recode_file(const SourceFile& source, const TranscodePlan& plan, const Destination& to,
                         TranscodeReport& report) {
    if (auto good = check_recodable(source.header.data_set); !good) return good;
    auto frames = FrameSource::open_file(source.path, plan.options.limits);
    if (!frames) return std::move(frames).error();
    if (auto good = check_complete(*frames, report); !good) return good;
    NewObject object(source, plan, to.path, to.if_exists, report);
    if (auto good = recode_frames(*frames, plan.recoding(frames->format()), object); !good) return good;
    report.frames = frames->frame_count();
    report.newly_lossy = !plan.new_uid.empty();
    return object.finish();
}

Result<void> convert_in_memory(const SourceFile& source, const TranscodePlan& plan, const Destination& to,
                               TranscodeReport& report) {
    if (source.header.file_bytes > plan.options.max_bytes_in_memory)
        return Error(Errc::limit_exceeded, "too long to be in memory as a whole");
    const auto file = dicom::read_file(source.path);
    if (!file) return file.error();
    auto done = transcode(file->data_set, source.uid, plan.target, plan.options);
    if (!done) return std::move(done).error();
    report = std::move(done->report);
    const auto start = file_beginning(done->data_set, file->layout.meta, *done->syntax);
    if (!start) return start.error();
    const std::array parts{start->span()};
    return dicom::write_file(to.path, parts, to.if_exists);
}

Result<void> run(SourceFile& source, const TranscodePlan& plan, const Destination& to,
                 TranscodeReport& report) {
    const auto& header = source.header;
    if (source.uid == plan.target) {
        report.pixels_copied = true;
        return copy_object(source, to);
    }
    const bool deflated =
        header.layout.syntax->deflated || plan.target == uids::DeflatedExplicitVRLittleEndian;
    if (deflated || !header.pixel_data) return convert_in_memory(source, plan, to, report);
    if (auto good = check_words(plan, header.data_set, header.pixel_data->tag); !good) return good;
    auto end = end_of_pixels(source, plan.options.limits);
    if (!end) return std::move(end).error();
    auto tail = read_tail(source, *end);
    if (!tail) return std::move(tail).error();
    source.tail = std::move(*tail);
    const bool at_most_words =
        header.pixel_data->vr != Vr::OW || header.data_set.integer(tags::BitsAllocated).value_or(0) <= 16;
    if (plan.native_to_native(at_most_words)) {
        report.pixels_copied = true;
        return convert_native(source, plan.target, to);
    }
    return recode_file(source, plan, to, report);
}

}  // namespace

Result<TranscodeReport> transcode_file(const std::string& in, const std::string& out, std::string_view target,
                                       const TranscodeOptions& options, dicom::IfFileExists if_exists) {
    std::error_code ignored;
    if (std::filesystem::equivalent(in, out, ignored))
        return Error(Errc::already_exists, out + " is the input, which is never changed");
    auto source = open_source(in);
    if (!source) return std::move(source).error();
    if (source->header.data_set.contains(tags::DirectoryRecordSequence) && source->uid != target)
        return Error(Errc::unsupported,
                     "a DICOMDIR holds the byte offsets of its records, which would be wrong");
    TranscodeReport report;
    report.warnings = source->header.warnings;
    const Destination to{out, if_exists};
    const auto* wanted = dicom::find_transfer_syntax(target);
    if (is_video(source->uid) && source->uid != target) {
        report.untouched = "video stays in the transfer syntax it has";
        target = source->uid;
    } else if (!source->header.pixel_data && !source->header.layout.syntax->deflated && wanted != nullptr &&
               wanted->encapsulated) {
        report.untouched = "no pixels to compress";
        target = source->uid;
    }
    const auto plan = make_plan(source->uid, target, options);
    if (!plan) return plan.error();
    report.transfer_syntax_uid = target;
    if (auto done = run(*source, *plan, to, report); !done) return std::move(done).error();
    return report;
}

}  // namespace sagitta::codec
