#include "deid/project.h"

#include <fmt/format.h>

#include <chrono>
#include <ctime>
#include <filesystem>
#include <system_error>

#include "core/bytes.h"
#include "core/log.h"
#include "core/new_file.h"
#include "deid/profile_file.h"
#include "deid/sealed_instance.h"

namespace sagitta::deid {
namespace {

namespace fs = std::filesystem;

// An association of more studies than this writes reports in between.
constexpr std::size_t kStudiesInMemory = 64;

struct Loaded {
    std::vector<std::string> problems;
    std::optional<Profile> profile;
    std::optional<Pseudonyms> pseudonyms;
};

Loaded load(const ProjectSettings& settings) {
    Loaded loaded;
    auto profile = load_profile(settings.profile);
    loaded.problems = std::move(profile.problems);
    auto key = ProjectKey::load(settings.key_file);
    if (!key) loaded.problems.push_back(key.error().message());
    if (!loaded.problems.empty()) return loaded;
    auto pseudonyms = load_pseudonyms(profile.profile, std::move(*key));
    if (!pseudonyms) {
        loaded.problems.push_back(pseudonyms.error().message());
        return loaded;
    }
    loaded.profile = std::move(profile.profile);
    loaded.pseudonyms = std::move(*pseudonyms);
    return loaded;
}

Result<void> make_folder(const std::string& path) {
    std::error_code error;
    fs::create_directories(path, error);
    if (error) return Error(Errc::io_failure, fmt::format("{}: {}", path, error.message()));
    return {};
}

std::string now_text() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm utc{};
    ::gmtime_r(&now, &utc);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", utc.tm_year + 1900, utc.tm_mon + 1, utc.tm_mday,
                       utc.tm_hour, utc.tm_min, utc.tm_sec);
}

}  // namespace

std::vector<std::string> Project::problems(const ProjectSettings& settings) {
    return load(settings).problems;
}

Result<std::unique_ptr<Project>> Project::open(const ProjectSettings& settings, std::string folder) {
    auto loaded = load(settings);
    if (!loaded.problems.empty()) return Error(Errc::invalid_argument, loaded.problems.front());
    for (const char* part : {"quarantine", "reports"}) {
        if (auto made = make_folder(fmt::format("{}/{}", folder, part)); !made)
            return std::move(made).error();
    }
    std::optional<Vault> vault;
    if (settings.vault) {
        auto opened = Vault::open(folder + "/vault.sqlite", loaded.pseudonyms->key());
        if (!opened) return std::move(opened).error();
        vault.emplace(std::move(*opened));
    }
    DeidentifierOptions options;
    options.mappings = settings.vault;
    Deidentifier deidentifier(std::move(*loaded.profile), std::move(*loaded.pseudonyms), options);
    return std::unique_ptr<Project>(
        new Project(settings.name, std::move(folder), std::move(deidentifier), std::move(vault)));
}

Project::Project(std::string name, std::string folder, Deidentifier deidentifier, std::optional<Vault> vault)
    : name_(std::move(name)),
      folder_(std::move(folder)),
      deidentifier_(std::move(deidentifier)),
      vault_(std::move(vault)) {
    if (vault_) remembered_.emplace(*vault_);
}

Result<Deidentified> Project::apply(const dicom::DataSet& original, const dicom::TransferSyntax& syntax,
                                    std::uint64_t association) {
    auto made = deidentifier_.apply(original, syntax);
    if (!made) return made;
    if (!made->quarantined && remembered_) {
        if (auto kept = remembered_->add(std::move(made->mappings)); !kept) return std::move(kept).error();
    }
    Reports full;
    {
        const std::lock_guard lock(mutex_);
        auto& reports = reports_[association];
        auto& report = reports
                           .try_emplace(made->study_instance_uid, deidentifier_.profile(),
                                        deidentifier_.pseudonyms().key().identifier())
                           .first->second;
        if (made->quarantined) {
            report.add_quarantined(made->study_instance_uid, made->sop_instance_uid, *made->quarantined);
        } else {
            report.add(made->study_instance_uid, made->report);
        }
        if (reports.size() > kStudiesInMemory) full.swap(reports);
    }
    write(full, association);
    return made;
}

Result<void> Project::keep_aside(const Deidentified& made, std::string part10) const {
    const Pseudonyms& pseudonyms = deidentifier_.pseudonyms();
    const auto tag = pseudonyms.hashed("sealed instance", part10);
    auto sealed = seal_instance(pseudonyms.key(), {made.sop_instance_uid, std::move(part10)});
    if (!sealed) return std::move(sealed).error();
    // The same original again needs no second file; sealed twice, it has other bytes.
    const auto path = fmt::format("{}/quarantine/{}-{}.sealed", folder_, made.sop_instance_uid, tag);
    auto written = write_secret(path, as_bytes(*sealed));
    if (!written && written.error().code == Errc::already_exists) return {};
    return written;
}

void Project::finish(std::uint64_t association) {
    Reports reports;
    {
        const std::lock_guard lock(mutex_);
        const auto found = reports_.find(association);
        if (found == reports_.end()) return;
        reports = std::move(found->second);
        reports_.erase(found);
    }
    write(reports, association);
}

void Project::write(const Reports& reports, std::uint64_t association) {
    for (const auto& [study, report] : reports) {
        if (auto written = write_one(study, report, association); !written)
            log::error("association={} its report of de-identification by {} is lost: {}", association, name_,
                       written.error().message());
    }
}

Result<void> Project::write_one(const std::string& study, const Report& report, std::uint64_t association) {
    const auto folder = fmt::format("{}/reports/{}", folder_, study.empty() ? "none" : study);
    if (auto made = make_folder(folder); !made) return made;
    const auto path = fmt::format("{}/{}-{}-{}", folder, now_text(), association, ++reports_written_);
    if (auto written = write_secret(path + ".json", as_bytes(report.json())); !written) return written;
    return write_secret(path + ".txt", as_bytes(report.text()));
}

}  // namespace sagitta::deid
