#include <memory>
#include <utility>

#include <fmt/format.h>

#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "doctor/examiner.h"
#include "doctor/matrix.h"
#include "doctor/receiver.h"

namespace sagitta::doctor {

namespace tags = dicom::tags;
namespace uids = dicom::uids;

namespace {

double milliseconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
}

bool is_patient_root(std::string_view sop_class) {
    const auto* entry = dicom::find_uid(sop_class);
    return entry != nullptr && entry->keyword.starts_with("PatientRoot");
}

/// The identifier of a query for one level below what is known (PS3.4 C.4.1).
dicom::DataSet question(std::string_view level, const KnownInstance& known, bool patient_root) {
    dicom::DataSet identifier;
    identifier.set_text(tags::QueryRetrieveLevel, dicom::Vr::CS, level);
    if (level == "STUDY" || patient_root)
        identifier.set_text(tags::PatientID, dicom::Vr::LO, level == "STUDY" ? "" : known.patient_id);
    identifier.set_text(tags::StudyInstanceUID, dicom::Vr::UI, known.study);
    if (level != "STUDY") identifier.set_text(tags::SeriesInstanceUID, dicom::Vr::UI, known.series);
    if (level == "IMAGE") {
        identifier.set_text(tags::SOPInstanceUID, dicom::Vr::UI, "");
        identifier.set_text(tags::SOPClassUID, dicom::Vr::UI, "");
    }
    return identifier;
}

void note_match(const dicom::DataSet& match, KnownInstance& known) {
    const auto keep = [&](dicom::Tag tag, std::string& slot) {
        const auto text = match.text(tag);
        if (!text.empty()) slot = text;
    };
    keep(tags::PatientID, known.patient_id);
    keep(tags::StudyInstanceUID, known.study);
    keep(tags::SeriesInstanceUID, known.series);
    keep(tags::SOPInstanceUID, known.instance);
    keep(tags::SOPClassUID, known.sop_class);
}

constexpr std::string_view kLevels[] = {"STUDY", "SERIES", "IMAGE"};

std::string cancel_text(const net::dimse::Outcome& outcome, std::size_t matches) {
    if (outcome.status == net::dimse::Status::cancel) return "C-CANCEL honoured";
    if (matches <= 1) return "too few matches to try C-CANCEL";
    return fmt::format("ended by itself before C-CANCEL, after {} matches", matches);
}

}  // namespace

dicom::DataSet Examiner::identifier_of_found(bool patient_root) const {
    dicom::DataSet identifier;
    identifier.set_text(tags::QueryRetrieveLevel, dicom::Vr::CS, "IMAGE");
    if (patient_root) identifier.set_text(tags::PatientID, dicom::Vr::LO, found_.patient_id);
    identifier.set_text(tags::StudyInstanceUID, dicom::Vr::UI, found_.study);
    identifier.set_text(tags::SeriesInstanceUID, dicom::Vr::UI, found_.series);
    identifier.set_text(tags::SOPInstanceUID, dicom::Vr::UI, found_.instance);
    return identifier;
}

/// From the first study that is told to its first instance; each query is cancelled at its first match.
Task<bool> Examiner::find_instance(std::string sop_class, Finding& finding) {
    auto wanted = plain_context(sop_class);
    auto made = co_await attempt(what_.peer, what_.settings, std::move(wanted));
    if (!made.client) {
        finding.what = made.error.message();
        co_return false;
    }
    const bool patient_root = is_patient_root(sop_class);
    const auto uid = *dicom::Uid::parse(sop_class);
    std::string cancelled;
    for (const std::string_view level : kLevels) {
        const auto identifier = question(level, found_, patient_root);
        net::scu::OnMatch on_match = [this](const dicom::DataSet& match) -> Task<bool> {
            note_match(match, found_);
            co_return false;
        };
        const std::size_t before = made.heard->pending;
        auto outcome = co_await made.client->find(uid, identifier, on_match);
        const std::string service = fmt::format("C-FIND at the {} level", level);
        if (!outcome) {
            finding.what = service + ": " + outcome.error().message();
            finding.advice.push_back("On the peer: look into its log for this query.");
            co_return false;
        }
        const std::size_t matches = made.heard->pending - before;
        const bool ended =
            outcome->status == net::dimse::Status::success || outcome->status == net::dimse::Status::cancel;
        if (!ended) {
            explain_status(finding, *outcome, service, names_);
            co_return false;
        }
        if (cancelled.empty() || outcome->status == net::dimse::Status::cancel)
            cancelled = cancel_text(*outcome, matches);
        if (matches == 0) {
            finding.what = level == "STUDY" ? "answers; the peer has no study" : service + " has no match";
            break;
        }
    }
    (void)co_await made.client->release();
    if (finding.what.empty()) finding.what = "an instance was found; " + cancelled;
    co_return true;
}

