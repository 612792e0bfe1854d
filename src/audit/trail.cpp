#include "audit/trail.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "audit/collector.h"
#include "audit/message.h"
#include "audit/spool.h"
#include "core/log.h"

namespace sagitta::audit {

namespace {

constexpr std::size_t kMaxWaiting = 10'000;
constexpr auto kFirstRetry = std::chrono::seconds(1);
constexpr auto kLongestRetry = std::chrono::seconds(30);

std::string host_name() {
    std::array<char, 256> text{};
    if (::gethostname(text.data(), text.size() - 1) != 0) return {};
    return text.data();
}

class AppendedFile {
public:
    explicit AppendedFile(int descriptor) : descriptor_(descriptor) {}
    AppendedFile(const AppendedFile&) = delete;
    AppendedFile& operator=(const AppendedFile&) = delete;
    ~AppendedFile() {
        if (descriptor_ >= 0) ::close(descriptor_);
    }
    [[nodiscard]] bool append(std::string_view bytes) const {
        while (!bytes.empty()) {
            const auto count = ::write(descriptor_, bytes.data(), bytes.size());
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0) return false;
            bytes.remove_prefix(static_cast<std::size_t>(count));
        }
        return true;
    }
    /// True also where there is nothing to sync, as for a pipe.
    [[nodiscard]] bool sync() const { return ::fdatasync(descriptor_) == 0 || errno == EINVAL; }

private:
    int descriptor_;
};

class Trail final : public AuditTrail {
public:
    Trail(TrailSettings settings, std::unique_ptr<AppendedFile> file, std::optional<Spool> spool,
          std::unique_ptr<Collector> collector)
        : settings_(std::move(settings)),
          origin_{host_name(), ::getpid()},
          file_(std::move(file)),
          spool_(std::move(spool)),
          collector_(std::move(collector)),
          thread_([this] { run(); }) {}

    ~Trail() override {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        changed_.notify_all();
        thread_.join();
    }

    void record(Event event) override {
        {
            const std::lock_guard lock(mutex_);
            if (waiting_.size() < kMaxWaiting) {
                waiting_.push_back(std::move(event));
            } else {
                ++dropped_;
            }
        }
        changed_.notify_all();
    }

private:
    using Clock = std::chrono::steady_clock;

    void run() {
        std::unique_lock lock(mutex_);
        for (;;) {
            const auto wake = [this] { return stopping_ || !waiting_.empty(); };
            if (spool_ && !spool_->empty()) {
                changed_.wait_until(lock, next_try_, wake);
            } else {
                changed_.wait(lock, wake);
            }
            auto events = std::exchange(waiting_, {});
            const auto dropped = std::exchange(dropped_, 0);
            const bool last = stopping_;
            lock.unlock();
            if (dropped != 0) log::error("audit: {} messages lost, too many were waiting", dropped);
            for (const auto& event : events) write(event);
            if (spool_ && (last || Clock::now() >= next_try_)) send(last);
            if (!events.empty()) make_durable();
            lock.lock();
            if (last && waiting_.empty()) return;
        }
    }

    void write(const Event& event) {
        const std::string message = to_syslog(event, origin_, to_xml(event, settings_.source_id));
        if (file_) tell(file_->append(framed(message) + "\n"), file_fails_, "the file cannot be written");
        if (!spool_) return;
        const auto added = spool_->add(message);
        if (!added) ++lost_;
        if (!added && !spool_fails_)
            log::error("audit: {}: messages are lost from now on", added.error().message());
        if (added && spool_fails_)
            log::warning("audit: messages are kept again; {} were lost", std::exchange(lost_, 0));
        spool_fails_ = !added;
    }

    /// Once for all that waited: what the collector has got meanwhile needs none of it.
    void make_durable() {
        if (file_) tell(file_->sync(), file_is_not_synced_, "the file cannot be synced");
        if (spool_ && !spool_->empty())
            tell(bool(spool_->sync()), spool_is_not_synced_, "the spool cannot be synced");
    }

    /// The oldest first, as far as the collector takes them.
    void send(bool last) {
        while (!spool_->empty()) {
            auto message = spool_->front();
            if (!message || !*message) {
                next_try_ = Clock::now() + kLongestRetry;
                return tell(false, spool_unreadable_, "the spool cannot be read");
            }
            const auto sent = collector_->send(**message);
            tell(bool(sent), collector_fails_, "the collector cannot be reached; messages wait in the spool");
            if (!sent) {
                next_try_ = Clock::now() + retry_;
                retry_ = std::min<Clock::duration>(retry_ * 2, kLongestRetry);
                return;
            }
            retry_ = kFirstRetry;
            if (!spool_->pop()) {
                next_try_ = Clock::now() + kLongestRetry;
                return tell(false, spool_unreadable_, "the spool cannot be written");
            }
            // What is recorded meanwhile has to reach the spool soon.
            const std::lock_guard lock(mutex_);
            if (!last && !waiting_.empty()) return;
        }
    }

    /// One line when it begins to fail, one when it works again.
    static void tell(bool good, bool& failing, std::string_view what) {
        if (!good && !failing) log::error("audit: {}", what);
        if (good && failing) log::info("audit: works again: it was: {}", what);
        failing = !good;
    }

    const TrailSettings settings_;
    const SyslogOrigin origin_;
    std::unique_ptr<AppendedFile> file_;
    std::optional<Spool> spool_;
    std::unique_ptr<Collector> collector_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Event> waiting_;
    std::uint64_t dropped_ = 0;
    bool stopping_ = false;

    // The thread's own.
    Clock::time_point next_try_{};
    Clock::duration retry_ = kFirstRetry;
    std::uint64_t lost_ = 0;
    bool file_fails_ = false;
    bool spool_fails_ = false;
    bool spool_unreadable_ = false;
    bool file_is_not_synced_ = false;
    bool spool_is_not_synced_ = false;
    bool collector_fails_ = false;
    std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<AuditTrail>> open_trail(TrailSettings settings) {
    std::unique_ptr<AppendedFile> file;
    if (!settings.file.empty()) {
        const int descriptor = ::open(settings.file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (descriptor < 0)
            return Error(Errc::io_failure, "audit.file " + settings.file + " cannot be opened");
        file = std::make_unique<AppendedFile>(descriptor);
    }
    std::optional<Spool> spool;
    std::unique_ptr<Collector> collector;
    if (!settings.collector.empty()) {
        auto address = parse_collector(settings.collector);
        if (!address) return std::move(address).error().within("audit.collector");
        auto opened = Spool::open(settings.spool, settings.spool_bytes);
        if (!opened) return std::move(opened).error();
        spool.emplace(std::move(*opened));
        collector = std::make_unique<Collector>(std::move(*address));
    }
    return std::unique_ptr<AuditTrail>(std::make_unique<Trail>(std::move(settings), std::move(file),
                                                               std::move(spool), std::move(collector)));
}

}  // namespace sagitta::audit
