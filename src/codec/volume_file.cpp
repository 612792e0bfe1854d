#include "codec/volume_file.h"

#include <zlib.h>

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "codec/frame_source.h"
#include "core/bytes.h"

namespace sagitta::codec {
namespace {

constexpr std::size_t kNpyAlignment = 64;
constexpr std::size_t kDeflatedPiece = 256 * 1024;
constexpr int kGzip = 15 + 16;  // window bits, and the gzip header

std::string_view npy_type(NumberType type) {
    switch (type) {
        case NumberType::uint8: return "|u1";
        case NumberType::int8: return "|i1";
        case NumberType::uint16: return "<u2";
        case NumberType::int16: return "<i2";
        case NumberType::uint32: return "<u4";
        case NumberType::int32: return "<i4";
        case NumberType::float32: return "<f4";
        case NumberType::float64: return "<f8";
    }
    return "|V1";
}

/// NumPy's format 1.0: magic, length, a dictionary, padded so that the numbers are aligned.
ByteBuffer npy_header(const Volume& volume) {
    std::string text = fmt::format("{{'descr': '{}', 'fortran_order': False, 'shape': ({}, {}, {}), }}",
                                   npy_type(volume.type), volume.slices.size(), volume.rows, volume.columns);
    constexpr std::size_t kBefore = 10;
    while ((kBefore + text.size() + 1) % kNpyAlignment != 0) text += ' ';
    text += '\n';
    ByteBuffer header;
    append_text(header, "\x93NUMPY");
    append_le<std::uint16_t>(header, 1);  // version 1.0
    append_le<std::uint16_t>(header, static_cast<std::uint16_t>(text.size()));
    append_text(header, text);
    return header;
}

std::array<double, 3> step(const Volume& volume, std::size_t axis) {
    auto vector = volume.direction[axis];
    for (double& part : vector) part = part * volume.spacing_mm[axis] + 0.0;  // no negative zero
    return vector;
}

std::string nrrd_vector(const std::array<double, 3>& vector) {
    return fmt::format("({},{},{})", vector[0], vector[1], vector[2]);
}

ByteBuffer nrrd_header(const Volume& volume, bool gzip) {
    std::string_view type = to_string(volume.type);
    if (volume.type == NumberType::float32) type = "float";
    if (volume.type == NumberType::float64) type = "double";
    std::string text = fmt::format("NRRD0005\ntype: {}\ndimension: 3\n", type);
    if (volume.placed) text += "space: left-posterior-superior\n";
    text += fmt::format("sizes: {} {} {}\n", volume.columns, volume.rows, volume.slices.size());
    if (volume.placed) {
        text += fmt::format("space directions: {} {} {}\n", nrrd_vector(step(volume, 0)),
                            nrrd_vector(step(volume, 1)), nrrd_vector(step(volume, 2)));
    } else {
        text += fmt::format("spacings: {} {} {}\n", volume.spacing_mm[0], volume.spacing_mm[1],
                            volume.spacing_mm[2]);
    }
    text += fmt::format("kinds: domain domain domain\nendian: little\nencoding: {}\n", gzip ? "gzip" : "raw");
    if (volume.placed) text += fmt::format("space origin: {}\n", nrrd_vector(volume.origin_mm));
    text += '\n';
    ByteBuffer header;
    append_text(header, text);
    return header;
}

/// Bytes on their way into a file, compressed or not.
class Sink {
public:
    Sink(dicom::NewFile file, bool gzip) : file_(std::move(file)) {
        if (!gzip) return;
        stream_ = std::make_unique<z_stream>();
        if (deflateInit2(stream_.get(), Z_DEFAULT_COMPRESSION, Z_DEFLATED, kGzip, 8, Z_DEFAULT_STRATEGY) !=
            Z_OK)
            throw std::bad_alloc();
        piece_.resize(kDeflatedPiece);
    }
    ~Sink() {
        if (stream_) deflateEnd(stream_.get());
    }
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;

    Result<void> append(std::span<const std::byte> bytes) {
        return stream_ ? deflate_into_file(bytes, Z_NO_FLUSH) : file_.append(bytes);
    }
    Result<void> commit() {
        if (stream_) {
            if (auto rest = deflate_into_file({}, Z_FINISH); !rest) return rest;
        }
        return file_.commit();
    }

private:
    Result<void> deflate_into_file(std::span<const std::byte> bytes, int flush) {
        while (true) {
            // avail_in has 32 bits.
            const auto now = bytes.first(std::min<std::size_t>(bytes.size(), UINT32_MAX));
            bytes = bytes.subspan(now.size());
            stream_->next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(now.data()));
            stream_->avail_in = static_cast<uInt>(now.size());
            do {
                stream_->next_out = reinterpret_cast<Bytef*>(piece_.data());
                stream_->avail_out = static_cast<uInt>(piece_.size());
                deflate(stream_.get(), flush);
                const auto made = std::span(piece_).first(piece_.size() - stream_->avail_out);
                if (auto put = file_.append(made); !put) return put;
            } while (stream_->avail_out == 0);
            if (bytes.empty()) return {};
        }
    }

