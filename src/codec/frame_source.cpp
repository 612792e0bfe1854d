#include "codec/frame_source.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "codec/colour.h"
#include "codec/fragments.h"
#include "codec/frame_codec.h"
#include "codec/native_pixels.h"
#include "codec/pixel_bytes.h"
#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"

namespace sagitta::codec {

namespace tags = dicom::tags;

struct FrameSource::State {
    dicom::DataSet data_set;
    const dicom::TransferSyntax* syntax = nullptr;
    PixelFormat format;
    std::uint32_t declared_frames = 1;
    std::uint32_t frames = 0;
    std::vector<Error> warnings;
    std::unique_ptr<PixelBytes> bytes;  // null when the fragments are in memory
    bool encapsulated = false;
    std::uint32_t swap_unit = 1;  // native: how many bytes big endian has turned around
    FragmentTable table;
    std::vector<FrameFragments> grouped;
    const FrameCodec* codec = nullptr;

    Result<void> describe(const PixelLimits& limits, dicom::Tag pixel_data);
    Result<void> find_native_frames();
    Result<void> find_fragments(const ExtendedOffsets& extended);
    Result<ByteBuffer> native_frame(std::uint32_t frame) const;
    Result<ByteBuffer> joined_fragments(std::uint32_t frame) const;
};

namespace {

constexpr std::array kPixelTags{tags::FloatPixelData, tags::DoubleFloatPixelData, tags::PixelData};
// Implicit little endian but for the pixels, which are big endian.
constexpr std::string_view kGePrivateImplicit = "1.2.840.113619.5.2";
constexpr std::uint64_t kMaxOffsetTableBytes = 1ull << 30;

bool is_video(std::string_view uid) {
    // PS3.5 8.2.5 to 8.2.10: .100 to .108 with their fragmentable forms; A.7: SMPTE ST 2110.
    return uid.starts_with("1.2.840.10008.1.2.4.10") || uid.starts_with("1.2.840.10008.1.2.7.");
}

std::uint32_t unit_of_big_endian(const PixelFormat& format, dicom::Vr vr) {
    if (format.bits_allocated >= 16) return format.bits_allocated / 8u;
    return vr == dicom::Vr::OB ? 1 : 2;  // bytes in OW lie in words, PS3.5 8.1.1
}

void reverse_units(std::span<std::byte> bytes, std::size_t unit) {
    for (std::size_t at = 0; at + unit <= bytes.size(); at += unit)
        std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes.begin() + static_cast<std::ptrdiff_t>(at + unit));
}

// What the first frame is when the transfer syntax does not say it.
std::string_view syntax_by_content(const Result<ByteBuffer>& frame) {
    if (!frame || frame->size() < 4) return {};
    const auto bytes = frame->span();
    const auto first = load_be<std::uint32_t>(bytes.data());
    if (first == 0xff4fff51u) return dicom::uids::JPEG2000;
    if ((first & 0xffffff00u) != 0xffd8ff00u)
        return dicom::uids::EncapsulatedUncompressedExplicitVRLittleEndian;
    for (std::size_t at = 2; at + 4 <= bytes.size() && bytes[at] == std::byte{0xff};) {
        switch (std::to_integer<unsigned>(bytes[at + 1])) {
            case 0xc0: return dicom::uids::JPEGBaseline8Bit;
            case 0xc3: return dicom::uids::JPEGLossless;
            case 0xf7: return dicom::uids::JPEGLSLossless;
            case 0xda: return dicom::uids::JPEGExtended12Bit;
            default: at += 2u + load_be<std::uint16_t>(bytes.data() + at + 2);
        }
    }
    return dicom::uids::JPEGExtended12Bit;
}

// Moves bits down so that the first one is bit 0 of the first byte.
void drop_low_bits(ByteBuffer& bytes, unsigned count) {
    if (count == 0) return;
    std::byte* at = bytes.data();
    for (std::size_t n = 0; n < bytes.size(); ++n) {
        const unsigned here = std::to_integer<unsigned>(at[n]) >> count;
        const unsigned next = n + 1 < bytes.size() ? std::to_integer<unsigned>(at[n + 1]) << (8 - count) : 0;
        at[n] = static_cast<std::byte>(here | next);
    }
}

}  // namespace

