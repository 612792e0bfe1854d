// Who asks is answered, however long another one takes or says nothing.
#include "app/control_server.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <set>

#include "app/control_client.h"
#include "core/log.h"

namespace sagitta::app::testing {
namespace {

/// What all requests of a test see.
struct World {
    std::mutex mutex;
    std::condition_variable changed;
    bool may_purge = false;
    int purging = 0;
    std::set<std::string> studies;
    std::string account;

    void wait_for_purges(int count) {
        std::unique_lock lock(mutex);
        EXPECT_TRUE(changed.wait_for(lock, std::chrono::minutes(1), [&] { return purging == count; }));
    }
    void let_purge() {
        const std::lock_guard lock(mutex);
        may_purge = true;
        changed.notify_all();
    }
};

class Pretended final : public Administration {
public:
    Pretended(World& world, const std::string& account) : world_(world) {
        const std::lock_guard lock(world_.mutex);
        world_.account = account;
    }
    Result<storage::KeeperReport> remove(const storage::Scope&, bool) override {
        return Error(Errc::refused, "study 1.2 is protected");
    }
    Result<storage::KeeperReport> restore(const storage::Scope& scope) override {
        storage::KeeperReport report;
        report.study_uids = scope.study_instance_uids;
        return report;
    }
    Result<storage::PurgeReport> purge(std::int64_t) override {
        std::unique_lock lock(world_.mutex);
        ++world_.purging;
        world_.changed.notify_all();
        world_.changed.wait(lock, [this] { return world_.may_purge; });
        return storage::PurgeReport{};
    }
    Result<std::vector<storage::DeletedStudy>> deleted() override {
        return std::vector<storage::DeletedStudy>(100'000, {"1.2", 3, 4, 5, 6});
    }
    Result<void> set_protected(const std::vector<std::string>& study_uids, bool) override {
        const std::lock_guard lock(world_.mutex);
        world_.studies.insert(study_uids.begin(), study_uids.end());
        return {};
    }
    Result<std::vector<std::string>> protected_studies() override {
        const std::lock_guard lock(world_.mutex);
        return std::vector<std::string>(world_.studies.begin(), world_.studies.end());
    }
    Result<storage::IngestOutcome> accept_quarantined(const std::string&) override {
        return storage::IngestOutcome::conflict_replaced;
    }
    Result<void> drop_quarantined(const std::string& name) override {
        return Error(Errc::not_found, "there is no " + name);
    }
    /// Until it is stopped.
    Result<media::ImportReport> import(const ImportOrder& order, const ImportProgress& progress) override {
        media::ImportReport report;
        while (!*order.stop) {
            ++report.imported;
            progress(report);
            std::this_thread::yield();
        }
        report.interrupted = true;
        return report;
    }

private:
    World& world_;
};

class Control : public ::testing::Test {
protected:
    Control() {
        log::set_level(log::Level::off);
        std::string name = (std::filesystem::temp_directory_path() / "sagitta-control-XXXXXX").string();
        folder_ = base_ = ::mkdtemp(name.data());
    }
    ~Control() override {
        world_.let_purge();
        server_.reset();
        std::filesystem::remove_all(base_);
        log::set_level(log::Level::info);
    }
    void start(ControlLimits limits = {}) {
        auto socket = ControlSocket::listen(folder_);
        ASSERT_TRUE(socket) << socket.error().message();
        server_ = std::make_unique<ControlServer>(
            std::move(*socket),
            [this](const std::string& account) { return std::make_unique<Pretended>(world_, account); },
            limits);
    }

