#include "storage/archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <utility>

#include "core/log.h"
#include "storage/attribute_indexer.h"
#include "storage/change_feed.h"
#include "storage/file_batch.h"
#include "storage/file_list.h"
#include "storage/file_recovery.h"
#include "storage/file_store.h"
#include "storage/file_system.h"
#include "storage/file_writer.h"
#include "storage/ingest.h"
#include "storage/keeper.h"
#include "storage/layout.h"
#include "storage/recovery.h"
#include "storage/sealing.h"
#include "storage/sqlite_index.h"
#include "storage/tar.h"
#include "storage/volume_store.h"
#include "storage/volume_use.h"
#include "storage/volume_writer.h"

namespace sagitta::storage {
namespace {

constexpr std::uint64_t kLeastVolume = 4 * kTarBlock;
constexpr std::uint64_t kMostVolume = std::uint64_t{1} << kOffsetBits;

class ArchiveImpl final : public Archive {
public:
    ArchiveImpl(const ArchiveOptions& options, FileSystem& file_system, Layout layout, DirectoryLock lock,
                RecoveryReport recovery)
        : lock_(std::move(lock)),
          layout_(layout),
          file_system_(file_system),
          options_(options),
          recovery_(std::move(recovery)),
          store_(options.layout == StorageLayout::files
                     ? std::unique_ptr<InstanceStore>(std::make_unique<FileStore>(file_system, layout))
                     : std::make_unique<VolumeStore>(file_system, layout, volume_use_)),
          index_(open_instance_index(layout.index())) {}

    ~ArchiveImpl() override { close(); }

    Result<void> start(const RecoveredVolumes& volumes, std::unique_ptr<IndexWriter> index) {
        sealer_ = std::make_unique<Sealer>(file_system_, layout_,
                                           [this](std::uint32_t n) { ingest_->mark_sealed(n); });
        auto writer = open_writer(volumes);
        if (!writer) return std::move(writer).error();
        // From now on what is torn is no more than the end of a batch: see RecoveredVolumes.
        auto marked = index->begin();
        if (marked) marked = index->set_mark({volumes.open_volume, volumes.open_tail, false});
        if (marked) marked = index->commit();
        if (!marked) return marked;
        ingest_ =
            std::make_unique<Ingest>(options_, file_system_, layout_, std::move(index), std::move(*writer));
        keeper_ = std::make_unique<Keeper>(options_.layout, file_system_, layout_, *ingest_, volume_use_);
        for (const auto number : volumes.unsealed) sealer_->enqueue(number);
        if (options_.indexed_attributes) {
            indexer_ = std::make_unique<AttributeIndexer>(*ingest_, *store_, *options_.indexed_attributes);
        }
        return {};
    }

    Result<void> submit(IncomingInstance instance, IngestCompletion done) override {
        return ingest_->submit(std::move(instance), std::move(done));
    }
    Result<std::unique_ptr<SpooledInstance>> spool(std::span<const std::byte> file_header) override {
        const auto reserved = options_.layout == StorageLayout::volumes ? kTarBlock : 0;
        auto path = fmt::format("{}/{}{}", layout_.incoming(), ++spooled_, kPartialSuffix);
        return SpooledInstance::begin(file_system_, std::move(path), reserved, file_header);
    }
    const InstanceStore& store() const noexcept override { return *store_; }
    const InstanceIndex& index() const noexcept override { return *index_; }
    Keeper& keeper() noexcept override { return *keeper_; }
    ArchiveStatus status() const override { return ingest_->status(); }
    const RecoveryReport& recovery() const noexcept override { return recovery_; }

    void close() override {
        indexer_.reset();
        if (ingest_ && !closed_) {
            // The queue first (it may fill volumes), then the sealer; what it leaves waits.
            ingest_->close();
        }
        closed_ = true;
        sealer_.reset();
    }

private:
    Result<std::unique_ptr<MemberWriter>> open_writer(const RecoveredVolumes& volumes) {
        if (options_.layout == StorageLayout::files) {
            auto files = std::make_unique<FileWriter>(file_system_, layout_);
            if (auto opened = files->open(volumes.open_tail); !opened) return std::move(opened).error();
            return std::unique_ptr<MemberWriter>(std::move(files));
        }
        auto writer = std::make_unique<VolumeWriter>(file_system_, layout_, options_.volume_size,
                                                     options_.direct_write_from,
                                                     [this](std::uint32_t n) { sealer_->enqueue(n); });
        auto opened = writer->open(volumes.open_volume, volumes.open_tail, volumes.open_exists);
        if (!opened) return std::move(opened).error();
        return std::unique_ptr<MemberWriter>(std::move(writer));
    }

