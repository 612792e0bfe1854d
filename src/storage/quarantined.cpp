#include "storage/quarantined.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>

#include "core/byte_buffer.h"
#include "storage/file_system.h"
#include "storage/keeper.h"
#include "storage/layout.h"
#include "storage/maintenance.h"
#include "storage/member_record.h"

namespace sagitta::storage {
namespace {

constexpr std::size_t kDigestDigits = 32;
constexpr std::uint64_t kInMemory = 16ull << 20;
constexpr std::uint64_t kPiece = 1ull << 20;
constexpr std::string_view kPartial = ".partial";

bool is_digest(std::string_view text) {
    return text.size() == kDigestDigits &&
           text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// Empty for a name that is none of ours.
std::optional<Quarantined> read_name(std::string_view name) {
    Quarantined found;
    found.name = name;
    if (name.ends_with(kPartial)) return found;
    if (name.starts_with("torn-") && name.ends_with(".bin")) {
        found.kind = Quarantined::Kind::torn_end;
        return found;
    }
    if (!name.ends_with(".dcm")) return std::nullopt;
    name.remove_suffix(4);
    const auto dash = name.find('-');
    if (dash == std::string_view::npos || !is_digest(name.substr(dash + 1))) return std::nullopt;
    const auto uid = dicom::Uid::parse(name.substr(0, dash));
    if (!uid || uid->empty()) return std::nullopt;
    found.kind = Quarantined::Kind::instance;
    found.sop_instance_uid = *uid;
    return found;
}

Error not_there(const Layout& layout, std::string_view name) {
    return {Errc::not_found, fmt::format("{} has no {}", layout.quarantine(), name)};
}

Result<ByteBuffer> read_from(const File& file, std::uint64_t offset, std::uint64_t length) {
    ByteBuffer bytes;
    auto read = file.read_at(offset, bytes.prepare(static_cast<std::size_t>(length)));
    if (!read) return std::move(read).error();
    if (*read != length) return Error(Errc::io_failure, "the file has become shorter", offset + *read);
    bytes.commit(*read);
    return bytes;
}

/// As the network brings what is too large for memory.
Result<void> spool(Archive& archive, const File& file, std::uint64_t size, IncomingInstance& instance) {
    const auto header = instance.record.data_set_offset;
    auto head = read_from(file, 0, header);
    if (!head) return std::move(head).error();
    auto spooled = archive.spool(head->span());
    if (!spooled) return std::move(spooled).error();
    for (auto at = header; at < size; at += kPiece) {
        auto piece = read_from(file, at, std::min(kPiece, size - at));
        if (!piece) return std::move(piece).error();
        if (auto appended = (*spooled)->append(piece->span()); !appended) return appended;
    }
    if (auto synced = (*spooled)->sync(); !synced) return synced;
    if ((*spooled)->data_set_digest() != instance.record.digest)
        return Error(Errc::io_failure, "the file changed while it was read");
    instance.spooled = std::move(*spooled);
    return {};
}

/// The file as the network would have brought it.
Result<IncomingInstance> instance_of(Archive& archive, FileSystem& file_system, const std::string& path) {
    auto file = file_system.open(path, OpenMode::read);
    if (!file) return std::move(file).error();
    auto size = (*file)->size();
    if (!size) return std::move(size).error();
    const bool in_memory = *size <= kInMemory;
    auto bytes = read_from(**file, 0, in_memory ? *size : kPiece);
    if (!bytes) return std::move(bytes).error();
    auto record = record_of_member(**file, 0, *size, bytes->span());
    if (!record) return std::move(record).error().within(path);
    IncomingInstance instance;
    instance.record = std::move(*record);
    if (in_memory) {
        const auto header = static_cast<std::size_t>(instance.record.data_set_offset);
        instance.file_header.append(bytes->span().first(header));
        instance.data_set.append(bytes->span().subspan(header));
    } else if (auto spooled = spool(archive, **file, *size, instance); !spooled) {
        return std::move(spooled).error();
    }
    return instance;
}

Result<IngestOutcome> submit_and_wait(Archive& archive, IncomingInstance instance) {
    std::mutex mutex;
    std::condition_variable changed;
    std::optional<Result<IngestOutcome>> outcome;
    auto submitted = archive.submit(std::move(instance), [&](Result<IngestOutcome> answer) {
        const std::lock_guard lock(mutex);
        outcome.emplace(std::move(answer));
        changed.notify_one();
    });
    if (!submitted) return std::move(submitted).error();
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return outcome.has_value(); });
    return std::move(*outcome);
}

}  // namespace

