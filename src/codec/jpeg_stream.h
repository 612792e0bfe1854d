// The markers of a JPEG stream (ITU-T T.81 Annex B) and the tables they carry, up to each scan. Knows
// nothing of what entropy-coded data means.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"

namespace sagitta::codec::jpeg {

inline constexpr std::uint8_t kSof0 = 0xc0;
inline constexpr std::uint8_t kSof1 = 0xc1;
inline constexpr std::uint8_t kSof2 = 0xc2;
inline constexpr std::uint8_t kSof3 = 0xc3;
inline constexpr std::uint8_t kSof9 = 0xc9;
inline constexpr std::uint8_t kSof10 = 0xca;
inline constexpr std::uint8_t kSof55 = 0xf7;  ///< JPEG-LS, ITU-T T.87

struct Component {
    std::uint8_t id = 0;
    std::uint8_t horizontal = 1;  ///< sampling factors
    std::uint8_t vertical = 1;
    std::uint8_t quantization = 0;  ///< table
};

struct FrameHeader {
    std::uint8_t sof = 0;
    std::uint8_t precision = 0;
    std::uint16_t rows = 0;  ///< 0: a DNL marker behind the first scan says it
    std::uint16_t columns = 0;
    std::vector<Component> components;
};

struct ScanComponent {
    std::size_t index = 0;  ///< in the frame header
    std::uint8_t dc_table = 0;
    std::uint8_t ac_table = 0;
};

struct ScanHeader {
    std::vector<ScanComponent> components;
    std::uint8_t start = 0;      ///< Ss: of a lossless scan the predictor
    std::uint8_t end = 0;        ///< Se
    std::uint8_t high = 0;       ///< Ah
    std::uint8_t low = 0;        ///< Al: of a lossless scan the point transform
    std::size_t data_bytes = 0;  ///< where its entropy-coded data begin
};

/// A DHT segment: how many codes of each length, and what they stand for.
struct HuffmanSpec {
    std::array<std::uint8_t, 16> counts{};
    std::array<std::uint8_t, 256> symbols{};
    bool defined = false;
};

/// Which colours the stream says it has.
struct ColourHints {
    bool jfif = false;
    std::optional<std::uint8_t> adobe_transform;
};

class StreamReader {
public:
    /// `bytes` must outlive it.
    explicit StreamReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

    /// Up to the frame header. Errors: malformed, truncated; limit: four components.
    [[nodiscard]] Result<void> read_frame_header();
    /// Up to the next scan; nothing at the end of the image. Errors: malformed, truncated.
    [[nodiscard]] Result<std::optional<ScanHeader>> next_scan();

    /// Entropy-coded bytes from `from` to the next marker, stuffing removed, and eight zero bytes behind,
    /// which are not counted. `from` moves to the marker: behind it when that is a restart.
    /// False when it was no restart.
    bool read_interval(std::size_t& from, ByteBuffer& to) const;

    /// Where next_scan goes on looking.
    void continue_at(std::size_t offset) { at_ = offset; }

    [[nodiscard]] const FrameHeader& frame() const { return frame_; }
    [[nodiscard]] const ColourHints& colours() const { return colours_; }
    [[nodiscard]] std::uint32_t restart_interval() const { return restart_interval_; }
    [[nodiscard]] const HuffmanSpec& dc_table(std::size_t n) const { return dc_tables_[n]; }
    [[nodiscard]] const HuffmanSpec& ac_table(std::size_t n) const { return ac_tables_[n]; }
    /// In zigzag order; empty when the stream has none.
    [[nodiscard]] const std::optional<std::array<std::uint16_t, 64>>& quantization(std::size_t n) const {
        return quantization_[n];
    }

private:
    struct Segment {
        std::uint8_t marker = 0;
        std::span<const std::byte> payload;
        std::size_t offset = 0;
    };

    Result<Segment> next_segment();
    Result<void> interpret(const Segment& segment);
    Result<void> read_sof(const Segment& segment);
    Result<void> read_dht(const Segment& segment);
    Result<void> read_dqt(const Segment& segment);
    Result<ScanHeader> read_sos(const Segment& segment) const;

    std::span<const std::byte> bytes_;
    std::size_t at_ = 0;
    FrameHeader frame_;
    ColourHints colours_;
    std::uint32_t restart_interval_ = 0;
    std::array<HuffmanSpec, 4> dc_tables_;
    std::array<HuffmanSpec, 4> ac_tables_;
    std::array<std::optional<std::array<std::uint16_t, 64>>, 4> quantization_;
};

}  // namespace sagitta::codec::jpeg
