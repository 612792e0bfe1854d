// Associations over TLS between our two sides, with certificates made by the openssl command.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <future>
#include <memory>
#include <string>

#include "core/bytes.h"
#include "net/ul/connect.h"
#include "net/ul/listener.h"
#include "net/ul/tls_context.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::net::ul {
namespace {

/// Takes part in an association, adds up what comes, and sends it back as soon as it is whole.
class Mirror final : public AssociationUser {
public:
    explicit Mirror(std::shared_ptr<Association> association) : association_(std::move(association)) {}

    std::variant<Negotiated, Rejection> decide(const AssociateRq& request) override {
        return negotiate(request, NegotiationPolicy());
    }
    void established() override { association_->expect_data(Duration::zero()); }
    Result<void> received(const Pdv& pdv) override {
        all.append(pdv.bytes);
        if (!pdv.is_last) return {};
        if (is_requestor) {
            whole.set_value();
        } else {
            auto task = [association = association_, bytes = std::move(all)]() -> Task<void> {
                static_cast<void>(co_await send(*association, bytes.span()));
            };
            spawn_on(association_->executor(), std::move(task));
        }
        return {};
    }
    bool wants_more() const override { return true; }
    void release_requested() override { association_->confirm_release(); }
    void ended(const End&) override {}

    /// One fragment a PDU, gathered from a header and a value, many in one write.
    static Task<Result<void>> send(Association& association, std::span<const std::byte> bytes) {
        constexpr std::size_t kFragment = 10'000;
        std::vector<std::array<std::byte, 12>> heads((bytes.size() + kFragment - 1) / kFragment);
        std::vector<std::span<const std::byte>> pieces;
        for (auto& head : heads) {
            const auto value = bytes.first(std::min(kFragment, bytes.size()));
            bytes = bytes.subspan(value.size());
            head = {};
            head[0] = std::byte{4};
            store_be(head.data() + 2, static_cast<std::uint32_t>(value.size() + 6));
            store_be(head.data() + 6, static_cast<std::uint32_t>(value.size() + 2));
            head[10] = std::byte{1};
            head[11] = bytes.empty() ? std::byte{2} : std::byte{0};
            pieces.emplace_back(head);
            pieces.push_back(value);
        }
        co_return co_await association.write(pieces);
    }

    ByteBuffer all;
    std::promise<void> whole;
    bool is_requestor = false;

private:
    std::shared_ptr<Association> association_;
};

class Tls : public testing::Test {
protected:
    void SetUp() override {
        if (std::system("openssl version > /dev/null 2>&1") != 0) GTEST_SKIP() << "no openssl command";
        ASSERT_TRUE(make_authority("ca"));
        ASSERT_TRUE(make_authority("other"));
        ASSERT_TRUE(sign("node", "ca", "IP:127.0.0.1"));
        ASSERT_TRUE(sign("scanner", "ca", "DNS:scanner.example.org"));
        ASSERT_TRUE(sign("stranger", "other", "DNS:stranger.example.org"));
    }

    /// Associations end on their thread, and before it does.
    void TearDown() override {
        auto task = [this]() -> Task<Result<void>> {
            mirror.reset();
            co_return Result<void>();
        };
        EXPECT_TRUE(io.run(task()));
    }

    std::string path(const std::string& name) const { return (folder.path() / name).string(); }

    bool shell(const std::string& command) const {
        return std::system(("cd " + folder.path().string() + " && " + command + " > log 2>&1").c_str()) == 0;
    }
    bool make_authority(const std::string& name) const {
        return shell(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" + name +
            " -keyout " + name + ".key -out " + name + ".crt");
    }
    bool sign(const std::string& name, const std::string& by, const std::string& alternative) const {
        return shell("printf 'subjectAltName=" + alternative +
                     "' > ext && openssl req -newkey ec -pkeyopt "
                     "ec_paramgen_curve:P-256 -nodes -subj /CN=" +
                     name + " -keyout " + name + ".key -out csr") &&
               shell("openssl x509 -req -in csr -CA " + by + ".crt -CAkey " + by +
                     ".key -CAcreateserial -days 2 "
                     "-extfile ext -out " +
                     name + ".crt");
    }

    TlsSettings settings(const std::string& name, const std::string& ca = "ca") const {
        TlsSettings made;
        if (!name.empty()) {
            made.certificate = path(name + ".crt");
            made.key = path(name + ".key");
        }
        made.ca = path(ca + ".crt");
        return made;
    }

    void listen(const TlsSettings& chosen, bool tls = true) {
        ListenerSettings made;
        made.port = 0;
        if (tls) {
            auto context = TlsContext::for_acceptor(chosen);
            ASSERT_TRUE(context) << context.error().message();
            made.tls = *context;
        }
        listener = std::make_unique<Listener>(io, made, [](std::shared_ptr<Association> association) {
            return std::make_shared<Mirror>(association);
        });
        ASSERT_TRUE(listener->start());
    }

