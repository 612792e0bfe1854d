#include "dicom/dicomdir.h"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"

namespace sagitta::dicom {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kItemHeaderBytes = 8;
constexpr std::uint32_t kMaxFileIdComponents = 8;  // PS3.10 8.2

// Where a type stands when only the order of the records says what is below what (PS3.3 Table F.4-1):
// 0 directly below the root.
std::uint32_t level_of(std::string_view type) {
    constexpr std::string_view kRoot[] = {"PATIENT",      "HANGING PROTOCOL", "PALETTE",   "IMPLANT",
                                          "IMPLANT ASSY", "IMPLANT GROUP",    "INVENTORY", "TOPIC",
                                          "PRINT QUEUE"};
    constexpr std::string_view kBelowStudy[] = {"SERIES", "VISIT", "RESULTS", "STUDY COMPONENT", "FILM BOX"};
    if (std::find(std::begin(kRoot), std::end(kRoot), type) != std::end(kRoot)) return 0;
    if (type == "STUDY" || type == "FILM SESSION") return 1;
    if (std::find(std::begin(kBelowStudy), std::end(kBelowStudy), type) != std::end(kBelowStudy)) return 2;
    return 3;
}

std::vector<std::string> file_id_of(const ElementRange& keys) {
    std::vector<std::string> components;
    std::string_view rest = keys.text(tags::ReferencedFileID);
    while (!rest.empty()) {
        const auto end = rest.find_first_of("\\/");  // some writers take the separator of their system
        auto part = rest.substr(0, end);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ') || part.ends_with('\0')) part.remove_suffix(1);
        components.emplace_back(part);
        if (end == std::string_view::npos) break;
        rest.remove_prefix(end + 1);
    }
    return components;
}

class Directory {
public:
    Directory(FileSet& set, const Element& sequence) : set_(set) {
        const std::uint64_t base = set.file.layout.data_set_offset;
        for (const Element item : sequence.children()) {
            Item entry;
            entry.row = item.index();
            entry.offset = base + item.node().offset - kItemHeaderBytes;
            entry.in_use = item.children().integer(tags::RecordInUseFlag).value_or(0xffff) != 0;
            items_.push_back(entry);
        }
    }

    void follow_links() {
        struct Visit {
            std::uint64_t offset = 0;
            std::uint32_t parent = DirectoryRecord::kNone;
            bool keep = true;  ///< not below a record out of use
        };
        std::vector<Visit> open;
        const auto root = offset(set_.file.data_set.elements(),
                                 tags::OffsetOfTheFirstDirectoryRecordOfTheRootDirectoryEntity);
        open.push_back({root, DirectoryRecord::kNone, true});
        while (!open.empty()) {
            const Visit visit = open.back();
            open.pop_back();
            if (visit.offset == 0) continue;
            Item* item = at(visit.offset);
            if (item == nullptr || item->seen) {
                set_.warnings.emplace_back(
                    Errc::malformed,
                    item == nullptr ? "a link to no directory record" : "a second link to a directory record",
                    visit.offset);
                continue;
            }
            item->seen = true;
            const auto keys = Element(set_.file.data_set, item->row).children();
            const bool keep = visit.keep && item->in_use;
            const auto index = keep ? add(*item, visit.parent) : visit.parent;
            open.push_back({offset(keys, tags::OffsetOfTheNextDirectoryRecord), visit.parent, visit.keep});
            open.push_back({offset(keys, tags::OffsetOfReferencedLowerLevelDirectoryEntity), index, keep});
        }
    }

    [[nodiscard]] bool all_reached() const {
        return std::all_of(items_.begin(), items_.end(),
                           [](const Item& item) { return item.seen || !item.in_use; });
    }

    void follow_order() {
        set_.records.clear();
        set_.in_order_of_records = true;
        std::vector<std::pair<std::uint32_t, std::uint32_t>> above;  // level, record
        for (const Item& item : items_) {
            if (!item.in_use) continue;
            const auto keys = Element(set_.file.data_set, item.row).children();
            const auto level = level_of(keys.text(tags::DirectoryRecordType));
            while (!above.empty() && above.back().first >= level) above.pop_back();
            const auto parent = above.empty() ? DirectoryRecord::kNone : above.back().second;
            above.emplace_back(level, add(item, parent));
        }
    }

    // From each record's parent, which stands before it.
    void count_subtrees() {
        for (std::size_t n = set_.records.size(); n-- > 0;) {
            const auto& record = set_.records[n];
            if (record.parent != DirectoryRecord::kNone)
                set_.records[record.parent].subtree += record.subtree + 1;
        }
    }

private:
    struct Item {
        std::uint64_t offset = 0;  ///< in the file
        std::uint32_t row = 0;
        bool in_use = true;
        bool seen = false;
    };

