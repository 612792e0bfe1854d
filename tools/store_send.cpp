#include "store_send.h"

#include <algorithm>
#include <deque>
#include <future>
#include <mutex>

#include <fmt/format.h>
#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include "codec/transcode_for.h"
#include "dicom/part10.h"
#include "file_payload.h"
#include "net/ul/io_threads.h"

namespace sagitta::tools {
namespace {

using net::dimse::Outcome;

/// Associations that may end before they answer for a file: it fails with the next.
constexpr int kMaxBroken = 2;

/// A file, and how often an association has ended before it was answered.
struct Attempt {
    const FileToSend* file = nullptr;
    int broken = 0;
};

/// What is still to be sent, for whichever association is free. Thread-safe.
class Waiting {
public:
    void add(Attempt attempt) {
        const std::scoped_lock lock(mutex_);
        attempts_.push_back(attempt);
    }
    std::optional<Attempt> take() {
        const std::scoped_lock lock(mutex_);
        if (attempts_.empty()) return std::nullopt;
        const Attempt first = attempts_.front();
        attempts_.pop_front();
        return first;
    }
    std::size_t size() const {
        const std::scoped_lock lock(mutex_);
        return attempts_.size();
    }
    std::size_t drop_all() {
        const std::scoped_lock lock(mutex_);
        return std::exchange(attempts_, {}).size();
    }

private:
    mutable std::mutex mutex_;
    std::deque<Attempt> attempts_;
};

/// The encoded bytes of an object that was transcoded for the peer.
class TranscodedPayload final : public net::dimse::Payload {
public:
    explicit TranscodedPayload(ByteBuffer bytes) : bytes_(std::move(bytes)) {}
    [[nodiscard]] std::uint64_t size_bytes() const override { return bytes_.size(); }
    [[nodiscard]] Task<Result<std::span<const std::byte>>> next() override {
        co_return std::as_const(bytes_).span();
    }

private:
    ByteBuffer bytes_;
};

std::vector<std::string> accepted_syntaxes(const net::scu::Client& client, const dicom::Uid& sop_class_uid) {
    std::vector<std::string> syntaxes;
    for (const auto& context : client.contexts()) {
        if (context.abstract_syntax == sop_class_uid.view()) syntaxes.push_back(context.transfer_syntax);
    }
    return syntaxes;
}

Result<codec::EncodedDataSet> transcode_file_for(const std::string& path, const std::string& syntax,
                                                 const std::vector<std::string>& accepted) {
    const auto file = dicom::read_file(path);
    if (!file) return file.error();
    return codec::transcode_for(file->data_set, syntax, accepted);
}

std::string not_taken(const FileKind& kind) {
    const auto* sop_class = dicom::find_uid(kind.sop_class_uid.view());
    const auto* syntax = dicom::find_uid(kind.transfer_syntax_uid);
    return fmt::format("the node does not take {} in {}",
                       sop_class != nullptr ? sop_class->name : kind.sop_class_uid.view(),
                       syntax != nullptr ? syntax->name : std::string_view(kind.transfer_syntax_uid));
}

/// Blocks. The error's message is meant for the user.
Result<net::dimse::OutgoingStore> make_store(const net::scu::Client& client, const FileKind& kind,
                                             const FileToSend& file, bool transcode) {
    net::dimse::OutgoingStore store;
    store.sop_class_uid = kind.sop_class_uid;
    store.sop_instance_uid = file.sop_instance_uid;
    store.transfer_syntax_uid = kind.transfer_syntax_uid;
    if (client.context_for(kind.sop_class_uid.view(), kind.transfer_syntax_uid) != nullptr) {
        auto payload = FilePayload::open(file.path, file.data_set_offset, file.data_set_bytes);
        if (!payload) return std::move(payload).error();
        store.payload = std::move(*payload);
        return store;
    }
    const auto accepted = accepted_syntaxes(client, kind.sop_class_uid);
    if (!transcode || accepted.empty()) return Error(Errc::unsupported, not_taken(kind));
    auto made = transcode_file_for(file.path, kind.transfer_syntax_uid, accepted);
    if (!made) return Error(made.error().code, not_taken(kind) + "; " + made.error().message());
    store.transfer_syntax_uid = std::move(made->transfer_syntax_uid);
    store.payload = std::make_unique<TranscodedPayload>(std::move(made->bytes));
    return store;
}

/// One association after the other until the files are gone. What an association did not answer before it
/// ended is sent again over the next.
class Sender {
public:
    Sender(const Caller& caller, const StorePlan& plan, const std::vector<net::scu::WantedContext>& wanted,
           bool transcode, Waiting& waiting, Tally& tally)
        : caller_(caller),
          plan_(plan),
          wanted_(wanted),
          transcode_(transcode),
          waiting_(waiting),
          tally_(tally) {}