    Result<std::shared_ptr<Association>> call(const TlsSettings& chosen, const std::string& identity = {}) {
        ConnectOptions options;
        options.host = "127.0.0.1";
        options.port = listener->port();
        options.tls_identity = identity;
        auto context = TlsContext::for_requestor(chosen);
        if (!context) return std::move(context).error();
        options.tls = *context;
        options.request.called = *AeTitle::parse("SAGITTA");
        options.request.calling = *AeTitle::parse("CALLER");
        ProposedPresentationContext proposed;
        proposed.id = PresentationContextId{1};
        proposed.abstract_syntax = "1.2.840.10008.1.1";
        proposed.transfer_syntaxes = {"1.2.840.10008.1.2"};
        options.request.contexts = {proposed};
        options.request.user.max_pdu_bytes = 16384;
        options.request.user.implementation_class_uid = "2.25.1";
        options.make_user = [this](std::shared_ptr<Association> association) {
            mirror = std::make_shared<Mirror>(std::move(association));
            mirror->is_requestor = true;
            return mirror;
        };
        return io.run(connect(std::move(options)));
    }

    test::TemporaryFolder folder;
    std::shared_ptr<Mirror> mirror;
    IoThreads io{1};
    std::unique_ptr<Listener> listener;
};

TEST_F(Tls, BringsBytesThereAndBack) {
    listen(settings("node"));
    auto association = call(settings("scanner"));
    ASSERT_TRUE(association) << association.error().message();
    ByteBuffer bytes;
    for (std::uint32_t n = 0; n < 3'000'000; ++n)
        store_be(bytes.prepare(4).data(), n * 2654435761u), bytes.commit(4);
    auto task = [&]() -> Task<Result<void>> { return Mirror::send(**association, bytes.span()); };
    ASSERT_TRUE(io.run(task()));
    ASSERT_EQ(mirror->whole.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
    EXPECT_TRUE(std::ranges::equal(mirror->all.span(), bytes.span()));
    ASSERT_NE((*association)->tls_peer(), nullptr);
    EXPECT_EQ((*association)->tls_peer()->version, "TLSv1.3");
    EXPECT_TRUE(has_identity(*(*association)->tls_peer(), "node"));
    auto release = [&]() -> Task<Result<void>> { return (*association)->release(); };
    EXPECT_TRUE(io.run(release()));
}

TEST_F(Tls, BelievesOnlyTheRightCertificates) {
    listen(settings("node"));
    EXPECT_TRUE(call(settings("scanner"), "node"));
    EXPECT_FALSE(call(settings("scanner"), "scanner"));
    EXPECT_FALSE(call(settings("scanner", "other")));
    EXPECT_FALSE(call(settings("stranger"))) << "signed by an authority the node does not believe";
    EXPECT_FALSE(call(settings(""))) << "no certificate";
    EXPECT_TRUE(call(settings("scanner"))) << "and goes on";
}

TEST_F(Tls, AHostMustBeNamedByTheCertificate) {
    listen(settings("scanner"));
    const auto refused = call(settings("scanner"));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("mismatch"), std::string::npos) << refused.error().message();
    auto insecure = settings("scanner");
    insecure.verify_peer = false;
    EXPECT_TRUE(call(insecure));
}

TEST_F(Tls, ClientCertificatesMayBeOptional) {
    auto optional = settings("node");
    optional.require_client_certificate = false;
    listen(optional);
    EXPECT_TRUE(call(settings("")));
    EXPECT_TRUE(call(settings("scanner")));
    EXPECT_FALSE(call(settings("stranger")));
}

TEST_F(Tls, SaysThatThePeerSpeaksPlain) {
    listen({}, false);
    const auto refused = call(settings("scanner"));
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().message().find("speaks plain DICOM"), std::string::npos)
        << refused.error().message();
}

TEST_F(Tls, FilesThatDoNotFitAreNamed) {
    auto wrong = settings("node");
    wrong.key = path("scanner.key");
    const auto mixed = TlsContext::for_acceptor(wrong);
    ASSERT_FALSE(mixed);
    EXPECT_EQ(mixed.error().code, Errc::mismatch);
    wrong.certificate = path("nothing.crt");
    const auto missing = TlsContext::for_acceptor(wrong);
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().message().find("nothing.crt"), std::string::npos);
    wrong = settings("node");
    wrong.ca.clear();
    EXPECT_FALSE(TlsContext::for_acceptor(wrong)) << "required certificates, and nobody to believe";
}

}  // namespace
}  // namespace sagitta::net::ul
