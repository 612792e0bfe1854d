// Makes sense of one direction of an association's bytes, for onlookers: PDUs, command sets, data sets.
// Judges nothing and never fails: what it cannot read it says, and looks no further. Pure.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/byte_buffer.h"
#include "net/dimse/command_set.h"
#include "net/ul/pdu_codec.h"

namespace sagitta::trace {

/// What was seen; nothing given is kept.
class WireEvents {
public:
    virtual ~WireEvents() = default;
    /// A whole PDU other than P-DATA-TF; `bytes` is its length field.
    virtual void control(const net::ul::ControlPdu& pdu, std::uint32_t bytes) = 0;
    /// The beginning of a fragment (PS3.8 9.3.5.1), and of a P-DATA-TF when `pdu_bytes` is not 0.
    virtual void fragment(const net::ul::PdvHeader& header, std::uint32_t pdu_bytes) = 0;
    virtual void command(net::ul::PresentationContextId context, const net::dimse::CommandSet& command) = 0;
    /// A data set is over. `first` is as much of it as was kept: nothing of a C-STORE's.
    virtual void data_set(net::ul::PresentationContextId context, const net::dimse::CommandSet& command,
                          std::span<const std::byte> first, std::uint64_t bytes,
                          std::chrono::steady_clock::duration took) = 0;
    /// Nothing further is understood of this direction.
    virtual void lost(std::string_view why, std::span<const std::byte> bytes) = 0;
};

class WireReader {
public:
    explicit WireReader(WireEvents& events) : events_(events) {}
    void take(std::span<const std::byte> bytes);
    /// So many bytes of a value went by unseen.
    void skip(std::uint64_t bytes);

private:
    enum class Where : std::uint8_t { pdu_header, control_body, pdv_header, value, lost };

    bool collect(std::span<const std::byte>& bytes, std::size_t wanted);
    void take_pdu_header();
    void take_control();
    void take_pdv_header();
    void take_value(std::span<const std::byte> seen, std::uint32_t count);
    void end_of_value();
    void give_up(std::string_view why, std::span<const std::byte> bytes);

    WireEvents& events_;
    Where where_ = Where::pdu_header;
    ByteBuffer held_;
    net::ul::PduType type_{};
    std::uint32_t pdu_bytes_ = 0;  ///< 0 once told
    std::uint32_t pdu_left_ = 0;
    std::uint32_t value_left_ = 0;
    net::ul::PdvHeader pdv_;
    ByteBuffer command_bytes_;
    net::dimse::CommandSet command_;
    ByteBuffer data_set_;
    std::uint64_t data_set_bytes_ = 0;
    std::chrono::steady_clock::time_point data_set_began_{};
};

}  // namespace sagitta::trace
