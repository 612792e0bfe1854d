#include "app/access_rules.h"

#include <gtest/gtest.h>

namespace sagitta::app {
namespace {

using net::ul::RejectReason;

net::ul::AeTitle ae(std::string_view text) {
    return *net::ul::AeTitle::parse(text);
}

net::dimse::AssociationInfo from(std::string_view calling, std::string host,
                                 std::string_view called = "SAGITTA") {
    net::dimse::AssociationInfo info;
    info.calling = ae(calling);
    info.called = ae(called);
    info.peer_host = std::move(host);
    return info;
}

Configuration open_node() {
    Configuration configuration;
    configuration.node.bind = "0.0.0.0";
    Peer peer;
    peer.address = {ae("PACS"), "192.0.2.7", 104};
    peer.rights.move = false;
    configuration.peers.push_back(peer);
    return configuration;
}

RejectReason reason(const std::variant<net::ul::NegotiationPolicy, net::ul::Rejection>& answer) {
    return std::get<net::ul::Rejection>(answer).reason;
}

TEST(AccessRules, OnLoopbackAnyCallingTitleMayDoEverything) {
    AccessRules rules{Configuration()};
    const auto answer = rules.admit(from("ANYONE", "127.0.0.1"));
    ASSERT_TRUE(std::holds_alternative<net::ul::NegotiationPolicy>(answer));
    EXPECT_TRUE(std::get<net::ul::NegotiationPolicy>(answer).accept_move);
}

TEST(AccessRules, AnotherCalledTitleIsRefusedEverywhere) {
    AccessRules rules{Configuration()};
    EXPECT_EQ(reason(rules.admit(from("ANYONE", "127.0.0.1", "OTHER"))),
              RejectReason::called_ae_title_not_recognized);
}

TEST(AccessRules, ElsewhereTitleAndHostMustBothMatch) {
    AccessRules rules{open_node()};
    const auto peer = rules.admit(from("PACS", "192.0.2.7"));
    ASSERT_TRUE(std::holds_alternative<net::ul::NegotiationPolicy>(peer));
    EXPECT_FALSE(std::get<net::ul::NegotiationPolicy>(peer).accept_move);
    EXPECT_TRUE(std::get<net::ul::NegotiationPolicy>(peer).accept_find);
    EXPECT_TRUE(
        std::holds_alternative<net::ul::NegotiationPolicy>(rules.admit(from("PACS", "::ffff:192.0.2.7"))));
    EXPECT_EQ(reason(rules.admit(from("PACS", "192.0.2.8"))), RejectReason::calling_ae_title_not_recognized);
    EXPECT_EQ(reason(rules.admit(from("OTHER", "192.0.2.7"))), RejectReason::calling_ae_title_not_recognized);
}

TEST(AccessRules, PromiscuousLetsStrangersEchoAndStoreOnly) {
    auto configuration = open_node();
    configuration.node.promiscuous = true;
    AccessRules rules{configuration};
    const auto answer = rules.admit(from("STRANGER", "198.51.100.3"));
    ASSERT_TRUE(std::holds_alternative<net::ul::NegotiationPolicy>(answer));
    const auto& policy = std::get<net::ul::NegotiationPolicy>(answer);
    EXPECT_TRUE(policy.accept_verification);
    EXPECT_TRUE(policy.accept_storage);
    EXPECT_FALSE(policy.accept_find);
    EXPECT_FALSE(policy.accept_get);
    EXPECT_FALSE(policy.accept_move);
}

TEST(AccessRules, PerPeerLimitCountsOpenAssociations) {
    Configuration configuration;
    configuration.limits.associations_per_peer = 1;
    AccessRules rules{configuration};
    EXPECT_TRUE(std::holds_alternative<net::ul::NegotiationPolicy>(rules.admit(from("CT", "127.0.0.1"))));
    EXPECT_EQ(reason(rules.admit(from("CT", "127.0.0.1"))), RejectReason::local_limit_exceeded);
    EXPECT_TRUE(std::holds_alternative<net::ul::NegotiationPolicy>(rules.admit(from("MR", "127.0.0.1"))));
    rules.closed(from("CT", "127.0.0.1"));
    EXPECT_TRUE(std::holds_alternative<net::ul::NegotiationPolicy>(rules.admit(from("CT", "127.0.0.1"))));
}

Configuration node_with_certificate() {
    Configuration configuration = open_node();
    configuration.peers.front().certificate = "ct.example.org";
    configuration.node.promiscuous = true;
    return configuration;
}

net::dimse::AssociationInfo by_tls(net::dimse::AssociationInfo info, std::string name) {
    info.tls.emplace();
    if (name.empty()) return info;
    info.tls->fingerprint = "sha256:" + std::string(64, '0');
    info.tls->names.push_back(std::move(name));
    return info;
}

TEST(AccessRules, NobodyIsAPeerWithoutItsCertificate) {
    AccessRules rules{node_with_certificate()};
    EXPECT_NE(rules.rights_of(by_tls(from("PACS", "192.0.2.7"), "ct.example.org")), nullptr);
    EXPECT_EQ(rules.rights_of(from("PACS", "192.0.2.7")), nullptr);
    EXPECT_EQ(rules.rights_of(by_tls(from("PACS", "192.0.2.7"), "other.example.org")), nullptr);
    EXPECT_EQ(rules.rights_of(by_tls(from("PACS", "192.0.2.7"), "")), nullptr);
    EXPECT_EQ(rules.rights_of(by_tls(from("PACS", "192.0.2.8"), "ct.example.org")), nullptr);
    EXPECT_NE(rules.rights_of(from("OTHER", "192.0.2.7")), nullptr) << "strangers may come in";
}

TEST(AccessRules, LoopbackIsJudgedForEachPort) {
    Configuration configuration;
    configuration.tls.bind = "0.0.0.0";
    AccessRules rules{configuration};
    EXPECT_NE(rules.rights_of(from("ANYONE", "127.0.0.1")), nullptr);
    EXPECT_EQ(rules.rights_of(by_tls(from("ANYONE", "192.0.2.7"), "ct.example.org")), nullptr);
}

}  // namespace
}  // namespace sagitta::app
