#include "deid_run.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "core/new_file.h"
#include "deid_diff.h"
#include "dicom/part10.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMappingsPerTransaction = 5000;

// Regular files below the paths, in order; what lies below `out` is ours.
std::vector<std::string> files_below(const std::vector<std::string>& paths, const std::string& out) {
    std::vector<std::string> found;
    std::error_code ignored;
    for (const auto& path : paths) {
        if (!fs::is_directory(path, ignored)) {
            found.push_back(path);
            continue;
        }
        auto entry =
            fs::recursive_directory_iterator(path, fs::directory_options::skip_permission_denied, ignored);
        for (; entry != fs::recursive_directory_iterator(); entry.increment(ignored)) {
            if (entry->is_directory(ignored) && !out.empty() && fs::equivalent(entry->path(), out, ignored)) {
                entry.disable_recursion_pending();
            } else if (entry->is_regular_file(ignored)) {
                found.push_back(entry->path().string());
            }
        }
    }
    std::sort(found.begin(), found.end());
    found.erase(std::unique(found.begin(), found.end()), found.end());
    return found;
}

bool has_dicom_prefix(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    std::array<char, 132> beginning{};
    file.read(beginning.data(), beginning.size());
    return file && std::string_view(beginning.data() + 128, 4) == "DICM";
}

class Runner {
public:
    Runner(const DeidRun& run, const deid::Deidentifier& deidentifier, deid::Report& report,
           deid::Vault* vault)
        : run_(run),
          deidentifier_(deidentifier),
          report_(report),
          vault_(vault),
          files_(files_below(run.in, run.out)) {}

    DeidCounts all() {
        std::vector<std::thread> others;
        const auto workers =
            std::clamp<std::size_t>(run_.threads, 1, std::max<std::size_t>(files_.size(), 1));
        for (std::size_t n = 1; n < workers; ++n) others.emplace_back([this] { work(); });
        work();
        for (auto& other : others) other.join();
        if (auto kept = remember({}, true); !kept) failed(kept.error());
        if (!run_.dry_run) sync_tree(run_.out);
        return counts_;
    }

private:
    void work() {
        for (std::size_t at = next_++; at < files_.size() && !stopped_; at = next_++) one(at);
    }

    void one(std::size_t at) {
        const std::string& path = files_[at];
        const auto file = dicom::read_file(path);
        if (!file) return unreadable(at, file.error());
        auto made = deidentifier_.apply(file->data_set, *file->layout.syntax);
        if (!made) return unreadable(at, Error(made.error()).within(path));
        if (made->quarantined) return quarantined(path, *made);
        if (run_.diff) {
            const std::string text = diff(file->data_set, made->data_set, run_.show_values);
            const std::lock_guard lock(mutex_);
            print(fmt::format("{}\n{}", path, text));
        }
        if (!run_.dry_run) {
            if (auto kept = remember(std::move(made->mappings), false); !kept) return stop(kept.error());
            if (auto written = write(*file, *made); !written) return not_written(path, written.error());
        }
        const std::lock_guard lock(mutex_);
        ++counts_.written;
        report_.add(made->study_instance_uid, made->report);
        if (progress_.is_due()) progress_.show(fmt::format("{} of {} files", counts_.written, files_.size()));
    }

    Result<void> write(const dicom::ParsedFile& original, const deid::Deidentified& made) {
        const auto sop_class = dicom::Uid::parse(made.sop_class_uid);
        const auto instance = dicom::Uid::parse(made.sop_instance_uid);
        if (!sop_class || !instance) return Error(Errc::malformed, "a UID of the result is none");
        dicom::FileMeta meta;
        meta.sop_class_uid = *sop_class;
        meta.sop_instance_uid = *instance;
        const auto named = dicom::Uid::parse(original.layout.transfer_syntax_uid);
        meta.transfer_syntax_uid = named ? named->str() : std::string(original.layout.syntax->uid);
        const ByteBuffer header = dicom::make_file_header(meta);
        const auto name = [](const std::string& uid) { return uid.empty() ? std::string("none") : uid; };
        const fs::path folder =
            fs::path(run_.out) / name(made.study_instance_uid) / name(made.series_instance_uid);
        std::error_code error;
        fs::create_directories(folder, error);
        if (error) return Error(Errc::io_failure, fmt::format("{}: {}", folder.string(), error.message()));
        return write_new((folder / (made.sop_instance_uid + ".dcm")).string(), header.span(),
                         made.bytes.span());
    }

    // What is in the vault already is not encrypted again.
    Result<void> remember(std::vector<deid::Mapping> mappings, bool flush) {
        if (vault_ == nullptr) return {};
        const std::lock_guard lock(vault_mutex_);
        for (auto& mapping : mappings) {
            if (known_.emplace(mapping.kind, mapping.pseudonym).second)
                pending_.push_back(std::move(mapping));
        }
        if (pending_.empty() || (!flush && pending_.size() < kMappingsPerTransaction)) return {};
        auto added = vault_->add(pending_);
        pending_.clear();
        return added;
    }

    void unreadable(std::size_t at, const Error& error) {
        const std::lock_guard lock(mutex_);
        progress_.clear();
        complain("", error);
        const bool directory =
            error.code == Errc::unsupported && error.context.find("DICOMDIR") != std::string::npos;
        const bool no_dicom = directory || (error.code != Errc::io_failure && !has_dicom_prefix(files_[at]));
        ++(no_dicom ? counts_.no_dicom : counts_.failed);
        report_.add_unreadable(at + 1, std::string(to_string(error.code)));
    }

    void quarantined(const std::string& path, const deid::Deidentified& made) {
        const std::lock_guard lock(mutex_);
        progress_.clear();
        complain(fmt::format("{}: quarantined, nothing was written: {}", path, *made.quarantined));
        ++counts_.quarantined;
        report_.add_quarantined(made.study_instance_uid, made.sop_instance_uid, *made.quarantined);
    }

    void not_written(const std::string& path, const Error& error) {
        if (error.code != Errc::already_exists) return failed(error);
        failed(Error(Errc::already_exists,
                     path + ": another instance of the same SOP Instance UID was written before"));
    }

    void failed(const Error& error) {
        const std::lock_guard lock(mutex_);
        progress_.clear();
        complain("", error);
        ++counts_.failed;
    }

    void stop(const Error& error) {
        stopped_ = true;
        failed(error);
    }

    const DeidRun& run_;
    const deid::Deidentifier& deidentifier_;
    deid::Report& report_;
    deid::Vault* vault_;
    std::vector<std::string> files_;
    std::atomic<std::size_t> next_ = 0;
    std::atomic<bool> stopped_ = false;
    std::mutex mutex_;
    DeidCounts counts_;
    Progress progress_;
    std::mutex vault_mutex_;
    std::set<std::pair<deid::Mapping::Kind, std::string>> known_;
    std::vector<deid::Mapping> pending_;
};

}  // namespace

DeidCounts deidentify_files(const DeidRun& run, const deid::Deidentifier& deidentifier, deid::Report& report,
                            deid::Vault* vault) {
    return Runner(run, deidentifier, report, vault).all();
}

}  // namespace sagitta::tools
