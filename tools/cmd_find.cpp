#include <algorithm>
#include <memory>
#include <optional>

#include <fmt/format.h>

#include "command.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/generated/uids.h"
#include "dicom/json.h"
#include "dicom/transfer_syntax.h"
#include "dicom/value_text.h"
#include "net/ul/io_threads.h"
#include "peer_options.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace tags = dicom::tags;

struct Options {
    PeerOptions peer;
    QueryOptions query;
    std::optional<std::uint64_t> limit;
};

/// A peer that never comes to an end is not listened to for ever.
constexpr std::uint64_t kUsualLimit = 100000;

// What is interesting at a level when nobody says.
std::vector<dicom::Tag> usual_keys(const std::string& level) {
    if (level == "PATIENT")
        return {tags::PatientName, tags::PatientID, tags::PatientBirthDate, tags::PatientSex};
    if (level == "STUDY") {
        return {tags::StudyDate,        tags::StudyTime,   tags::AccessionNumber, tags::ModalitiesInStudy,
                tags::StudyDescription, tags::PatientName, tags::PatientID,       tags::StudyInstanceUID};
    }
    if (level == "SERIES") {
        return {tags::Modality, tags::SeriesDescription, tags::SeriesNumber,
                tags::NumberOfSeriesRelatedInstances, tags::SeriesInstanceUID};
    }
    return {tags::SOPClassUID, tags::SOPInstanceUID, tags::InstanceNumber};
}

dicom::Tag unique_key(const std::string& level) {
    if (level == "PATIENT") return tags::PatientID;
    if (level == "STUDY") return tags::StudyInstanceUID;
    return level == "SERIES" ? tags::SeriesInstanceUID : tags::SOPInstanceUID;
}

// The level's unique key is always asked for; without any -k, what is usual.
void complete(Query& query, bool has_keys) {
    auto wanted = has_keys ? std::vector<dicom::Tag>{} : usual_keys(query.level);
    wanted.push_back(unique_key(query.level));
    for (const auto tag : wanted) {
        if (!query.identifier.contains(tag)) query.identifier.set_text(tag, dicom::find_tag(tag)->vr, {});
    }
}

// Without any -k what a modality shows; the scheduled step whole.
void complete_worklist(Query& query, bool has_keys) {
    const auto usual = has_keys ? std::vector<dicom::Tag>{}
                                : std::vector<dicom::Tag>{tags::AccessionNumber,
                                                          tags::PatientName,
                                                          tags::PatientID,
                                                          tags::StudyInstanceUID,
                                                          tags::RequestedProcedureDescription,
                                                          tags::RequestedProcedureID};
    for (const auto tag : usual) query.identifier.set_text(tag, dicom::find_tag(tag)->vr, {});
    if (!query.identifier.contains(tags::ScheduledProcedureStepSequence))
        query.identifier.set_empty_sequence(tags::ScheduledProcedureStepSequence);
}

/// Answers as rows under keywords.
class Table {
public:
    explicit Table(const dicom::DataSet& identifier) {
        for (const auto element : identifier.elements()) {
            const bool hidden =
                element.tag() == tags::SpecificCharacterSet || element.tag() == tags::QueryRetrieveLevel;
            if (hidden || element.vr() == dicom::Vr::SQ) continue;
            columns_.push_back(element.tag());
            const auto* entry = dicom::find_tag(element.tag());
            header_.push_back(entry != nullptr ? std::string(entry->keyword) : to_string(element.tag()));
        }
    }

    void add(const dicom::DataSet& match) {
        const auto character_set = dicom::character_set_of(match.elements(), dicom::CharacterSet());
        auto& row = rows_.emplace_back();
        for (const auto tag : columns_) {
            const auto element = match.find(tag);
            row.push_back(element ? text_of(*element, character_set) : std::string());
        }
    }

    void print_all() const {
        if (rows_.empty()) return;
        std::vector<std::size_t> widths;
        for (std::size_t c = 0; c < columns_.size(); ++c) {
            std::size_t width = dicom::display_width(header_[c]);
            for (const auto& row : rows_) width = std::max(width, dicom::display_width(row[c]));
            widths.push_back(width);
        }
        line(header_, widths);
        for (const auto& row : rows_) line(row, widths);
    }

private:
    static std::string text_of(const dicom::Element& element, const dicom::CharacterSet& character_set) {
        if (dicom::is_text(element.vr()))
            return dicom::printable(dicom::decoded_text(element, character_set));
        std::string text;
        for (std::size_t n = 0; const auto number = dicom::number_text(element, n); ++n) {
            text.append(n == 0 ? "" : "\\").append(*number);
        }
        return text;
    }

    static void line(const std::vector<std::string>& cells, const std::vector<std::size_t>& widths) {
        std::string text;
        for (std::size_t c = 0; c < cells.size(); ++c) {
            text += cells[c];
            if (c + 1 < cells.size()) text.append(widths[c] - dicom::display_width(cells[c]) + 2, ' ');
        }
        print(text);
    }

