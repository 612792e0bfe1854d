#include "doctor/attempt.h"

#include <chrono>
#include <utility>

#include "trace/wire_reader.h"

namespace sagitta::doctor {
namespace {

namespace ul = net::ul;

/// Notes what the peer says, and lets another look on.
class Ear final : public ul::AssociationObserver, private trace::WireEvents {
public:
    Ear(std::shared_ptr<Heard> heard, std::unique_ptr<ul::AssociationObserver> other)
        : heard_(std::move(heard)), other_(std::move(other)), reader_(*this) {}

    void connected(const std::string& peer_address) override {
        heard_->connected = true;
        if (other_) other_->connected(peer_address);
    }
    void received(std::span<const std::byte> bytes) override {
        if (!bytes.empty()) heard_->silent = false;
        reader_.take(bytes);
        if (other_) other_->received(bytes);
    }
    void sent(std::span<const std::byte> bytes) override {
        if (other_) other_->sent(bytes);
    }
    void sent_unseen(std::size_t bytes) override {
        if (other_) other_->sent_unseen(bytes);
    }
    void ended(const ul::End& end) override {
        if (other_) other_->ended(end);
    }

private:
    void control(const ul::ControlPdu& pdu, std::uint32_t) override {
        if (const auto* ac = std::get_if<ul::AssociateAc>(&pdu)) heard_->accepted = *ac;
        if (const auto* rj = std::get_if<ul::AssociateRj>(&pdu)) heard_->rejected = *rj;
        if (const auto* abort = std::get_if<ul::Abort>(&pdu)) heard_->aborted = *abort;
    }
    void fragment(const ul::PdvHeader&, std::uint32_t) override {}
    void command(ul::PresentationContextId, const net::dimse::CommandSet& command) override {
        if (command.status && net::dimse::is_pending(*command.status)) ++heard_->pending;
    }
    void data_set(ul::PresentationContextId, const net::dimse::CommandSet&, std::span<const std::byte>,
                  std::uint64_t, std::chrono::steady_clock::duration) override {}
    void lost(std::string_view, std::span<const std::byte>) override { heard_->not_dicom = true; }

    std::shared_ptr<Heard> heard_;
    std::unique_ptr<ul::AssociationObserver> other_;
    trace::WireReader reader_;
};

/// For the one association of an attempt.
class Listening final : public ul::AssociationObservers {
public:
    Listening(std::shared_ptr<Heard> heard, ul::AssociationObservers* others)
        : heard_(std::move(heard)), others_(others) {}
    std::unique_ptr<ul::AssociationObserver> begin(std::uint64_t id, bool we_accept) override {
        auto other = others_ != nullptr ? others_->begin(id, we_accept) : nullptr;
        return std::make_unique<Ear>(heard_, std::move(other));
    }

private:
    std::shared_ptr<Heard> heard_;
    ul::AssociationObservers* others_;
};

}  // namespace

Task<Attempt> attempt(net::scu::Address peer, net::scu::ClientSettings settings,
                      std::vector<net::scu::WantedContext> wanted) {
    const auto heard = std::make_shared<Heard>();
    Listening listening(heard, settings.association.observers);
    settings.association.observers = &listening;  // asked once, when the association is made
    const auto start = std::chrono::steady_clock::now();
    auto opened = co_await net::scu::Client::open(std::move(peer), std::move(settings), std::move(wanted));
    const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
    Attempt made;
    made.heard = heard;
    made.milliseconds = took.count();
    if (opened) {
        made.client = std::move(*opened);
    } else {
        made.error = std::move(opened).error();
    }
    co_return std::move(made);
}

}  // namespace sagitta::doctor