Result<void> FrameSource::State::describe(const PixelLimits& limits, dicom::Tag pixel_data) {
    auto described = describe_pixels(data_set.elements(), limits, pixel_data);
    if (!described) return std::move(described).error();
    format = *described;
    const auto high_bit = data_set.integer(tags::HighBit);
    if (format.sample == SampleType::integer && high_bit && *high_bit != format.high_bit)
        warnings.emplace_back(Errc::malformed, "High Bit contradicts Bits Stored and is not used");
    const auto frames_element = data_set.find(tags::NumberOfFrames);
    if (!frames_element || frames_element->empty()) return {};
    const auto number = frames_element->integer();
    if (!number || *number < 1) {
        warnings.emplace_back(Errc::malformed, "Number of Frames is no positive number: taken as 1");
        return {};
    }
    if (*number > limits.max_frames)
        return Error(Errc::limit_exceeded,
                     "more frames than the limit of " + std::to_string(limits.max_frames));
    declared_frames = static_cast<std::uint32_t>(*number);
    return {};
}

Result<void> FrameSource::State::find_native_frames() {
    std::array<std::byte, 4> first;
    if (syntax->encapsulated && bytes->read(0, first) && begins_a_stream(first)) {
        warnings.emplace_back(Errc::malformed, "pixel data is a compressed stream without fragments");
        encapsulated = true;
        table.fragments.push_back({0, 0, bytes->size(), {}});
        return find_fragments({});
    }
    if (syntax->encapsulated)
        warnings.emplace_back(Errc::mismatch, "native pixel data in a transfer syntax of fragments");
    const std::uint64_t whole = format.frame_bytes() * declared_frames;
    if (format.photometric == Photometric::ybr_full_422 && bytes->size() >= whole) {
        format.photometric = Photometric::ybr_full;
        warnings.emplace_back(Errc::mismatch, "YBR_FULL_422 with a chrominance sample for every pixel");
    }
    const std::uint64_t there = bytes->size() * 8 / native_frame_bits(format);
    frames = static_cast<std::uint32_t>(std::min<std::uint64_t>(there, declared_frames));
    if (frames < declared_frames)
        warnings.emplace_back(Errc::truncated, "pixel data has " + std::to_string(there) + " of " +
                                                   std::to_string(declared_frames) + " frames");
    if (there > declared_frames)
        warnings.emplace_back(Errc::mismatch, "pixel data is longer than its frames");
    return {};
}

Result<void> FrameSource::State::find_fragments(const ExtendedOffsets& extended) {
    auto found = group_fragments(table, extended, bytes.get(), declared_frames, warnings);
    if (!found) return std::move(found).error();
    grouped = std::move(*found);
    frames = static_cast<std::uint32_t>(grouped.size());
    if (frames < declared_frames)
        warnings.emplace_back(Errc::truncated, "pixel data has " + std::to_string(frames) + " of " +
                                                   std::to_string(declared_frames) + " frames");
    codec = find_decoder(syntax->uid);
    if (codec != nullptr || syntax->encapsulated || grouped.empty()) return {};
    warnings.emplace_back(Errc::mismatch, "fragments in a transfer syntax that has none");
    codec = find_decoder(syntax_by_content(joined_fragments(0)));
    return {};
}

Result<ByteBuffer> FrameSource::State::native_frame(std::uint32_t frame) const {
    const std::uint64_t bits = native_frame_bits(format);
    const std::uint64_t first_bit = bits * frame;
    const std::uint64_t from = first_bit / 8;
    const std::uint64_t to = (first_bit + bits + 7) / 8;
    const std::uint64_t unit = swap_unit;
    const std::uint64_t aligned_from = from - from % unit;
    const std::uint64_t aligned_to = std::min(bytes->size(), (to + unit - 1) / unit * unit);
    ByteBuffer read;
    const auto room = read.prepare(static_cast<std::size_t>(aligned_to - aligned_from));
    if (auto filled = bytes->read(aligned_from, room); !filled) return std::move(filled).error();
    if (unit > 1) reverse_units(room, unit);
    read.commit(room.size());
    if (aligned_from == from && first_bit % 8 == 0) {
        read.truncate(static_cast<std::size_t>(to - from));
        return read;
    }
    ByteBuffer exact(std::as_const(read).span().subspan(static_cast<std::size_t>(from - aligned_from),
                                                        static_cast<std::size_t>(to - from)));
    drop_low_bits(exact, first_bit % 8);
    exact.truncate(static_cast<std::size_t>((bits + 7) / 8));
    return exact;
}