void Examiner::query() {
    if (!wants("query")) return;
    Finding finding;
    finding.step = "query";
    const std::string sop_class = model(uids::StudyRootQueryRetrieveInformationModelFind,
                                        uids::PatientRootQueryRetrieveInformationModelFind);
    if (sop_class.empty()) {
        finding.verdict = what_.skip.contains("services") ? Verdict::not_tried : Verdict::not_offered;
        finding.what = "neither Study Root nor Patient Root";
        return add(std::move(finding));
    }
    const auto start = std::chrono::steady_clock::now();
    const bool good = io_.run(find_instance(sop_class, finding));
    finding.milliseconds = milliseconds_since(start);
    finding.verdict = good ? Verdict::works : Verdict::fails;
    add(std::move(finding));
}

namespace {

/// Says what became of a C-MOVE from what the peer answered and what arrived.
void judge_move(Finding& finding, const net::scu::RetrieveReport& report, const Receiver& receiver,
                const Names& names) {
    const auto code = net::dimse::code(report.outcome.status);
    const std::string here =
        fmt::format("{} at {} port {}", names.calling, names.local_address, receiver.port());
    if (receiver.instances() != 0) {
        finding.verdict = code == 0 ? Verdict::works : Verdict::fails;
        finding.what = fmt::format("{} instance of {} bytes came back, answer {}", receiver.instances(),
                                   receiver.bytes(), in_words(report.outcome));
        return;
    }
    finding.what = fmt::format("nothing arrived, answer {}", in_words(report.outcome));
    if (code == 0xa801 || (code & 0xf000) == 0xc000) {
        finding.advice.push_back(fmt::format(
            "On the peer: it does not know us as a destination{}. Add {} to its list of nodes to send to.",
            code == 0xa801 ? "" : " (probably: it says so by another status)", here));
    } else if (receiver.misnamed() != 0) {
        finding.advice.push_back(fmt::format(
            "On the peer: it called this host by another AE title. Enter {} as the destination's own title.",
            names.calling));
    } else if (receiver.associations() != 0) {
        finding.advice.push_back(
            "On the peer: it came and sent nothing; its log says what it could not send.");
    } else {
        finding.advice.push_back(fmt::format(
            "On the peer: it knows {} but sends it elsewhere or cannot reach it. Its entry has to say {}.",
            names.calling, here));
        finding.advice.push_back(
            "Here: give the port of that entry with --receive-port; stop what else listens there.");
        finding.advice.push_back(
            fmt::format("Between: a firewall must let the peer connect to port {}.", receiver.port()));
    }
    finding.advice.push_back("The port is the system's choice unless --receive-port names it.");
}

}  // namespace

Task<void> Examiner::move_instance(std::string sop_class, Finding& finding) {
    finding.verdict = Verdict::fails;
    Receiver receiver(what_.settings.calling, names_.local_address, what_.receive_port);
    if (auto started = receiver.start(); !started) {
        finding.what = started.error().message();
        finding.advice.push_back("Here: choose another --receive-port, one that the peer sends to.");
        co_return;
    }
    auto wanted = plain_context(sop_class);
    auto made = co_await attempt(what_.peer, what_.settings, std::move(wanted));
    if (!made.client) {
        finding.what = made.error.message();
        co_return;
    }
    const auto uid = *dicom::Uid::parse(sop_class);
    const auto identifier = identifier_of_found(is_patient_root(sop_class));
    const net::scu::OnProgress no_progress;
    auto report = co_await made.client->move(uid, identifier, what_.settings.calling, no_progress);
    if (!report) {
        finding.what = report.error().message();
        finding.advice.push_back("On the peer: look into its log for this C-MOVE.");
        co_return;
    }
    (void)co_await made.client->release();
    receiver.stop();  // its associations are on a thread of their own
    judge_move(finding, *report, receiver, names_);
}

