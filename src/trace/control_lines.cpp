#include <type_traits>
#include <variant>

#include <fmt/format.h>

#include "core/log.h"
#include "net/ul/abort.h"
#include "net/ul/reject.h"
#include "trace/masked.h"

namespace sagitta::trace {

namespace ul = net::ul;

namespace {

using Lines = std::vector<std::string>;

void add_user(const ul::UserInformation& user, Lines& lines) {
    lines.push_back(fmt::format("maximum length {}", user.max_pdu_bytes));
    lines.push_back(fmt::format("implementation {} '{}'", log::escaped(user.implementation_class_uid),
                                log::escaped(user.implementation_version_name)));
    if (user.asynchronous_operations) {
        lines.push_back(fmt::format("asynchronous operations window: {} invoked, {} performed",
                                    user.asynchronous_operations->invoked,
                                    user.asynchronous_operations->performed));
    }
    for (const auto& role : user.roles) {
        lines.push_back(fmt::format("role of the requestor for {}:{}{}", named_uid(role.sop_class_uid),
                                    role.scu ? " SCU" : "", role.scp ? " SCP" : ""));
    }
    for (const auto& one : user.extended) {
        std::string bytes;
        for (const auto byte : one.application_information)
            bytes += fmt::format(" {:02X}", static_cast<unsigned>(byte));
        lines.push_back(fmt::format("extended negotiation for {}:{}", named_uid(one.sop_class_uid), bytes));
    }
    for (const auto& one : user.common_extended) {
        lines.push_back(fmt::format("common extended negotiation for {}: service class {}",
                                    named_uid(one.sop_class_uid), named_uid(one.service_class_uid)));
    }
    if (user.user_identity) {
        // Types 3 to 5 are tickets: secrets as a whole (PS3.7 D.3.3.7.1).
        const auto& identity = *user.user_identity;
        const bool named = identity.type == 1 || identity.type == 2;
        lines.push_back(fmt::format("user identity of type {}{}{}", identity.type,
                                    named ? " '" + log::escaped(identity.primary) + "'" : std::string(),
                                    identity.secondary.empty() ? "" : ", with a passcode"));
    }
    if (user.user_identity_response) lines.emplace_back("user identity confirmed");
}

std::string context_word(ul::ContextResult result) {
    switch (result) {
        case ul::ContextResult::acceptance: return "accepted";
        case ul::ContextResult::user_rejection: return "rejected by the user";
        case ul::ContextResult::no_reason: return "rejected without reason";
        case ul::ContextResult::abstract_syntax_not_supported: return "abstract syntax not supported";
        case ul::ContextResult::transfer_syntaxes_not_supported: return "transfer syntaxes not supported";
    }
    return fmt::format("result {}", static_cast<unsigned>(result));
}

template <class Pdu>
void add_titles(const Pdu& pdu, Lines& lines) {
    lines.push_back(fmt::format("called '{}', calling '{}'", pdu.called.view(), pdu.calling.view()));
    lines.push_back("application context " + named_uid(pdu.application_context));
}

void add(const ul::AssociateRq& pdu, Lines& lines) {
    add_titles(pdu, lines);
    for (const auto& context : pdu.contexts) {
        std::string syntaxes;
        for (const auto& syntax : context.transfer_syntaxes)
            syntaxes.append(syntaxes.empty() ? "" : ", ").append(named_uid(syntax));
        lines.push_back(fmt::format("context {}: {} in {}", static_cast<unsigned>(context.id),
                                    named_uid(context.abstract_syntax), syntaxes));
    }
    add_user(pdu.user, lines);
}

void add(const ul::AssociateAc& pdu, Lines& lines) {
    add_titles(pdu, lines);
    for (const auto& context : pdu.contexts) {
        const bool taken = context.result == ul::ContextResult::acceptance;
        lines.push_back(fmt::format("context {}: {}{}", static_cast<unsigned>(context.id),
                                    context_word(context.result),
                                    taken ? " in " + named_uid(context.transfer_syntax) : std::string()));
    }
    add_user(pdu.user, lines);
}

void add(const ul::AssociateRj& pdu, Lines& lines) {
    lines.push_back(ul::describe(pdu));
}
void add(const ul::Abort& pdu, Lines& lines) {
    lines.push_back(ul::describe(pdu));
}
void add(const ul::ReleaseRq&, Lines&) {}
void add(const ul::ReleaseRp&, Lines&) {}

}  // namespace

std::string pdu_name(const ul::ControlPdu& pdu) {
    constexpr std::string_view kNames[] = {"A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", "A-ASSOCIATE-RJ",
                                           "A-RELEASE-RQ",   "A-RELEASE-RP",   "A-ABORT"};
    static_assert(std::size(kNames) == std::variant_size_v<ul::ControlPdu>);
    return std::string(kNames[pdu.index()]);
}

Lines control_lines(const ul::ControlPdu& pdu) {
    Lines lines;
    std::visit([&lines](const auto& one) { add(one, lines); }, pdu);
    return lines;
}

}  // namespace sagitta::trace
