// The data set of a stored instance on its way to a peer: volume to socket, chunk by chunk, never
// through a DataSet.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "core/worker_pool.h"
#include "net/dimse/payload.h"
#include "storage/instance_store.h"

namespace sagitta::service {

/// `store` and `workers` outlive it. Once prepared, reads on a worker, one chunk at a time.
class StoredPayload final : public net::dimse::Payload {
public:
    StoredPayload(const storage::InstanceStore& store, WorkerPool& workers,
                  storage::InstanceLocation location)
        : store_(store), workers_(workers), location_(std::move(location)), at_(location_.data_set_offset) {}

    [[nodiscard]] std::uint64_t size_bytes() const override {
        return location_.length - location_.data_set_offset;
    }

    [[nodiscard]] Task<Result<std::span<const std::byte>>> next() override {
        const std::uint64_t count = std::min<std::uint64_t>(kChunkBytes, location_.length - at_);
        auto read = [this, count] { return store_.read(location_, at_, count); };
        auto chunk = co_await workers_.run(std::move(read));
        if (!chunk) co_return std::move(chunk).error();
        chunk_ = std::move(*chunk);
        if (chunk_.empty())
            co_return Error(Errc::corrupt, "stored instance is shorter than its index row says");
        at_ += chunk_.size();
        co_return std::as_const(chunk_).span();
    }

    /// Blocks: finds the file, and reads its first chunk into memory, so that sending begins at once.
    [[nodiscard]] Result<void> prepare() {
        auto found = store_.file_range(location_);
        if (!found) return std::move(found).error();
        file_ = std::move(*found);
        if (file_) bring_into_memory(next_chunk());
        return {};
    }

    [[nodiscard]] Task<Result<std::optional<FileRange>>> next_in_file() override {
        if (!file_) co_return std::optional<FileRange>();
        FileRange chunk = next_chunk();
        if (at_ != location_.data_set_offset && !is_in_memory(chunk)) {
            auto read = [&chunk] { return bring_into_memory(chunk), true; };
            co_await workers_.run(std::move(read));
        }
        at_ += chunk.length;
        co_return std::optional<FileRange>(std::move(chunk));
    }

private:
    static constexpr std::uint64_t kFileChunkBytes = 4u << 20;
    static constexpr std::uint64_t kChunkBytes = 1u << 20;

    [[nodiscard]] FileRange next_chunk() const {
        return file_->part(at_, std::min<std::uint64_t>(kFileChunkBytes, location_.length - at_));
    }

    const storage::InstanceStore& store_;
    WorkerPool& workers_;
    storage::InstanceLocation location_;
    std::uint64_t at_;
    ByteBuffer chunk_;
    std::optional<FileRange> file_;
};

}  // namespace sagitta::service
