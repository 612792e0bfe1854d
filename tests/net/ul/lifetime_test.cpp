// Nothing stays behind when the event loops end under an association that is still waiting.
#include <gtest/gtest.h>

#include <memory>

#include <asio/io_context.hpp>
#include <asio/ip/tcp.hpp>
#include <asio/read.hpp>

#include "net/ul/connect.h"
#include "net/ul/io_threads.h"

namespace sagitta::net::ul {
namespace {

/// Holds its association, as every real user does.
class HoldingUser final : public AssociationUser {
public:
    explicit HoldingUser(std::shared_ptr<Association> association) : association_(std::move(association)) {}
    std::variant<Negotiated, Rejection> decide(const AssociateRq&) override {
        return Rejection{RejectReason::local_limit_exceeded, ""};
    }
    void established() override {}
    Result<void> received(const Pdv&) override { return {}; }
    bool wants_more() const override { return true; }
    void release_requested() override {}
    void ended(const End&) override {}

private:
    std::shared_ptr<Association> association_;
};

TEST(AssociationLifetime, AnAssociationThatNobodyAnsweredGoesWithItsLoop) {
    asio::io_context context;
    asio::ip::tcp::acceptor silent(context, {asio::ip::make_address("127.0.0.1"), 0});
    asio::ip::tcp::socket accepted(context);  // closes after the client's loops have ended
    std::weak_ptr<AssociationUser> user;
    std::weak_ptr<Association> association;
    {
        IoThreads io(1);
        ConnectOptions options;
        options.host = "127.0.0.1";
        options.port = silent.local_endpoint().port();
        options.request.called = *AeTitle::parse("SILENT");
        options.request.calling = *AeTitle::parse("TESTER");
        options.make_user = [&](std::shared_ptr<Association> made) {
            association = made;
            auto holding = std::make_shared<HoldingUser>(std::move(made));
            user = holding;
            return holding;
        };
        auto task = [&]() -> Task<void> {
            auto opened = co_await connect(std::move(options));
            EXPECT_FALSE(opened);
        };
        io.spawn(task());
        silent.accept(accepted);
        char first = 0;
        asio::read(accepted, asio::buffer(&first, 1));  // the A-ASSOCIATE-RQ is on its way
        EXPECT_FALSE(association.expired());
    }
    EXPECT_TRUE(user.expired());
    EXPECT_TRUE(association.expired());
}

}  // namespace
}  // namespace sagitta::net::ul
