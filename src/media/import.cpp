#include "media/import.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <filesystem>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "core/bytes.h"
#include "media/byte_budget.h"
#include "media/byte_source.h"
#include "media/container.h"
#include "media/file_kind.h"
#include "media/file_list.h"

namespace sagitta::media {
namespace {

namespace fs = std::filesystem;
using storage::IngestOutcome;

constexpr std::size_t kQueuedFiles = 4096;
constexpr std::size_t kKeptFailures = 10'000;
constexpr std::size_t kHeadBytes = 16 * 1024;
constexpr std::uint64_t kObjectOverheadBytes = 16 * 1024;
constexpr std::chrono::milliseconds kProgressEvery{200};

std::string last_part(const std::string& path) {
    return path.substr(path.find_last_of('/') + 1);
}

/// The report while it grows. Thread-safe.
class Tally {
public:
    void passed_over() { add(&ImportReport::passed_over); }
    void failed(std::string path, std::string reason) {
        const std::lock_guard lock(mutex_);
        ++report_.failed;
        keep(report_.failures, std::move(path), std::move(reason));
    }
    void filed(IngestOutcome outcome, std::string path, std::uint64_t bytes) {
        const std::lock_guard lock(mutex_);
        switch (outcome) {
            case IngestOutcome::duplicate_identical: ++report_.already_there; return;
            case IngestOutcome::stored: break;
            case IngestOutcome::conflict_quarantined:
                ++report_.conflicts;
                return keep(report_.conflicting, std::move(path), "kept in quarantine");
            case IngestOutcome::conflict_replaced:
                ++report_.conflicts;
                return keep(report_.conflicting, std::move(path), "took the place of the stored one");
        }
        ++report_.imported;
        report_.bytes += bytes;
    }
    ImportReport report() const {
        const std::lock_guard lock(mutex_);
        return report_;
    }
    /// Without the lists.
    ImportReport counts() const {
        const std::lock_guard lock(mutex_);
        ImportReport counts;
        counts.imported = report_.imported;
        counts.already_there = report_.already_there;
        counts.conflicts = report_.conflicts;
        counts.passed_over = report_.passed_over;
        counts.failed = report_.failed;
        counts.bytes = report_.bytes;
        return counts;
    }

private:
    void add(std::uint64_t ImportReport::*counter) {
        const std::lock_guard lock(mutex_);
        ++(report_.*counter);
    }
    static void keep(std::vector<ImportFailure>& list, std::string path, std::string reason) {
        if (list.size() < kKeptFailures) list.push_back({std::move(path), std::move(reason)});
    }

    mutable std::mutex mutex_;
    ImportReport report_;
};

/// What is found and waits for a reader. Thread-safe.
class FileQueue {
public:
    /// False when the queue stayed full until `until`.
    bool push(FoundFile& file, std::chrono::steady_clock::time_point until) {
        std::unique_lock lock(mutex_);
        if (!taken_.wait_until(lock, until, [&] { return files_.size() < kQueuedFiles; })) return false;
        files_.push_back(std::move(file));
        lock.unlock();
        added_.notify_one();
        return true;
    }
    std::optional<FoundFile> pop() {
        std::unique_lock lock(mutex_);
        added_.wait(lock, [&] { return !files_.empty() || closed_; });
        if (files_.empty()) return std::nullopt;
        auto file = std::move(files_.front());
        files_.pop_front();
        lock.unlock();
        taken_.notify_one();
        return file;
    }
    void close() {
        {
            const std::lock_guard lock(mutex_);
            closed_ = true;
        }
        added_.notify_all();
    }

private:
    std::mutex mutex_;
    std::condition_variable added_;
    std::condition_variable taken_;
    std::deque<FoundFile> files_;
    bool closed_ = false;
};

class Import {
public:
    Import(storage::Archive& archive, const ImportOptions& options,
           const std::function<void(const ImportReport&)>& progress)
        : archive_(archive), options_(options), progress_(progress), budget_(options.memory_bytes) {}

    ImportReport run() {
        read_all([this] { list_all(); });
        budget_.wait_until_empty();
        judging_headers_ = true;
        read_all([this] {
            for (auto& file : std::exchange(header_copies_, {})) {
                if (!enqueue(std::move(file))) return;
            }
        });
        budget_.wait_until_empty();
        auto report = tally_.report();
        report.interrupted = stopped();
        return report;
    }

private:
    /// Reads what `list` enqueues.
    void read_all(const std::function<void()>& list) {
        FileQueue queue;
        queue_ = &queue;
        std::vector<std::thread> readers;
        for (unsigned n = 0; n < std::max(1u, options_.threads); ++n) {
            readers.emplace_back([this] { read_files(); });
        }
        list();
        queue.close();
        for (auto& reader : readers) reader.join();
    }

    void list_all() {
        FileListing listing;
        listing.found = [this](FoundFile file) { return enqueue(std::move(file)); };
        listing.failed = [this](const std::string& path, const Error& error) {
            tally_.failed(path, error.message());
        };
        listing.passed_over = [this] { tally_.passed_over(); };
        std::error_code none;
        listing.skip_folder = fs::canonical(options_.own_data_dir, none).string();
        for (const auto& path : options_.paths) {
            if (!stopped()) list_files(path, listing);
        }
    }

    bool stopped() const { return broken_ || (options_.stop != nullptr && *options_.stop); }

    bool enqueue(FoundFile file) {
        while (!stopped()) {
            const auto now = std::chrono::steady_clock::now();
            if (progress_ && now >= next_progress_) {
                next_progress_ = now + kProgressEvery;
                progress_(tally_.counts());
            }
            if (queue_->push(file, now + kProgressEvery)) return true;
        }
        return false;
    }

