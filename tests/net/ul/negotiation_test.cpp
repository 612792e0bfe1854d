#include "net/ul/negotiation.h"

#include <gtest/gtest.h>

namespace sagitta::net::ul {
namespace {

constexpr const char* kExplicit = "1.2.840.10008.1.2.1";
constexpr const char* kImplicit = "1.2.840.10008.1.2";
constexpr const char* kBigEndian = "1.2.840.10008.1.2.2";
constexpr const char* kJpeg = "1.2.840.10008.1.2.4.50";
constexpr const char* kVerification = "1.2.840.10008.1.1";
constexpr const char* kCt = "1.2.840.10008.5.1.4.1.1.2";
constexpr const char* kFind = "1.2.840.10008.5.1.4.1.2.1.1";
constexpr const char* kMove = "1.2.840.10008.5.1.4.1.2.1.2";
constexpr const char* kWorklist = "1.2.840.10008.5.1.4.31";
constexpr const char* kPrint = "1.2.840.10008.5.1.1.9";

AssociateRq request(std::vector<std::pair<const char*, std::vector<std::string>>> contexts) {
    AssociateRq rq;
    rq.called = *AeTitle::parse("SAGITTA");
    rq.calling = *AeTitle::parse("TESTER");
    int id = 1;
    for (auto& [abstract, syntaxes] : contexts) {
        rq.contexts.push_back({static_cast<PresentationContextId>(id), abstract, std::move(syntaxes)});
        id += 2;
    }
    return rq;
}

Negotiated agreed(const AssociateRq& rq, const NegotiationPolicy& policy = {}) {
    auto answer = negotiate(rq, policy);
    if (auto* negotiated = std::get_if<Negotiated>(&answer)) return std::move(*negotiated);
    ADD_FAILURE() << "rejected";
    return {};
}

TEST(Negotiation, TakesTheProposersFirstSyntax) {
    const auto result =
        agreed(request({{kCt, {kJpeg, kImplicit}}, {kVerification, {kJpeg, kBigEndian, kImplicit}}}));
    ASSERT_EQ(result.contexts.size(), 2u);
    EXPECT_EQ(result.contexts[0].transfer_syntax, kJpeg);
    EXPECT_EQ(result.contexts[1].transfer_syntax, kBigEndian);
}

TEST(Negotiation, StorageTakesUnknownSyntaxesUnlessPolicySaysOtherwise) {
    const auto rq = request({{kCt, {"1.2.3.4.5"}}, {kCt, {kExplicit}}});
    EXPECT_EQ(agreed(rq).contexts.size(), 2u);
    NegotiationPolicy policy;
    policy.storage_transfer_syntaxes = {kExplicit};
    const auto result = agreed(rq, policy);
    EXPECT_EQ(result.answer.contexts[0].result, ContextResult::transfer_syntaxes_not_supported);
    EXPECT_EQ(result.answer.contexts[1].result, ContextResult::acceptance);
}

TEST(Negotiation, QueriesTakeWhatWeCanEncode) {
    const auto result = agreed(request(
        {{kFind, {kJpeg}}, {kFind, {kJpeg, kExplicit}}, {kPrint, {kImplicit}}, {kWorklist, {kImplicit}}}));
    EXPECT_EQ(result.answer.contexts[0].result, ContextResult::transfer_syntaxes_not_supported);
    EXPECT_EQ(result.answer.contexts[1].transfer_syntax, kExplicit);
    EXPECT_EQ(result.answer.contexts[2].result, ContextResult::abstract_syntax_not_supported);
    EXPECT_EQ(result.answer.contexts[3].result, ContextResult::acceptance);
}

TEST(Negotiation, UnknownAbstractSyntaxIsStorageByPolicyOnly) {
    const auto rq = request({{"1.3.6.1.4.1.9999.1", {kImplicit}}, {"not a uid", {kImplicit}}});
    EXPECT_TRUE(agreed(rq).contexts.empty());
    NegotiationPolicy policy;
    policy.accept_unknown_as_storage = true;
    EXPECT_EQ(agreed(rq, policy).contexts.size(), 1u);
}

TEST(Negotiation, RolesAreAgreedForStorageOnly) {
    auto rq = request({{kCt, {kImplicit}}, {kFind, {kImplicit}}});
    rq.user.roles = {{kCt, true, true}, {kFind, true, true}};
    const auto result = agreed(rq);
    EXPECT_EQ(result.answer.user.roles, (std::vector<RoleSelection>{{kCt, true, true}}));
    EXPECT_TRUE(result.contexts[0].requestor_is_scp);
    EXPECT_FALSE(result.contexts[1].requestor_is_scp);
    EXPECT_EQ(accepted_contexts(rq, result.answer), result.contexts);
}

std::vector<std::byte> bytes(std::initializer_list<int> values) {
    std::vector<std::byte> all;
    for (const int value : values) all.push_back(static_cast<std::byte>(value));
    return all;
}

// PS3.4 C.5.1.1.2: as many bytes as asked, 1 where it is done.
TEST(Negotiation, ExtendedIsAnsweredAsFarAsAskedAndOffered) {
    auto rq = request({{kFind, {kImplicit}}, {kMove, {kImplicit}}, {kCt, {kImplicit}}});
    NegotiationPolicy policy;
    policy.query_extensions = {true, true, false, true};
    policy.assumed_query_extensions = {false, false, true, false};
    rq.user.extended = {{kFind, bytes({1, 1, 1, 1, 1, 1, 1, 1})},
                        {kMove, bytes({1, 1})},
                        {kCt, bytes({1})},
                        {kFind, bytes({1})}};
    auto result = agreed(rq, policy);
    using Extended = std::vector<SopClassExtendedNegotiation>;
    EXPECT_EQ(result.answer.user.extended,
              (Extended{{kFind, bytes({1, 1, 1, 0, 0, 1, 1})}, {kMove, bytes({1, 0})}}));
    EXPECT_EQ(read_query_extensions(kFind, result.contexts[0].application_information),
              (QueryExtensions{true, true, true, true}));
    EXPECT_EQ(read_query_extensions(kMove, result.contexts[1].application_information),
              (QueryExtensions{true, false, false, false}));
    EXPECT_TRUE(result.contexts[2].application_information.empty());
    EXPECT_EQ(accepted_contexts(rq, result.answer), result.contexts);

    rq.user.extended = {{kFind, bytes({0, 2, 1})}};
    EXPECT_EQ(agreed(rq, policy).answer.user.extended, (Extended{{kFind, bytes({0, 0, 1})}}));
    rq.user.extended = {{kFind, bytes({1, 1, 1})}};
    EXPECT_EQ(agreed(rq, {}).answer.user.extended, (Extended{{kFind, bytes({0, 0, 0})}}));
    rq.user.extended = {{kFind, {}}};
    EXPECT_TRUE(agreed(rq, policy).answer.user.extended.empty());
    policy.accept_find = false;
    rq.user.extended = {{kFind, bytes({1})}};
    EXPECT_TRUE(agreed(rq, policy).answer.user.extended.empty());
}

TEST(Negotiation, ExtendedThatWasNotAskedForIsIgnored) {
    const auto rq = request({{kFind, {kImplicit}}});
    auto answer = agreed(rq).answer;
    answer.user.extended = {{kFind, bytes({1, 1, 1})}};
    ASSERT_EQ(accepted_contexts(rq, answer).size(), 1u);
    EXPECT_TRUE(accepted_contexts(rq, answer)[0].application_information.empty());
}

TEST(Negotiation, PreferredTransferSyntaxWinsOverTheFirst) {
    NegotiationPolicy policy;
    policy.preferred_transfer_syntaxes = {kImplicit, kJpeg};
    const auto rq = request({{kCt, {kBigEndian, kJpeg}}, {kCt, {kJpeg, kImplicit}}, {kCt, {kBigEndian}}});
    const auto contexts = agreed(rq, policy).contexts;
    ASSERT_EQ(contexts.size(), 3u);
    EXPECT_EQ(contexts[0].transfer_syntax, kJpeg);
    EXPECT_EQ(contexts[1].transfer_syntax, kImplicit);
    EXPECT_EQ(contexts[2].transfer_syntax, kBigEndian);
}

TEST(Negotiation, DeclaredStorageClassIsTakenAlsoWhenUnknownOnesAreNot) {
    NegotiationPolicy policy;
    policy.accept_unknown_as_storage = false;
    auto rq = request({{"1.2.3.4.5", {kImplicit}}, {"1.2.3.4.6", {kImplicit}}});
    rq.user.common_extended.push_back({"1.2.3.4.5", "1.2.840.10008.4.2", {std::string(kCt)}});
    rq.user.common_extended.push_back({"1.2.3.4.6", "1.2.840.10008.5.1.4.1.2", {}});
    const auto contexts = agreed(rq, policy).contexts;
    ASSERT_EQ(contexts.size(), 1u);
    EXPECT_EQ(contexts[0].abstract_syntax, "1.2.3.4.5");
}

TEST(Negotiation, AsynchronousWindowIsTheSmallerOne) {
    NegotiationPolicy policy;
    policy.operations_window = 16;
    auto rq = request({{kCt, {kImplicit}}});
    rq.user.asynchronous_operations = AsynchronousOperationsWindow{0, 3};
    EXPECT_EQ(agreed(rq, policy).answer.user.asynchronous_operations, (AsynchronousOperationsWindow{16, 3}));
    rq.user.asynchronous_operations = AsynchronousOperationsWindow{5, 400};
    EXPECT_EQ(agreed(rq, policy).answer.user.asynchronous_operations, (AsynchronousOperationsWindow{5, 16}));
}

TEST(Negotiation, AsynchronousWindowIsAnsweredWithOneUnlessMoreIsAllowed) {
    auto rq = request({{kCt, {kImplicit}}});
    EXPECT_FALSE(agreed(rq).answer.user.asynchronous_operations);
    rq.user.asynchronous_operations = AsynchronousOperationsWindow{0, 0};
    EXPECT_EQ(agreed(rq).answer.user.asynchronous_operations, (AsynchronousOperationsWindow{1, 1}));
}

TEST(Negotiation, WrongApplicationContextIsRejected) {
    auto rq = request({{kCt, {kImplicit}}});
    rq.application_context = "1.2.3";
    const auto answer = negotiate(rq, {});
    ASSERT_TRUE(std::holds_alternative<Rejection>(answer));
    EXPECT_EQ(to_pdu(std::get<Rejection>(answer).reason), (AssociateRj{1, 1, 2}));
}

TEST(Negotiation, RequestorBelievesOnlyWhatItProposed) {
    const auto rq = request({{kCt, {kImplicit}}});
    AssociateAc ac;
    ac.contexts = {{PresentationContextId{1}, ContextResult::acceptance, kExplicit},
                   {PresentationContextId{9}, ContextResult::acceptance, kImplicit}};
    EXPECT_TRUE(accepted_contexts(rq, ac).empty());
    ac.contexts[0].transfer_syntax = kImplicit;
    EXPECT_EQ(accepted_contexts(rq, ac).size(), 1u);
}

}  // namespace
}  // namespace sagitta::net::ul