    Task<void> run() {
        while (waiting_.size() != 0) {
            auto opened = co_await net::scu::Client::open(caller_.address, caller_.settings, wanted_);
            if (!opened) {
                const auto left = waiting_.drop_all();
                if (left != 0) tally_.failed(left, opened.error().message());
                co_return;
            }
            client_ = std::move(*opened);
            given_.clear();
            net::dimse::NextStore next = [this] { return this->next(); };
            net::dimse::OnStored on_stored = [this](std::size_t index, Result<Outcome> answer) {
                return stored(given_[index], std::move(answer));
            };
            auto done = co_await client_->store_all(std::move(next), std::move(on_stored));
            if (!done || !client_->is_open()) continue;
            auto released = co_await client_->release();
            static_cast<void>(released);
        }
    }

private:
    Task<std::optional<net::dimse::OutgoingStore>> next() {
        std::optional<net::dimse::OutgoingStore> store;
        while (const auto attempt = waiting_.take()) {
            const FileToSend& file = *attempt->file;
            auto made = make_store(*client_, plan_.kinds[file.kind], file, transcode_);
            if (!made) {
                tally_.failed(file.path, made.error().message());
                continue;
            }
            given_.push_back(*attempt);
            store = std::move(*made);
            break;
        }
        co_return store;
    }

    Task<void> stored(Attempt attempt, Result<Outcome> answer) {
        const bool broken = !answer && !client_->is_open();
        if (answer) {
            tally_.answered(*attempt.file, *answer);
        } else if (broken && attempt.broken < kMaxBroken) {
            ++attempt.broken;
            waiting_.add(attempt);
        } else {
            tally_.failed(attempt.file->path, answer.error().message());
        }
        co_return;
    }

    const Caller& caller_;
    const StorePlan& plan_;
    const std::vector<net::scu::WantedContext>& wanted_;
    bool transcode_;
    Waiting& waiting_;
    Tally& tally_;
    std::unique_ptr<net::scu::Client> client_;
    std::vector<Attempt> given_;
};

}  // namespace

void send_files(const Caller& caller, const StorePlan& plan, KindRange range, const SendOptions& options,
                Tally& tally, const StoreRecord& record) {
    const auto wanted = wanted_contexts(plan, range, options.transcode);
    Waiting waiting;
    for (const auto& file : plan.files) {
        if (file.kind < range.first || file.kind >= range.last) continue;
        if (record.has(file)) {
            tally.known(file);
        } else {
            waiting.add({&file, 0});
        }
    }
    const auto parallel = std::min<std::size_t>(options.associations, waiting.size());
    if (parallel == 0) return;
    net::ul::IoThreads io(parallel);
    std::vector<std::unique_ptr<Sender>> senders;
    std::vector<std::future<void>> running;
    for (std::size_t n = 0; n < parallel; ++n) {
        senders.push_back(std::make_unique<Sender>(caller, plan, wanted, options.transcode, waiting, tally));
        running.push_back(asio::co_spawn(io.next_executor(), senders.back()->run(), asio::use_future));
    }
    for (auto& one : running) one.get();
}

}  // namespace sagitta::tools
