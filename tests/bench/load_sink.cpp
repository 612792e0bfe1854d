#include "tests/bench/load_sink.h"

#include <csignal>
#include <cstdio>

#include "net/dimse/server.h"

namespace sagitta::bench {
namespace {

class Sink final : public net::dimse::AssociationGate, public net::dimse::StoreHandler {
public:
    std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> admit(
        const net::dimse::AssociationInfo&) override {
        net::ul::NegotiationPolicy policy;
        policy.operations_window = 64;
        return policy;
    }
    void closed(const net::dimse::AssociationInfo&) override {}
    Task<net::dimse::Outcome> store(const net::dimse::AssociationInfo&, net::dimse::StoreRequest,
                                    ByteBuffer) override {
        co_return net::dimse::Outcome();
    }
};

}  // namespace

int run_sink(const LoadSettings& settings) {
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    pthread_sigmask(SIG_BLOCK, &ends, nullptr);
    Sink sink;
    net::ul::IoThreads io(settings.threads);
    net::dimse::ServerSettings server_settings;
    server_settings.listener.port = settings.peer.port;
    net::dimse::Handlers handlers;
    handlers.gate = &sink;
    handlers.store = &sink;
    net::dimse::Server server(io, server_settings, handlers);
    if (auto started = server.start(); !started) {
        std::fprintf(stderr, "sagitta-load: %s\n", started.error().message().c_str());
        return 1;
    }
    std::puts("listening");
    std::fflush(stdout);
    int number = 0;
    sigwait(&ends, &number);
    server.stop(std::chrono::milliseconds(0));
    return 0;
}

}  // namespace sagitta::bench
