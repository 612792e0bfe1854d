#include "tests/bench/load_sink.h"

#include <csignal>
#include <cstdio>
#include <memory>
#include <utility>

#include "net/dimse/message.h"
#include "net/ul/listener.h"
#include "net/ul/negotiation.h"

namespace sagitta::bench {
namespace {

using net::dimse::CommandSet;

/// Answers every C-STORE and never looks at what it was sent: a peer that costs as little as can be.
class Sink final : public net::ul::AssociationUser {
public:
    explicit Sink(std::weak_ptr<net::ul::Association> association) : association_(std::move(association)) {}

    std::variant<net::ul::Negotiated, net::ul::Rejection> decide(
        const net::ul::AssociateRq& request) override {
        net::ul::NegotiationPolicy policy;
        policy.operations_window = 64;
        return net::ul::negotiate(request, policy);
    }
    void established() override {}
    bool wants_more() const override { return true; }
    void ended(const net::ul::End&) override {}
    void release_requested() override {
        if (const auto association = association_.lock()) association->confirm_release();
    }
    Result<void> received(const net::ul::Pdv& pdv) override {
        if (!pdv.is_command) {
            if (pdv.is_last) answer(pdv.context);
            return {};
        }
        held_.append(pdv.bytes);
        if (!pdv.is_last) return {};
        auto command = net::dimse::decode_command_set(held_.span());
        held_.clear();
        if (!command) return std::move(command).error();
        request_ = std::move(*command);
        if (!request_.has_data_set) answer(pdv.context);
        return {};
    }

private:
    void answer(net::ul::PresentationContextId context) {
        CommandSet response;
        response.field = net::dimse::response_to(request_.field);
        response.responded_message_id = request_.message_id;
        response.affected_sop_class_uid = request_.affected_sop_class_uid;
        response.affected_sop_instance_uid = request_.affected_sop_instance_uid;
        response.status = net::dimse::Status::success;
        ByteBuffer pdus;
        net::dimse::encode_command(context, response, kResponsePduBytes, pdus);
        if (const auto association = association_.lock()) association->write_soon(pdus.span());
    }

    static constexpr std::uint32_t kResponsePduBytes = 4096;
    const std::weak_ptr<net::ul::Association> association_;
    ByteBuffer held_;
    CommandSet request_;
};

}  // namespace

int run_sink(const LoadSettings& settings) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    net::ul::IoThreads io(settings.threads);
    net::ul::ListenerSettings listening;
    listening.port = settings.peer.port;
    net::ul::Listener listener(io, listening, [](const std::shared_ptr<net::ul::Association>& association) {
        return std::make_shared<Sink>(association);
    });
    if (auto started = listener.start(); !started) {
        std::fprintf(stderr, "sagitta-load: %s\n", started.error().message().c_str());
        return 1;
    }
    std::puts("listening");
    std::fflush(stdout);
    int number = 0;
    sigwait(&ends, &number);
    listener.stop(std::chrono::milliseconds(0));
    return 0;
}

}  // namespace sagitta::bench
