// What is accepted is kept, checked and reported; what is beyond the limits is refused. Associations of our
// own are tests/interop/commitment_test.py.
#include "service/commitment_scp.h"

#include <gtest/gtest.h>

#include <functional>
#include <future>
#include <thread>

#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/writer.h"
#include "tests/support/run_coro.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::service {
namespace {

using net::dimse::EventReport;
using net::dimse::Outcome;
using net::dimse::Status;
using storage::InstanceState;

constexpr auto kPatience = std::chrono::seconds(20);

/// Stored is what ends in an even digit.
class EvenInstances final : public storage::InstanceCheck {
public:
    Result<InstanceState> check(std::string_view, std::string_view sop_instance_uid) const override {
        return (sop_instance_uid.back() - '0') % 2 == 0 ? InstanceState::intact : InstanceState::unknown;
    }
};

/// The peer at the other end of an association: takes reports, answers when told to.
class Peer final : public net::dimse::EventChannel {
public:
    void report(EventReport event, std::function<void(Result<Outcome>)> done) override {
        reports_.set_value({std::move(event), std::move(done)});
    }
    struct Delivery {
        EventReport event;
        std::function<void(Result<Outcome>)> done;
    };
    std::optional<Delivery> next() {
        if (future_.wait_for(kPatience) != std::future_status::ready) return std::nullopt;
        return future_.get();
    }

private:
    std::promise<Delivery> reports_;
    std::future<Delivery> future_ = reports_.get_future();
};

class CommitmentScpTest : public testing::Test {
protected:
    CommitmentScpTest() : workers_(1), io_(1) {
        auto opened = storage::CommitmentLog::open(folder_.path().string());
        EXPECT_TRUE(opened);
        log_ = std::move(*opened);
        settings_.find_requestor = [](const net::ul::AeTitle&) { return std::nullopt; };
        settings_.retry = std::chrono::hours(1);
        settings_.longest_retry = std::chrono::hours(1);
    }

    void start() {
        scp_ = std::make_unique<CommitmentScp>(*log_, instances_, workers_, settings_);
        ASSERT_TRUE(scp_->start(io_));
    }

    Outcome ask(const std::string& transaction, const std::vector<std::string>& instances,
                std::shared_ptr<Peer> back) {
        storage::CommitmentRequest request;
        request.transaction_uid = transaction;
        for (const auto& one : instances)
            request.references.push_back({std::string(dicom::uids::CTImageStorage), one});
        net::dimse::NormalizedRequest message;
        message.sop_class_uid = *dicom::Uid::parse(dicom::uids::StorageCommitmentPushModel);
        message.sop_instance_uid = *dicom::Uid::parse(dicom::uids::StorageCommitmentPushModelInstance);
        message.type_id = 1;
        message.syntax = &dicom::implicit_vr_little_endian();
        EXPECT_TRUE(dicom::write_data_set(commitment_request(request), *message.syntax, message.data_set));
        net::dimse::AssociationInfo association;
        association.calling = *net::ul::AeTitle::parse("SCANNER");
        return test::run_coro(scp_->action(association, std::move(message), std::move(back)));
    }

    std::size_t kept() { return log_->open_requests()->size(); }

    test::TemporaryFolder folder_;
    std::unique_ptr<storage::CommitmentLog> log_;
    EvenInstances instances_;
    WorkerPool workers_;
    CommitmentScpSettings settings_;
    std::unique_ptr<CommitmentScp> scp_;
    net::ul::IoThreads io_;
};

TEST_F(CommitmentScpTest, ReportsOverTheAssociationOfTheRequest) {
    start();
    const auto peer = std::make_shared<Peer>();
    ASSERT_EQ(ask("1.2.3", {"1.2", "1.3"}, peer).status, Status::success);
    EXPECT_EQ(kept(), 1u);
    auto delivery = peer->next();
    ASSERT_TRUE(delivery);
    EXPECT_EQ(delivery->event.event_type_id, 2);
    EXPECT_EQ(delivery->event.information.text(dicom::tags::TransactionUID), "1.2.3");
    delivery->done(Outcome());
    scp_->stop(kPatience);
    EXPECT_EQ(kept(), 0u);
}

TEST_F(CommitmentScpTest, KeepsWhatNobodyHasHeard) {
    start();
    const auto peer = std::make_shared<Peer>();
    ASSERT_EQ(ask("1.2.3", {"1.2"}, peer).status, Status::success);
    auto delivery = peer->next();
    ASSERT_TRUE(delivery);
    delivery->done(Error(Errc::connection_lost, "the association is over"));
    scp_->stop(kPatience);
    ASSERT_EQ(kept(), 1u);
    EXPECT_EQ(log_->references(log_->open_requests()->front().id)->front().sop_instance_uid, "1.2");
}

TEST_F(CommitmentScpTest, ReportsAgainToWhoAsksAgainMeanwhile) {
    start();
    const auto first = std::make_shared<Peer>();
    const auto second = std::make_shared<Peer>();
    ASSERT_EQ(ask("1.2.3", {"1.2"}, first).status, Status::success);
    auto delivery = first->next();
    ASSERT_TRUE(delivery);
    ASSERT_EQ(ask("1.2.3", {"1.2"}, second).status, Status::success);
    delivery->done(Outcome());
    delivery = second->next();
    ASSERT_TRUE(delivery);
    EXPECT_EQ(delivery->event.event_type_id, 1);
    delivery->done(Outcome());
    scp_->stop(kPatience);
    EXPECT_EQ(kept(), 0u);
}

TEST_F(CommitmentScpTest, RefusesAnotherRequestUnderTheSameTransaction) {
    start();
    ASSERT_EQ(ask("1.2.3", {"1.2"}, std::make_shared<Peer>()).status, Status::success);
    EXPECT_EQ(ask("1.2.3", {"1.4"}, std::make_shared<Peer>()).status, Status::invalid_argument_value);
    EXPECT_EQ(kept(), 1u);
}

TEST_F(CommitmentScpTest, RefusesWhatIsBeyondItsLimits) {
    settings_.max_instances = 2;
    settings_.max_requests = 1;
    start();
    EXPECT_EQ(ask("1.2.3", {"1.2", "1.4", "1.6"}, std::make_shared<Peer>()).status,
              Status::resource_limitation);
    EXPECT_EQ(kept(), 0u);
    EXPECT_EQ(ask("1.2.4", {"1.2", "1.4"}, std::make_shared<Peer>()).status, Status::success);
    EXPECT_EQ(ask("1.2.5", {"1.2"}, std::make_shared<Peer>()).status, Status::resource_limitation);
    EXPECT_EQ(kept(), 1u);
}

TEST_F(CommitmentScpTest, GivesUpInTheEnd) {
    settings_.give_up = std::chrono::seconds(-1);
    start();
    const auto peer = std::make_shared<Peer>();
    ASSERT_EQ(ask("1.2.3", {"1.2"}, peer).status, Status::success);
    auto delivery = peer->next();
    ASSERT_TRUE(delivery);
    delivery->done(Outcome(Status::processing_failure, ""));
    const auto until = std::chrono::steady_clock::now() + kPatience;
    while (kept() != 0 && std::chrono::steady_clock::now() < until) std::this_thread::yield();
    EXPECT_EQ(kept(), 0u);
}

}  // namespace
}  // namespace sagitta::service
