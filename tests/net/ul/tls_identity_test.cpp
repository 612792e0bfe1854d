#include "net/ul/tls_identity.h"

#include <gtest/gtest.h>

namespace sagitta::net::ul {
namespace {

TlsPeer scanner() {
    TlsPeer peer;
    peer.fingerprint = "sha256:" + std::string(64, 'a');
    peer.names = {"scanner.example.org", "CT 7"};
    return peer;
}

TEST(TlsIdentity, IsTheFingerprintHoweverItIsWritten) {
    std::string colons = "sha256:AA";
    for (int n = 1; n < 32; ++n) colons += ":AA";
    EXPECT_TRUE(has_identity(scanner(), colons));
    EXPECT_TRUE(has_identity(scanner(), "sha256:" + std::string(64, 'A')));
    EXPECT_FALSE(has_identity(scanner(), "sha256:" + std::string(63, 'a') + "b"));
}

TEST(TlsIdentity, IsOneOfTheNamesInAnyCaseAndWhole) {
    EXPECT_TRUE(has_identity(scanner(), "Scanner.Example.ORG"));
    EXPECT_TRUE(has_identity(scanner(), "CT 7"));
    EXPECT_FALSE(has_identity(scanner(), "example.org"));
    EXPECT_FALSE(has_identity(scanner(), "*.example.org"));
    EXPECT_FALSE(has_identity(scanner(), ""));
}

TEST(TlsIdentity, NobodyWithoutACertificateIsAnybody) {
    TlsPeer peer;
    peer.names = {"scanner.example.org"};
    EXPECT_FALSE(has_identity(peer, "scanner.example.org"));
    EXPECT_FALSE(has_identity(peer, "sha256:"));
}

TEST(TlsIdentity, AFingerprintHas64Digits) {
    EXPECT_EQ(normal_fingerprint("SHA256:" + std::string(64, 'B')), "sha256:" + std::string(64, 'b'));
    EXPECT_EQ(normal_fingerprint("sha256:" + std::string(63, 'b')), "");
    EXPECT_EQ(normal_fingerprint("sha256:" + std::string(64, 'g')), "");
    EXPECT_EQ(normal_fingerprint("sha1:" + std::string(64, 'b')), "");
}

}  // namespace
}  // namespace sagitta::net::ul