    dicom::NewFile file_;
    std::unique_ptr<z_stream> stream_;
    std::vector<std::byte> piece_;
};

/// Numbers of one slice after the other; a file stays open as long as its frames follow each other.
class SliceDecoder {
public:
    SliceDecoder(const Volume& volume, const PixelLimits& limits) : volume_(volume), limits_(limits) {}

    Result<void> decode(const VolumeSlice& slice, std::span<std::byte> out) {
        if (!source_ || open_path_ != slice.path) {
            source_.reset();
            auto opened = FrameSource::open_file(slice.path, limits_);
            if (!opened) return std::move(opened).error();
            source_ = std::make_unique<FrameSource>(std::move(*opened));
            groups_.emplace(source_->data_set());
            open_path_ = slice.path;
        }
        DecodeOptions decode;
        decode.limits = limits_;
        const auto frame = source_->decode(slice.frame, decode);
        if (!frame) return Error(frame.error());
        const auto& format = frame->format;
        if (format.rows != volume_.rows || format.columns != volume_.columns || format.samples_per_pixel != 1)
            return Error(Errc::mismatch, "the compressed frame has other dimensions than the header says");
        const auto transform = modality_transform(source_->data_set(), *groups_, slice.frame, format);
        if (!transform) return Error(transform.error());
        return write_numbers(*frame, *transform, volume_.type, out);
    }

private:
    const Volume& volume_;
    PixelLimits limits_;
    std::string open_path_;
    std::unique_ptr<FrameSource> source_;
    std::optional<FunctionalGroups> groups_;
};

Result<void> write_slices(const Volume& volume, Sink& sink, const VolumeFileOptions& options) {
    const std::uint64_t bytes = std::uint64_t{volume.rows} * volume.columns * size_of(volume.type);
    std::vector<std::byte> numbers(bytes);
    SliceDecoder decoder(volume, options.limits);
    std::size_t written = 0;
    for (const VolumeSlice& slice : volume.slices) {
        if (auto decoded = decoder.decode(slice, numbers); !decoded) {
            return std::move(decoded).error().within(
                fmt::format("{}: frame {}", slice.path, slice.frame + 1));
        }
        if (auto put = sink.append(numbers); !put) return put;
        if (options.on_slice) options.on_slice(++written);
    }
    return {};
}

}  // namespace

std::string description_path(const std::string& path) {
    return std::filesystem::path(path).replace_extension(".json").string();
}

std::string describe_volume(const Volume& volume) {
    using nlohmann::json;
    json text;
    text["study_instance_uid"] = volume.study_instance_uid.view();
    text["series_instance_uid"] = volume.series_instance_uid.view();
    text["modality"] = volume.modality;
    text["shape"] = {volume.slices.size(), volume.rows, volume.columns};
    text["axes"] = {"slice", "row", "column"};
    text["dtype"] = to_string(volume.type);
    text["unit"] = volume.unit;
    text["space"] = "LPS";
    text["geometry_known"] = volume.placed;
    text["spacing_mm"] = {
        {"column", volume.spacing_mm[0]}, {"row", volume.spacing_mm[1]}, {"slice", volume.spacing_mm[2]}};
    text["origin_mm"] = volume.origin_mm;
    text["direction"] = {
        {"column", volume.direction[0]}, {"row", volume.direction[1]}, {"slice", volume.direction[2]}};
    json affine = json::array();
    for (std::size_t n = 0; n < 3; ++n) {
        affine.push_back({step(volume, 0)[n], step(volume, 1)[n], step(volume, 2)[n], volume.origin_mm[n]});
    }
    affine.push_back({0, 0, 0, 1});
    text["affine"] = std::move(affine);
    if (volume.padding) text["padding"] = {volume.padding->lowest, volume.padding->highest};
    text["findings"] = json::array();
    for (const auto& finding : volume.findings)
        text["findings"].push_back({{"kind", finding.kind}, {"text", finding.text}});
    text["slices"] = json::array();
    for (const auto& slice : volume.slices) {
        text["slices"].push_back(
            {{"sop_instance_uid", slice.sop_instance_uid.view()}, {"frame", slice.frame + 1}});
    }
    return text.dump(2, ' ', false, json::error_handler_t::replace) + "\n";
}

Result<void> write_volume(const Volume& volume, const std::string& path, const VolumeFileOptions& options) {
    const bool npy = options.format == VolumeFormat::npy;
    std::optional<dicom::NewFile> description;
    if (npy) {
        auto beside = dicom::NewFile::create(description_path(path), options.if_exists);
        if (!beside) return std::move(beside).error();
        description.emplace(std::move(*beside));
        if (auto put = description->append(as_bytes(describe_volume(volume))); !put) return put;
    }
    auto file = dicom::NewFile::create(path, options.if_exists);
    if (!file) return std::move(file).error();
    const ByteBuffer header =
        npy ? npy_header(volume) : nrrd_header(volume, options.format == VolumeFormat::nrrd_gzip);
    if (auto put = file->append(header.span()); !put) return put;
    Sink sink(std::move(*file), options.format == VolumeFormat::nrrd_gzip);
    if (auto written = write_slices(volume, sink, options); !written) return written;
    if (auto kept = sink.commit(); !kept) return kept;
    if (description) return description->commit();
    return {};
}

}  // namespace sagitta::codec
