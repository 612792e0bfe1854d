#include "doctor/examine.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/log.h"
#include "dicom/generated/uids.h"
#include "doctor/examiner.h"
#include "doctor/matrix.h"

namespace sagitta::doctor {

namespace uids = dicom::uids;

namespace {

constexpr auto kListenPatience = std::chrono::milliseconds(700);

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

PeerTraits traits_of(const net::ul::AssociateAc& answer) {
    PeerTraits traits;
    traits.implementation_class_uid = log::escaped(answer.user.implementation_class_uid);
    traits.implementation_version_name = log::escaped(answer.user.implementation_version_name);
    traits.max_pdu_bytes = answer.user.max_pdu_bytes;
    if (answer.user.asynchronous_operations)
        traits.operations_window = answer.user.asynchronous_operations->invoked;
    return traits;
}

}  // namespace

const std::set<std::string, std::less<>>& step_names() {
    static const std::set<std::string, std::less<>> names{"services", "storage", "query", "move", "get"};
    return names;
}

std::vector<net::scu::WantedContext> plain_context(std::string_view sop_class_uid) {
    net::scu::WantedContext wish;
    wish.sop_class_uid = sop_class_uid;
    wish.transfer_syntaxes = {std::string(uids::ExplicitVRLittleEndian),
                              std::string(uids::ImplicitVRLittleEndian)};
    return {wish};
}

Examiner::Examiner(const Examination& what) : what_(what), io_(1) {
    names_.calling = what.settings.calling.str();
    names_.called = what.peer.called.str();
    names_.host = what.peer.host;
    names_.port = what.peer.port;
    findings_.peer = fmt::format("{}@{}:{}", names_.called, log::escaped(names_.host), names_.port);
    findings_.calling = names_.calling;
}

bool Examiner::wants(std::string_view step) {
    if (what_.progress) what_.progress(step);
    if (!what_.skip.contains(step)) return true;
    Finding finding;
    finding.step = step;
    finding.what = "skipped";
    add(std::move(finding));
    return false;
}

void Examiner::add(Finding finding) {
    findings_.steps.push_back(std::move(finding));
}

bool Examiner::offers(std::string_view sop_class_uid) const {
    return std::any_of(findings_.services.begin(), findings_.services.end(), [&](const ClassAnswer& one) {
        return one.sop_class_uid == sop_class_uid && !one.transfer_syntaxes.empty();
    });
}

std::string Examiner::model(std::string_view study_root, std::string_view patient_root) const {
    if (offers(study_root)) return std::string(study_root);
    return offers(patient_root) ? std::string(patient_root) : std::string();
}

bool Examiner::reach() {
    Finding finding;
    finding.step = "resolve";
    auto start = std::chrono::steady_clock::now();
    const auto addresses = resolve(names_.host);
    finding.milliseconds = milliseconds_since(start);
    if (!addresses) {
        finding.verdict = Verdict::fails;
        explain_resolve(finding, names_);
        add(std::move(finding));
        return false;
    }
    finding.verdict = Verdict::works;
    finding.what = addresses->front();
    if (addresses->size() > 1) finding.what += fmt::format(" and {} more", addresses->size() - 1);
    add(std::exchange(finding, {}));

    finding.step = "connect";
    start = std::chrono::steady_clock::now();
    const auto patience =
        std::chrono::duration_cast<std::chrono::milliseconds>(what_.settings.association.connect_timeout);
    const auto route = connect_to(names_.host, names_.port, patience);
    finding.milliseconds = milliseconds_since(start);
    if (!route) {
        finding.verdict = Verdict::fails;
        explain_connect(finding, route.error(), names_);
    } else {
        finding.verdict = Verdict::works;
        finding.what =
            fmt::format("{} port {}, from {}", route->peer_address, names_.port, route->local_address);
        names_.local_address = route->local_address;
        peer_address_ = route->peer_address;
    }
    add(std::move(finding));
    return bool(route);
}

/// Of an association that did not come about.
void Examiner::explain(Finding& finding, const Attempt& made) {
    finding.verdict = Verdict::fails;
    finding.what = made.error.message();
    if (made.heard->rejected) return explain_reject(finding, *made.heard->rejected, names_);
    if (made.heard->aborted) return explain_abort(finding, *made.heard->aborted, names_);
    explain_speaker(finding, who_speaks(names_.host, names_.port, kListenPatience), names_);
}

bool Examiner::associate() {
    Finding finding;
    finding.step = "associate";
    auto settings = what_.settings;
    settings.operations_window = 16;  // to see whether the peer takes more than one at a time
    auto made = io_.run(attempt(what_.peer, settings, plain_context(uids::Verification)));
    finding.milliseconds = made.milliseconds;
    if (made.heard->accepted) findings_.traits = traits_of(*made.heard->accepted);
    if (!made.client) {
        explain(finding, made);
        add(std::move(finding));
        return false;
    }
    finding.verdict = Verdict::works;
    finding.what = "accepted";
    add(std::exchange(finding, {}));

    finding.step = "echo";
    const auto start = std::chrono::steady_clock::now();
    const auto outcome = io_.run(made.client->echo());
    finding.milliseconds = milliseconds_since(start);
    finding.verdict = Verdict::fails;
    if (!outcome) {
        finding.what = outcome.error().message();
        finding.advice.push_back(
            "On the peer: every DICOM service provider has to take Verification (PS3.4 A); "
            "allow C-ECHO to " +
            names_.calling + ".");
    } else if (outcome->status != net::dimse::Status::success) {
        explain_status(finding, *outcome, "C-ECHO", names_);
    } else {
        finding.verdict = Verdict::works;
        finding.what = "success";
    }
    (void)io_.run(made.client->release());
    add(std::move(finding));
    return true;
}

void Examiner::ask_services() {
    if (!wants("services")) return;
    Finding finding;
    finding.step = "services";
    const auto start = std::chrono::steady_clock::now();
    auto matrix = io_.run(ask_matrix(what_.peer, what_.settings, service_cells(), false, {}));
    finding.milliseconds = milliseconds_since(start);
    if (!matrix) {
        finding.verdict = Verdict::fails;
        finding.what = matrix.error().message();
        finding.advice.push_back(
            "On the peer: it took an association with one presentation context and none with "
            "many; its log says why.");
    } else {
        findings_.services = std::move(matrix->classes);
        const auto taken =
            std::count_if(findings_.services.begin(), findings_.services.end(),
                          [](const ClassAnswer& one) { return !one.transfer_syntaxes.empty(); });
        finding.verdict = taken == 0 ? Verdict::not_offered : Verdict::works;
        finding.what = fmt::format("{} of {} asked for are offered", taken, findings_.services.size());
    }
    add(std::move(finding));
}

void Examiner::ask_storage() {
    if (!wants("storage")) return;
    Finding finding;
    finding.step = "storage";
    const auto cells = storage_cells();
    const auto start = std::chrono::steady_clock::now();
    const auto progress = [this, all = cells.size()](std::size_t done) {
        if (what_.progress) what_.progress(fmt::format("storage: {} of {} combinations", done, all));
    };
    auto matrix = io_.run(ask_matrix(what_.peer, what_.settings, cells, true, progress));
    finding.milliseconds = milliseconds_since(start);
    if (!matrix) {
        finding.verdict = Verdict::fails;
        finding.what = matrix.error().message();
        finding.advice.push_back(
            "On the peer: it may limit how many associations one node opens in a short time.");
        add(std::move(finding));
        return;
    }
    findings_.storage = std::move(matrix->classes);
    findings_.associations = matrix->associations;
    findings_.proposed_syntaxes = findings_.storage.empty() ? 0 : cells.size() / findings_.storage.size();
    const auto taken = std::count_if(findings_.storage.begin(), findings_.storage.end(),
                                     [](const ClassAnswer& one) { return !one.transfer_syntaxes.empty(); });
    finding.verdict = taken == 0 ? Verdict::not_offered : Verdict::works;
    finding.what = fmt::format("{} of {} SOP classes accepted", taken, findings_.storage.size());
    add(std::move(finding));
}

Findings Examiner::run() {
    if (!reach() || !associate()) return std::move(findings_);
    ask_services();
    ask_storage();
    query();
    move();
    get();
    store();
    return std::move(findings_);
}

Findings examine(const Examination& what) {
    return Examiner(what).run();
}

}  // namespace sagitta::doctor
