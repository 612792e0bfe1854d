#include "tests/bench/load_associations.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <future>
#include <span>
#include <utility>

#include "core/byte_buffer.h"
#include "core/bytes.h"
#include "net/dimse/message.h"
#include "net/ul/pdu_codec.h"

namespace sagitta::bench {
namespace {

using Clock = std::chrono::steady_clock;
using net::ul::PduType;

constexpr const char* kVerification = "1.2.840.10008.1.1";
constexpr net::ul::PresentationContextId kContext{1};
constexpr timeval kPatience{60, 0};

/// What every association sends.
struct Words {
    ByteBuffer associate, echo, release;
};

Result<Words> words_of(const LoadSettings& settings) {
    Words words;
    net::ul::AssociateRq request;
    request.called = settings.peer.called;
    request.calling = settings.calling;
    net::ul::ProposedPresentationContext context;
    context.id = kContext;
    context.abstract_syntax = kVerification;
    context.transfer_syntaxes = {"1.2.840.10008.1.2"};
    request.contexts.push_back(std::move(context));
    request.user.max_pdu_bytes = settings.max_pdu_bytes;
    request.user.implementation_class_uid = net::ul::kImplementationClassUid;
    if (auto done = encode(request, words.associate); !done) return std::move(done).error();
    net::dimse::CommandSet command;
    command.field = net::dimse::CommandField::c_echo_rq;
    command.message_id = 1;
    command.affected_sop_class_uid = dicom::Uid::parse(kVerification);
    net::dimse::encode_command(kContext, command, 16384, words.echo);
    encode(net::ul::ReleaseRq{}, words.release);
    return words;
}

class Connection {
public:
    explicit Connection(const sockaddr_in& peer) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
        const int on = 1;
        ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
        open_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&peer), sizeof peer) == 0;
    }
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { ::close(socket_); }

    /// The body of the PDU that answers `pdu`; empty when another or none came.
    std::span<const std::byte> ask(const ByteBuffer& pdu, PduType expected) {
        if (!open_ ||
            ::send(socket_, pdu.data(), pdu.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(pdu.size()))
            return {};
        std::size_t have = 0, wanted = net::ul::kPduHeaderBytes;
        while (have < wanted) {
            const auto count = ::recv(socket_, buffer_.data() + have, buffer_.size() - have, 0);
            if (count <= 0) return {};
            have += static_cast<std::size_t>(count);
            if (have >= net::ul::kPduHeaderBytes)
                wanted = net::ul::kPduHeaderBytes + load_be<std::uint32_t>(buffer_.data() + 2);
            if (wanted > buffer_.size()) return {};
        }
        if (have != wanted || static_cast<PduType>(buffer_[0]) != expected) return {};
        return std::span(buffer_).subspan(net::ul::kPduHeaderBytes, wanted - net::ul::kPduHeaderBytes);
    }

private:
    int socket_;
    bool open_ = false;
    std::array<std::byte, 4096> buffer_;
};

/// Empty when all went well.
std::string associate_echo_release(const sockaddr_in& peer, const Words& words) {
    Connection connection(peer);
    if (connection.ask(words.associate, PduType::associate_ac).empty()) return "not associated";
    const auto answer = connection.ask(words.echo, PduType::p_data_tf);
    if (answer.size() <= net::ul::kPdvHeaderBytes) return "no answer to the echo";
    const auto command = net::dimse::decode_command_set(answer.subspan(net::ul::kPdvHeaderBytes));
    if (!command || command->status != net::dimse::Status::success) return "the echo failed";
    return connection.ask(words.release, PduType::release_rp).empty() ? "not released" : "";
}

LoadReport work(std::uint64_t share, const sockaddr_in& peer, const Words& words,
                Clock::time_point deadline) {
    LoadReport report;
    for (std::uint64_t n = 0; n < share && Clock::now() < deadline; ++n) {
        const auto start = Clock::now();
        auto trouble = associate_echo_release(peer, words);
        const std::chrono::duration<double, std::milli> took = Clock::now() - start;
        if (trouble.empty()) {
            ++report.operations;
            report.latencies_ms.push_back(took.count());
        } else {
            ++report.failures;
            ++report.reasons[std::move(trouble)];
        }
    }
    return report;
}

}  // namespace

Result<LoadResult> run_associations(const LoadSettings& settings) {
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(settings.peer.port);
    if (::inet_pton(AF_INET, settings.peer.host.c_str(), &peer.sin_addr) != 1)
        return Error(Errc::invalid_argument, "the host is not an IPv4 address: " + settings.peer.host);
    const auto words = words_of(settings);
    if (!words) return words.error();

    LoadResult result;
    const auto start = Clock::now();
    const auto limit =
        std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(settings.seconds));
    const auto deadline = settings.seconds > 0 ? start + limit : Clock::time_point::max();
    std::vector<std::future<LoadReport>> running;
    for (std::uint64_t k = 0; k < settings.associations; ++k) {
        const auto share = settings.operations / settings.associations +
                           (k < settings.operations % settings.associations ? 1 : 0);
        running.push_back(
            std::async(std::launch::async, [&, share] { return work(share, peer, *words, deadline); }));
    }
    for (auto& one : running) result.report.add(one.get());
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return result;
}

}  // namespace sagitta::bench
