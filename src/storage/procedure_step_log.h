// Modality Performed Procedure Steps (PS3.4 Annex F) as modalities reported them. They are nowhere else: what
// this says is on stable storage. DATA/mpps.sqlite (docs/STORAGE_FORMAT.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace sagitta::storage {

/// Performed Procedure Step Status (0040,0252).
enum class StepState : std::uint8_t { in_progress, completed, discontinued };

/// "IN PROGRESS", "COMPLETED", "DISCONTINUED".
[[nodiscard]] std::string_view to_string(StepState state) noexcept;
[[nodiscard]] std::optional<StepState> parse_step_state(std::string_view text) noexcept;

struct ProcedureStep {
    std::int64_t id = 0;  ///< given by the log
    std::string sop_instance_uid;
    StepState state = StepState::in_progress;
    std::string sender;                            ///< calling AE title that created it
    std::vector<std::string> study_instance_uids;  ///< that it names
    std::int64_t created = 0;                      ///< seconds since 1970, UTC
    std::int64_t changed = 0;                      ///< seconds since 1970, UTC
    std::int64_t arrived = 0;                      ///< when all it names was found in the archive; 0: not yet
    std::vector<std::byte> data_set;               ///< Explicit VR Little Endian
};

/// Thread-safe; blocks on the disk. Errors everywhere: io_failure, no_space, corrupt. Steps are in the order
/// of their ids.
class ProcedureStepLog {
public:
    virtual ~ProcedureStepLog() = default;

    /// Opens or creates `data_dir`/mpps.sqlite. Errors: unsupported (of a newer version).
    [[nodiscard]] static Result<std::unique_ptr<ProcedureStepLog>> open(const std::string& data_dir);
    /// For reading only, beside a node that writes. Errors: not_found, unsupported.
    [[nodiscard]] static Result<std::unique_ptr<ProcedureStepLog>> open_to_read(const std::string& data_dir);

    /// The id. Errors: already_exists.
    [[nodiscard]] virtual Result<std::int64_t> add(const ProcedureStep& step) = 0;
    /// State, studies, time of change and data set of the step with that id.
    [[nodiscard]] virtual Result<void> update(const ProcedureStep& step) = 0;
    [[nodiscard]] virtual Result<void> set_arrived(std::int64_t id, std::int64_t time) = 0;
    /// Removes what has not been changed since `time`; how many they were.
    [[nodiscard]] virtual Result<std::uint64_t> forget_before(std::int64_t time) = 0;

    [[nodiscard]] virtual Result<std::optional<ProcedureStep>> find(std::string_view sop_instance_uid) = 0;
    [[nodiscard]] virtual Result<std::optional<ProcedureStep>> find(std::int64_t id) = 0;
    [[nodiscard]] virtual Result<std::vector<ProcedureStep>> of_study(std::string_view study_uid) = 0;
    /// In a final state and not arrived; without studies and data sets.
    [[nodiscard]] virtual Result<std::vector<ProcedureStep>> awaited() = 0;
    /// At most `limit` with greater ids than `after`; without studies and data sets.
    [[nodiscard]] virtual Result<std::vector<ProcedureStep>> list(std::int64_t after,
                                                                  std::uint64_t limit) = 0;
    [[nodiscard]] virtual Result<std::uint64_t> count_in_progress() = 0;
};

}  // namespace sagitta::storage