    static std::uint64_t offset(const ElementRange& keys, Tag tag) {
        const auto value = keys.integer(tag);
        return value && *value > 0 ? static_cast<std::uint64_t>(*value) : 0;
    }

    Item* at(std::uint64_t offset) {
        const auto found =
            std::lower_bound(items_.begin(), items_.end(), offset,
                             [](const Item& item, std::uint64_t wanted) { return item.offset < wanted; });
        return found != items_.end() && found->offset == offset ? &*found : nullptr;
    }

    std::uint32_t add(const Item& item, std::uint32_t parent) {
        const auto keys = Element(set_.file.data_set, item.row).children();
        DirectoryRecord record;
        record.row = item.row;
        record.offset = item.offset;
        record.parent = parent;
        record.depth = parent == DirectoryRecord::kNone ? 0 : set_.records[parent].depth + 1;
        record.type = std::string(keys.text(tags::DirectoryRecordType));
        record.file_id = file_id_of(keys);
        set_.records.push_back(std::move(record));
        return static_cast<std::uint32_t>(set_.records.size() - 1);
    }

    FileSet& set_;
    std::vector<Item> items_;  ///< by offset
};

// Names as media may have changed them: case, the version number, the dot of an empty extension.
std::string folded(std::string_view name) {
    if (name.ends_with(";1")) name.remove_suffix(2);
    if (name.ends_with('.')) name.remove_suffix(1);
    std::string lower(name);
    for (char& c : lower) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    return lower;
}

bool leads_out(const std::string& component) {
    return component.empty() || component == "." || component == ".." ||
           component.find('/') != std::string::npos || component.find('\0') != std::string::npos;
}

std::map<std::string, std::string> names_in(const fs::path& folder) {
    std::map<std::string, std::string> names;
    std::error_code wrong;
    for (auto entry = fs::directory_iterator(folder, wrong); !wrong && entry != fs::directory_iterator();
         entry.increment(wrong)) {
        const auto name = entry->path().filename().string();
        names.emplace(folded(name), name);
    }
    return names;
}

}  // namespace

bool is_dicomdir(const FileLayout& layout) noexcept {
    return layout.meta.text(tags::MediaStorageSOPClassUID) == uids::MediaStorageDirectoryStorage;
}

Result<FileSet> read_dicomdir(std::span<const std::byte> bytes, const ParseOptions& options,
                              std::shared_ptr<const void> keep_alive) {
    auto parsed = parse_file(bytes, options, std::move(keep_alive));
    if (!parsed) return std::move(parsed).error();
    FileSet set;
    set.file = std::move(*parsed);
    const auto sequence = set.file.data_set.find(tags::DirectoryRecordSequence);
    if (!sequence) {
        if (is_dicomdir(set.file.layout)) return set;  // a file-set without files
        return Error(Errc::malformed, "no directory: (0004,1220) is missing");
    }
    Directory directory(set, *sequence);
    directory.follow_links();
    if (!directory.all_reached()) {
        set.warnings.emplace_back(
            Errc::malformed, "the links do not reach every directory record; taken in the order of the file");
        directory.follow_order();
    }
    directory.count_subtrees();
    return set;
}

FileIdResolver::FileIdResolver(const std::string& folder) {
    std::error_code wrong;
    folder_ = fs::canonical(folder.empty() ? "." : folder, wrong);
}

Result<std::string> FileIdResolver::find(std::span<const std::string> file_id) {
    if (file_id.empty() || file_id.size() > 2 * kMaxFileIdComponents || folder_.empty()) {
        return Error(Errc::not_found, "no file");
    }
    fs::path path = folder_;
    for (const auto& component : file_id) {
        if (leads_out(component)) return Error(Errc::refused, "a File ID that leads out of the file-set");
        std::error_code wrong;
        if (fs::exists(path / component, wrong)) {
            path /= component;
            continue;
        }
        const auto [names, fresh] = names_.try_emplace(path);
        if (fresh) names->second = names_in(path);
        const auto found = names->second.find(folded(component));
        if (found == names->second.end()) return Error(Errc::not_found, "no file of that File ID");
        path /= found->second;
    }
    std::error_code wrong;
    const auto real = fs::canonical(path, wrong);
    if (wrong || !fs::is_regular_file(real, wrong)) return Error(Errc::not_found, "no file of that File ID");
    if (std::mismatch(folder_.begin(), folder_.end(), real.begin(), real.end()).first != folder_.end()) {
        return Error(Errc::refused, "a link that leads out of the file-set");
    }
    return path.string();
}

}  // namespace sagitta::dicom
