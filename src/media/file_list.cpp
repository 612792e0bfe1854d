#include "media/file_list.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "core/byte_buffer.h"
#include "dicom/dicomdir.h"
#include "media/byte_source.h"
#include "media/other_archive.h"

namespace sagitta::media {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxDirectoryBytes = 1ull << 30;

bool is_named_dicomdir(const fs::path& path) {
    auto name = path.filename().string();
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; });
    return name == "DICOMDIR" || name == "DICOMDIR.;1" || name == "DICOMDIR;1";
}

class Lister {
public:
    explicit Lister(const FileListing& to) : to_(to) {}

    void list(const std::string& path) {
        std::error_code wrong;
        const auto status = fs::status(path, wrong);
        if (wrong || !fs::exists(status)) {
            to_.failed(path, Error(Errc::not_found, "no such file or folder"));
        } else if (fs::is_directory(status)) {
            walk(path);
        } else if (is_named_dicomdir(path)) {
            read_directory(path, true);
        } else {
            (void)to_.found({path, std::nullopt});
        }
    }

private:
    /// Without recursion over depth: folders that wait are a list.
    void walk(const std::string& root) {
        std::vector<std::string> waiting{root};
        while (!waiting.empty() && !stopped_) {
            const auto folder = std::move(waiting.back());
            waiting.pop_back();
            if (is_own(folder)) continue;
            if (is_data_directory(folder)) {
                read_archive(folder);
                continue;
            }
            if (fs::exists(fs::path(folder) / "files.tsv")) {  // `layout = "files"`: not its quarantine
                waiting.push_back(folder + "/files");
                continue;
            }
            list_folder(folder, waiting);
        }
    }

    bool is_own(const std::string& folder) const {
        std::error_code wrong;
        return !to_.skip_folder.empty() && fs::canonical(folder, wrong) == to_.skip_folder;
    }

    void list_folder(const std::string& folder, std::vector<std::string>& waiting) {
        std::vector<std::string> files;
        std::vector<std::string> folders;
        std::error_code wrong;
        for (fs::directory_iterator at(folder, wrong); !wrong && at != fs::directory_iterator();
             at.increment(wrong)) {
            std::error_code none;
            const auto status = at->symlink_status(none);
            if (fs::is_directory(status)) {
                folders.push_back(at->path().string());
            } else if (fs::is_regular_file(fs::is_symlink(status) ? at->status(none) : status)) {
                files.push_back(at->path().string());
            }
        }
        if (wrong) to_.failed(folder, Error(Errc::io_failure, wrong.message()));
        std::sort(files.begin(), files.end());
        std::sort(folders.rbegin(), folders.rend());
        waiting.insert(waiting.end(), folders.begin(), folders.end());
        for (auto& file : files) {
            if (stopped_) return;
            if (is_named_dicomdir(file)) {
                read_directory(file, false);
            } else {
                found(std::move(file));
            }
        }
    }

    void found(std::string file) { stopped_ = stopped_ || !to_.found({std::move(file), std::nullopt}); }

    /// The files a DICOMDIR refers to (PS3.10 8.6). In a folder they are found anyway, but one that is
    /// missing is told.
    void read_directory(const std::string& path, bool take_files) {
        auto source = open_file(path);
        auto bytes = std::make_shared<ByteBuffer>();
        auto read = source ? read_rest(**source, kMaxDirectoryBytes, *bytes)
                           : Result<void>(std::move(source).error());
        if (!read) return to_.failed(path, read.error());
        dicom::ParseOptions lenient;
        lenient.keep_readable_part = true;
        const auto span = std::as_const(*bytes).span();
        auto set = dicom::read_dicomdir(span, lenient, std::move(bytes));
        if (!set) return to_.failed(path, set.error());
        to_.passed_over();
        dicom::FileIdResolver resolver(fs::path(path).parent_path().string());
        for (const auto& record : set->records) {
            if (record.file_id.empty() || stopped_) continue;
            auto file = resolver.find(record.file_id);
            if (!file) {
                to_.failed(path, Error(file.error().code, "a file it names: " + file.error().context,
                                       record.offset));
            } else if (take_files) {
                found(std::move(*file));
            }
        }
    }

    void read_archive(const std::string& folder) {
        const storage::Layout layout{folder};
        ServedMembers members;
        members.each = [&](const ServedMember& member) {
            stopped_ = stopped_ || !to_.found({layout.volume(member.volume),
                                               FoundFile::Range{member.offset, member.length}});
            return !stopped_;
        };
        members.damaged = [&](const Error& error) { to_.failed(folder, error); };
        if (auto listed = list_served(layout, members); !listed) to_.failed(folder, listed.error());
    }

    const FileListing& to_;
    bool stopped_ = false;
};

}  // namespace

void list_files(const std::string& path, const FileListing& listing) {
    Lister(listing).list(path);
}

}  // namespace sagitta::media
