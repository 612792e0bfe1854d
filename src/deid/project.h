// A project at work in a node: [deid.NAME] of the configuration. One Deidentifier, its vault, what it could
// not de-identify, and its reports, in one folder.
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "deid/deidentifier.h"
#include "deid/project_settings.h"
#include "deid/report.h"
#include "deid/vault.h"
#include "deid/vault_queue.h"

namespace sagitta::deid {

/// Thread-safe. Everything blocks.
class Project {
public:
    /// Why it cannot be opened; nothing is written. Each problem says where it is.
    [[nodiscard]] static std::vector<std::string> problems(const ProjectSettings& settings);

    /// Makes `folder` and the vault in it when they are not there. Errors: of the profile, the key, the table
    /// of pseudonyms, the vault.
    [[nodiscard]] static Result<std::unique_ptr<Project>> open(const ProjectSettings& settings,
                                                               std::string folder);

    /// As Deidentifier::apply; what comes back is remembered by the vault, durably. Errors also: io_failure.
    /// `association` collects the report.
    [[nodiscard]] Result<Deidentified> apply(const dicom::DataSet& original,
                                             const dicom::TransferSyntax& syntax, std::uint64_t association);

    /// Keeps the original of what apply() quarantined, encrypted and durable. Errors: limit_exceeded beyond
    /// 1 GiB, no_space, io_failure.
    [[nodiscard]] Result<void> keep_aside(const Deidentified& made, std::string part10) const;

    /// Writes the association's reports, reports/STUDY/TIME-ASSOCIATION-NUMBER.json and .txt, by the new
    /// Study Instance UID. One that cannot be written is logged and lost.
    void finish(std::uint64_t association);

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    /// What became of a UID, or would.
    [[nodiscard]] std::string new_uid(std::string_view original) const {
        return deidentifier_.pseudonyms().uid(original);
    }

private:
    using Reports = std::map<std::string, Report>;  // by new Study Instance UID

    Project(std::string name, std::string folder, Deidentifier deidentifier, std::optional<Vault> vault);
    void write(const Reports& reports, std::uint64_t association);
    Result<void> write_one(const std::string& study, const Report& report, std::uint64_t association);

    std::string name_;
    std::string folder_;
    Deidentifier deidentifier_;
    std::optional<Vault> vault_;
    std::optional<VaultQueue> remembered_;
    std::mutex mutex_;
    std::map<std::uint64_t, Reports> reports_;  // by association
    std::atomic<std::uint64_t> reports_written_ = 0;
};

}  // namespace sagitta::deid