Result<ByteBuffer> FrameSource::State::joined_fragments(std::uint32_t frame) const {
    const auto& parts = grouped[frame];
    std::uint64_t total = 0;
    for (std::uint32_t n = parts.first; n < parts.last; ++n) total += table.fragments[n].length;
    ByteBuffer joined;
    joined.reserve(static_cast<std::size_t>(total));
    for (std::uint32_t n = parts.first; n < parts.last; ++n) {
        const Fragment& fragment = table.fragments[n];
        const auto room = joined.prepare(static_cast<std::size_t>(fragment.length));
        if (auto read = read_fragment(fragment, bytes.get(), room); !read) return std::move(read).error();
        joined.commit(room.size());
    }
    if (parts.max_bytes != 0 && parts.max_bytes < joined.size())
        joined.truncate(static_cast<std::size_t>(parts.max_bytes));
    return joined;
}

Result<FrameSource> FrameSource::open(dicom::DataSet data_set, const dicom::TransferSyntax& syntax,
                                      const PixelLimits& limits) {
    auto state = std::make_unique<State>();
    state->data_set = std::move(data_set);
    state->syntax = &syntax;
    std::optional<dicom::Element> pixels;
    for (const dicom::Tag tag : kPixelTags) {
        if (const auto found = state->data_set.find(tag)) pixels = found;
    }
    if (!pixels) return Error(Errc::not_found, "no pixel data");
    if (is_video(syntax.uid))
        return Error(Errc::unsupported, "video is not decoded here: " + std::string(syntax.name));
    if (auto described = state->describe(limits, pixels->tag()); !described)
        return std::move(described).error();
    state->encapsulated = pixels->node().undefined_length || pixels->has_children();
    if (state->encapsulated) {
        state->table = list_fragments(*pixels);
        ExtendedOffsets extended;
        if (const auto offsets = state->data_set.find(tags::ExtendedOffsetTable))
            extended.offsets = offsets->value();
        if (const auto lengths = state->data_set.find(tags::ExtendedOffsetTableLengths))
            extended.lengths = lengths->value();
        if (auto found = state->find_fragments(extended); !found) return std::move(found).error();
    } else {
        if (pixels->node().big_endian) state->swap_unit = unit_of_big_endian(state->format, pixels->vr());
        state->bytes = pixel_bytes_in_memory(pixels->value());
        if (auto found = state->find_native_frames(); !found) return std::move(found).error();
    }
    return FrameSource(std::move(state));
}

namespace {

// What stands in group 7FE0 before the pixels.
Result<dicom::DataSet> read_offset_tables(const std::string& path, const dicom::FileHeader& header) {
    const std::uint64_t from = header.pixel_group_offset;
    const std::uint64_t length = header.pixel_data->offset_bytes - from;
    if (length > kMaxOffsetTableBytes)
        return Error(Errc::limit_exceeded, "the Extended Offset Table is too long", from);
    const dicom::ValueInFile group{header.pixel_data->tag, dicom::Vr::UN, from, length, false};
    auto bytes = dicom::read_value(path, group, 0, length);
    if (!bytes) return std::move(bytes).error();
    auto owner = std::make_shared<const ByteBuffer>(std::move(*bytes));
    const auto span = owner->span();
    dicom::ParseOptions options;
    options.stop_before_pixel_data = false;
    options.prefix = true;
    options.keep_readable_part = true;
    auto parsed = dicom::parse_data_set(span, *header.layout.syntax, options, std::move(owner));
    if (!parsed) return std::move(parsed).error();
    return std::move(parsed->data_set);
}

}  // namespace

