#include "storage/sealing.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "core/log.h"
#include "storage/digest.h"
#include "storage/direct_reader.h"
#include "storage/volume_scanner.h"

namespace sagitta::storage {
namespace {

constexpr std::array<std::byte, 2 * kTarBlock> kZeros{};
constexpr int kLowPriority = 19;  // of the thread: ingest goes first

std::int64_t now_seconds() {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

/// One line per member; empty when `stop` was set or the volume has a manifest already.
Result<std::string> manifest_of(const File& volume, std::uint64_t length, const std::atomic<bool>& stop) {
    std::string text = "#offset\tlength\tsha256\tpath\n";
    const DirectReader disk(volume);
    VolumeScanner scanner(disk, 0, length, {.sha256 = true, .stop = &stop});
    while (!stop) {
        auto found = scanner.next();
        if (!found) return std::move(found).error();
        if (!*found) return text;
        const auto& member = **found;
        if (member.kind == ScannedMember::Kind::manifest) return std::string();
        if (member.kind != ScannedMember::Kind::instance) continue;
        text += fmt::format("{}\t{}\t{}\t{}\n", member.data_offset(), member.member.size, member.sha256,
                            member.member.path());
    }
    return std::string();
}

Result<void> append_manifest(File& volume, std::uint64_t at, const std::string& manifest) {
    TarMember member;
    member.name = kManifestName;
    member.size = manifest.size();
    member.modified = now_seconds();
    member.checksum = member_checksum({as_bytes(manifest)});
    const auto header = make_tar_header(member);
    const std::array<std::span<const std::byte>, 4> parts{
        std::span<const std::byte>(header), as_bytes(manifest),
        std::span(kZeros).first(tar_padding(manifest.size())), std::span<const std::byte>(kZeros)};
    auto done = volume.write_at(at, parts);
    if (done) done = volume.sync();
    if (done) return done;
    if (auto cut = volume.truncate(at); !cut) return cut;
    return done;
}

}  // namespace

Result<bool> seal_volume(FileSystem& file_system, const Layout& layout, std::uint32_t number,
                         const std::atomic<bool>& stop) {
    auto file = file_system.open(layout.volume(number), OpenMode::read_write);
    if (!file) return std::move(file).error();
    auto length = (*file)->size();
    if (!length) return std::move(length).error();
    auto manifest = manifest_of(**file, *length, stop);
    if (!manifest && manifest.error().code == Errc::cancelled) return false;
    if (!manifest) return std::move(manifest).error();
    if (stop) return false;
    if (manifest->empty()) return true;
    if (auto done = append_manifest(**file, *length, *manifest); !done) return std::move(done).error();
    return true;
}

Sealer::Sealer(FileSystem& file_system, Layout layout, std::function<void(std::uint32_t)> sealed)
    : file_system_(file_system),
      layout_(std::move(layout)),
      sealed_(std::move(sealed)),
      thread_([this] { run(); }) {}

Sealer::~Sealer() {
    stop_ = true;
    {
        const std::lock_guard lock(mutex_);
        queue_.clear();
    }
    changed_.notify_all();
    thread_.join();
}

void Sealer::enqueue(std::uint32_t number) {
    {
        const std::lock_guard lock(mutex_);
        queue_.push_back(number);
    }
    changed_.notify_all();
}

void Sealer::drain() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

void Sealer::run() {
    (void)setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowPriority);  // best effort
    std::unique_lock lock(mutex_);
    while (true) {
        changed_.wait(lock, [this] { return stop_ || !queue_.empty(); });
        if (stop_) return;
        const auto number = queue_.front();
        queue_.pop_front();
        busy_ = true;
        lock.unlock();
        auto done = seal_volume(file_system_, layout_, number, stop_);
        if (!done) {
            log::error("storage: sealing volume {} failed, the next start tries again: {}", number,
                       done.error().message());
        } else if (*done) {
            sealed_(number);
        }
        lock.lock();
        busy_ = false;
        changed_.notify_all();
    }
}

}  // namespace sagitta::storage
