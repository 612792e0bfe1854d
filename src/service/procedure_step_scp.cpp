#include "service/procedure_step_scp.h"

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/log.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/parser.h"
#include "dicom/transfer_syntax.h"
#include "dicom/writer.h"

namespace sagitta::service {
namespace {

using net::dimse::InstanceAnswer;
using net::dimse::Outcome;
using net::dimse::Status;
using storage::ProcedureStep;
using storage::StepState;
namespace tags = dicom::tags;

constexpr std::uint16_t kMayNoLongerBeUpdated = 0xa710;  // Error ID (PS3.4 F.7.2.2.3)
constexpr std::uint32_t kMaxDepth = 16;
constexpr std::uint32_t kMaxElements = 1'000'000;

std::int64_t now_utc() {
    return std::chrono::duration_cast<std::chrono::seconds>(
               std::chrono::system_clock::now().time_since_epoch())
        .count();
}

InstanceAnswer answer(Outcome outcome) {
    InstanceAnswer made;
    made.outcome = std::move(outcome);
    return made;
}

InstanceAnswer refusal(const Error& error) {
    switch (error.code) {
        case Errc::already_exists: return answer({Status::duplicate_sop_instance, "the step exists already"});
        case Errc::limit_exceeded:
        case Errc::no_space: return answer({Status::resource_limitation, error.message()});
        default: return answer({Status::processing_failure, error.message()});
    }
}

Outcome refuse(Status status, std::string_view what, std::vector<dicom::Tag> which) {
    return {status, fmt::format("{} {}", what, to_string(which)), std::move(which)};
}

/// What is refused: of all that was found, or only wrong UIDs.
std::optional<Outcome> judge(const StepFindings& found, bool strict) {
    if (strict && !found.not_allowed.empty())
        return refuse(Status::no_such_attribute, "may not be set:", found.not_allowed);
    if (strict && !found.missing.empty()) return refuse(Status::missing_attribute, "missing:", found.missing);
    if (strict && !found.empty.empty())
        return refuse(Status::missing_attribute_value, "without value:", found.empty);
    if (!found.invalid.empty()) return refuse(Status::invalid_attribute_value, "no UID:", found.invalid);
    return std::nullopt;
}

/// The status of a new step, which has one, or that of a modification, which may have one.
std::optional<Outcome> read_status(const dicom::DataSet& data_set, bool is_new,
                                   std::optional<StepState>& state) {
    const auto tag = tags::PerformedProcedureStepStatus;
    const auto element = data_set.find(tag);
    if (!element && !is_new) return std::nullopt;
    if (!element) return refuse(Status::missing_attribute, "missing:", {tag});
    if (element->text(0).empty()) return refuse(Status::missing_attribute_value, "without value:", {tag});
    state = storage::parse_step_state(element->text());
    const bool possible = state && (!is_new || *state == StepState::in_progress);
    if (!possible) return refuse(Status::invalid_attribute_value, "no state it can have:", {tag});
    return std::nullopt;
}

void tell(const net::dimse::AssociationInfo& association, std::int64_t id, const StepFindings& found) {
    if (!found.missing.empty() || !found.empty.empty())
        log::warning("association={} mpps={} taken, though it lacks {}{}{}", association.id, id,
                     to_string(found.missing), found.missing.empty() || found.empty.empty() ? "" : " ",
                     to_string(found.empty));
}

}  // namespace

Result<dicom::DataSet> data_set_of(const ProcedureStep& step) {
    auto parsed = dicom::parse_data_set(step.data_set, dicom::explicit_vr_little_endian());
    if (!parsed) return std::move(parsed).error().within("a stored procedure step");
    return std::move(parsed->data_set);
}

ProcedureStepScp::ProcedureStepScp(storage::ProcedureStepLog& log, WorkerPool& workers,
                                   ProcedureStepScpSettings settings)
    : log_(log), workers_(workers), settings_(std::move(settings)) {}

Result<dicom::DataSet> ProcedureStepScp::read(const net::dimse::NormalizedRequest& request) const {
    if (request.data_set.size() > settings_.max_object_bytes)
        return Error(Errc::limit_exceeded, "larger than mpps.max_object");
    dicom::ParseOptions options;
    options.max_depth = kMaxDepth;
    options.max_elements = kMaxElements;
    options.max_inflated_bytes = settings_.max_object_bytes;
    auto parsed = dicom::parse_data_set(request.data_set.span(), *request.syntax, options);
    if (!parsed) return std::move(parsed).error();
    return std::move(parsed->data_set);
}

Result<void> ProcedureStepScp::encode(const dicom::DataSet& data_set, ProcedureStep& step) const {
    ByteBuffer bytes;
    dicom::WriteOptions options;
    options.form = dicom::WriteOptions::Form::canonical;
    auto written = dicom::write_data_set(data_set, dicom::explicit_vr_little_endian(), bytes, options);
    if (!written) return written;
    if (bytes.size() > settings_.max_object_bytes)
        return Error(Errc::limit_exceeded, "the step would be larger than mpps.max_object");
    step.data_set.assign(bytes.span().begin(), bytes.span().end());
    step.study_instance_uids = studies_of_step(data_set);
    return {};
}

// ---- N-CREATE

Task<InstanceAnswer> ProcedureStepScp::create(const net::dimse::AssociationInfo& association,
                                              net::dimse::NormalizedRequest request) {
    if (!(request.sop_class_uid == dicom::uids::ModalityPerformedProcedureStep))
        co_return answer(Outcome(Status::unrecognized_operation, "this SOP Class is for N-GET alone"));
    if (settings_.is_deidentified && settings_.is_deidentified(association.calling.view()))
        co_return answer(Outcome(Status::not_authorized, "what this sender sends is filed de-identified"));
    auto work = [this, &association, &request] { return create_now(association, request); };
    co_return co_await workers_.run(std::move(work));
}

InstanceAnswer ProcedureStepScp::create_now(const net::dimse::AssociationInfo& association,
                                            const net::dimse::NormalizedRequest& request) {
    auto attributes = read(request);
    if (!attributes) return refusal(attributes.error());
    std::optional<StepState> state;
    if (auto wrong = read_status(*attributes, true, state)) return answer(std::move(*wrong));
    const StepFindings found = check_create(*attributes);
    if (auto wrong = judge(found, settings_.strict)) return answer(std::move(*wrong));

    const bool named = !request.sop_instance_uid.empty();
    const auto uid = named ? request.sop_instance_uid : dicom::Uid::generate();
    ProcedureStep step;
    step.sop_instance_uid = uid.str();
    step.sender = association.calling.str();
    step.created = step.changed = now_utc();
    if (auto encoded = encode(*attributes, step); !encoded) return refusal(encoded.error());

    const std::lock_guard lock(mutex_);
    auto open = log_.count_in_progress();
    if (!open) return refusal(open.error());
    if (*open >= settings_.max_in_progress)
        return answer({Status::resource_limitation, "more steps in progress than mpps.max_in_progress"});
    auto id = log_.add(step);
    if (!id) return refusal(id.error());
    log::info("association={} mpps={} in progress{}", association.id, *id,
              named ? "" : ", under a SOP Instance UID of ours");
    tell(association, *id, found);
    InstanceAnswer made;
    made.sop_instance_uid = uid;
    return made;
}

// ---- N-SET

Task<InstanceAnswer> ProcedureStepScp::set(const net::dimse::AssociationInfo& association,
                                           net::dimse::NormalizedRequest request) {
    if (!(request.sop_class_uid == dicom::uids::ModalityPerformedProcedureStep))
        co_return answer(Outcome(Status::unrecognized_operation, "this SOP Class is for N-GET alone"));
    auto work = [this, &association, &request] { return set_now(association, request); };
    co_return co_await workers_.run(std::move(work));
}

InstanceAnswer ProcedureStepScp::set_now(const net::dimse::AssociationInfo& association,
                                         const net::dimse::NormalizedRequest& request) {
    auto modifications = read(request);
    if (!modifications) return refusal(modifications.error());
    const std::lock_guard lock(mutex_);
    auto known = log_.find(request.sop_instance_uid.view());
    if (!known) return refusal(known.error());
    if (!*known) return answer({Status::no_such_sop_instance, "no such step"});
    ProcedureStep step = std::move(**known);
    if (step.state != StepState::in_progress) {
        Outcome late(Status::processing_failure, "Performed Procedure Step Object may no longer be updated");
        late.error_id = kMayNoLongerBeUpdated;
        return answer(std::move(late));
    }
    std::optional<StepState> state;
    if (auto wrong = read_status(*modifications, false, state)) return answer(std::move(*wrong));
    if (auto wrong = judge(check_set(*modifications), settings_.strict)) return answer(std::move(*wrong));

    auto before = data_set_of(step);
    if (!before) return refusal(before.error());
    std::vector<dicom::Tag> refused;
    const dicom::DataSet after = modified_step(*before, *modifications, refused);
    const bool is_final = state && *state != StepState::in_progress;
    StepFindings found;
    if (is_final) found = check_final_state(after);
    if (auto wrong = judge(found, settings_.strict)) return answer(std::move(*wrong));

    if (state) step.state = *state;
    step.changed = now_utc();
    ProcedureStep changed = step;
    if (auto encoded = encode(after, changed); !encoded) return refusal(encoded.error());
    if (auto updated = log_.update(changed); !updated) return refusal(updated.error());
    log::info("association={} mpps={} {}", association.id, step.id,
              is_final ? to_string(step.state) : std::string_view("changed"));
    tell(association, step.id, found);
    if (is_final && settings_.on_final_state) settings_.on_final_state();
    if (refused.empty()) return {};
    return answer(refuse(Status::attribute_list_error, "not changed:", std::move(refused)));
}

// ---- N-GET

Task<InstanceAnswer> ProcedureStepScp::get(const net::dimse::AssociationInfo& association,
                                           net::dimse::NormalizedRequest request) {
    if (!(request.sop_class_uid == dicom::uids::ModalityPerformedProcedureStepRetrieve))
        co_return answer(Outcome(Status::unrecognized_operation, "N-GET is of the Retrieve SOP Class"));
    if (settings_.gets_deidentified && settings_.gets_deidentified(association.calling.view()))
        co_return answer(Outcome(Status::not_authorized, "this peer gets only what is de-identified"));
    auto work = [this, &request] { return get_now(request); };
    co_return co_await workers_.run(std::move(work));
}

InstanceAnswer ProcedureStepScp::get_now(const net::dimse::NormalizedRequest& request) {
    auto known = log_.find(request.sop_instance_uid.view());
    if (!known) return refusal(known.error());
    if (!*known) return answer({Status::no_such_sop_instance, "no such step"});
    auto stored = data_set_of(**known);
    if (!stored) return refusal(stored.error());
    InstanceAnswer made;
    std::vector<dicom::Tag> absent;
    if (request.attributes.empty()) {
        for (const auto element : stored->elements()) made.attributes.set(element);
        return made;
    }
    if (const auto characters = stored->find(tags::SpecificCharacterSet)) made.attributes.set(*characters);
    for (const auto tag : request.attributes) {
        const auto element = stored->find(tag);
        if (element) made.attributes.set(*element);
        if (!element) absent.push_back(tag);
    }
    if (!absent.empty())
        made.outcome = refuse(Status::optional_attributes_not_supported, "not there:", std::move(absent));
    return made;
}

}  // namespace sagitta::service
