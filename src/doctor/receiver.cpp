#include "doctor/receiver.h"

namespace sagitta::doctor {

namespace {

net::dimse::ServerSettings server_settings(const std::string& bind_address, std::uint16_t port) {
    net::dimse::ServerSettings settings;
    settings.listener.bind_address = bind_address;
    settings.listener.port = port;
    settings.listener.max_associations = 8;
    return settings;
}

}  // namespace

Receiver::Receiver(net::ul::AeTitle called, const std::string& bind_address, std::uint16_t port)
    : called_(called), io_(1), server_(io_, server_settings(bind_address, port), handlers()) {}

Receiver::~Receiver() {
    stop();
}

void Receiver::stop() {
    server_.stop(std::chrono::seconds(2));
}

net::dimse::Handlers Receiver::handlers() {
    net::dimse::Handlers handlers;
    handlers.gate = this;
    handlers.store = this;
    return handlers;
}

std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> Receiver::admit(
    const net::dimse::AssociationInfo& info) {
    if (info.called != called_) {
        ++misnamed_;
        return net::ul::Rejection{net::ul::RejectReason::called_ae_title_not_recognized, "another AE title"};
    }
    ++associations_;
    net::ul::NegotiationPolicy policy;
    policy.accept_find = policy.accept_move = policy.accept_get = policy.accept_commitment = false;
    policy.accept_unknown_as_storage = true;
    return policy;
}

Task<net::dimse::Outcome> Receiver::store(const net::dimse::AssociationInfo&, net::dimse::StoreRequest,
                                          ByteBuffer data_set) {
    ++instances_;
    bytes_ += data_set.size();
    co_return net::dimse::Outcome(net::dimse::Status::success);
}

}  // namespace sagitta::doctor
