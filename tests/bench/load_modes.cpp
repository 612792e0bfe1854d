#include "tests/bench/load_modes.h"

#include <zlib.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <future>
#include <memory>
#include <random>
#include <utility>

#include <fmt/format.h>
#include <asio/co_spawn.hpp>
#include <asio/use_future.hpp>

#include "dicom/dictionary.h"
#include "dicom/tag.h"
#include "net/ul/io_threads.h"
#include "tests/bench/load_associations.h"

namespace sagitta::bench {
namespace {

using net::dimse::Outcome;
using net::dimse::Status;
using net::scu::Client;
using Clock = std::chrono::steady_clock;

constexpr const char* kVerification = "1.2.840.10008.1.1";
constexpr const char* kImplicit = "1.2.840.10008.1.2";
constexpr const char* kExplicit = "1.2.840.10008.1.2.1";

std::string query_class(const LoadSettings& settings) {
    const std::string model = settings.model == "patient" ? "1" : "2";
    const std::string service = settings.mode == "find" ? "1" : settings.mode == "move" ? "2" : "3";
    return "1.2.840.10008.5.1.4.1.2." + model + "." + service;
}

/// One association and what it does; all of it on one executor.
class Worker {
public:
    Worker(const LoadSettings& settings, std::uint64_t number, const LoadObject* object)
        : settings_(settings), number_(number), random_(number + 1) {
        if (object != nullptr) object_ = std::make_unique<LoadObject>(*object);
        share_ = settings.operations / settings.associations +
                 (number < settings.operations % settings.associations ? 1 : 0);
        first_ = settings.first_index + number * (settings.operations / settings.associations) +
                 std::min(number, settings.operations % settings.associations);
    }

    /// Before the clock starts.
    Task<Result<void>> open() {
        auto opened = co_await connect();
        if (!opened) co_return std::move(opened).error();
        client_ = std::move(*opened);
        co_return Result<void>();
    }

    Task<LoadReport> work(Clock::time_point deadline) {
        if (settings_.mode == "store" && settings_.window != 1) co_return co_await store_all(deadline);
        for (std::uint64_t n = 0; n < share_ && Clock::now() < deadline; ++n) {
            const auto start = Clock::now();
            auto done = co_await operation(n);
            const std::chrono::duration<double, std::milli> took = Clock::now() - start;
            if (done) {
                ++report_.operations;
                report_.latencies_ms.push_back(took.count());
                continue;
            }
            ++report_.failures;
            ++report_.reasons[done.error().context];
            if (done.error().code != Errc::refused) break;  // the association is over
        }
        co_return std::move(report_);
    }

    Task<void> close() {
        if (client_ != nullptr) {
            auto released = co_await client_->release();
            if (!released) ++report_.reasons["release: " + released.error().context];
            client_.reset();
        }
    }

private:
    Task<Result<std::unique_ptr<Client>>> connect() {
        net::scu::ClientSettings settings;
        settings.calling = settings_.calling;
        settings.max_pdu_bytes = settings_.max_pdu_bytes;
        settings.operations_window = settings_.window;
        std::vector<net::scu::WantedContext> wanted;
        net::scu::WantedContext context;
        context.transfer_syntaxes = {kExplicit, kImplicit};
        if (object_ != nullptr) {
            context.sop_class_uid = object_->sop_class_uid();
            context.transfer_syntaxes = {object_->transfer_syntax_uid()};
        } else if (settings_.mode == "find" || settings_.mode == "get" || settings_.mode == "move") {
            context.sop_class_uid = query_class(settings_);
        } else {
            context.sop_class_uid = kVerification;
        }
        wanted.push_back(context);
        if (settings_.mode == "get") {
            for (const char* storage :
                 {"1.2.840.10008.5.1.4.1.1.7", "1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.4"}) {
                context.sop_class_uid = storage;
                context.as_scp = true;
                wanted.push_back(context);
            }
        }
        net::scu::Address peer = settings_.peer;
        co_return co_await Client::open(std::move(peer), std::move(settings), std::move(wanted));
    }

    static Result<void> judged(const Result<Outcome>& answer) {
        if (!answer) return answer.error();
        if (answer->status == Status::success || net::dimse::is_warning(answer->status)) return {};
        return Error(Errc::refused, fmt::format("status {:04X} {}", net::dimse::code(answer->status),
                                                answer->error_comment));
    }

