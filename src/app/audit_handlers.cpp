#include "app/audit_handlers.h"

#include <utility>

#include "core/bytes.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"

namespace sagitta::app {

using net::dimse::AssociationInfo;
using net::dimse::Status;

namespace {

audit::Node peer_of(const AssociationInfo& info) {
    audit::Node node;
    node.ae_title = info.calling.str();
    node.host = info.peer_host;
    node.user = info.user;
    node.requestor = true;
    return node;
}

audit::Outcome outcome_of(Status status) {
    if (status == Status::success || status == Status::cancel) return audit::Outcome::success;
    return net::dimse::is_warning(status) ? audit::Outcome::minor_failure : audit::Outcome::serious_failure;
}

}  // namespace

net::dimse::Handlers AuditHandlers::stand_before(const net::dimse::Handlers& handlers) {
    inner_ = handlers;
    net::dimse::Handlers outer = handlers;
    outer.gate = this;
    if (inner_.identity != nullptr) outer.identity = this;
    if (inner_.find != nullptr) outer.find = this;
    if (inner_.get != nullptr) outer.get = this;
    if (inner_.move != nullptr) outer.move = this;
    return outer;
}

audit::Node AuditHandlers::ourselves() const {
    audit::Node node;
    node.ae_title = ae_title_;
    return node;
}

void AuditHandlers::activity(bool start) {
    audit::Event event;
    event.kind = start ? audit::Kind::application_start : audit::Kind::application_stop;
    event.source = ourselves();
    trail_.record(std::move(event));
}

void AuditHandlers::alert(const AssociationInfo& info, std::string why) {
    audit::Event event;
    event.kind = audit::Kind::security_alert;
    event.outcome = audit::Outcome::serious_failure;
    event.source = peer_of(info);
    event.destination = ourselves();
    event.text = std::move(why);
    trail_.record(std::move(event));
}

std::variant<net::ul::NegotiationPolicy, net::ul::Rejection> AuditHandlers::admit(
    const AssociationInfo& info) {
    auto answer = inner_.gate->admit(info);
    if (const auto* refused = std::get_if<net::ul::Rejection>(&answer))
        alert(info, "association rejected: " + refused->log_text);
    return answer;
}

Task<net::dimse::Identity> AuditHandlers::identify(const AssociationInfo& association,
                                                   std::optional<net::ul::UserIdentityRq> claim) {
    auto identity = co_await inner_.identity->identify(association, std::move(claim));
    if (!identity.accepted) alert(association, "user identity not accepted: " + identity.why);
    co_return identity;
}

void AuditHandlers::filed(const AssociationInfo& association, const service::FiledInstance& instance) {
    bool first = false;
    audit::Event event;
    {
        const std::lock_guard lock(mutex_);
        auto& studies = received_[association.id];
        auto [at, is_new] = studies.try_emplace(instance.study_instance_uid);
        first = is_new;
        at->second.study_instance_uid = instance.study_instance_uid;
        at->second.patient_id = instance.patient_id;
        ++at->second.instances[instance.sop_class_uid];
        if (first) event.studies.push_back(at->second);
    }
    if (!first) return;
    event.kind = audit::Kind::begin_transferring;
    event.source = peer_of(association);
    event.destination = ourselves();
    trail_.record(std::move(event));
}

void AuditHandlers::closed(const AssociationInfo& info) {
    std::map<std::string, audit::StudyObjects> studies;
    {
        const std::lock_guard lock(mutex_);
        if (auto node = received_.extract(info.id)) studies = std::move(node.mapped());
    }
    for (auto& [uid, study] : studies) {
        audit::Event event;
        event.kind = audit::Kind::instances_transferred;
        event.source = peer_of(info);
        event.destination = ourselves();
        event.studies.push_back(std::move(study));
        trail_.record(std::move(event));
    }
    inner_.gate->closed(info);
}

Task<net::dimse::Outcome> AuditHandlers::find(const AssociationInfo& association,
                                              net::dimse::QueryRequest request,
                                              net::dimse::FindResponder& out) {
    audit::Event event;
    event.kind = audit::Kind::query;
    event.source = peer_of(association);
    event.destination = ourselves();
    event.sop_class_uid = request.sop_class_uid.str();
    event.transfer_syntax_uid = request.syntax->uid;
    event.identifier = as_text(request.identifier.span());
    auto outcome = co_await inner_.find->find(association, std::move(request), out);
    event.outcome = outcome_of(outcome.status);
    trail_.record(std::move(event));
    co_return outcome;
}

audit::Event AuditHandlers::retrieval(const AssociationInfo& association,
                                      const net::dimse::QueryRequest& request, audit::Node to) const {
    audit::Event event;
    event.kind = audit::Kind::begin_transferring;
    event.received = false;
    event.source = ourselves();
    event.destination = std::move(to);
    event.destination.requestor = event.destination.ae_title == association.calling.view();
    const auto parsed = dicom::parse_data_set(request.identifier.span(), *request.syntax);
    if (!parsed) return event;
    audit::StudyObjects study;
    study.study_instance_uid = parsed->data_set.text(dicom::tags::StudyInstanceUID);
    study.patient_id = parsed->data_set.text(dicom::tags::PatientID);
    event.studies.push_back(std::move(study));
    return event;
}

void AuditHandlers::sent(audit::Event event, const net::dimse::RetrieveOutcome& outcome) {
    event.kind = audit::Kind::instances_transferred;
    event.time = std::chrono::system_clock::now();
    event.outcome = outcome_of(outcome.outcome.status);
    trail_.record(std::move(event));
}

Task<net::dimse::RetrieveOutcome> AuditHandlers::get(const AssociationInfo& association,
                                                     net::dimse::QueryRequest request,
                                                     net::dimse::GetResponder& out) {
    auto event = retrieval(association, request, peer_of(association));
    trail_.record(event);
    auto outcome = co_await inner_.get->get(association, std::move(request), out);
    sent(std::move(event), outcome);
    co_return outcome;
}

Task<net::dimse::RetrieveOutcome> AuditHandlers::move(const AssociationInfo& association,
                                                      net::dimse::QueryRequest request,
                                                      net::ul::AeTitle destination,
                                                      net::dimse::MoveResponder& out) {
    audit::Node to;
    to.ae_title = destination.str();
    auto event = retrieval(association, request, std::move(to));
    trail_.record(event);
    auto outcome = co_await inner_.move->move(association, std::move(request), destination, out);
    sent(std::move(event), outcome);
    co_return outcome;
}

}  // namespace sagitta::app