void Examiner::move() {
    retrieve("move",
             model(uids::StudyRootQueryRetrieveInformationModelMove,
                   uids::PatientRootQueryRetrieveInformationModelMove),
             &Examiner::move_instance);
}

/// A step that `ask`s for the instance that is known, where the peer offers `sop_class`.
void Examiner::retrieve(const std::string& step, const std::string& sop_class, Ask ask) {
    if (!wants(step)) return;
    Finding finding;
    finding.step = step;
    if (sop_class.empty()) {
        finding.verdict = what_.skip.contains("services") ? Verdict::not_tried : Verdict::not_offered;
        finding.what = "neither Study Root nor Patient Root";
    } else if (found_.instance.empty()) {
        finding.what = "no instance is known to ask for";
    } else {
        const auto start = std::chrono::steady_clock::now();
        io_.run((this->*ask)(sop_class, finding));
        finding.milliseconds = milliseconds_since(start);
    }
    add(std::move(finding));
}

/// For C-STOREs to us: of the instance's class, or, where the peer does not tell that, of all it would send.
void Examiner::add_object_contexts(std::vector<net::scu::WantedContext>& wanted) const {
    net::scu::WantedContext objects;
    objects.as_scp = true;
    if (found_.sop_class.empty()) {
        for (const auto& row : findings_.storage) {
            if (!row.scp_role || wanted.size() == 127) continue;
            objects.sop_class_uid = row.sop_class_uid;
            objects.transfer_syntaxes = row.transfer_syntaxes;
            wanted.push_back(objects);
        }
        return;
    }
    objects.sop_class_uid = found_.sop_class;
    for (const auto& cell : storage_cells())
        if (cell.sop_class_uid == found_.sop_class)
            objects.transfer_syntaxes.push_back(cell.transfer_syntax_uid);
    if (objects.transfer_syntaxes.empty())  // a private class, or one that is newer than this program
        objects.transfer_syntaxes = wanted.front().transfer_syntaxes;
    wanted.push_back(std::move(objects));
}

Task<void> Examiner::get_instance(std::string sop_class, Finding& finding) {
    finding.verdict = Verdict::fails;
    auto wanted = plain_context(sop_class);
    add_object_contexts(wanted);
    auto made = co_await attempt(what_.peer, what_.settings, std::move(wanted));
    if (!made.client) {
        finding.what = made.error.message();
        co_return;
    }
    std::uint64_t bytes = 0;
    net::scu::OnInstance on_instance =
        [&bytes](net::scu::ReceivedInstance instance) -> Task<net::dimse::Outcome> {
        bytes += instance.data_set.size();
        co_return net::dimse::Outcome(net::dimse::Status::success);
    };
    const auto uid = *dicom::Uid::parse(sop_class);
    const auto identifier = identifier_of_found(is_patient_root(sop_class));
    const net::scu::OnProgress no_progress;
    auto report = co_await made.client->get(uid, identifier, on_instance, no_progress);
    if (!report) {
        finding.what = report.error().message();
        finding.advice.push_back("On the peer: look into its log for this C-GET.");
        co_return;
    }
    (void)co_await made.client->release();
    if (bytes == 0) {
        explain_status(finding, report->outcome, "nothing came: C-GET", names_);
        co_return;
    }
    finding.verdict = Verdict::works;
    finding.what = fmt::format("one instance of {} bytes came, answer {}", bytes, in_words(report->outcome));
}

void Examiner::get() {
    retrieve("get",
             model(uids::StudyRootQueryRetrieveInformationModelGet,
                   uids::PatientRootQueryRetrieveInformationModelGet),
             &Examiner::get_instance);
}

}  // namespace sagitta::doctor
