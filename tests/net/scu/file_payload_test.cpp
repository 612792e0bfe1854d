// Data sets that lie in a file on their way to a peer.
#include <gtest/gtest.h>

#include <fcntl.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "net/dimse/server.h"
#include "net/scu/client.h"
#include "tests/net/fake_handlers.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::net {
namespace {

using namespace std::chrono_literals;
using test::FakeNode;
using test::kCtImage;
using test::kExplicit;

std::vector<std::byte> pattern(std::size_t size) {
    std::vector<std::byte> bytes(size);
    for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + i / 256);
    return bytes;
}

/// `size` bytes behind the first `kOffset` of a file, in chunks.
class InFile final : public dimse::Payload {
public:
    static constexpr std::uint64_t kOffset = 321;

    InFile(const std::string& path, std::uint64_t size, std::uint64_t chunk)
        : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)), size_(size), chunk_(chunk) {}
    ~InFile() override { ::close(descriptor_); }

    std::uint64_t size_bytes() const override { return size_; }
    Task<Result<std::span<const std::byte>>> next() override {
        co_return Error(Errc::unsupported, "asked for a copy");
    }
    Task<Result<std::optional<FileRange>>> next_in_file() override {
        FileRange range;
        range.descriptor = descriptor_;
        range.offset = kOffset + given_;
        range.length = std::min(chunk_, size_ - given_);
        given_ += range.length;
        co_return std::optional<FileRange>(range);
    }

private:
    int descriptor_;
    std::uint64_t size_;
    std::uint64_t chunk_;
    std::uint64_t given_ = 0;
};

struct FilePayloads : testing::Test {
    FilePayloads() {
        address.called = *ul::AeTitle::parse("SAGITTA");
        address.host = "127.0.0.1";
        address.port = node.server().port();
        settings.calling = *ul::AeTitle::parse("TESTER");
        settings.response_timeout = 5s;
    }

    std::string write(const std::vector<std::byte>& bytes) {
        const auto path = (folder.path() / "object").string();
        std::ofstream file(path, std::ios::binary);
        file << std::string(InFile::kOffset, 'x');
        file.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
        file << "and more behind";
        return path;
    }

    Task<std::string> store(dimse::Payload& payload, std::string* after = nullptr) {
        scu::WantedContext wanted;
        wanted.sop_class_uid = kCtImage;
        wanted.transfer_syntaxes = {std::string(kExplicit)};
        std::vector<scu::WantedContext> all{wanted};
        auto client = co_await scu::Client::open(address, settings, std::move(all));
        if (!client) co_return client.error().context;
        scu::StoreOperation operation;
        operation.sop_class_uid = *dicom::Uid::parse(kCtImage);
        operation.sop_instance_uid = *dicom::Uid::parse("1.2.3");
        operation.transfer_syntax_uid = kExplicit;
        auto outcome = co_await (*client)->store(operation, payload);
        if (after != nullptr) *after = (*client)->is_open() ? "open" : "over";
        if ((*client)->is_open()) (void)co_await (*client)->release();
        if (!outcome) co_return outcome.error().context;
        co_return std::to_string(dimse::code(outcome->status));
    }

    sagitta::test::TemporaryFolder folder;
    ul::IoThreads io{2};
    FakeNode node{io};
    scu::Address address;
    scu::ClientSettings settings;
};

TEST_F(FilePayloads, ArriveByteForByte) {
    for (const std::size_t size : {1u, 2u, 262'132u, 262'133u, 300'001u, 4'000'000u}) {
        const auto path = write(pattern(size));
        for (const std::uint64_t chunk : {std::uint64_t{100'000}, std::uint64_t{8'000'000}}) {
            InFile payload(path, size, chunk);
            EXPECT_EQ(io.run(store(payload)), "0") << size << " in chunks of " << chunk;
            EXPECT_EQ(node.stored.back(), pattern(size)) << size << " in chunks of " << chunk;
        }
    }
}

TEST_F(FilePayloads, FileThatIsTooShortEndsTheAssociation) {
    const auto path = write(pattern(1000));
    InFile payload(path, 500'000, 8'000'000);
    std::string after;
    EXPECT_EQ(io.run(store(payload, &after)), "the stored file cannot be read");
    EXPECT_EQ(after, "over");
    EXPECT_TRUE(node.stored.empty());
}

TEST_F(FilePayloads, RangeOfNothingEndsTheAssociation) {
    const auto path = write(pattern(1000));
    InFile payload(path, 1000, 0);
    EXPECT_EQ(io.run(store(payload)), "payload is not as long as it said");
    EXPECT_TRUE(node.stored.empty());
}

TEST(FileRanges, AreInMemoryOnceBroughtThere) {
    const sagitta::test::TemporaryFolder folder;
    const auto path = (folder.path() / "file").string();
    std::ofstream(path, std::ios::binary) << std::string(9'000'000, 'x');
    FileRange range;
    range.descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    range.offset = 12345;
    range.length = 8'500'000;
    bring_into_memory(range);
    EXPECT_TRUE(is_in_memory(range));
    EXPECT_TRUE(is_in_memory(range.part(5, 1)));
    ::close(range.descriptor);
    EXPECT_FALSE(is_in_memory(range)) << "nobody can tell";
}

}  // namespace
}  // namespace sagitta::net
