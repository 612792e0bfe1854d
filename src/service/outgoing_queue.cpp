#include "service/outgoing_queue.h"

#include <cstddef>
#include <deque>
#include <utility>

#include "net/ul/io_threads.h"
#include "net/ul/signal.h"

namespace sagitta::service {
namespace {

/// One trip to a worker makes so many ready, and so many bytes: then the next begin.
constexpr std::size_t kBatch = 16;
constexpr std::uint64_t kBatchBytes = std::uint64_t{8} << 20;

std::uint64_t bytes_of(const Result<Outgoing>& made) {
    return made ? made->payload->size_bytes() : 0;
}

}  // namespace

struct OutgoingQueue::Impl {
    struct Wanted {
        const storage::InstanceLocation* instance;
        Recipient recipient;
    };

    Impl(asio::any_io_executor on, Outbound out, const std::vector<storage::InstanceLocation>& all,
         Accepted takes)
        : executor(on), outbound(out), instances(all), accepted(std::move(takes)), changed(on) {}

    void begin();
    Task<void> make(std::vector<Wanted> batch);
    Task<Result<Outgoing>> next();
    Task<void> stop();

    asio::any_io_executor executor;
    Outbound outbound;
    const std::vector<storage::InstanceLocation>& instances;
    Accepted accepted;
    std::deque<Result<Outgoing>> ready;
    std::size_t begun = 0;
    std::uint64_t ready_bytes = 0;
    bool working = false;
    net::ul::Signal changed;
};

OutgoingQueue::OutgoingQueue(asio::any_io_executor executor, Outbound outbound,
                             const std::vector<storage::InstanceLocation>& instances, Accepted accepted)
    : impl_(std::make_unique<Impl>(std::move(executor), outbound, instances, std::move(accepted))) {}

OutgoingQueue::~OutgoingQueue() = default;

Task<Result<Outgoing>> OutgoingQueue::next() {
    return impl_->next();
}

Task<void> OutgoingQueue::stop() {
    return impl_->stop();
}

void OutgoingQueue::Impl::begin() {
    if (working || ready.size() >= kBatch || ready_bytes >= kBatchBytes) return;
    std::vector<Wanted> batch;
    std::uint64_t bytes = 0;
    while (begun < instances.size() && batch.size() < kBatch && bytes < kBatchBytes) {
        const auto& instance = instances[begun++];
        Recipient recipient;
        recipient.accepted = accepted(instance);
        recipient.project = outbound.project;
        recipient.association = outbound.association;
        batch.push_back({&instance, std::move(recipient)});
        bytes += instance.length;
    }
    if (batch.empty()) return;
    working = true;
    auto work = [this, held = std::move(batch)]() mutable { return make(std::move(held)); };
    net::ul::spawn_on(executor, std::move(work));
}

Task<void> OutgoingQueue::Impl::make(std::vector<Wanted> batch) {
    auto work = [this, &batch] {
        std::vector<Result<Outgoing>> made;
        made.reserve(batch.size());
        for (const auto& one : batch)
            made.push_back(make_outgoing(outbound.store, outbound.workers, *one.instance, one.recipient));
        return made;
    };
    auto made = co_await outbound.workers.run(std::move(work));
    for (auto& one : made) {
        ready_bytes += bytes_of(one);
        ready.push_back(std::move(one));
    }
    working = false;
    changed.notify();
}

Task<Result<Outgoing>> OutgoingQueue::Impl::next() {
    while (ready.empty()) {
        begin();
        co_await changed.wait();
    }
    auto first = std::move(ready.front());
    ready.pop_front();
    ready_bytes -= bytes_of(first);
    begin();
    co_return first;
}

Task<void> OutgoingQueue::Impl::stop() {
    begun = instances.size();
    while (working) co_await changed.wait();
}

}  // namespace sagitta::service
