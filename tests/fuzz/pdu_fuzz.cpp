// The PDU reader and codec. First byte: into what pieces the stream is cut. What must hold: the
// pieces change nothing; what was decoded is encoded and decoded again to the same thing; what
// negotiation answers is what the requestor reads.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <type_traits>
#include <variant>

#include "core/bytes.h"
#include "net/dimse/message.h"
#include "net/ul/negotiation.h"
#include "net/ul/pdu_reader.h"

namespace {

using namespace sagitta;
using namespace sagitta::net;

constexpr std::uint32_t kMaxPduBytes = 64 * 1024;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

template <class Pdu>
bool encoded(const Pdu& pdu, ByteBuffer& out) {
    if constexpr (std::is_void_v<decltype(ul::encode(pdu, out))>) {
        ul::encode(pdu, out);
        return true;
    } else {
        return ul::encode(pdu, out).has_value();
    }
}

void check_round_trip(const ul::ControlPdu& pdu) {
    ByteBuffer out;
    if (!std::visit([&](const auto& one) { return encoded(one, out); }, pdu)) return;
    const auto type = static_cast<ul::PduType>(out.data()[0]);
    require(load_be<std::uint32_t>(out.data() + 2) == out.size() - 6, "length field");
    auto again = ul::decode_control_pdu(type, out.span().subspan(6));
    require(again.has_value(), "what was encoded can be decoded");
    require(*again == pdu, "decode, encode, decode is the same");
    const auto* request = std::get_if<ul::AssociateRq>(&pdu);
    if (request == nullptr) return;
    ul::NegotiationPolicy policy;
    policy.accept_unknown_as_storage = true;
    const auto answer = ul::negotiate(*request, policy);
    if (const auto* agreed = std::get_if<ul::Negotiated>(&answer))
        require(ul::accepted_contexts(*request, agreed->answer) == agreed->contexts, "both sides agree");
}

/// All that is in the stream, as one string; checks every PDU on the way when `check`.
std::string story(std::span<const std::byte> stream, std::size_t piece, bool check) {
    ul::PduReader reader(kMaxPduBytes, kMaxPduBytes);
    dimse::MessageAssembler assembler({});
    bool assembling = true;
    std::string text;
    while (!stream.empty()) {
        auto input = stream.first(std::min(piece, stream.size()));
        stream = stream.subspan(input.size());
        while (const auto item = reader.next(input)) {
            if (const auto* pdv = std::get_if<ul::Pdv>(&*item)) {
                text += as_text(pdv->bytes);
                if (pdv->is_last) text += "|last";
                if (!assembling) continue;
                auto added = assembler.add(*pdv);
                assembling = added.has_value();
                if (added && added->has_value())
                    text += "|message " + std::to_string((*added)->data_set.size());
            } else if (const auto* pdu = std::get_if<ul::ControlPdu>(&*item)) {
                text += "|control " + std::to_string(pdu->index());
                if (check) check_round_trip(*pdu);
            } else {
                text += std::holds_alternative<ul::PduReader::Invalid>(*item) ? "|invalid" : "|data ";
            }
        }
    }
    return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 2) return 0;
    const std::size_t piece = std::size_t{data[0]} + 1;
    const std::span<const std::byte> stream(reinterpret_cast<const std::byte*>(data) + 1, size - 1);
    require(story(stream, piece, false) == story(stream, stream.size(), true), "pieces change nothing");
    return 0;
}
