#include "doctor/matrix.h"

#include <algorithm>
#include <span>
#include <string_view>
#include <utility>

#include "dicom/generated/uids.h"
#include "dicom/transfer_syntax.h"
#include "dicom/uid_table.h"
#include "doctor/attempt.h"

namespace sagitta::doctor {
namespace {

namespace uids = dicom::uids;

constexpr std::size_t kMostContexts = 128;
constexpr std::size_t kFewContexts = 16;

constexpr std::string_view kServices[] = {
    uids::Verification,
    uids::StudyRootQueryRetrieveInformationModelFind,
    uids::StudyRootQueryRetrieveInformationModelMove,
    uids::StudyRootQueryRetrieveInformationModelGet,
    uids::PatientRootQueryRetrieveInformationModelFind,
    uids::PatientRootQueryRetrieveInformationModelMove,
    uids::PatientRootQueryRetrieveInformationModelGet,
    uids::PatientStudyOnlyQueryRetrieveInformationModelFind,
    uids::PatientStudyOnlyQueryRetrieveInformationModelMove,
    uids::PatientStudyOnlyQueryRetrieveInformationModelGet,
    uids::ModalityWorklistInformationModelFind,
    uids::StorageCommitmentPushModel,
    uids::ModalityPerformedProcedureStep,
    uids::ModalityPerformedProcedureStepRetrieve,
    uids::ModalityPerformedProcedureStepNotification,
    uids::InstanceAvailabilityNotification,
    uids::UnifiedProcedureStepPush,
    uids::UnifiedProcedureStepPull,
    uids::UnifiedProcedureStepWatch,
    uids::UnifiedProcedureStepQuery,
    uids::CompositeInstanceRootRetrieveGet,
    uids::CompositeInstanceRootRetrieveMove,
    uids::CompositeInstanceRetrieveWithoutBulkDataGet,
    uids::GeneralRelevantPatientInformationQuery,
    uids::HangingProtocolInformationModelFind,
    uids::BasicGrayscalePrintManagementMeta,
    uids::BasicColorPrintManagementMeta,
};

/// Objects are not stored by reference, as live video, or in other containers.
bool stores_objects(std::string_view uid) {
    const auto* entry = dicom::find_uid(uid);
    if (entry == nullptr) return false;
    if (entry->retired) return uid == uids::ExplicitVRBigEndian;
    return !uid.starts_with("1.2.840.10008.1.2.7.") && !entry->keyword.starts_with("JPIP");
}

ClassAnswer* row_of(Matrix& matrix, std::string_view sop_class_uid) {
    const auto at = std::find_if(matrix.classes.begin(), matrix.classes.end(),
                                 [&](const ClassAnswer& row) { return row.sop_class_uid == sop_class_uid; });
    return at == matrix.classes.end() ? nullptr : &*at;
}

void add_rows(Matrix& matrix, std::span<const Cell> cells) {
    for (const auto& cell : cells) {
        if (row_of(matrix, cell.sop_class_uid) != nullptr) continue;
        ClassAnswer row;
        row.sop_class_uid = cell.sop_class_uid;
        const auto* entry = dicom::find_uid(cell.sop_class_uid);
        row.keyword = entry != nullptr ? std::string(entry->keyword) : cell.sop_class_uid;
        matrix.classes.push_back(std::move(row));
    }
}

std::vector<net::scu::WantedContext> wanted_of(std::span<const Cell> cells, bool with_scp_role) {
    std::vector<net::scu::WantedContext> wanted;
    for (const auto& cell : cells) {
        if (wanted.empty() || wanted.back().sop_class_uid != cell.sop_class_uid) {
            net::scu::WantedContext wish;
            wish.sop_class_uid = cell.sop_class_uid;
            wish.as_scp = with_scp_role;
            wanted.push_back(std::move(wish));
        }
        wanted.back().transfer_syntaxes.push_back(cell.transfer_syntax_uid);
    }
    return wanted;
}

void note_answers(Matrix& matrix, std::span<const net::ul::AcceptedPresentationContext> contexts) {
    for (const auto& context : contexts) {
        auto* row = row_of(matrix, context.abstract_syntax);
        if (row == nullptr) continue;
        row->transfer_syntaxes.push_back(context.transfer_syntax);
        row->scp_role = row->scp_role || context.requestor_is_scp;
    }
}

}  // namespace

std::vector<Cell> storage_cells() {
    std::vector<Cell> cells;
    for (const auto& entry : dicom::registered_uids()) {
        if (!entry.is_storage_sop_class) continue;
        for (const auto& syntax : dicom::transfer_syntaxes())
            if (stores_objects(syntax.uid))
                cells.push_back({std::string(entry.uid), std::string(syntax.uid)});
    }
    return cells;
}

std::vector<Cell> service_cells() {
    std::vector<Cell> cells;
    for (const auto service : kServices) {
        cells.push_back({std::string(service), std::string(uids::ExplicitVRLittleEndian)});
        cells.push_back({std::string(service), std::string(uids::ImplicitVRLittleEndian)});
    }
    return cells;
}

Task<Result<Matrix>> ask_matrix(net::scu::Address peer, net::scu::ClientSettings settings,
                                std::vector<Cell> cells, bool with_scp_role,
                                std::function<void(std::size_t)> progress) {
    Matrix matrix;
    add_rows(matrix, cells);
    std::size_t at_once = kMostContexts;
    const std::span<const Cell> all = cells;
    for (std::size_t done = 0; done < all.size();) {
        const auto round = all.subspan(done, std::min(at_once, all.size() - done));
        auto wanted = wanted_of(round, with_scp_role);
        auto tried = co_await attempt(peer, settings, std::move(wanted));
        ++matrix.associations;
        if (!tried.client) {
            if (at_once == kFewContexts) co_return std::move(tried.error);
            at_once = kFewContexts;
            continue;
        }
        note_answers(matrix, tried.client->contexts());
        (void)co_await tried.client->release();
        done += round.size();
        if (progress) progress(done);
    }
    co_return std::move(matrix);
}

}  // namespace sagitta::doctor
