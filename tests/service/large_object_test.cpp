// A C-STORE object that is written as it arrives: whatever fails, an answer, and nothing left behind.
#include <gtest/gtest.h>

#include <filesystem>
#include <optional>
#include <thread>

#include "core/log.h"
#include "service/storage_scp.h"
#include "tests/storage/faulty_file_system.h"
#include "tests/storage/sample.h"
#include "tests/support/run_coro.h"

namespace sagitta::service {
namespace {

using net::dimse::Outcome;
using net::dimse::Status;
using storage::testing::FaultyFileSystem;
using storage::testing::Sample;
using storage::testing::TemporaryDirectory;
using Fault = FaultyFileSystem::Fault;

net::dimse::StoreRequest request_for(const Sample& sample) {
    net::dimse::StoreRequest request;
    request.sop_class_uid = *dicom::Uid::parse(sample.sop_class);
    request.sop_instance_uid = *dicom::Uid::parse(sample.sop_uid);
    request.transfer_syntax_uid = "1.2.840.10008.1.2.1";
    return request;
}

Sample large(int n) {
    Sample sample;
    sample.sop_uid = fmt::format("1.2.3.4.{}", n);
    sample.content = std::string(300'000, static_cast<char>('a' + n));
    return sample;
}

/// An archive that receives, on one thread.
class Receiving {
public:
    explicit Receiving(const std::string& path, storage::FileSystem* file_system = nullptr) {
        storage::ArchiveOptions options;
        options.data_dir = path;
        options.file_system = file_system;
        auto opened = storage::Archive::open(options);
        if (!opened) return;
        archive_ = std::move(*opened);
        scp_.emplace(*archive_, workers_, StorageScpSettings{});
    }
    bool is_open() const { return archive_ != nullptr; }
    const storage::Archive& archive() const { return *archive_; }

    std::unique_ptr<net::dimse::ObjectReceiver> begin(const Sample& sample) {
        return scp_->receive(association_, request_for(sample), [] {});
    }

    /// All of it but the last `missing` bytes.
    Outcome store(const Sample& sample, std::size_t missing = 0) { return store(sample, missing, sample); }
    /// Announced as another one.
    Outcome store(const Sample& sample, std::size_t missing, const Sample& announced) {
        auto receiver = begin(announced);
        const auto instance = storage::testing::incoming(sample);
        const auto bytes = instance.data_set.span().first(instance.data_set.size() - missing);
        for (std::size_t at = 0; at < bytes.size(); at += 70'000) {
            receiver->add(ByteBuffer(bytes.subspan(at, std::min<std::size_t>(70'000, bytes.size() - at))));
        }
        return test::run_coro(receiver->finish());
    }

private:
    net::dimse::AssociationInfo association_;
    WorkerPool workers_{1};
    std::unique_ptr<storage::Archive> archive_;
    std::optional<StorageScp> scp_;
};

bool nothing_incoming(const std::string& path) {
    return std::filesystem::is_empty(path + "/incoming");
}

TEST(LargeObject, IsServedAsItCame) {
    TemporaryDirectory folder;
    Receiving node(folder.path());
    ASSERT_TRUE(node.is_open());
    EXPECT_EQ(node.store(large(1)).status, Status::success);
    const auto bytes = storage::testing::served(node.archive(), large(1).sop_uid);
    const auto sent = storage::testing::incoming(large(1));
    EXPECT_TRUE(bytes.ends_with(as_text(sent.data_set.span())));
    EXPECT_TRUE(nothing_incoming(folder.path()));
}

TEST(LargeObject, IsRefusedWhenItIsNotWholeOrAnotherOne) {
    TemporaryDirectory folder;
    Receiving node(folder.path());
    EXPECT_EQ(node.store(large(1), 2).status, Status::cannot_understand);
    EXPECT_TRUE(nothing_incoming(folder.path()));
    EXPECT_EQ(node.store(large(2), 0, large(1)).status, Status::identifier_does_not_match_sop_class);
    EXPECT_TRUE(nothing_incoming(folder.path()));
    for (const int n : {1, 2}) EXPECT_EQ(storage::testing::served(node.archive(), large(n).sop_uid), "");
}

TEST(LargeObject, StopsItsSenderWhileTheDiskIsBehind) {
    TemporaryDirectory folder;
    Receiving node(folder.path());
    auto receiver = node.begin(large(1));
    EXPECT_TRUE(receiver->wants_more());
    const std::string much(5u << 20, 'm');
    receiver->add(ByteBuffer(as_bytes(much)));
    while (!receiver->wants_more()) std::this_thread::yield();  // until it is written
    receiver.reset();
    while (!nothing_incoming(folder.path())) std::this_thread::yield();
}

TEST(LargeObject, WhateverFailsLeavesNothingUnlessItIsAcknowledged) {
    log::set_level(log::Level::off);
    for (const auto fault : {Fault::disk_full, Fault::error}) {
        for (std::size_t at = 0;; ++at) {
            SCOPED_TRACE(fmt::format("fault {} at call {}", static_cast<int>(fault), at));
            TemporaryDirectory folder;
            FaultyFileSystem files(fault, at);
            std::optional<Outcome> outcome;
            bool failed = true;
            {
                Receiving node(folder.path(), &files);
                if (node.is_open()) {
                    outcome = node.store(large(1));
                    failed = node.archive().status().failed;
                    const bool stored = outcome->status == Status::success;
                    if (fault == Fault::disk_full && !stored) {
                        EXPECT_EQ(outcome->status, Status::out_of_resources);
                        EXPECT_FALSE(failed);
                        EXPECT_EQ(node.store(large(1)).status, Status::success) << "there is room again";
                    }
                }
            }
            const bool reached = files.calls() > at;
            Receiving again(folder.path());
            ASSERT_TRUE(again.is_open());
            EXPECT_TRUE(nothing_incoming(folder.path()));
            const bool there = !storage::testing::served(again.archive(), large(1).sop_uid).empty();
            EXPECT_TRUE(there || !outcome || outcome->status != Status::success);
            if (!reached) break;
            if (::testing::Test::HasFailure()) break;
        }
    }
    log::set_level(log::Level::info);
}

}  // namespace
}  // namespace sagitta::service