    World world_;
    std::string base_;
    std::string folder_;
    std::unique_ptr<ControlServer> server_;
};

TEST_F(Control, AnswersAreThoseOfTheArchive) {
    EXPECT_EQ(ask_node(folder_), nullptr);
    start();
    const auto node = ask_node(folder_);
    ASSERT_TRUE(node);
    EXPECT_EQ(node->remove({}, true).error(), Error(Errc::refused, "study 1.2 is protected"));
    storage::Scope scope;
    scope.study_instance_uids = {"1.2", "1.3"};
    EXPECT_EQ(node->restore(scope)->study_uids, scope.study_instance_uids);
    EXPECT_TRUE(node->set_protected({"1.9"}, true));
    EXPECT_EQ(*node->protected_studies(), std::vector<std::string>{"1.9"});
    EXPECT_EQ(*node->accept_quarantined("x"), storage::IngestOutcome::conflict_replaced);
    EXPECT_EQ(node->drop_quarantined("y").error().message(), "there is no y");
    EXPECT_EQ(node->deleted()->size(), 100'000u) << "more than a socket holds";
    EXPECT_EQ(world_.account, account_name(::geteuid()));
    server_.reset();
    EXPECT_EQ(node->deleted().error().code, Errc::connection_lost);
    EXPECT_FALSE(is_served(folder_));
}

TEST_F(Control, OneThatTakesLongHoldsNobodyUpAndTooManyAreRefused) {
    ControlLimits limits;
    limits.requests = 2;
    start(limits);
    std::thread long_one([&] { EXPECT_TRUE(ask_node(folder_)->purge(0)); });
    world_.wait_for_purges(1);
    EXPECT_TRUE(ask_node(folder_)->set_protected({"1.2"}, true));
    std::thread another([&] { EXPECT_TRUE(ask_node(folder_)->purge(0)); });
    world_.wait_for_purges(2);
    EXPECT_EQ(ask_node(folder_)->protected_studies().error().code, Errc::limit_exceeded);
    world_.let_purge();
    long_one.join();
    another.join();
    EXPECT_EQ(ask_node(folder_)->protected_studies()->size(), 1u);
}

TEST_F(Control, AnImportEndsWhenItIsToldTo) {
    start();
    std::atomic<bool> stop{false};
    ImportOrder order;
    order.stop = &stop;
    std::uint64_t seen = 0;
    const auto report = ask_node(folder_)->import(order, [&](const media::ImportReport& now) {
        seen = now.imported;
        if (seen > 100) stop = true;
    });
    ASSERT_TRUE(report) << report.error().message();
    EXPECT_TRUE(report->interrupted);
    EXPECT_GE(report->imported, seen);
    EXPECT_GT(seen, 100u);
}

TEST_F(Control, AnImportEndsWithItsClientAndWithTheNode) {
    start();
    for (int n = 0; n < 2; ++n) {
        auto connection = connect_control(folder_);
        ControlRequest request;
        request.kind = ControlRequest::Kind::import;
        ASSERT_TRUE(send_all(connection, request_line(request)));
        char first = 0;
        ASSERT_EQ(::recv(connection.get(), &first, 1, 0), 1);
        std::atomic<bool> stop{true};
        ImportOrder order;
        order.stop = &stop;
        EXPECT_EQ(ask_node(folder_)->import(order, {}).error().code, Errc::limit_exceeded) << "one at a time";
        if (n == 1) server_.reset();
        connection = Descriptor();
        if (n == 1) break;
        while (!ask_node(folder_)->import(order, {})) std::this_thread::yield();
    }
}

TEST_F(Control, WhoSaysNothingMakesRoomAndIsEnded) {
    ControlLimits limits;
    limits.connections = 4;
    limits.patience = std::chrono::seconds(1);
    start(limits);
    std::vector<Descriptor> silent;
    for (int n = 0; n < 20; ++n) silent.push_back(connect_control(folder_));
    EXPECT_TRUE(ask_node(folder_)->protected_studies());
    for (const auto& one : silent) {
        char byte = 0;
        while (::recv(one.get(), &byte, 1, 0) > 0) {
        }
    }
}

TEST_F(Control, ADeadNodesSocketIsReplacedAndNobodyElsesFile) {
    start();
    EXPECT_EQ(std::filesystem::status(folder_ + "/control.sock").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    auto again = ControlSocket::listen(folder_);
    EXPECT_TRUE(again);
    std::filesystem::remove(folder_ + "/control.sock");
    std::ofstream(folder_ + "/control.sock") << "mine";
    EXPECT_EQ(ControlSocket::listen(folder_).error().code, Errc::already_exists);
}

TEST_F(Control, APathOfAnyLength) {
    folder_ += "/" + std::string(100, 'a') + "/" + std::string(100, 'b');
    std::filesystem::create_directories(folder_);
    start();
    EXPECT_TRUE(ask_node(folder_)->set_protected({"1.2"}, true));
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(folder_ + "/control.sock"));
}

}  // namespace
}  // namespace sagitta::app::testing