Result<FrameSource> FrameSource::open_file(const std::string& path, const PixelLimits& limits) {
    auto header = dicom::read_file_header(path);
    if (!header) return std::move(header).error();
    if (header->layout.syntax->deflated) {
        auto whole = dicom::read_file(path);
        if (!whole) return std::move(whole).error();
        auto source = open(std::move(whole->data_set), *whole->layout.syntax, limits);
        if (!source) return std::move(source).error().within(path);
        return source;
    }
    if (!header->pixel_data) return Error(Errc::not_found, path + ": no pixel data");
    const auto& pixels = *header->pixel_data;
    auto state = std::make_unique<State>();
    state->syntax = header->layout.syntax;
    if (is_video(state->syntax->uid))
        return Error(Errc::unsupported,
                     path + ": video is not decoded here: " + std::string(state->syntax->name));
    auto tables = read_offset_tables(path, *header);
    if (!tables) return std::move(tables).error().within(path);
    state->data_set = std::move(header->data_set);
    if (auto described = state->describe(limits, pixels.tag); !described)
        return std::move(described).error().within(path);
    auto bytes = pixel_bytes_in_file(path, pixels.offset_bytes, pixels.length_bytes);
    if (!bytes) return std::move(bytes).error();
    state->bytes = std::move(*bytes);
    state->encapsulated = pixels.encapsulated;
    Result<void> found;
    if (state->encapsulated) {
        auto table = walk_fragments(*state->bytes, limits.max_frames, state->warnings);
        if (!table) return std::move(table).error().within(path);
        for (auto& warning : state->warnings) {
            if (warning.offset_bytes) *warning.offset_bytes += pixels.offset_bytes;
        }
        state->table = std::move(*table);
        ExtendedOffsets extended;
        if (const auto offsets = tables->find(tags::ExtendedOffsetTable)) extended.offsets = offsets->value();
        if (const auto lengths = tables->find(tags::ExtendedOffsetTableLengths))
            extended.lengths = lengths->value();
        found = state->find_fragments(extended);
    } else {
        if (state->syntax->big_endian || header->layout.transfer_syntax_uid == kGePrivateImplicit)
            state->swap_unit = unit_of_big_endian(state->format, pixels.vr);
        found = state->find_native_frames();
    }
    if (!found) return std::move(found).error().within(path);
    return FrameSource(std::move(state));
}

FrameSource::FrameSource(std::unique_ptr<State> state) noexcept : state_(std::move(state)) {}
FrameSource::FrameSource(FrameSource&&) noexcept = default;
FrameSource& FrameSource::operator=(FrameSource&&) noexcept = default;
FrameSource::~FrameSource() = default;

const dicom::DataSet& FrameSource::data_set() const noexcept {
    return state_->data_set;
}
const dicom::TransferSyntax& FrameSource::syntax() const noexcept {
    return *state_->syntax;
}
const PixelFormat& FrameSource::format() const noexcept {
    return state_->format;
}
std::uint32_t FrameSource::frame_count() const noexcept {
    return state_->frames;
}
std::span<const Error> FrameSource::warnings() const noexcept {
    return state_->warnings;
}

Result<ByteBuffer> FrameSource::encoded(std::uint32_t frame) const {
    if (frame >= state_->frames) {
        const bool missing = frame < state_->declared_frames;
        return Error(missing ? Errc::truncated : Errc::invalid_argument,
                     "frame " + std::to_string(frame) + " of " + std::to_string(state_->frames) +
                         " is not in the pixel data");
    }
    return state_->encapsulated ? state_->joined_fragments(frame) : state_->native_frame(frame);
}

Result<Frame> FrameSource::decode(std::uint32_t frame, const DecodeOptions& options) const {
    if (state_->encapsulated && state_->codec == nullptr)
        return Error(Errc::unsupported, "no decoder for " + std::string(state_->syntax->name));
    auto stored = encoded(frame);
    if (!stored) return std::move(stored).error();
    auto decoded = state_->encapsulated
                       ? state_->codec->decode(std::as_const(*stored).span(), state_->format, options)
                       : unpack_native(std::move(*stored), state_->format, options.limits);
    if (!decoded) return std::move(decoded).error().within("frame " + std::to_string(frame));
    if (options.to_rgb) {
        if (auto converted = to_rgb(*decoded); !converted)
            return std::move(converted).error().within("frame " + std::to_string(frame));
    }
    return decoded;
}

}  // namespace sagitta::codec
