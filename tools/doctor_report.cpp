#include "doctor_report.h"

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "dicom/uid.h"
#include "terminal.h"

namespace sagitta::tools {

using doctor::ClassAnswer;
using doctor::Finding;
using doctor::Findings;
using doctor::Verdict;

namespace {

std::string_view to_string(Verdict verdict) {
    switch (verdict) {
        case Verdict::works: return "works";
        case Verdict::fails: return "fails";
        case Verdict::not_offered: return "not offered";
        case Verdict::not_tried: break;
    }
    return "not tried";
}

std::string_view keyword_of(std::string_view uid) {
    const auto* entry = dicom::find_uid(uid);
    return entry != nullptr ? entry->keyword : uid;
}

/// Words behind `indent`, wrapped at the terminal's width.
void print_words(std::string_view indent, const std::vector<std::string>& words, std::string_view separator) {
    const std::size_t width = std::min<std::size_t>(terminal_width(), 120);
    std::string line(indent);
    for (std::size_t i = 0; i < words.size(); ++i) {
        const std::string word = words[i] + std::string(i + 1 < words.size() ? separator : "");
        if (line.size() + word.size() > width && line.size() > indent.size()) {
            print(line);
            line = indent;
        }
        line += line.size() == indent.size() ? word : " " + word;
    }
    if (line.size() > indent.size()) print(line);
}

void print_sentence(std::string_view indent, std::string_view text) {
    std::vector<std::string> words;
    while (!text.empty()) {
        const auto end = std::min(text.find(' '), text.size());
        if (end != 0) words.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    print_words(indent, words, "");
}

std::vector<std::string> keywords_of(const std::vector<std::string>& uids) {
    std::vector<std::string> words;
    for (const auto& uid : uids) words.emplace_back(keyword_of(uid));
    return words;
}

void print_traits(const doctor::PeerTraits& traits) {
    print(fmt::format("  implementation  {} {}", traits.implementation_class_uid,
                      traits.implementation_version_name));
    print(traits.max_pdu_bytes == 0 ? std::string("  maximum PDU     any")
                                    : fmt::format("  maximum PDU     {} bytes", traits.max_pdu_bytes));
    if (!traits.operations_window) {
        print("  operations      one at a time");
    } else if (*traits.operations_window == 0) {
        print("  operations      any number at a time");
    } else {
        print(fmt::format("  operations      {} at a time", *traits.operations_window));
    }
}

/// Rows of the matrix with the same answer together, the largest group first.
void print_matrix(const Findings& findings) {
    using Answer = std::pair<std::vector<std::string>, bool>;
    std::map<Answer, std::vector<std::string>> groups;
    for (const auto& row : findings.storage)
        groups[{row.transfer_syntaxes, row.scp_role}].push_back(row.keyword);
    std::vector<std::pair<Answer, std::vector<std::string>>> sorted(groups.begin(), groups.end());
    std::stable_sort(sorted.begin(), sorted.end(),
                     [](const auto& a, const auto& b) { return a.second.size() > b.second.size(); });
    print("");
    print(fmt::format(
        "storage: {} SOP classes x {} transfer syntaxes, each in a context of its own ({} associations)",
        findings.storage.size(), findings.proposed_syntaxes, findings.associations));
    for (const auto& [answer, classes] : sorted) {
        const auto& [syntaxes, scp_role] = answer;
        if (syntaxes.empty()) {
            print(fmt::format("  {} SOP classes refused:", classes.size()));
        } else if (syntaxes.size() == findings.proposed_syntaxes) {
            print(fmt::format("  {} SOP classes in every transfer syntax{}:", classes.size(),
                              scp_role ? ", C-GET too" : ""));
        } else {
            print(fmt::format("  {} SOP classes in {} transfer syntaxes{}:", classes.size(), syntaxes.size(),
                              scp_role ? ", C-GET too" : ""));
            print_words("    + ", keywords_of(syntaxes), ",");
        }
        print_words("      ", classes, ",");
    }
}

void print_services(const std::vector<ClassAnswer>& services) {
    print("");
    std::vector<std::string> refused;
    for (const auto& row : services) {
        if (row.transfer_syntaxes.empty()) {
            refused.push_back(row.keyword);
        } else {
            std::string syntaxes;
            for (const auto& uid : row.transfer_syntaxes)
                syntaxes.append(syntaxes.empty() ? "" : ", ").append(keyword_of(uid));
            print(fmt::format("  offers {} ({})", row.keyword, syntaxes));
        }
    }
    if (refused.empty()) return;
    print("  does not offer:");
    print_words("      ", refused, ",");
}

void print_summary(const Findings& findings) {
    const auto list = [&](Verdict verdict) {
        std::string names;
        for (const auto& step : findings.steps)
            if (step.verdict == verdict) names.append(names.empty() ? "" : ", ").append(step.step);
        return names;
    };
    print("");
    for (const auto verdict : {Verdict::works, Verdict::fails, Verdict::not_offered, Verdict::not_tried}) {
        const std::string names = list(verdict);
        if (!names.empty()) print(fmt::format("{:<13}{}", std::string(to_string(verdict)) + ":", names));
    }
    for (const auto& step : findings.steps)
        for (const auto& advice : step.advice)
            print_sentence("  * ", fmt::format("{}: {}", step.step, advice));
    if (findings.good()) print("Everything that was tried works.");
}

nlohmann::json rows_of(const std::vector<ClassAnswer>& classes) {
    auto rows = nlohmann::json::array();
    for (const auto& row : classes) {
        rows.push_back({{"sop_class", row.sop_class_uid},
                        {"keyword", row.keyword},
                        {"transfer_syntaxes", row.transfer_syntaxes},
                        {"scp_role", row.scp_role}});
    }
    return rows;
}

}  // namespace

void print_findings(const Findings& findings) {
    print(fmt::format("{} as {}", findings.peer, findings.calling));
    for (const auto& step : findings.steps) {
        std::string line = fmt::format("  {:<10}{:<13}{}", step.step, to_string(step.verdict), step.what);
        if (step.milliseconds) line += fmt::format(" ({:.1f} ms)", *step.milliseconds);
        print(line);
    }
    if (findings.traits) print_traits(*findings.traits);
    if (!findings.services.empty()) print_services(findings.services);
    if (!findings.storage.empty()) print_matrix(findings);
    print_summary(findings);
}

void print_findings_json(const Findings& findings) {
    nlohmann::json out;
    out["peer"] = findings.peer;
    out["calling"] = findings.calling;
    out["good"] = findings.good();
    if (findings.traits) {
        auto& traits = out["traits"];
        traits["implementation_class_uid"] = findings.traits->implementation_class_uid;
        traits["implementation_version_name"] = findings.traits->implementation_version_name;
        traits["max_pdu_bytes"] = findings.traits->max_pdu_bytes;
        if (findings.traits->operations_window)
            traits["operations_window"] = *findings.traits->operations_window;
    }
    out["steps"] = nlohmann::json::array();
    for (const auto& step : findings.steps) {
        nlohmann::json one{{"step", step.step}, {"verdict", to_string(step.verdict)}, {"what", step.what}};
        one["advice"] = step.advice;
        if (step.milliseconds) one["ms"] = *step.milliseconds;
        out["steps"].push_back(std::move(one));
    }
    out["services"] = rows_of(findings.services);
    out["storage"] = rows_of(findings.storage);
    out["associations"] = findings.associations;
    print(out.dump());
}

}  // namespace sagitta::tools