    Task<Result<void>> operation(std::uint64_t n) {
        if (settings_.mode == "store") co_return co_await store(first_ + n);
        if (settings_.mode == "find") co_return co_await find();
        if (settings_.mode == "get" || settings_.mode == "move") co_return co_await retrieve(n);
        if (settings_.mode == "echo") {
            auto answer = co_await client_->echo();
            co_return judged(answer);
        }
        co_return Error(Errc::invalid_argument, "no such load: " + settings_.mode);
    }

    /// As many as the window lets. One buffer will do: an object is on its way before the next is made.
    Task<LoadReport> store_all(Clock::time_point deadline) {
        std::vector<Clock::time_point> begun;
        net::dimse::NextStore next = [&]() -> Task<std::optional<net::dimse::OutgoingStore>> {
            std::optional<net::dimse::OutgoingStore> store;
            if (begun.size() == share_ || Clock::now() >= deadline) co_return store;
            const std::uint64_t index = first_ + begun.size();
            const Identity identity = identity_of(settings_.run_id, index, settings_.spread);
            object_->become(identity, index);
            begun.push_back(Clock::now());
            store.emplace();
            store->sop_class_uid = *dicom::Uid::parse(object_->sop_class_uid());
            store->sop_instance_uid = *dicom::Uid::parse(identity.sop_instance_uid);
            store->transfer_syntax_uid = object_->transfer_syntax_uid();
            store->payload = std::make_unique<net::dimse::MemoryPayload>(object_->bytes());
            co_return store;
        };
        net::dimse::OnStored on_stored = [&](std::size_t n, Result<Outcome> answer) -> Task<void> {
            const std::chrono::duration<double, std::milli> took = Clock::now() - begun[n];
            auto done = judged(answer);
            if (done) {
                ++report_.operations;
                report_.bytes += object_->bytes().size();
                report_.latencies_ms.push_back(took.count());
            } else {
                ++report_.failures;
                ++report_.reasons[done.error().context];
            }
            co_return;
        };
        auto sent = co_await client_->store_all(std::move(next), std::move(on_stored));
        if (!sent) ++report_.reasons[sent.error().context];
        co_return std::move(report_);
    }

    Task<Result<void>> store(std::uint64_t index) {
        const Identity identity = identity_of(settings_.run_id, index, settings_.spread);
        object_->become(identity, index);
        net::scu::StoreOperation store;
        store.sop_class_uid = *dicom::Uid::parse(object_->sop_class_uid());
        store.sop_instance_uid = *dicom::Uid::parse(identity.sop_instance_uid);
        store.transfer_syntax_uid = object_->transfer_syntax_uid();
        net::dimse::MemoryPayload payload(object_->bytes());
        auto answer = co_await client_->store(std::move(store), payload);
        auto result = judged(answer);
        if (result) {
            report_.bytes += object_->bytes().size();
            if (!settings_.acked_file.empty()) {
                const auto* data = reinterpret_cast<const Bytef*>(object_->bytes().data());
                const auto sum = ::crc32(0, data, static_cast<uInt>(object_->bytes().size()));
                report_.acked.push_back(fmt::format("{} {} {} {} {}", index, identity.sop_instance_uid,
                                                    identity.series_uid, identity.study_uid, sum));
            }
        }
        co_return result;
    }

    dicom::DataSet identifier(std::uint64_t n) {
        dicom::DataSet keys;
        keys.set_text(*dicom::parse_tag("QueryRetrieveLevel"), dicom::Vr::CS, settings_.level);
        std::string chosen;
        if (!settings_.pool_values.empty()) {
            chosen =
                settings_.pool_values[(n * settings_.associations + number_) % settings_.pool_values.size()];
        } else {
            chosen = fmt::format("{:09}", random_() % settings_.pool);
        }
        for (const auto& key : settings_.keys) {
            const auto equals = key.find('=');
            const auto tag = dicom::parse_tag(key.substr(0, equals));
            if (!tag) continue;
            std::string value = equals == std::string::npos ? std::string() : key.substr(equals + 1);
            if (const auto hole = value.find("{}"); hole != std::string::npos) {
                const auto end = std::min(chosen.find(' '), chosen.size());
                value.replace(hole, 2, chosen.substr(0, end));
                if (end < chosen.size()) chosen.erase(0, end + 1);
            }
            const auto* entry = dicom::find_tag(*tag);
            keys.set_text(*tag, entry != nullptr ? entry->vr : dicom::Vr::LO, value);
        }
        return keys;
    }

