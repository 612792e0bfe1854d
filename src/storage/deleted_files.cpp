#include "storage/deleted_files.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

namespace sagitta::storage {
namespace {

std::string folder_of(const std::string& path) {
    return path.substr(0, path.rfind('/'));
}

bool is_of_file(const NoteLine& line) {
    return line.kind == NoteKind::deleted || line.kind == NoteKind::restored;
}

}  // namespace

std::string deleted_path(const Layout& layout, std::uint64_t line) {
    return fmt::format("{}/{:016x}.dcm", layout.deleted(), line);
}

Result<bool> is_there(FileSystem& file_system, const std::string& path) {
    auto file = file_system.open(path, OpenMode::read);
    if (file) return true;
    if (file.error().code == Errc::not_found) return false;
    return std::move(file).error();
}

DeletedFiles::DeletedFiles(FileSystem& file_system, const Layout& layout)
    : file_system_(file_system), layout_(layout) {}

Result<void> DeletedFiles::rename(const Step& step, std::set<std::string>& folders) {
    folders.insert(folder_of(step.from));
    folders.insert(folder_of(step.to));
    return file_system_.rename(step.from, step.to);
}

Result<void> DeletedFiles::sync(const std::set<std::string>& folders) {
    for (const auto& folder : folders) {
        if (auto synced = file_system_.sync_directory(folder); !synced)
            return Error(Errc::io_failure, std::move(synced).error().context);
    }
    return {};
}

Result<void> DeletedFiles::move(std::span<const NoteLine> lines) {
    moved_.clear();
    std::unique_ptr<File> list;
    std::set<std::string> folders;
    for (const auto& line : lines) {
        if (!is_of_file(line)) continue;
        if (!list) {
            auto opened = file_system_.open(layout_.file_list(), OpenMode::read);
            if (!opened) return std::move(opened).error();
            list = std::move(*opened);
        }
        auto file = read_list_line(*list, line.offset);
        if (!file) return std::move(file).error();
        Step step{layout_.files() + "/" + file->path, deleted_path(layout_, line.offset)};
        if (line.kind == NoteKind::restored) std::swap(step.from, step.to);
        auto done = rename(step, folders);
        // One that was taken away from the tree by hand can be deleted all the same.
        if (!done && done.error().code == Errc::not_found && line.kind == NoteKind::deleted) continue;
        if (!done) return done;
        moved_.push_back(std::move(step));
    }
    return sync(folders);
}

Result<void> DeletedFiles::undo() {
    std::set<std::string> folders;
    for (auto step = moved_.rbegin(); step != moved_.rend(); ++step) {
        if (auto done = rename({step->to, step->from}, folders); !done) return done;
    }
    moved_.clear();
    return sync(folders);
}

Result<void> DeletedFiles::keep_intact(std::vector<NoteLine>& lines) const {
    std::set<std::string> gone;
    for (const auto& line : lines) {
        auto file = file_system_.open(deleted_path(layout_, line.offset), OpenMode::read);
        if (!file && file.error().code != Errc::not_found) return std::move(file).error();
        auto size = file ? (*file)->size() : Result<std::uint64_t>(0);
        if (!size) return std::move(size).error();
        if (!file || *size != line.length) gone.insert(line.sop_uid);
    }
    std::erase_if(lines, [&](const NoteLine& line) { return gone.contains(line.sop_uid); });
    return {};
}

Result<void> DeletedFiles::purge(std::span<const NoteLine> lines, PurgeReport& report) {
    for (const auto& line : lines) {
        auto removed = file_system_.remove(deleted_path(layout_, line.offset));
        if (!removed && removed.error().code == Errc::not_found) continue;
        if (!removed) return removed;
        ++report.members;
        report.bytes += line.length;
    }
    return sync({layout_.deleted()});
}

Result<FilePlaces> FilePlaces::of(const File& list, std::uint64_t from) {
    FilePlaces places;
    auto read = read_list(list, from, [&](const ListLine& line) -> Result<void> {
        if (!line.note) return {};
        for (const auto& note : line.note->lines) {
            if (!is_of_file(note)) continue;
            auto& last = places.last_[note.offset];
            last.kind = note.kind;
            last.noted_at = line.offset;
            if (!last.path.empty()) continue;
            auto file = read_list_line(list, note.offset);
            if (!file) return std::move(file).error();
            last.path = std::move(file->path);
        }
        return {};
    });
    if (!read) return std::move(read).error();
    if (places.last_.empty()) return places;
    std::unordered_map<std::string_view, std::vector<Last*>> named;
    for (auto& [line, last] : places.last_) named[last.path].push_back(&last);
    read = read_list(list, from, [&](const ListLine& line) -> Result<void> {
        if (!line.file) return {};
        const auto known = named.find(line.file->path);
        if (known == named.end()) return {};
        for (auto* last : known->second) last->is_taken = last->is_taken || line.offset > last->noted_at;
        return {};
    });
    if (!read) return std::move(read).error();
    return places;
}

Result<void> FilePlaces::settle(FileSystem& file_system, const Layout& layout) const {
    std::set<std::string> folders;
    for (const auto& [line, last] : last_) {
        if (last.is_taken) continue;
        const auto in_tree = layout.files() + "/" + last.path;
        const auto aside = deleted_path(layout, line);
        auto is_aside = is_there(file_system, aside);
        if (!is_aside) return std::move(is_aside).error();
        Result<void> done;
        if (last.kind == NoteKind::restored && *is_aside) {
            done = file_system.rename(aside, in_tree);
        } else if (last.kind == NoteKind::deleted && !*is_aside) {
            auto is_in_tree = is_there(file_system, in_tree);
            if (!is_in_tree) return std::move(is_in_tree).error();
            if (*is_in_tree) done = file_system.rename(in_tree, aside);
        }
        if (!done) return done;
        // Also where nothing was left to do: the renaming may not have been durable.
        folders.insert(folder_of(in_tree));
    }
    if (folders.empty()) return {};
    folders.insert(layout.deleted());
    for (const auto& folder : folders) {
        auto synced = file_system.sync_directory(folder);
        if (!synced && synced.error().code != Errc::not_found) return synced;
    }
    return {};
}

bool FilePlaces::is_deleted(std::uint64_t line) const {
    const auto known = last_.find(line);
    return known != last_.end() && known->second.kind == NoteKind::deleted;
}

}  // namespace sagitta::storage
