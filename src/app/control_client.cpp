#include "app/control_client.h"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string_view>
#include <utility>

#include "app/control_messages.h"
#include "app/control_socket.h"

namespace sagitta::app {
namespace {

using Kind = ControlRequest::Kind;

constexpr std::size_t kPiece = 64 * 1024;
constexpr std::size_t kLongestAnswer = 256u << 20;
constexpr int kLookEveryMilliseconds = 100;

Error lost() {
    return {Errc::connection_lost, "the node ended before it answered: look whether it was done"};
}

/// One request and the lines that answer it.
class Conversation {
public:
    Conversation(Descriptor connection, const std::atomic<bool>* stop)
        : connection_(std::move(connection)), stop_(stop) {}

    bool send(std::string_view line) const { return send_all(connection_, line); }

    /// The next line. Once `stop` is set the node is told that no more is wanted, and answers with what it
    /// has done.
    Result<std::string> next_line() {
        while (true) {
            const auto end = received_.find('\n', looked_at_);
            looked_at_ = received_.size();
            if (end != std::string::npos) {
                auto line = received_.substr(0, end);
                received_.erase(0, end + 1);
                looked_at_ = 0;
                return line;
            }
            if (received_.size() > kLongestAnswer) return lost();
            if (!receive()) return lost();
        }
    }

private:
    bool receive() {
        pollfd polled{connection_.get(), POLLIN, 0};
        const int ready = ::poll(&polled, 1, stop_ != nullptr && !stopped_ ? kLookEveryMilliseconds : -1);
        const bool may_go_on = ready >= 0 || errno == EINTR;
        if (stop_ != nullptr && *stop_ && !std::exchange(stopped_, true))
            ::shutdown(connection_.get(), SHUT_WR);
        if (ready <= 0) return may_go_on;
        std::array<char, kPiece> piece;
        const auto got = ::recv(connection_.get(), piece.data(), piece.size(), 0);
        if (got < 0 && errno == EINTR) return true;
        if (got <= 0) return false;
        received_.append(piece.data(), static_cast<std::size_t>(got));
        return true;
    }

    Descriptor connection_;
    const std::atomic<bool>* stop_;
    bool stopped_ = false;
    std::string received_;
    std::size_t looked_at_ = 0;  ///< no newline before
};

class ControlClient final : public Administration {
public:
    ControlClient(std::string data_dir, Descriptor connection)
        : data_dir_(std::move(data_dir)), connection_(std::move(connection)) {}

    Result<storage::KeeperReport> remove(const storage::Scope& scope, bool even_protected) override {
        ControlRequest request;
        request.kind = Kind::remove;
        request.scope = scope;
        request.flag = even_protected;
        return ask<storage::KeeperReport>(request);
    }
    Result<storage::KeeperReport> restore(const storage::Scope& scope) override {
        ControlRequest request;
        request.kind = Kind::restore;
        request.scope = scope;
        return ask<storage::KeeperReport>(request);
    }
    Result<storage::PurgeReport> purge(std::int64_t until) override {
        ControlRequest request;
        request.kind = Kind::purge;
        request.until = until;
        return ask<storage::PurgeReport>(request);
    }
    Result<std::vector<storage::DeletedStudy>> deleted() override {
        ControlRequest request;
        request.kind = Kind::deleted;
        return ask<std::vector<storage::DeletedStudy>>(request);
    }
    Result<void> set_protected(const std::vector<std::string>& study_uids, bool is_protected) override {
        ControlRequest request;
        request.kind = Kind::set_protected;
        request.names = study_uids;
        request.flag = is_protected;
        return ask<void>(request);
    }
    Result<std::vector<std::string>> protected_studies() override {
        ControlRequest request;
        request.kind = Kind::protected_studies;
        return ask<std::vector<std::string>>(request);
    }
    Result<storage::IngestOutcome> accept_quarantined(const std::string& name) override {
        ControlRequest request;
        request.kind = Kind::accept_quarantined;
        request.names = {name};
        return ask<storage::IngestOutcome>(request);
    }
    Result<void> drop_quarantined(const std::string& name) override {
        ControlRequest request;
        request.kind = Kind::drop_quarantined;
        request.names = {name};
        return ask<void>(request);
    }
    Result<media::ImportReport> import(const ImportOrder& order, const ImportProgress& progress) override {
        ControlRequest request;
        request.kind = Kind::import;
        request.names = order.paths;
        request.threads = order.threads;
        return ask<media::ImportReport>(request, order.stop, progress);
    }

private:
    template <class T>
    Result<T> ask(const ControlRequest& request, const std::atomic<bool>* stop = nullptr,
                  const ImportProgress& progress = {}) {
        const auto line = request_line(request);
        if (line.size() > kLongestRequest)
            return Error(Errc::limit_exceeded,
                         "a running node takes no request as long as this: name less at once");
        auto connection = std::exchange(connection_, Descriptor());
        if (!connection) connection = connect_control(data_dir_);
        if (!connection) return lost();
        Conversation conversation(std::move(connection), stop);
        (void)conversation.send(line);  // who does not read it may have said why
        while (true) {
            auto answer = conversation.next_line();
            if (!answer) return std::move(answer).error();
            const auto counts = parse_progress(*answer);
            if (!counts) return parse_answer<T>(*answer);
            if (progress) progress(*counts);
        }
    }

    std::string data_dir_;
    Descriptor connection_;  // of the first request
};

}  // namespace

std::unique_ptr<Administration> ask_node(const std::string& data_dir) {
    auto connection = connect_control(data_dir);
    if (!connection) return nullptr;
    return std::make_unique<ControlClient>(data_dir, std::move(connection));
}

bool is_served(const std::string& data_dir) {
    return static_cast<bool>(connect_control(data_dir));
}

}  // namespace sagitta::app
