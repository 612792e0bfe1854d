#include "app/user_identities.h"

#include <utility>

#include "app/passcode.h"
#include "core/log.h"

namespace sagitta::app {
namespace {

using net::dimse::Identity;

constexpr std::uint8_t kUserName = 1;
constexpr std::uint8_t kUserNameAndPasscode = 2;

Identity refused(std::string why) {
    Identity identity;
    identity.accepted = false;
    identity.why = std::move(why);
    return identity;
}

}  // namespace

UserIdentities::UserIdentities(const Configuration& configuration, WorkerPool& workers)
    : required_(configuration.node.require_user), workers_(workers) {
    for (const User& user : configuration.users) passcodes_.emplace(user.name, user.passcode);
    for (const auto& [name, passcode] : passcodes_)
        if (!passcode.empty()) nobodys_passcode_ = passcode;
}

Task<Identity> UserIdentities::identify(const net::dimse::AssociationInfo&,
                                        std::optional<net::ul::UserIdentityRq> claim) {
    const bool has_name = claim && (claim->type == kUserName || claim->type == kUserNameAndPasscode);
    if (!has_name) {
        if (!required_) co_return Identity();
        co_return refused(claim ? "a kind of user identity that is not checked here" : "no user identity");
    }
    const auto found = passcodes_.find(claim->primary);
    const bool known = found != passcodes_.end();
    const std::string who = "user " + log::escaped(claim->primary);
    bool proven = known && found->second.empty();
    if (!proven && claim->type == kUserNameAndPasscode) {
        auto check = [hash = known ? found->second : nobodys_passcode_,
                      passcode = std::move(claim->secondary)] { return verify_passcode(hash, passcode); };
        proven = co_await workers_.run(std::move(check)) && known;
    }
    if (!proven) co_return refused(who + ": unknown, or a wrong passcode");
    Identity identity;
    identity.user = std::move(claim->primary);
    co_return identity;
}

}  // namespace sagitta::app