    Task<Result<void>> find() {
        const auto keys = identifier(report_.operations);
        const auto sop_class = *dicom::Uid::parse(query_class(settings_));
        net::scu::OnMatch on_match = [this](const dicom::DataSet&) -> Task<bool> {
            ++report_.matches;
            co_return true;
        };
        auto answer = co_await client_->find(sop_class, keys, on_match);
        co_return judged(answer);
    }

    Task<Result<void>> retrieve(std::uint64_t n) {
        const auto keys = identifier(n);
        const auto sop_class = *dicom::Uid::parse(query_class(settings_));
        net::scu::OnInstance on_instance = [this](net::scu::ReceivedInstance instance) -> Task<Outcome> {
            report_.bytes += instance.data_set.size();
            ++report_.matches;
            co_return Outcome();
        };
        Result<net::scu::RetrieveReport> answer = Error(Errc::unsupported, "no destination");
        if (settings_.mode == "get") {
            answer = co_await client_->get(sop_class, keys, on_instance);
        } else {
            const auto destination = net::ul::AeTitle::parse(settings_.destination);
            if (!destination) co_return Error(Errc::invalid_argument, "--destination is no AE title");
            answer = co_await client_->move(sop_class, keys, *destination);
            if (answer) report_.matches += answer->counts.completed;
        }
        if (!answer) co_return std::move(answer).error();
        if (answer->counts.failed != 0)
            co_return Error(Errc::refused, fmt::format("{} sub-operations failed", answer->counts.failed));
        co_return judged(Result<Outcome>(answer->outcome));
    }

    const LoadSettings& settings_;
    std::uint64_t number_;
    std::uint64_t share_ = 0;
    std::uint64_t first_ = 0;
    std::minstd_rand random_;
    std::unique_ptr<LoadObject> object_;
    std::unique_ptr<Client> client_;
    LoadReport report_;
};

/// Starts `make(worker)` for all on their executors and waits.
template <class Make>
auto on_all(std::vector<std::unique_ptr<Worker>>& workers, net::ul::IoThreads& io, Make make) {
    using Answer = typename decltype(make(*workers.front()))::value_type;
    std::vector<std::future<Answer>> waiting;
    for (std::size_t k = 0; k < workers.size(); ++k) {
        waiting.push_back(asio::co_spawn(io.executor(k % io.size()), make(*workers[k]), asio::use_future));
    }
    return waiting;
}

}  // namespace

void LoadReport::add(LoadReport other) {
    latencies_ms.insert(latencies_ms.end(), other.latencies_ms.begin(), other.latencies_ms.end());
    operations += other.operations;
    failures += other.failures;
    bytes += other.bytes;
    matches += other.matches;
    for (const auto& [reason, count] : other.reasons) reasons[reason] += count;
    std::move(other.acked.begin(), other.acked.end(), std::back_inserter(acked));
}

Result<LoadResult> run_load(const LoadSettings& settings) {
    if (settings.mode == "assoc") return run_associations(settings);
    std::unique_ptr<LoadObject> object;
    if (settings.mode == "store") {
        auto made = settings.template_file.empty() ? LoadObject::synthetic(settings.object_bytes)
                                                   : LoadObject::from_file(settings.template_file);
        if (!made) return std::move(made).error();
        object = std::make_unique<LoadObject>(std::move(*made));
    }
    net::ul::IoThreads io(settings.threads);
    std::vector<std::unique_ptr<Worker>> workers;
    for (std::uint64_t k = 0; k < settings.associations; ++k) {
        workers.push_back(std::make_unique<Worker>(settings, k, object.get()));
    }
    auto opening = on_all(workers, io, [](Worker& worker) { return worker.open(); });
    Result<void> opened;
    for (auto& one : opening) {
        auto answer = one.get();
        if (!answer) opened = std::move(answer);
    }
    if (!opened) return std::move(opened).error();

    Result<LoadResult> result = LoadResult();
    if (settings.mode == "idle") {  // the open associations do nothing, one more works
        LoadSettings beside = settings;
        beside.associations = 1;
        result = run_associations(beside);
    } else {
        const auto start = Clock::now();
        const auto limit =
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(settings.seconds));
        const auto deadline = settings.seconds > 0 ? start + limit : Clock::time_point::max();
        auto running = on_all(workers, io, [deadline](Worker& worker) { return worker.work(deadline); });
        for (auto& one : running) result->report.add(one.get());
        result->seconds = std::chrono::duration<double>(Clock::now() - start).count();
    }
    auto closing = on_all(workers, io, [](Worker& worker) { return worker.close(); });
    for (auto& one : closing) one.get();
    return result;
}

}  // namespace sagitta::bench
