// Modality Performed Procedure Step as SCP (PS3.4 Annex F): takes what modalities report durably, by the
// rules of procedure_step_rules.h, and gives it back to who asks (Retrieve).
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <string_view>

#include "core/worker_pool.h"
#include "net/dimse/handlers.h"
#include "service/procedure_step_rules.h"
#include "storage/procedure_step_log.h"

namespace sagitta::service {

struct ProcedureStepScpSettings {
    /// What the table requires and a step lacks is refused; else only what identifies the step, its state and
    /// its instances must be right, and the rest is logged.
    bool strict = false;
    std::uint64_t max_object_bytes = std::uint64_t{8} << 20;  ///< of one step
    std::uint64_t max_in_progress = 10'000;
    /// Whether what this calling AE title sends may be filed de-identified: then its steps are not kept.
    std::function<bool(std::string_view calling)> is_deidentified;
    /// Whether this calling AE title gets only what is de-identified: then it reads no steps.
    std::function<bool(std::string_view calling)> gets_deidentified;
    std::function<void()> on_final_state;  ///< on any thread
};

/// Thread-safe. What it is given outlives it.
class ProcedureStepScp final : public net::dimse::InstanceHandler {
public:
    ProcedureStepScp(storage::ProcedureStepLog& log, WorkerPool& workers, ProcedureStepScpSettings settings);

    /// Success (or a warning): the step is on stable storage.
    [[nodiscard]] Task<net::dimse::InstanceAnswer> create(const net::dimse::AssociationInfo& association,
                                                          net::dimse::NormalizedRequest request) override;
    [[nodiscard]] Task<net::dimse::InstanceAnswer> set(const net::dimse::AssociationInfo& association,
                                                       net::dimse::NormalizedRequest request) override;
    [[nodiscard]] Task<net::dimse::InstanceAnswer> get(const net::dimse::AssociationInfo& association,
                                                       net::dimse::NormalizedRequest request) override;

private:
    using Answer = net::dimse::InstanceAnswer;
    [[nodiscard]] Answer create_now(const net::dimse::AssociationInfo& association,
                                    const net::dimse::NormalizedRequest& request);
    [[nodiscard]] Answer set_now(const net::dimse::AssociationInfo& association,
                                 const net::dimse::NormalizedRequest& request);
    [[nodiscard]] Answer get_now(const net::dimse::NormalizedRequest& request);
    [[nodiscard]] Result<dicom::DataSet> read(const net::dimse::NormalizedRequest& request) const;
    [[nodiscard]] Result<void> encode(const dicom::DataSet& data_set, storage::ProcedureStep& step) const;

    storage::ProcedureStepLog& log_;
    WorkerPool& workers_;
    const ProcedureStepScpSettings settings_;
    std::mutex mutex_;  ///< held from reading a step to writing it changed
};

/// A step as it lies in the log. Errors: those of parse_data_set.
[[nodiscard]] Result<dicom::DataSet> data_set_of(const storage::ProcedureStep& step);

}  // namespace sagitta::service
