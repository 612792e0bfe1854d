#include "store_plan.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "dicom/dicomdir.h"
#include "dicom/generated/tags.h"
#include "dicom/transfer_syntax.h"
#include "dicom_file.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;

constexpr std::uint64_t kHeaderBytes = 16 * 1024;
constexpr std::uint64_t kLongHeaderBytes = 1024 * 1024;
constexpr std::uint64_t kDeflatedBytes = 64 * 1024 * 1024;  // a stream says nothing before its end
constexpr std::size_t kMaxContexts = 128;

class Planner {
public:
    explicit Planner(const std::function<void(std::string_view)>& note) : note_(note) {}

    void add_path(const std::string& path) {
        std::error_code wrong;
        const auto status = fs::status(path, wrong);
        if (wrong || !fs::exists(status)) {
            plan_.unreadable.emplace_back(Errc::not_found, path + ": no such file or folder");
        } else if (fs::is_directory(status)) {
            add_folder(path);
        } else {
            add_file(path, false);
        }
    }

    StorePlan take() { return std::move(plan_); }

private:
    void add_folder(const std::string& path) {
        std::vector<std::string> found;
        std::error_code wrong;
        auto entry =
            fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, wrong);
        for (; !wrong && entry != fs::recursive_directory_iterator(); entry.increment(wrong)) {
            std::error_code ignored;
            if (entry->is_regular_file(ignored)) found.push_back(entry->path().string());
        }
        if (wrong) plan_.unreadable.emplace_back(Errc::io_failure, path + ": " + wrong.message());
        std::sort(found.begin(), found.end());
        for (const auto& file : found) add_file(file, true);
    }

    void skip(const std::string& path, std::string_view why) {
        ++plan_.skipped;
        note_(fmt::format("skipped {}: {}", path, why));
    }

    // `in_folder`: found below a folder, whose files are all taken anyway.
    void add_file(const std::string& path, bool in_folder) {
        auto file = load_file(path, kHeaderBytes);
        if (!file && file.error().code == Errc::truncated) file = load_file(path, kLongHeaderBytes);
        if (file && file->layout.syntax->deflated) file = load_file(path, kDeflatedBytes);
        if (!file) {
            if (file.error().code == Errc::io_failure || file.error().code == Errc::not_found) {
                plan_.unreadable.push_back(file.error());
            } else {
                skip(path, "not a DICOM file");
            }
            return;
        }
        if (dicom::is_dicomdir(file->layout)) return add_directory(path, in_folder);
        FileKind kind;
        FileToSend entry;
        if (!identify(*file, kind, entry)) return skip(path, "no SOP Class and SOP Instance UID");
        kind.transfer_syntax_uid = file->layout.transfer_syntax_uid;
        entry.path = path;
        entry.data_set_offset = file->layout.data_set_offset;
        entry.data_set_bytes = file->file_bytes - file->layout.data_set_offset;
        entry.kind = index_of(kind);
        plan_.bytes += entry.data_set_bytes;
        plan_.files.push_back(std::move(entry));
    }

    // The files a DICOMDIR refers to (PS3.10 8.6), which lie beside and below it.
    void add_directory(const std::string& path, bool in_folder) {
        dicom::ParseOptions lenient;
        lenient.keep_readable_part = true;
        const auto file = load_file(path);
        if (!file) {
            plan_.unreadable.push_back(file.error());
            return;
        }
        const auto set = dicom::read_dicomdir(file->bytes->span(), lenient, file->bytes);
        if (!set) {
            plan_.unreadable.push_back(Error(set.error()).within(path));
            return;
        }
        for (const auto& warning : set->warnings) note_(fmt::format("{}: {}", path, warning.message()));
        dicom::FileIdResolver resolver(fs::path(path).parent_path().string());
        std::size_t missing = 0;
        for (const auto& record : set->records) {
            if (record.file_id.empty()) continue;
            auto found = resolver.find(record.file_id);
            if (found && !in_folder) add_file(*found, true);
            if (found) continue;
            ++missing;
            if (!in_folder) {
                plan_.unreadable.push_back(std::move(found).error().within(
                    fmt::format("{}: the directory record at byte {}", path, record.offset)));
            }
        }
        if (in_folder && missing != 0) note_(fmt::format("{}: {} of its files are not there", path, missing));
    }

    // The data set says what it is; the meta information is asked when that is out of reach.
    static bool identify(const FileInMemory& file, FileKind& kind, FileToSend& entry) {
        std::optional<dicom::Uid> sop_class = file.layout.meta.uid(tags::MediaStorageSOPClassUID);
        std::optional<dicom::Uid> instance = file.layout.meta.uid(tags::MediaStorageSOPInstanceUID);
        const auto parsed = parse_leniently(file, true);
        const auto stated_class = parsed ? parsed->data_set.uid(tags::SOPClassUID) : std::nullopt;
        const auto stated_instance = parsed ? parsed->data_set.uid(tags::SOPInstanceUID) : std::nullopt;
        if (stated_class) sop_class = stated_class;
        if (stated_instance) instance = stated_instance;
        if (!sop_class || !instance) return false;
        kind.sop_class_uid = *sop_class;
        entry.sop_instance_uid = *instance;
        return true;
    }

    std::uint32_t index_of(const FileKind& kind) {
        const auto found = std::find(plan_.kinds.rbegin(), plan_.kinds.rend(), kind);
        if (found != plan_.kinds.rend()) {
            return static_cast<std::uint32_t>(std::distance(found, plan_.kinds.rend()) - 1);
        }
        plan_.kinds.push_back(kind);
        return static_cast<std::uint32_t>(plan_.kinds.size() - 1);
    }

    const std::function<void(std::string_view)>& note_;
    StorePlan plan_;
};

}  // namespace

StorePlan make_store_plan(std::span<const std::string> paths,
                          const std::function<void(std::string_view)>& note) {
    Planner planner(note);
    for (const auto& path : paths) planner.add_path(path);
    return planner.take();
}

std::vector<KindRange> split_kinds(const StorePlan& plan) {
    std::vector<KindRange> ranges;
    for (std::size_t first = 0; first < plan.kinds.size(); first += kMaxContexts) {
        KindRange range;
        range.first = static_cast<std::uint32_t>(first);
        range.last = static_cast<std::uint32_t>(std::min(first + kMaxContexts, plan.kinds.size()));
        ranges.push_back(range);
    }
    return ranges;
}

std::vector<net::scu::WantedContext> wanted_contexts(const StorePlan& plan, KindRange range, bool transcode) {
    constexpr std::size_t kNative = 2;
    std::vector<net::scu::WantedContext> wanted;
    std::set<std::string_view> classes;
    for (auto n = range.first; n < range.last; ++n) {
        net::scu::WantedContext wish;
        wish.sop_class_uid = plan.kinds[n].sop_class_uid.str();
        wish.transfer_syntaxes = {plan.kinds[n].transfer_syntax_uid};
        wanted.push_back(std::move(wish));
        classes.insert(plan.kinds[n].sop_class_uid.view());
    }
    // Each kind keeps a context of its own: the way out must not stand in its way.
    if (!transcode || wanted.size() + kNative * classes.size() > kMaxContexts) return wanted;
    for (const auto sop_class : classes) {
        net::scu::WantedContext wish;
        wish.sop_class_uid = std::string(sop_class);
        wish.transfer_syntaxes = {std::string(dicom::explicit_vr_little_endian().uid),
                                  std::string(dicom::implicit_vr_little_endian().uid)};
        wanted.push_back(std::move(wish));
    }
    return wanted;
}

}  // namespace sagitta::tools
