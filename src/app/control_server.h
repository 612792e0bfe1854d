// Answers on the control socket of a running node (docs/adr/0015-control-socket.md). One thread listens to
// all who have come; one more for each request that is being carried out.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

#include "app/administration.h"
#include "app/control_messages.h"
#include "app/control_socket.h"

namespace sagitta::app {

/// For one request of the account of that name. Called by several threads.
using AdministrationFor = std::function<std::unique_ptr<Administration>(const std::string& account)>;

struct ControlLimits {
    std::size_t connections = 32;       ///< a further one takes the place of the one that is silent longest
    std::size_t requests = 8;           ///< at the same time; further ones are refused
    std::chrono::seconds patience{10};  ///< for the whole request
};

class ControlServer {
public:
    /// Listens from now on.
    ControlServer(ControlSocket socket, AdministrationFor administration, ControlLimits limits = {});
    /// Interrupts imports, waits for other requests that are being carried out, removes the socket.
    ~ControlServer();
    ControlServer(const ControlServer&) = delete;
    ControlServer& operator=(const ControlServer&) = delete;

private:
    using Clock = std::chrono::steady_clock;
    struct Client {
        Descriptor connection;
        std::string account;
        std::string received;
        Clock::time_point until;
        std::thread worker;                     ///< once it has asked
        std::atomic<bool> gone = false;         ///< it has left, or must not be waited for
        std::atomic<bool> carried_out = false;  ///< the answer is left
        std::atomic<bool> done = false;
    };
    using Clients = std::list<Client>;

    void run();
    void wait();
    void accept();
    void admit(Descriptor connection);
    void read(Client& client);
    void begin(Client& client);
    void carry_out(Client& client, std::string_view line);
    std::string answer_to(Client& client, const ControlRequest& request);
    std::string import(Client& client, Administration& administration, const ControlRequest& request);
    void turn_away(Client& client, const Error& error);
    void end_the_silent();
    void collect();
    void wake();

    ControlSocket socket_;
    AdministrationFor administration_;
    ControlLimits limits_;
    Descriptor waker_;
    Clients clients_;  // the listening thread's
    Clock::time_point next_accept_;
    std::mutex importing_;
    std::atomic<bool> stopping_{false};
    std::thread thread_;
};

}  // namespace sagitta::app
