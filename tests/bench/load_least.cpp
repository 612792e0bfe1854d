#include "tests/bench/load_least.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <thread>
#include <utility>

#include "core/byte_buffer.h"
#include "net/dimse/message.h"
#include "net/ul/pdu_codec.h"

namespace sagitta::bench {
namespace {

constexpr net::ul::PresentationContextId kContext{1};
constexpr int kWaiting = 1024;

/// What the three questions are answered with.
using Answers = std::array<ByteBuffer, 3>;

Result<Answers> answers_of(const LoadSettings& settings) {
    Answers answers;
    net::ul::AssociateAc accept;
    accept.called = settings.peer.called;
    accept.calling = settings.calling;
    accept.contexts.push_back({kContext, net::ul::ContextResult::acceptance, "1.2.840.10008.1.2"});
    accept.user.max_pdu_bytes = settings.max_pdu_bytes;
    accept.user.implementation_class_uid = net::ul::kImplementationClassUid;
    if (auto done = encode(accept, answers[0]); !done) return std::move(done).error();
    net::dimse::CommandSet response;
    response.field = net::dimse::CommandField::c_echo_rsp;
    response.responded_message_id = 1;
    response.affected_sop_class_uid = dicom::Uid::parse("1.2.840.10008.1.1");
    response.status = net::dimse::Status::success;
    net::dimse::encode_command(kContext, response, 16384, answers[1]);
    encode(net::ul::ReleaseRp{}, answers[2]);
    return answers;
}

void converse(int socket, const Answers& answers) {
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    std::array<std::byte, 4096> asked;
    for (const auto& answer : answers) {
        if (::recv(socket, asked.data(), asked.size(), 0) <= 0) return;
        if (::send(socket, answer.data(), answer.size(), MSG_NOSIGNAL) < 0) return;
    }
    while (::recv(socket, asked.data(), asked.size(), 0) > 0) {
    }
}

}  // namespace

int run_least(const LoadSettings& settings) {
    const auto answers = answers_of(settings);
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(settings.peer.port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (!answers || ::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        ::listen(listener, kWaiting) != 0) {
        std::fprintf(stderr, "sagitta-load: cannot listen\n");
        return 1;
    }
    std::printf("listening\n");
    std::fflush(stdout);
    std::vector<std::thread> threads;
    for (std::size_t n = 0; n < settings.threads; ++n) {
        threads.emplace_back([listener, &answers] {
            for (;;) {
                const int socket = ::accept(listener, nullptr, nullptr);
                if (socket < 0) continue;
                converse(socket, *answers);
                ::close(socket);
            }
        });
    }
    for (auto& thread : threads) thread.join();
    return 0;
}

}  // namespace sagitta::bench