    DirectoryLock lock_;
    Layout layout_;
    FileSystem& file_system_;
    ArchiveOptions options_;
    RecoveryReport recovery_;
    VolumeUse volume_use_;
    std::unique_ptr<InstanceStore> store_;
    std::unique_ptr<InstanceIndex> index_;
    std::unique_ptr<Ingest> ingest_;
    std::unique_ptr<Keeper> keeper_;
    std::unique_ptr<AttributeIndexer> indexer_;
    std::unique_ptr<Sealer> sealer_;  // before ingest_ in destruction: it calls it
    std::atomic<std::uint64_t> spooled_{0};
    bool closed_ = false;
};

Result<void> make_directories(FileSystem& file_system, const Layout& layout, StorageLayout how) {
    const auto bytes = how == StorageLayout::files ? layout.files() : layout.volumes();
    for (const auto& path : {layout.data_dir, bytes, layout.quarantine(), layout.incoming()}) {
        if (auto made = file_system.make_directory(path); !made) return made;
    }
    if (how == StorageLayout::files) {
        if (auto made = file_system.make_directory(layout.deleted()); !made) return made;
    }
    return file_system.sync_directory(layout.data_dir);
}

/// What was being received when the last process ended.
Result<void> remove_unfinished(FileSystem& file_system, const Layout& layout) {
    auto names = file_system.list(layout.incoming());
    if (!names) return std::move(names).error();
    for (const auto& name : *names) {
        if (!std::string_view(name).ends_with(kPartialSuffix)) continue;
        if (auto removed = file_system.remove(layout.incoming() + "/" + name); !removed) return removed;
    }
    return {};
}

/// An archive keeps the layout it began with.
Result<void> check_layout(FileSystem& file_system, const Layout& layout, StorageLayout wanted) {
    auto files = has_files(file_system, layout);
    if (!files && files.error().code == Errc::not_found) return {};  // a new one
    if (!files) return std::move(files).error();
    auto volumes = file_system.list(layout.volumes());
    if (!volumes && volumes.error().code != Errc::not_found) return std::move(volumes).error();
    const bool other = wanted == StorageLayout::files ? volumes && !volumes->empty() : *files;
    if (!other) return {};
    return Error(Errc::unsupported,
                 fmt::format("{} was begun with storage.layout = \"{}\" and keeps it; to change, `sagitta "
                             "import` it into a new one",
                             layout.data_dir, *files ? "files" : "volumes"));
}

/// Nobody's: the journal of an index that is gone must not be applied to the next one.
Result<void> remove_orphans(FileSystem& file_system, const Layout& layout) {
    if (file_system.open(layout.index(), OpenMode::read)) return {};
    for (const auto* suffix : {"-wal", "-shm"}) {
        auto removed = file_system.remove(layout.index() + suffix);
        if (!removed && removed.error().code != Errc::not_found) return removed;
    }
    return {};
}

/// Whether any volume holds something; a crash right after the first start leaves an empty one.
Result<bool> anything_stored(FileSystem& file_system, const Layout& layout, StorageLayout how) {
    if (how == StorageLayout::files) {
        auto studies = file_system.list(layout.files());
        if (!studies) return std::move(studies).error();
        return !studies->empty();
    }
    auto numbers = list_volumes(file_system, layout);
    if (!numbers) return std::move(numbers).error();
    for (const auto number : *numbers) {
        auto file = file_system.open(layout.volume(number), OpenMode::read);
        if (!file) return std::move(file).error();
        auto length = (*file)->size();
        if (!length) return std::move(length).error();
        if (*length != 0) return true;
    }
    return false;
}

struct OpenedIndex {
    std::unique_ptr<IndexWriter> index;
    RecoveredVolumes volumes;
};

Result<OpenedIndex> rebuilt(FileSystem& file_system, const Layout& layout, StorageLayout how) {
    log::warning("storage: the index is missing or unreadable and is built again from what is stored");
    OpenedIndex opened;
    const auto progress = [](std::string_view line) { log::info("storage: {}", line); };
    auto volumes = how == StorageLayout::files ? rebuild_files(file_system, layout, progress)
                                               : rebuild_index(file_system, layout, progress);
    if (!volumes) return std::move(volumes).error();
    opened.volumes = std::move(*volumes);
    auto index = IndexWriter::open(layout.index(), IndexWriter::Purpose::serve);
    if (!index) return std::move(index).error();
    opened.index = std::move(*index);
    return opened;
}

/// The index and the volumes, agreeing.
Result<OpenedIndex> open_index(FileSystem& file_system, const Layout& layout, StorageLayout how) {
    if (auto removed = remove_orphans(file_system, layout); !removed) return std::move(removed).error();
    OpenedIndex opened;
    auto index = IndexWriter::open(layout.index(), IndexWriter::Purpose::serve);
    if (!index && index.error().code == Errc::corrupt) return rebuilt(file_system, layout, how);
    if (!index) return std::move(index).error();
    opened.index = std::move(*index);
    auto marks = opened.index->marks();
    if (!marks && marks.error().code != Errc::corrupt) return std::move(marks).error();
    auto stored = !marks || marks->empty() ? anything_stored(file_system, layout, how) : Result<bool>(false);
    if (!stored) return std::move(stored).error();
    if (!marks || *stored) {
        opened.index.reset();
        return rebuilt(file_system, layout, how);
    }
    auto volumes = how == StorageLayout::files ? recover_files(file_system, layout, *opened.index)
                                               : recover(file_system, layout, *opened.index, false, {});
    if (!volumes && how == StorageLayout::files && volumes.error().code == Errc::corrupt) {
        opened.index.reset();  // the tree says what the list does not
        return rebuilt(file_system, layout, how);
    }
    if (!volumes) return std::move(volumes).error();
    opened.volumes = std::move(*volumes);
    return opened;
}

void report(const RecoveryReport& recovery) {
    if (recovery.instances_indexed != 0 || recovery.bytes_truncated != 0) {
        log::warning("storage: recovered instances={} torn_bytes={}", recovery.instances_indexed,
                     recovery.bytes_truncated);
    }
    for (const auto& damage : recovery.damage) log::error("storage: damage: {}", damage);
}

}  // namespace

std::size_t front_room(std::size_t file_header_bytes) noexcept {
    return kTarBlock + file_header_bytes;
}

Result<std::unique_ptr<Archive>> Archive::open(ArchiveOptions options) {
    if (options.data_dir.empty() || options.volume_size < kLeastVolume || options.volume_size > kMostVolume ||
        options.max_batch_count == 0) {
        return Error(Errc::invalid_argument,
                     "storage: data directory, volume size or batch size make no sense");
    }
    auto& file_system = options.file_system != nullptr ? *options.file_system : real_file_system();
    const Layout layout{options.data_dir};
    if (options.layout == StorageLayout::files && options.on_conflict == OnConflict::replace) {
        return Error(Errc::invalid_argument, "storage: on_conflict \"replace\" needs layout \"volumes\"");
    }
    if (auto same = check_layout(file_system, layout, options.layout); !same) return std::move(same).error();
    if (auto made = make_directories(file_system, layout, options.layout); !made)
        return std::move(made).error();
    auto lock = DirectoryLock::take(layout);
    if (!lock) return std::move(lock).error();
    if (auto removed = remove_unfinished(file_system, layout); !removed) return std::move(removed).error();
    auto opened = open_index(file_system, layout, options.layout);
    if (!opened) return std::move(opened).error();
    report(opened->volumes.report);
    auto archive =
        std::make_unique<ArchiveImpl>(options, file_system, layout, std::move(*lock), opened->volumes.report);
    if (auto started = archive->start(opened->volumes, std::move(opened->index)); !started) {
        return std::move(started).error();
    }
    return std::unique_ptr<Archive>(std::move(archive));
}

}  // namespace sagitta::storage