    void read_files() {
        while (auto file = queue_->pop()) {
            if (!stopped()) read_file(*file);
        }
    }

    void read_file(const FoundFile& file) {
        auto source =
            file.range ? open_range(file.path, file.range->from, file.range->length) : open_file(file.path);
        if (!source) return tally_.failed(file.path, source.error().message());
        const auto name = file.range ? file.path + " byte " + std::to_string(file.range->from) : file.path;
        if (read_object(name, **source) != FileKind::container) return;
        if (auto read = read_members(file.path); !read) {
            tally_.failed(file.path, read.error().message());
        }
    }

    Result<void> read_members(const std::string& path) {
        return read_container(path, [&](const std::string& name, ByteSource& data) {
            if (read_object(path + "!" + name, data) == FileKind::container) tally_.passed_over();
            return !stopped();
        });
    }

    /// Files what it is, unless it is a container, which is the caller's.
    FileKind read_object(const std::string& name, ByteSource& source) {
        const auto known = source.size_bytes();
        const auto expected = std::min(known.value_or(0), options_.limits.max_object_bytes);
        ByteBuffer bytes;
        auto got = source.read(bytes.prepare(static_cast<std::size_t>(
            known ? std::clamp<std::uint64_t>(*known + 1, kKindHeadBytes, kHeadBytes) : kHeadBytes)));
        if (!got) {
            tally_.failed(name, got.error().message());
            return FileKind::other;
        }
        bytes.commit(*got);
        const auto kind = tell_kind(std::as_const(bytes).span(), last_part(name));
        if (kind == FileKind::container) return kind;
        if (kind == FileKind::other) {
            tally_.passed_over();
            return kind;
        }
        auto taken = expected + kObjectOverheadBytes;
        budget_.take(taken);
        if (auto read = read_rest(source, options_.limits.max_object_bytes, bytes); !read) {
            budget_.give_back(taken);
            tally_.failed(name, read.error().message());
            return kind;
        }
        if (bytes.size() > expected) {
            budget_.take_more(bytes.size() - expected);
            taken += bytes.size() - expected;
        }
        file_object(name, std::move(bytes), kind, taken);
        return kind;
    }

    void file_object(const std::string& name, ByteBuffer bytes, FileKind kind, std::uint64_t taken) {
        if (kind == FileKind::orthanc_compressed) {
            auto inflated = inflate_attachment(bytes, options_.limits.max_object_bytes);
            if (!inflated) return give_up(name, inflated.error(), taken);
            bytes = std::move(*inflated);
            budget_.take_more(bytes.size());
            taken += bytes.size();
            if (tell_kind(std::as_const(bytes).span(), {}) != FileKind::part_10) return pass_over(taken);
        }
        auto object = object_of(std::move(bytes), options_.limits);
        // Without the prefix nothing says that it wanted to be DICOM.
        if (!object && kind == FileKind::bare_data_set) return pass_over(taken);
        if (!object) return give_up(name, object.error(), taken);
        if (!*object) return pass_over(taken);
        if (!(*object)->has_pixels && is_uuid(last_part(name)))
            return judge_header(name, std::move(**object), taken);
        submit(name, std::move((*object)->instance), taken);
    }

    /// An Orthanc that compresses keeps a copy of what is before the pixels beside each object. An object
    /// that never had pixels looks the same, so all wait until the others are filed.
    void judge_header(const std::string& name, FileObject object, std::uint64_t taken) {
        const bool in_container = name.find('!') != std::string::npos;
        if (object.is_image) return pass_over(taken);
        if (!judging_headers_ && !in_container) {
            budget_.give_back(taken);
            const std::lock_guard lock(header_copies_mutex_);
            header_copies_.push_back({name, std::nullopt});
            return;
        }
        auto stored = archive_.index().find_instance(object.instance.record.sop_instance_uid);
        if (!stored) return give_up(name, stored.error(), taken);
        if (*stored && (*stored)->header_length < (*stored)->length) return pass_over(taken);
        submit(name, std::move(object.instance), taken);
    }

    void submit(const std::string& name, storage::IncomingInstance instance, std::uint64_t taken) {
        const auto length = instance.file_header.size() + instance.data_set.size();
        instance.has_own_budget = true;  // budget_: what the network may have waiting stays free for it
        auto submitted = archive_.submit(std::move(instance), [this, name, length, taken](auto outcome) {
            if (outcome) {
                tally_.filed(*outcome, name, length);
            } else {
                broken_ = true;  // a full or failing disk fails the next one, too
                tally_.failed(name, outcome.error().message());
            }
            budget_.give_back(taken);
        });
        if (submitted) return;
        broken_ = true;
        give_up(name, submitted.error(), taken);
    }

    void give_up(const std::string& name, const Error& error, std::uint64_t taken) {
        tally_.failed(name, error.message());
        budget_.give_back(taken);
    }
    void pass_over(std::uint64_t taken) {
        tally_.passed_over();
        budget_.give_back(taken);
    }

    storage::Archive& archive_;
    const ImportOptions& options_;
    const std::function<void(const ImportReport&)>& progress_;
    std::chrono::steady_clock::time_point next_progress_;
    ByteBudget budget_;
    Tally tally_;
    FileQueue* queue_ = nullptr;  // while readers run
    std::atomic<bool> broken_{false};
    bool judging_headers_ = false;  // changes while no reader runs
    std::mutex header_copies_mutex_;
    std::vector<FoundFile> header_copies_;
};

}  // namespace

ImportReport import_paths(storage::Archive& archive, const ImportOptions& options,
                          const std::function<void(const ImportReport&)>& progress) {
    return Import(archive, options, progress).run();
}

}  // namespace sagitta::media
