#include "app/user_identities.h"

#include <gtest/gtest.h>

#include <array>

#include "app/passcode.h"
#include "tests/support/run_coro.h"

namespace sagitta::app {
namespace {

using net::ul::UserIdentityRq;

// Made by another implementation:
// hashlib.scrypt(b"secret", salt=b"0123456789abcdef", n=2**14, r=8, p=1, dklen=32) of Python.
constexpr std::string_view kSecret =
    "scrypt$14$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$41uBuEIHgVau41v1q9BTZzisnSi/olB0DbA83e36fiY=";

TEST(Passcode, IsWhatAnotherProgramDerives) {
    EXPECT_TRUE(verify_passcode(kSecret, "secret"));
    EXPECT_FALSE(verify_passcode(kSecret, "Secret"));
    EXPECT_FALSE(verify_passcode(kSecret, ""));
}

TEST(Passcode, HashesAreSaltedAndVerifiable) {
    const auto one = hash_passcode("p\xc3\xa4ss\0word");
    const auto two = hash_passcode("p\xc3\xa4ss\0word");
    ASSERT_TRUE(one && two);
    EXPECT_NE(*one, *two);
    EXPECT_TRUE(is_passcode_hash(*one));
    EXPECT_TRUE(verify_passcode(*one, "p\xc3\xa4ss\0word"));
    EXPECT_EQ(one->find("ss"), std::string::npos);
}

TEST(Passcode, WhatIsNoHashMatchesNothing) {
    for (const auto* text :
         {"", "secret", "scrypt$", "scrypt$14$8$1$$", "scrypt$40$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$AAAA",
          "scrypt$15$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$AAAA",
          "scrypt$15$8$1$x$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
          "scrypt$30$8$1$MDEyMzQ1Njc4OWFiY2RlZg==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="}) {
        EXPECT_FALSE(is_passcode_hash(text)) << text;
        EXPECT_FALSE(verify_passcode(text, text)) << text;
    }
}

class Identities : public ::testing::Test {
protected:
    net::dimse::Identity identify(std::optional<UserIdentityRq> claim, bool required = false) {
        Configuration configuration;
        configuration.node.require_user = required;
        configuration.users = {{"scanner", std::string(kSecret)}, {"viewer", ""}};
        UserIdentities identities(configuration, workers_);
        return test::run_coro(identities.identify(info_, std::move(claim)));
    }

    WorkerPool workers_{1};
    net::dimse::AssociationInfo info_;
};

TEST_F(Identities, NamesAndPasscodesAreChecked) {
    EXPECT_EQ(identify(UserIdentityRq{2, false, "scanner", "secret"}).user, "scanner");
    EXPECT_EQ(identify(UserIdentityRq{1, false, "viewer", ""}).user, "viewer");
    EXPECT_EQ(identify(UserIdentityRq{2, false, "viewer", "anything"}).user, "viewer");
    for (const auto& wrong :
         {UserIdentityRq{2, false, "scanner", "wrong"}, UserIdentityRq{1, false, "scanner", "secret"},
          UserIdentityRq{2, false, "nobody", "secret"}, UserIdentityRq{1, false, "nobody", ""},
          UserIdentityRq{2, false, "", ""}}) {
        const auto identity = identify(wrong);
        EXPECT_FALSE(identity.accepted) << wrong.primary;
        EXPECT_TRUE(identity.user.empty());
        EXPECT_EQ(identity.why.find("secret"), std::string::npos);
    }
}

TEST_F(Identities, OtherKindsAndNoneAreAcceptedUnlessAUserIsRequired) {
    for (const std::uint8_t type : std::array<std::uint8_t, 5>{0, 3, 4, 5, 77}) {
        const UserIdentityRq claim{type, true, "scanner", "secret"};
        EXPECT_TRUE(identify(claim).accepted) << static_cast<int>(type);
        EXPECT_TRUE(identify(claim).user.empty()) << static_cast<int>(type);
        EXPECT_FALSE(identify(claim, true).accepted) << static_cast<int>(type);
    }
    EXPECT_TRUE(identify(std::nullopt).accepted);
    EXPECT_FALSE(identify(std::nullopt, true).accepted);
    EXPECT_TRUE(identify(UserIdentityRq{2, false, "scanner", "secret"}, true).accepted);
}

}  // namespace
}  // namespace sagitta::app