Result<std::vector<Quarantined>> list_quarantine(const std::string& data_dir) {
    const Layout layout{data_dir};
    auto names = real_file_system().list(layout.quarantine());
    if (!names) return std::move(names).error();
    std::vector<Quarantined> all;
    for (const auto& name : *names) {
        auto found = read_name(name);
        if (!found) continue;
        const std::filesystem::path path = layout.quarantine() + "/" + name;
        std::error_code failed;
        found->bytes = std::filesystem::file_size(path, failed);
        if (failed) continue;  // dropped or finished meanwhile
        const auto written = std::filesystem::last_write_time(path, failed);
        if (failed) continue;
        const auto time = std::chrono::file_clock::to_sys(written).time_since_epoch();
        found->modified = std::chrono::duration_cast<std::chrono::seconds>(time).count();
        all.push_back(std::move(*found));
    }
    return all;
}

Result<Quarantined> find_quarantined(const std::string& data_dir, std::string_view name) {
    auto all = list_quarantine(data_dir);
    if (!all) return std::move(all).error();
    const auto found =
        std::find_if(all->begin(), all->end(), [&](const Quarantined& one) { return one.name == name; });
    if (found == all->end()) return not_there(Layout{data_dir}, name);
    return std::move(*found);
}

Result<IngestOutcome> accept_quarantined(Archive& archive, const std::string& data_dir, std::string_view name,
                                         FileSystem* file_system) {
    auto& files = file_system != nullptr ? *file_system : real_file_system();
    const Layout layout{data_dir};
    auto known = find_quarantined(data_dir, name);
    if (!known) return std::move(known).error();
    if (known->kind != Quarantined::Kind::instance)
        return Error(Errc::invalid_argument, fmt::format("{} is no whole instance", name));
    auto has_volumes = layout_of(data_dir);
    if (!has_volumes) return std::move(has_volumes).error();
    const auto path = layout.quarantine() + "/" + known->name;
    auto instance = instance_of(archive, files, path);
    if (!instance) return std::move(instance).error();
    if (instance->record.sop_instance_uid != known->sop_instance_uid)
        return Error(Errc::corrupt, fmt::format("{} holds another SOP Instance than its name says", path));
    instance->on_conflict = *has_volumes == StorageLayout::volumes ? OnConflict::replace : OnConflict::keep;
    instance->has_own_budget = true;
    const auto record = instance->record;
    auto outcome = submit_and_wait(archive, std::move(*instance));
    if (!outcome) return outcome;
    if (*outcome == IngestOutcome::conflict_quarantined) {
        return Error(Errc::unsupported,
                     "a file, once named, is never written again: delete what is served first");
    }
    auto removed = archive.keeper().remove_quarantined(known->name, &record);
    // Somebody else accepted or dropped it meanwhile: it is served all the same.
    if (!removed && removed.error().code != Errc::not_found) return std::move(removed).error();
    return outcome;
}

Result<IngestOutcome> accept_quarantined(ArchiveOptions options, std::string_view name) {
    auto known = find_quarantined(options.data_dir, name);
    if (!known) return std::move(known).error();
    if (known->kind != Quarantined::Kind::instance)
        return Error(Errc::invalid_argument, fmt::format("{} is no whole instance", name));
    auto layout = layout_of(options.data_dir);
    if (!layout) return std::move(layout).error();
    options.layout = *layout;
    options.on_conflict = OnConflict::keep;  // what is accepted says itself what it replaces
    auto archive = Archive::open(options);
    if (!archive) return std::move(archive).error();
    return accept_quarantined(**archive, options.data_dir, name, options.file_system);
}

Result<void> drop_quarantined(Archive& archive, const std::string& data_dir, std::string_view name) {
    auto known = find_quarantined(data_dir, name);
    if (!known) return std::move(known).error();
    auto removed = archive.keeper().remove_quarantined(known->name, nullptr);
    return removed ? Result<void>() : std::move(removed).error();
}

Result<void> drop_quarantined(const std::string& data_dir, std::string_view name, FileSystem* file_system) {
    auto& files = file_system != nullptr ? *file_system : real_file_system();
    const Layout layout{data_dir};
    auto lock = DirectoryLock::take(layout);
    if (!lock) return std::move(lock).error();
    auto known = find_quarantined(data_dir, name);
    if (!known) return std::move(known).error();
    if (auto removed = files.remove(layout.quarantine() + "/" + known->name); !removed) return removed;
    return files.sync_directory(layout.quarantine());
}

}  // namespace sagitta::storage
