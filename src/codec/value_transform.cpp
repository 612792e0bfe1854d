#include "codec/value_transform.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "dicom/generated/tags.h"

namespace sagitta::codec {

namespace tags = dicom::tags;

namespace {

constexpr std::size_t kBlock = 4096;  // samples that are numbers at a time

struct TypeName {
    NumberType type;
    std::string_view name;
    std::size_t bytes;
};
constexpr std::array kTypes = {
    TypeName{NumberType::uint8, "uint8", 1},     TypeName{NumberType::int8, "int8", 1},
    TypeName{NumberType::uint16, "uint16", 2},   TypeName{NumberType::int16, "int16", 2},
    TypeName{NumberType::uint32, "uint32", 4},   TypeName{NumberType::int32, "int32", 4},
    TypeName{NumberType::float32, "float32", 4}, TypeName{NumberType::float64, "float64", 8},
};

template <class T>
T load(const std::byte* at) noexcept {
    T value;
    std::memcpy(&value, at, sizeof value);
    return value;
}

template <class Unsigned>
void read_integers(const PixelFormat& format, const std::byte* from, std::span<double> out) noexcept {
    const unsigned spare = 64u - std::min<unsigned>(format.bits_stored, sizeof(Unsigned) * 8);
    for (std::size_t n = 0; n < out.size(); ++n) {
        const std::uint64_t raw = std::uint64_t{load<Unsigned>(from + n * sizeof(Unsigned))} << spare;
        out[n] = format.is_signed ? static_cast<double>(static_cast<std::int64_t>(raw) >> spare)
                                  : static_cast<double>(raw >> spare);
    }
}

template <class Float>
void read_floats(const std::byte* from, std::span<double> out) noexcept {
    for (std::size_t n = 0; n < out.size(); ++n) out[n] = load<Float>(from + n * sizeof(Float));
}

template <class T>
bool store_numbers(std::span<const double> numbers, std::byte* to) noexcept {
    for (std::size_t n = 0; n < numbers.size(); ++n) {
        T value;
        if constexpr (std::is_integral_v<T>) {
            const double rounded = std::nearbyint(numbers[n]);
            // Not a number is not within, either.
            const bool within = rounded >= static_cast<double>(std::numeric_limits<T>::min()) &&
                                rounded <= static_cast<double>(std::numeric_limits<T>::max());
            if (!within) return false;
            value = static_cast<T>(rounded);
        } else {
            value = static_cast<T>(numbers[n]);
        }
        std::memcpy(to + n * sizeof(T), &value, sizeof value);
    }
    return true;
}

bool store(NumberType type, std::span<const double> numbers, std::byte* to) noexcept {
    switch (type) {
        case NumberType::uint8: return store_numbers<std::uint8_t>(numbers, to);
        case NumberType::int8: return store_numbers<std::int8_t>(numbers, to);
        case NumberType::uint16: return store_numbers<std::uint16_t>(numbers, to);
        case NumberType::int16: return store_numbers<std::int16_t>(numbers, to);
        case NumberType::uint32: return store_numbers<std::uint32_t>(numbers, to);
        case NumberType::int32: return store_numbers<std::int32_t>(numbers, to);
        case NumberType::float32: return store_numbers<float>(numbers, to);
        case NumberType::float64: return store_numbers<double>(numbers, to);
    }
    return false;
}

bool is_integer(double number) noexcept {
    return std::nearbyint(number) == number;
}

Result<std::optional<LookupTable>> modality_table(const dicom::DataSet& data_set, const PixelFormat& format,
                                                  std::string& type) {
    const auto sequence = data_set.find(tags::ModalityLUTSequence);
    if (!sequence || sequence->vr() != dicom::Vr::SQ || !sequence->has_children())
        return std::optional<LookupTable>();
    const auto item = (*sequence->children().begin()).children();
    auto table = read_lookup_table(item, {tags::LUTDescriptor, tags::LUTData, {}}, format.is_signed);
    if (!table) return std::move(table).error().within("ModalityLUTSequence[0]");
    type = item.text(tags::ModalityLUTType);
    return std::optional<LookupTable>(std::move(*table));
}

}  // namespace

double ModalityTransform::operator()(double stored) const noexcept {
    if (!table) return stored * slope + intercept;
    if (!(std::abs(stored) < 1e15)) return 0;  // floating point has no table
    return table->at(static_cast<std::int64_t>(stored));
}

Result<ModalityTransform> modality_transform(const dicom::DataSet& data_set, const FunctionalGroups& groups,
                                             std::uint32_t frame, const PixelFormat& format) {
    ModalityTransform transform;
    if (const auto scaling = decimal(data_set.elements(), tags::DoseGridScaling)) {
        transform.slope = *scaling;
        transform.type = data_set.text(tags::DoseUnits);
        return transform;
    }
    const auto own = groups.find(frame, tags::PixelValueTransformationSequence);
    if (!own && format.sample == SampleType::integer) {
        auto table = modality_table(data_set, format, transform.type);
        if (!table) return std::move(table).error();
        transform.table = std::move(*table);
        if (transform.table) return transform;
    }
    const auto level = own.value_or(data_set.elements());
    for (const auto& [tag, number] : {std::pair(tags::RescaleSlope, &transform.slope),
                                      std::pair(tags::RescaleIntercept, &transform.intercept)}) {
        const auto element = level.find(tag);
        if (!element || element->empty()) continue;
        const auto value = decimal(level, tag);
        if (!value) return Error(Errc::malformed, to_string(tag) + " is no number");
        *number = *value;
    }
    transform.type = level.text(tags::RescaleType);
    // Nothing can be meant by it; real devices write it where they have nothing to say.
    if (transform.slope == 0) transform.slope = 1;
    return transform;
}

std::optional<PixelPadding> pixel_padding(const dicom::DataSet& data_set, const PixelFormat& format) {
    if (format.sample == SampleType::float32 || format.sample == SampleType::float64) {
        const bool is_double = format.sample == SampleType::float64;
        const auto value = decimal(data_set.elements(), is_double ? tags::DoubleFloatPixelPaddingValue
                                                                  : tags::FloatPixelPaddingValue);
        if (!value) return std::nullopt;
        const auto limit = decimal(data_set.elements(), is_double ? tags::DoubleFloatPixelPaddingRangeLimit
                                                                  : tags::FloatPixelPaddingRangeLimit);
        return PixelPadding{std::min(*value, limit.value_or(*value)),
                            std::max(*value, limit.value_or(*value))};
    }
    const auto sign_extended = [&](std::int64_t value) {
        const unsigned spare = 64u - std::clamp<unsigned>(format.bits_stored, 1, 64);
        const std::uint64_t raw = static_cast<std::uint64_t>(value) << spare;
        return format.is_signed ? static_cast<double>(static_cast<std::int64_t>(raw) >> spare)
                                : static_cast<double>(raw >> spare);
    };
    const auto value = data_set.integer(tags::PixelPaddingValue);
    if (!value) return std::nullopt;
    const double first = sign_extended(*value);
    const double last = sign_extended(data_set.integer(tags::PixelPaddingRangeLimit).value_or(*value));
    return PixelPadding{std::min(first, last), std::max(first, last)};
}

std::optional<ValueRange> stored_range(const PixelFormat& format) noexcept {
    if (format.sample != SampleType::integer) return std::nullopt;
    const double span = std::ldexp(1.0, format.bits_stored);
    return format.is_signed ? ValueRange{-span / 2, span / 2 - 1} : ValueRange{0, span - 1};
}

std::optional<ValueRange> transformed_range(const PixelFormat& format,
                                            const ModalityTransform& transform) noexcept {
    if (transform.table) {
        const auto [low, high] =
            std::minmax_element(transform.table->entries.begin(), transform.table->entries.end());
        return ValueRange{double(*low), double(*high)};
    }
    const auto stored = stored_range(format);
    if (!stored) return std::nullopt;
    const double a = transform(stored->lowest);
    const double b = transform(stored->highest);
    return ValueRange{std::min(a, b), std::max(a, b)};
}

void read_samples(const Frame& frame, std::size_t first, std::span<double> out) noexcept {
    const std::byte* from = frame.bytes.data() + first * frame.format.sample_bytes();
    if (frame.format.sample == SampleType::float32) return read_floats<float>(from, out);
    if (frame.format.sample == SampleType::float64) return read_floats<double>(from, out);
    switch (frame.format.sample_bytes()) {
        case 1: return read_integers<std::uint8_t>(frame.format, from, out);
        case 2: return read_integers<std::uint16_t>(frame.format, from, out);
        case 4: return read_integers<std::uint32_t>(frame.format, from, out);
        case 8: return read_integers<std::uint64_t>(frame.format, from, out);
        default: break;
    }
    // 24, 40, 48 and 56 bits: legal, never seen; byte by byte.
    const std::size_t bytes = frame.format.sample_bytes();
    PixelFormat wide = frame.format;
    wide.bits_stored = std::min<std::uint16_t>(wide.bits_stored, static_cast<std::uint16_t>(bytes * 8));
    for (std::size_t n = 0; n < out.size(); ++n) {
        std::uint64_t value = 0;
        std::memcpy(&value, from + n * bytes, bytes);
        read_integers<std::uint64_t>(wide, reinterpret_cast<const std::byte*>(&value), out.subspan(n, 1));
    }
}

std::string_view to_string(NumberType type) noexcept {
    return kTypes[static_cast<std::size_t>(type)].name;
}

std::optional<NumberType> parse_number_type(std::string_view name) noexcept {
    for (const TypeName& known : kTypes) {
        if (known.name == name) return known.type;
    }
    return std::nullopt;
}

std::size_t size_of(NumberType type) noexcept {
    return kTypes[static_cast<std::size_t>(type)].bytes;
}

NumberType smallest_integer(const ValueRange& range) noexcept {
    const auto fits = [&](double lowest, double highest) {
        return range.lowest >= lowest && range.highest <= highest;
    };
    if (fits(0, UINT8_MAX)) return NumberType::uint8;
    if (fits(INT8_MIN, INT8_MAX)) return NumberType::int8;
    if (fits(0, UINT16_MAX)) return NumberType::uint16;
    if (fits(INT16_MIN, INT16_MAX)) return NumberType::int16;
    if (fits(0, UINT32_MAX)) return NumberType::uint32;
    if (fits(INT32_MIN, INT32_MAX)) return NumberType::int32;
    return NumberType::float32;
}

bool makes_integers(const PixelFormat& format, const ModalityTransform& transform) noexcept {
    if (transform.table) return true;
    return format.sample == SampleType::integer && is_integer(transform.slope) &&
           is_integer(transform.intercept);
}

Result<void> write_numbers(const Frame& frame, const ModalityTransform& transform, NumberType type,
                           std::span<std::byte> out) {
    const std::size_t samples = frame.bytes.size() / frame.format.sample_bytes();
    if (out.size() != samples * size_of(type)) {
        return Error(Errc::invalid_argument, "room for other than all samples of the frame");
    }
    std::array<double, kBlock> numbers;
    for (std::size_t first = 0; first < samples; first += kBlock) {
        const std::span<double> block(numbers.data(), std::min(kBlock, samples - first));
        read_samples(frame, first, block);
        for (double& number : block) number = transform(number);
        if (!store(type, block, out.data() + first * size_of(type))) {
            return Error(Errc::limit_exceeded, "a value does not fit into " + std::string(to_string(type)));
        }
    }
    return {};
}

}  // namespace sagitta::codec
