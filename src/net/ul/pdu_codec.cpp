#include "net/ul/pdu_codec.h"

#include <array>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "core/bytes.h"

namespace sagitta::net::ul {

namespace {

enum ItemType : std::uint8_t {
    kApplicationContext = 0x10,
    kProposedContext = 0x20,
    kAnsweredContext = 0x21,
    kAbstractSyntax = 0x30,
    kTransferSyntax = 0x40,
    kUserInformation = 0x50,
    kMaximumLength = 0x51,
    kImplementationClassUidItem = 0x52,
    kAsynchronousOperations = 0x53,
    kRoleSelection = 0x54,
    kImplementationVersion = 0x55,
    kSopClassExtended = 0x56,
    kSopClassCommonExtended = 0x57,
    kUserIdentityRqItem = 0x58,
    kUserIdentityAcItem = 0x59,
};

struct Item {
    std::uint8_t type = 0;
    std::span<const std::byte> body;
};

/// The next item of a run; its end is an empty optional inside the Result.
Result<std::optional<Item>> next_item(ByteReader& reader) {
    if (reader.remaining() == 0) return std::optional<Item>();
    const std::size_t at = reader.offset();
    const auto type = reader.be<std::uint8_t>();
    const auto reserved = reader.be<std::uint8_t>();
    const auto length = reader.be<std::uint16_t>();
    if (!type || !reserved || !length) return Error(Errc::truncated, "item header cut short", at);
    const auto body = reader.take(*length);
    if (!body) return Error(Errc::truncated, "item longer than what holds it", at);
    return std::optional<Item>(Item{*type, *body});
}

/// UIDs and names: padding that some peers add is dropped.
std::string text_of(std::span<const std::byte> bytes) {
    std::string_view text = as_text(bytes);
    while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.remove_suffix(1);
    return std::string(text);
}

/// A text behind its own 16-bit length.
std::optional<std::string> counted_text(ByteReader& reader) {
    const auto length = reader.be<std::uint16_t>();
    if (!length) return std::nullopt;
    const auto bytes = reader.take(*length);
    if (!bytes) return std::nullopt;
    return text_of(*bytes);
}

/// The same for values that are not UIDs, kept byte by byte.
std::optional<std::string> counted_bytes(ByteReader& reader) {
    const auto length = reader.be<std::uint16_t>();
    if (!length) return std::nullopt;
    const auto bytes = reader.take(*length);
    if (!bytes) return std::nullopt;
    return std::string(as_text(*bytes));
}

Error malformed(const char* what) {
    return {Errc::malformed, what};
}

Result<RoleSelection> decode_role(std::span<const std::byte> body) {
    ByteReader reader(body);
    auto uid = counted_text(reader);
    const auto scu = reader.be<std::uint8_t>();
    const auto scp = reader.be<std::uint8_t>();
    if (!uid || !scu || !scp) return malformed("role selection sub-item cut short");
    return RoleSelection{std::move(*uid), *scu != 0, *scp != 0};
}

Result<SopClassExtendedNegotiation> decode_extended(std::span<const std::byte> body) {
    ByteReader reader(body);
    auto uid = counted_text(reader);
    if (!uid) return malformed("SOP class extended negotiation sub-item cut short");
    const auto rest = *reader.take(reader.remaining());
    SopClassExtendedNegotiation item;
    item.sop_class_uid = std::move(*uid);
    item.application_information.assign(rest.begin(), rest.end());
    return item;
}

Result<SopClassCommonExtendedNegotiation> decode_common_extended(std::span<const std::byte> body) {
    ByteReader reader(body);
    auto uid = counted_text(reader);
    auto service = uid ? counted_text(reader) : std::nullopt;
    const auto related_length = reader.be<std::uint16_t>();
    if (!uid || !service || !related_length)
        return malformed("common extended negotiation sub-item cut short");
    const auto related = reader.take(*related_length);
    if (!related) return malformed("related general SOP classes cut short");
    SopClassCommonExtendedNegotiation item{std::move(*uid), std::move(*service), {}};
    ByteReader uids(*related);
    while (uids.remaining() != 0) {
        auto one = counted_text(uids);
        if (!one) return malformed("related general SOP class UID cut short");
        item.related_general_sop_class_uids.push_back(std::move(*one));
    }
    return item;
}

Result<UserIdentityRq> decode_user_identity(std::span<const std::byte> body) {
    ByteReader reader(body);
    const auto type = reader.be<std::uint8_t>();
    const auto response = reader.be<std::uint8_t>();
    auto primary = counted_bytes(reader);
    auto secondary = primary ? counted_bytes(reader) : std::nullopt;
    if (!type || !response || !primary || !secondary) return malformed("user identity sub-item cut short");
    UserIdentityRq item;
    item.type = *type;
    item.positive_response_requested = *response != 0;
    item.primary = std::move(*primary);
    item.secondary = std::move(*secondary);
    return item;
}

/// Puts the value of a decoded sub-item where it belongs.
template <class T, class Place>
Result<void> keep(Result<T> decoded, Place place) {
    if (!decoded) return std::move(decoded).error();
    place(std::move(*decoded));
    return {};
}

Result<void> decode_fixed_sub_item(const Item& item, UserInformation& user) {
    ByteReader reader(item.body);
    if (item.type == kMaximumLength) {
        const auto length = reader.be<std::uint32_t>();
        if (!length || reader.remaining() != 0) return malformed("maximum length sub-item is not 4 bytes");
        user.max_pdu_bytes = *length;
        return {};
    }
    const auto invoked = reader.be<std::uint16_t>();
    const auto performed = reader.be<std::uint16_t>();
    if (!invoked || !performed || reader.remaining() != 0)
        return malformed("asynchronous operations window sub-item is not 4 bytes");
    user.asynchronous_operations = AsynchronousOperationsWindow{*invoked, *performed};
    return {};
}

Result<void> decode_sub_item(const Item& item, bool is_request, UserInformation& user) {
    switch (item.type) {
        case kMaximumLength:
        case kAsynchronousOperations: return decode_fixed_sub_item(item, user);
        case kImplementationClassUidItem: user.implementation_class_uid = text_of(item.body); return {};
        case kImplementationVersion: user.implementation_version_name = text_of(item.body); return {};
        case kRoleSelection:
            return keep(decode_role(item.body), [&](auto&& role) { user.roles.push_back(std::move(role)); });
        case kSopClassExtended:
            return keep(decode_extended(item.body),
                        [&](auto&& one) { user.extended.push_back(std::move(one)); });
        case kSopClassCommonExtended:
            if (!is_request) return {};
            return keep(decode_common_extended(item.body),
                        [&](auto&& one) { user.common_extended.push_back(std::move(one)); });
        case kUserIdentityRqItem:
            if (!is_request) return {};
            return keep(decode_user_identity(item.body),
                        [&](auto&& one) { user.user_identity = std::move(one); });
        case kUserIdentityAcItem: {
            if (is_request) return {};
            ByteReader reader(item.body);
            auto response = counted_bytes(reader);
            if (!response) return malformed("user identity response sub-item cut short");
            user.user_identity_response = std::move(*response);
            return {};
        }
        default: return {};
    }
}

Result<void> decode_user_information(std::span<const std::byte> body, bool is_request,
                                     UserInformation& user) {
    ByteReader reader(body);
    for (;;) {
        auto item = next_item(reader);
        if (!item) return std::move(item).error().within("user information");
        if (!item->has_value()) return {};
        if (auto done = decode_sub_item(**item, is_request, user); !done) return done;
    }
}

Result<ProposedPresentationContext> decode_proposed(std::span<const std::byte> body) {
    ByteReader reader(body);
    const auto head = reader.take(4);
    if (!head) return malformed("presentation context item cut short");
    ProposedPresentationContext context;
    context.id = static_cast<PresentationContextId>((*head)[0]);
    for (;;) {
        auto item = next_item(reader);
        if (!item) return std::move(item).error().within("presentation context");
        if (!item->has_value()) return context;
        if ((*item)->type == kAbstractSyntax) context.abstract_syntax = text_of((*item)->body);
        if ((*item)->type == kTransferSyntax) context.transfer_syntaxes.push_back(text_of((*item)->body));
    }
}

Result<AnsweredPresentationContext> decode_answered(std::span<const std::byte> body) {
    ByteReader reader(body);
    const auto head = reader.take(4);
    if (!head) return malformed("presentation context item cut short");
    AnsweredPresentationContext context;
    context.id = static_cast<PresentationContextId>((*head)[0]);
    const auto result = static_cast<std::uint8_t>((*head)[2]);
    context.result = result <= 4 ? static_cast<ContextResult>(result) : ContextResult::no_reason;
    for (;;) {
        auto item = next_item(reader);
        if (!item) {
            // Transfer syntax is not significant unless accepted; some peers leave rubbish there.
            if (context.result != ContextResult::acceptance) return context;
            return std::move(item).error().within("presentation context");
        }
        if (!item->has_value()) return context;
        if ((*item)->type == kTransferSyntax) context.transfer_syntax = text_of((*item)->body);
    }
}

Result<void> decode_context(const Item& item, AssociateRq& pdu) {
    return keep(decode_proposed(item.body), [&](auto&& one) { pdu.contexts.push_back(std::move(one)); });
}
Result<void> decode_context(const Item& item, AssociateAc& pdu) {
    return keep(decode_answered(item.body), [&](auto&& one) { pdu.contexts.push_back(std::move(one)); });
}

/// A-ASSOCIATE-RQ and -AC differ in their context items only.
template <class Pdu>
Result<ControlPdu> decode_associate(std::span<const std::byte> body) {
    constexpr bool is_request = std::is_same_v<Pdu, AssociateRq>;
    ByteReader reader(body);
    const auto version = reader.be<std::uint16_t>();
    const auto reserved = reader.take(2);
    const auto called = reader.take(16);
    const auto calling = reader.take(16);
    const auto reserved_too = reader.take(32);
    if (!version || !reserved || !called || !calling || !reserved_too)
        return Error(Errc::truncated, "A-ASSOCIATE PDU shorter than its fixed part");
    Pdu pdu;
    pdu.protocol_version = *version;
    pdu.called = AeTitle::parse(as_text(*called)).value_or(AeTitle());
    pdu.calling = AeTitle::parse(as_text(*calling)).value_or(AeTitle());
    pdu.application_context.clear();
    std::set<PresentationContextId> seen;
    for (;;) {
        auto next = next_item(reader);
        if (!next) return std::move(next).error();
        if (!next->has_value()) return ControlPdu(std::move(pdu));
        const Item& item = **next;
        if (item.type == kApplicationContext) pdu.application_context = text_of(item.body);
        if (item.type == kUserInformation) {
            auto done = decode_user_information(item.body, is_request, pdu.user);
            if (!done) return std::move(done).error();
        }
        if (item.type == (is_request ? kProposedContext : kAnsweredContext)) {
            auto done = decode_context(item, pdu);
            if (!done) return std::move(done).error();
            const auto id = pdu.contexts.back().id;
            if (!is_valid(id)) return malformed("presentation context id is even");
            if (!seen.insert(id).second) return malformed("presentation context id used twice");
        }
    }
}

// ---- encoding

/// An item whose length is filled in when it ends.
class ItemScope {
public:
    ItemScope(ByteBuffer& out, std::uint8_t type, bool& overflow) : out_(out), overflow_(overflow) {
        append_be<std::uint8_t>(out, type);
        append_be<std::uint8_t>(out, 0);
        append_be<std::uint16_t>(out, 0);
        begin_ = out.size();
    }
    ItemScope(const ItemScope&) = delete;
    ItemScope& operator=(const ItemScope&) = delete;
    ~ItemScope() {
        const std::size_t length = out_.size() - begin_;
        if (length > 0xffff) overflow_ = true;
        store_be(out_.data() + begin_ - 2, static_cast<std::uint16_t>(length));
    }

private:
    ByteBuffer& out_;
    bool& overflow_;
    std::size_t begin_ = 0;
};

void append_item(ByteBuffer& out, std::uint8_t type, std::string_view text, bool& overflow) {
    const ItemScope item(out, type, overflow);
    append_text(out, text);
}

void append_counted(ByteBuffer& out, std::string_view text, bool& overflow) {
    if (text.size() > 0xffff) overflow = true;
    append_be(out, static_cast<std::uint16_t>(text.size()));
    append_text(out, text);
}

void append_negotiations(ByteBuffer& out, const UserInformation& user, bool& overflow) {
    for (const auto& role : user.roles) {
        const ItemScope item(out, kRoleSelection, overflow);
        append_counted(out, role.sop_class_uid, overflow);
        append_be<std::uint8_t>(out, role.scu ? 1 : 0);
        append_be<std::uint8_t>(out, role.scp ? 1 : 0);
    }
    for (const auto& one : user.extended) {
        const ItemScope item(out, kSopClassExtended, overflow);
        append_counted(out, one.sop_class_uid, overflow);
        out.append(one.application_information);
    }
    for (const auto& one : user.common_extended) {
        const ItemScope item(out, kSopClassCommonExtended, overflow);
        append_counted(out, one.sop_class_uid, overflow);
        append_counted(out, one.service_class_uid, overflow);
        const std::size_t at = out.size();
        append_be<std::uint16_t>(out, 0);
        for (const auto& uid : one.related_general_sop_class_uids) append_counted(out, uid, overflow);
        const std::size_t length = out.size() - at - 2;
        if (length > 0xffff) overflow = true;
        store_be(out.data() + at, static_cast<std::uint16_t>(length));
    }
}

void append_user_information(ByteBuffer& out, const UserInformation& user, bool& overflow) {
    const ItemScope all(out, kUserInformation, overflow);
    {
        const ItemScope item(out, kMaximumLength, overflow);
        append_be(out, user.max_pdu_bytes);
    }
    if (!user.implementation_class_uid.empty())
        append_item(out, kImplementationClassUidItem, user.implementation_class_uid, overflow);
    if (user.asynchronous_operations) {
        const ItemScope item(out, kAsynchronousOperations, overflow);
        append_be(out, user.asynchronous_operations->invoked);
        append_be(out, user.asynchronous_operations->performed);
    }
    append_negotiations(out, user, overflow);
    if (!user.implementation_version_name.empty())
        append_item(out, kImplementationVersion, user.implementation_version_name, overflow);
    if (user.user_identity) {
        const ItemScope item(out, kUserIdentityRqItem, overflow);
        append_be<std::uint8_t>(out, user.user_identity->type);
        append_be<std::uint8_t>(out, user.user_identity->positive_response_requested ? 1 : 0);
        append_counted(out, user.user_identity->primary, overflow);
        append_counted(out, user.user_identity->secondary, overflow);
    }
    if (user.user_identity_response) {
        const ItemScope item(out, kUserIdentityAcItem, overflow);
        append_counted(out, *user.user_identity_response, overflow);
    }
}

void append_context(ByteBuffer& out, const ProposedPresentationContext& context, bool& overflow) {
    const ItemScope item(out, kProposedContext, overflow);
    append_be(out, static_cast<std::uint8_t>(context.id));
    for (int i = 0; i < 3; ++i) append_be<std::uint8_t>(out, 0);
    append_item(out, kAbstractSyntax, context.abstract_syntax, overflow);
    for (const auto& syntax : context.transfer_syntaxes) append_item(out, kTransferSyntax, syntax, overflow);
}

void append_context(ByteBuffer& out, const AnsweredPresentationContext& context, bool& overflow) {
    const ItemScope item(out, kAnsweredContext, overflow);
    append_be(out, static_cast<std::uint8_t>(context.id));
    append_be<std::uint8_t>(out, 0);
    append_be(out, static_cast<std::uint8_t>(context.result));
    append_be<std::uint8_t>(out, 0);
    append_item(out, kTransferSyntax, context.transfer_syntax, overflow);
}

void append_header(ByteBuffer& out, PduType type, std::uint32_t length) {
    append_be(out, static_cast<std::uint8_t>(type));
    append_be<std::uint8_t>(out, 0);
    append_be(out, length);
}

template <class Pdu>
Result<void> encode_associate(const Pdu& pdu, PduType type, ByteBuffer& out) {
    bool overflow = false;
    const std::size_t begin = out.size();
    append_header(out, type, 0);
    append_be(out, pdu.protocol_version);
    append_be<std::uint16_t>(out, 0);
    out.append(pdu.called.padded());
    out.append(pdu.calling.padded());
    constexpr std::array<std::byte, 32> zeros{};
    out.append(zeros);
    append_item(out, kApplicationContext, pdu.application_context, overflow);
    for (const auto& context : pdu.contexts) append_context(out, context, overflow);
    append_user_information(out, pdu.user, overflow);
    store_be(out.data() + begin + 2, static_cast<std::uint32_t>(out.size() - begin - kPduHeaderBytes));
    if (!overflow) return {};
    out.truncate(begin);
    return Error(Errc::limit_exceeded, "an item of the A-ASSOCIATE PDU is longer than 65535 bytes");
}

void append_short(ByteBuffer& out, PduType type, const std::array<std::uint8_t, 4>& body) {
    append_header(out, type, 4);
    for (const auto byte : body) append_be(out, byte);
}

}  // namespace

Result<ControlPdu> decode_control_pdu(PduType type, std::span<const std::byte> body) {
    if (type == PduType::associate_rq) return decode_associate<AssociateRq>(body);
    if (type == PduType::associate_ac) return decode_associate<AssociateAc>(body);
    const bool known = type == PduType::associate_rj || type == PduType::release_rq ||
                       type == PduType::release_rp || type == PduType::abort;
    if (!known) return Error(Errc::unsupported, "not a control PDU type");
    if (body.size() != 4) return malformed("PDU body is not 4 bytes");
    const auto at = [&](std::size_t i) { return static_cast<std::uint8_t>(body[i]); };
    if (type == PduType::associate_rj) return ControlPdu(AssociateRj{at(1), at(2), at(3)});
    if (type == PduType::release_rq) return ControlPdu(ReleaseRq{});
    if (type == PduType::release_rp) return ControlPdu(ReleaseRp{});
    return ControlPdu(Abort{at(2), at(3)});
}

Result<void> encode(const AssociateRq& pdu, ByteBuffer& out) {
    return encode_associate(pdu, PduType::associate_rq, out);
}
Result<void> encode(const AssociateAc& pdu, ByteBuffer& out) {
    return encode_associate(pdu, PduType::associate_ac, out);
}
void encode(const AssociateRj& pdu, ByteBuffer& out) {
    append_short(out, PduType::associate_rj, {0, pdu.result, pdu.source, pdu.reason});
}
void encode(const ReleaseRq&, ByteBuffer& out) {
    append_short(out, PduType::release_rq, {});
}
void encode(const ReleaseRp&, ByteBuffer& out) {
    append_short(out, PduType::release_rp, {});
}
void encode(const Abort& pdu, ByteBuffer& out) {
    append_short(out, PduType::abort, {0, 0, pdu.source, pdu.reason});
}

void write_p_data_header(const PdvHeader& header, std::byte* at) noexcept {
    at[0] = static_cast<std::byte>(PduType::p_data_tf);
    at[1] = std::byte{0};
    store_be(at + 2, static_cast<std::uint32_t>(header.bytes + kPdvHeaderBytes));
    store_be(at + 6, static_cast<std::uint32_t>(header.bytes + 2));
    at[10] = static_cast<std::byte>(header.context);
    at[11] = static_cast<std::byte>((header.is_command ? 1u : 0u) | (header.is_last ? 2u : 0u));
}

}  // namespace sagitta::net::ul