    std::vector<dicom::Tag> columns_;
    std::vector<std::string> header_;
    std::vector<std::vector<std::string>> rows_;
};

/// Where answers go: rows to be aligned, or JSON at once.
class Output {
public:
    Output(const dicom::DataSet& identifier, bool json, std::uint64_t limit)
        : table_(identifier), json_(json), limit_(limit) {}

    /// False when no more are wanted.
    bool add(const dicom::DataSet& match) {
        if (limit_ != 0 && matches_ == limit_) return !(there_are_more_ = true);
        ++matches_;
        if (!json_) {
            table_.add(match);
            return true;
        }
        std::string text = matches_ == 1 ? "[" : ",";
        dicom::append_json(match, text);
        return print(text);
    }

    void finish() {
        if (json_) {
            print(matches_ == 0 ? "[]" : "]");
        } else {
            table_.print_all();
            note(fmt::format("{} match{}", matches_, matches_ == 1 ? "" : "es"));
        }
    }

    [[nodiscard]] bool there_are_more() const { return there_are_more_; }

private:
    Table table_;
    bool json_;
    std::uint64_t limit_;
    std::uint64_t matches_ = 0;
    bool there_are_more_ = false;
};

Task<int> find(Caller caller, Query query, bool json, std::optional<std::uint64_t> limit) {
    namespace uids = dicom::uids;
    const auto sop_class =
        *dicom::Uid::parse(query.worklist       ? uids::ModalityWorklistInformationModelFind
                           : query.patient_root ? uids::PatientRootQueryRetrieveInformationModelFind
                                                : uids::StudyRootQueryRetrieveInformationModelFind);
    net::scu::WantedContext wish;
    wish.sop_class_uid = sop_class.str();
    wish.transfer_syntaxes = {std::string(dicom::explicit_vr_little_endian().uid),
                              std::string(dicom::implicit_vr_little_endian().uid)};
    std::vector<net::scu::WantedContext> wanted{wish};
    auto opened = co_await net::scu::Client::open(caller.address, caller.settings, wanted);
    if (!opened) {
        complain("find", opened.error());
        co_return kFailed;
    }
    auto& client = **opened;
    Output output(query.identifier, json, limit.value_or(kUsualLimit));
    net::scu::OnMatch on_match = [&output](const dicom::DataSet& match) -> Task<bool> {
        co_return output.add(match);
    };
    auto outcome = co_await client.find(sop_class, query.identifier, on_match);
    output.finish();
    if (!outcome) {
        complain("find", outcome.error());
        co_return kFailed;
    }
    (void)co_await client.release();
    if (output.there_are_more()) {
        if (limit) co_return kOk;
        complain(fmt::format("find: stopped, there are more than {} matches (--limit)", kUsualLimit));
        co_return kFailed;
    }
    if (outcome->status == net::dimse::Status::success) co_return kOk;
    complain("find: " + describe(*outcome));
    co_return kFailed;
}

int run(const Options& options) {
    auto caller = make_caller(options.peer);
    auto query = make_query(options.query, "STUDY");
    if (!caller || !query) {
        complain("", caller ? query.error() : caller.error());
        return kUsage;
    }
    if (query->worklist) {
        complete_worklist(*query, !options.query.keys.empty());
    } else {
        complete(*query, !options.query.keys.empty());
    }
    net::ul::IoThreads io(1);
    return io.run(find(std::move(*caller), std::move(*query), options.peer.json, options.limit));
}

}  // namespace

void add_find(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("find", "Ask a node what it has (C-FIND)");
    add_peer_options(*command, options->peer);
    add_query_options(*command, options->query);
    command->add_option("--limit", options->limit,
                        "Take so many matches and no more (default: fail beyond 100000; 0: no limit)");
    command->footer(
        "The level is study unless --level says otherwise; its unique key is always asked for, and without\n"
        "any -k what is usual. Values match as in PS3.4 C.2.2.2: * ? wildcards, 20240101-20241231 ranges,\n"
        "UID\\UID lists. --json prints an array of DICOM JSON objects (PS3.18 Annex F).\n\n"
        "Examples:\n"
        "  sagitta find PACS@10.0.0.5:104 -k PatientName='DOE*' -k StudyDate=20240101- -k StudyDescription\n"
        "  sagitta find PACS@10.0.0.5:104 --level series -k StudyInstanceUID=1.2.3 -k Modality\n"
        "  sagitta find PACS@10.0.0.5:104 --json -k PatientID=1234 | jq .\n"
        "  sagitta find RIS@10.0.0.6:104 --model worklist --json \\\n"
        "      -k ScheduledProcedureStepSequence.Modality=CT -k PatientName -k AccessionNumber");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
