// A node whose services do the simplest thing that can be checked.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <asio/steady_timer.hpp>
#include <asio/this_coro.hpp>

#include "net/dimse/server.h"

namespace sagitta::net::test {

inline constexpr std::string_view kVerification = "1.2.840.10008.1.1";
inline constexpr std::string_view kCtImage = "1.2.840.10008.5.1.4.1.1.2";
inline constexpr std::string_view kStudyRootFind = "1.2.840.10008.5.1.4.1.2.2.1";
inline constexpr std::string_view kStudyRootMove = "1.2.840.10008.5.1.4.1.2.2.2";
inline constexpr std::string_view kStudyRootGet = "1.2.840.10008.5.1.4.1.2.2.3";
inline constexpr std::string_view kExplicit = "1.2.840.10008.1.2.1";
inline constexpr std::string_view kImplicit = "1.2.840.10008.1.2";

class FakeNode final : public dimse::AssociationGate,
                       public dimse::StoreHandler,
                       public dimse::FindHandler,
                       public dimse::GetHandler,
                       public dimse::MoveHandler {
public:
    explicit FakeNode(ul::IoThreads& io, std::uint32_t max_pdu_bytes = 256 * 1024,
                      std::chrono::milliseconds timeout = std::chrono::seconds(5))
        : max_pdu_bytes_(max_pdu_bytes), server_(io, settings(max_pdu_bytes, timeout), handlers()) {
        if (!server_.start()) std::abort();
    }
    ~FakeNode() override { server_.stop(std::chrono::milliseconds(0)); }

    dimse::Server& server() { return server_; }

    std::atomic<int> admitted{0};
    std::atomic<int> ended{0};
    std::atomic<int> matches{0};
    bool keep = true;
    std::uint16_t operations_window = 1;
    std::chrono::milliseconds store_takes{0};
    std::atomic<int> storing{0};
    std::atomic<int> most_storing{0};            ///< at the same time
    std::vector<std::vector<std::byte>> stored;  // read between operations only
    std::string last_destination;

    std::variant<ul::NegotiationPolicy, ul::Rejection> admit(const dimse::AssociationInfo& info) override {
        if (info.called == "NOBODY")
            return ul::Rejection{ul::RejectReason::called_ae_title_not_recognized, "test"};
        ++admitted;
        ul::NegotiationPolicy policy;
        policy.max_pdu_bytes = max_pdu_bytes_;
        policy.operations_window = operations_window;
        return policy;
    }
    void closed(const dimse::AssociationInfo&) override { ++ended; }

    Task<dimse::Outcome> store(const dimse::AssociationInfo&, dimse::StoreRequest,
                               ByteBuffer data_set) override {
        most_storing = std::max(most_storing.load(), ++storing);
        if (store_takes.count() != 0) {
            asio::steady_timer timer(co_await asio::this_coro::executor, store_takes);
            auto waited = co_await timer.async_wait(no_throw);
            (void)waited;
        }
        if (keep) stored.emplace_back(data_set.span().begin(), data_set.span().end());
        --storing;
        co_return dimse::Outcome();
    }

    Task<dimse::Outcome> find(const dimse::AssociationInfo&, dimse::QueryRequest,
                              dimse::FindResponder& out) override {
        for (int i = 0; i < matches; ++i) {
            if (out.cancelled()) co_return dimse::Outcome(dimse::Status::cancel);
            dicom::DataSet match;
            match.set_text(dicom::Tag(0x0010, 0x0020), dicom::Vr::LO, "ID" + std::to_string(i));
            auto sent = co_await out.pending(match, dimse::Status::pending);
            if (!sent) co_return dimse::Outcome(dimse::Status::processing_failure);
        }
        co_return dimse::Outcome();
    }

    Task<dimse::RetrieveOutcome> get(const dimse::AssociationInfo&, dimse::QueryRequest,
                                     dimse::GetResponder& out) override {
        dimse::RetrieveOutcome result;
        std::vector<std::size_t> sizes{1000, 2000, 700'000};
        std::size_t given = 0;
        std::vector<std::byte> bytes(sizes.back());
        dimse::NextStore next = [&]() -> Task<std::optional<dimse::OutgoingStore>> {
            std::optional<dimse::OutgoingStore> store;
            if (given == sizes.size()) co_return store;
            const std::size_t size = sizes[given++];
            store.emplace();
            store->sop_class_uid = *dicom::Uid::parse(kCtImage);
            store->sop_instance_uid = *dicom::Uid::parse("1.2." + std::to_string(size));
            store->transfer_syntax_uid = kExplicit;
            store->payload = std::make_unique<dimse::MemoryPayload>(std::span(bytes).first(size));
            co_return store;
        };
        dimse::OnStored on_stored = [&](std::size_t index, Result<dimse::Outcome> answer) -> Task<void> {
            if (answer && answer->status == dimse::Status::success) {
                ++result.counts.completed;
            } else {
                ++result.counts.failed;
                result.failed_sop_instance_uids.push_back(
                    *dicom::Uid::parse("1.2." + std::to_string(sizes[index])));
            }
            co_return;
        };
        auto done = co_await out.store_all(std::move(next), std::move(on_stored));
        (void)done;
        if (result.counts.failed != 0) result.outcome.status = dimse::Status::coercion_of_data_elements;
        co_return result;
    }

    Task<dimse::RetrieveOutcome> move(const dimse::AssociationInfo&, dimse::QueryRequest,
                                      ul::AeTitle destination, dimse::MoveResponder& out) override {
        last_destination = destination.str();
        dimse::RetrieveOutcome result;
        for (int i = 0; i < 4; ++i) {
            ++result.counts.completed;
            auto sent = co_await out.pending(result.counts);
            if (!sent) break;
        }
        co_return result;
    }

private:
    static dimse::ServerSettings settings(std::uint32_t max_pdu_bytes, std::chrono::milliseconds timeout) {
        dimse::ServerSettings settings;
        settings.listener.port = 0;
        settings.listener.max_pdu_bytes = max_pdu_bytes;
        settings.listener.association.artim_timeout = timeout;
        settings.listener.association.idle_timeout = timeout;
        settings.max_object_bytes = 5'000'000;
        return settings;
    }
    dimse::Handlers handlers() {
        dimse::Handlers handlers;
        handlers.gate = this;
        handlers.store = this;
        handlers.find = this;
        handlers.get = this;
        handlers.move = this;
        return handlers;
    }

    std::uint32_t max_pdu_bytes_;
    dimse::Server server_;
};

}  // namespace sagitta::net::test
