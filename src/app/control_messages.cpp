#include "app/control_messages.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <type_traits>
#include <utility>

namespace sagitta::app {
namespace {

using nlohmann::json;
using Kind = ControlRequest::Kind;
using Strings = std::vector<std::string>;

constexpr int kDeepest = 4;

constexpr std::array<std::pair<Kind, std::string_view>, 9> kKinds{{
    {Kind::remove, "delete"},
    {Kind::restore, "undelete"},
    {Kind::purge, "purge"},
    {Kind::deleted, "list deleted"},
    {Kind::set_protected, "protect"},
    {Kind::protected_studies, "list protected"},
    {Kind::accept_quarantined, "accept"},
    {Kind::drop_quarantined, "drop"},
    {Kind::import, "import"},
}};

constexpr std::array<Errc, 17> kErrors{
    Errc::malformed,        Errc::truncated,      Errc::limit_exceeded, Errc::unsupported,
    Errc::invalid_argument, Errc::not_found,      Errc::already_exists, Errc::mismatch,
    Errc::no_space,         Errc::io_failure,     Errc::corrupt,        Errc::refused,
    Errc::connection_lost,  Errc::protocol_error, Errc::timeout,        Errc::cancelled,
    Errc::shutting_down,
};

constexpr std::array<std::pair<storage::IngestOutcome, std::string_view>, 4> kOutcomes{{
    {storage::IngestOutcome::stored, "stored"},
    {storage::IngestOutcome::duplicate_identical, "identical"},
    {storage::IngestOutcome::conflict_quarantined, "quarantined"},
    {storage::IngestOutcome::conflict_replaced, "replaced"},
}};

// Each byte as a character of its number, in UTF-8.
std::string text_of(std::string_view bytes) {
    std::string text;
    text.reserve(bytes.size());
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte >= 0x80) text += static_cast<char>(0xC0 | byte >> 6);
        text += byte >= 0x80 ? static_cast<char>(0x80 | (byte & 0x3F)) : c;
    }
    return text;
}

/// Of what text_of made; what it never makes becomes '?'.
std::string bytes_of(const std::string& text) {
    std::string bytes;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const auto lead = static_cast<unsigned char>(text[at]);
        const bool is_pair = (lead == 0xC2 || lead == 0xC3) && at + 1 < text.size();
        if (lead < 0x80)
            bytes += text[at];
        else if (is_pair)
            bytes += static_cast<char>((lead & 3) << 6 | (static_cast<unsigned char>(text[++at]) & 0x3F));
        else
            bytes += '?';
    }
    return bytes;
}

std::string line_of(const json& object) {
    return object.dump(-1, ' ', false, json::error_handler_t::replace) + '\n';
}

/// Deeper than anything of ours: looked at first, because each level costs the parser memory.
bool is_deep(std::string_view line) {
    int depth = 0;
    bool in_string = false;
    for (std::size_t at = 0; at < line.size(); ++at) {
        const char c = line[at];
        if (c == '"') in_string = !in_string;
        if (in_string && c == '\\') ++at;
        if (in_string) continue;
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (depth > kDeepest) return true;
    }
    return false;
}

/// Else null.
json object_of(std::string_view line) {
    if (is_deep(line)) return {};
    auto parsed = json::parse(line.begin(), line.end(), nullptr, false);
    return parsed.is_object() ? parsed : json();
}

json json_of(const Strings& list) {
    auto all = json::array();
    for (const auto& one : list) all.push_back(text_of(one));
    return all;
}

void read(const json& from, bool& into) {
    if (from.is_boolean()) into = from.get<bool>();
}
template <class T>
requires std::is_integral_v<T>
void read(const json& from, T& into) {
    if (from.is_number_integer()) into = from.get<T>();
}
void read(const json& from, std::string& into) {
    if (from.is_string()) into = bytes_of(from.get_ref<const std::string&>());
}
template <class T>
void read(const json& from, std::vector<T>& into);

template <class T>
void read(const json& from, const char* name, T& into) {
    if (const auto found = from.find(name); found != from.end()) read(*found, into);
}

json json_of(const storage::KeeperReport& report) {
    return {
        {"instances", report.instances}, {"bytes", report.bytes}, {"studies", json_of(report.study_uids)}};
}
void read(const json& from, storage::KeeperReport& into) {
    read(from, "instances", into.instances);
    read(from, "bytes", into.bytes);
    read(from, "studies", into.study_uids);
}

json json_of(const storage::PurgeReport& report) {
    return {{"members", report.members},
            {"bytes", report.bytes},
            {"not_given_back", report.not_given_back},
            {"compacted", report.compacted},
            {"left_alone", report.left_alone},
            {"being_read", report.being_read}};
}
void read(const json& from, storage::PurgeReport& into) {
    read(from, "members", into.members);
    read(from, "bytes", into.bytes);
    read(from, "not_given_back", into.not_given_back);
    read(from, "compacted", into.compacted);
    read(from, "left_alone", into.left_alone);
    read(from, "being_read", into.being_read);
}

json json_of(const std::vector<storage::DeletedStudy>& list) {
    auto all = json::array();
    for (const auto& one : list) {
        all.push_back({{"study", text_of(one.study_instance_uid)},
                       {"instances", one.instances},
                       {"bytes", one.bytes},
                       {"when", one.when},
                       {"until", one.until}});
    }
    return all;
}
void read(const json& from, storage::DeletedStudy& into) {
    read(from, "study", into.study_instance_uid);
    read(from, "instances", into.instances);
    read(from, "bytes", into.bytes);
    read(from, "when", into.when);
    read(from, "until", into.until);
}

json json_of(storage::IngestOutcome outcome) {
    for (const auto& [known, name] : kOutcomes) {
        if (known == outcome) return name;
    }
    return {};
}
void read(const json& from, storage::IngestOutcome& into) {
    for (const auto& [known, name] : kOutcomes) {
        if (from == name) into = known;
    }
}

json json_of(const std::vector<media::ImportFailure>& list) {
    auto all = json::array();
    for (const auto& one : list)
        all.push_back({{"path", text_of(one.path)}, {"reason", text_of(one.reason)}});
    return all;
}
void read(const json& from, media::ImportFailure& into) {
    read(from, "path", into.path);
    read(from, "reason", into.reason);
}

json json_of(const media::ImportReport& report) {
    return {{"imported", report.imported},
            {"already_there", report.already_there},
            {"conflicts", report.conflicts},
            {"passed_over", report.passed_over},
            {"failed", report.failed},
            {"bytes", report.bytes},
            {"interrupted", report.interrupted},
            {"conflicting", json_of(report.conflicting)},
            {"failures", json_of(report.failures)}};
}
void read(const json& from, media::ImportReport& into) {
    read(from, "imported", into.imported);
    read(from, "already_there", into.already_there);
    read(from, "conflicts", into.conflicts);
    read(from, "passed_over", into.passed_over);
    read(from, "failed", into.failed);
    read(from, "bytes", into.bytes);
    read(from, "interrupted", into.interrupted);
    read(from, "conflicting", into.conflicting);
    read(from, "failures", into.failures);
}

template <class T>
void read(const json& from, std::vector<T>& into) {
    if (!from.is_array()) return;
    for (const auto& one : from) {
        into.emplace_back();
        read(one, into.back());
    }
}

bool take_list(const json& value, Strings& into) {
    const auto is_text = [](const json& one) { return one.is_string(); };
    if (!value.is_array() || !std::all_of(value.begin(), value.end(), is_text)) return false;
    read(value, into);
    return true;
}

/// False for one that is not known, or of another type.
bool take_member(std::string_view member, const json& value, ControlRequest& request) {
    if (member == "request") return true;
    if (member == "patients") return take_list(value, request.scope.patient_ids);
    if (member == "studies") return take_list(value, request.scope.study_instance_uids);
    if (member == "series") return take_list(value, request.scope.series_instance_uids);
    if (member == "instances") return take_list(value, request.scope.sop_instance_uids);
    if (member == "names") return take_list(value, request.names);
    if (member == "flag") {
        read(value, request.flag);
        return value.is_boolean();
    }
    const bool is_number = value.is_number_integer();
    if (member == "until") read(value, request.until);
    if (member == "threads") read(value, request.threads);
    return is_number && (member == "until" || member == "threads");
}

std::string failed_line(const Error& error) {
    return line_of({{"failed", {{"code", to_string(error.code)}, {"message", text_of(error.message())}}}});
}

template <class T>
std::string line_of_answer(const Result<T>& answer) {
    return answer ? line_of({{"done", json_of(*answer)}}) : failed_line(answer.error());
}

Error no_answer() {
    return {Errc::malformed, "the node answered something else: it is another version of this program"};
}

Error error_of(const json& failed) {
    std::string code, message;
    read(failed, "code", code);
    read(failed, "message", message);
    for (const auto known : kErrors) {
        if (to_string(known) == code) return {known, message};
    }
    return {Errc::io_failure, message};
}

/// What follows "done".
Result<json> done_of(std::string_view line) {
    auto object = object_of(line);
    if (const auto failed = object.find("failed"); failed != object.end()) return error_of(*failed);
    const auto done = object.find("done");
    if (done == object.end()) return no_answer();
    return std::move(*done);
}

}  // namespace

std::string_view to_string(Kind kind) noexcept {
    for (const auto& [known, name] : kKinds) {
        if (known == kind) return name;
    }
    return "unknown";
}

std::string request_line(const ControlRequest& request) {
    json object{{"request", to_string(request.kind)}};
    const auto add = [&object](const char* name, const Strings& list) {
        if (!list.empty()) object[name] = json_of(list);
    };
    add("patients", request.scope.patient_ids);
    add("studies", request.scope.study_instance_uids);
    add("series", request.scope.series_instance_uids);
    add("instances", request.scope.sop_instance_uids);
    add("names", request.names);
    if (request.flag) object["flag"] = true;
    if (request.kind == Kind::purge) object["until"] = request.until;
    if (request.kind == Kind::import) object["threads"] = request.threads;
    return line_of(object);
}

Result<ControlRequest> parse_request(std::string_view line) {
    const auto object = object_of(line);
    std::string wanted;
    read(object, "request", wanted);
    for (const auto& [kind, name] : kKinds) {
        if (name != wanted) continue;
        ControlRequest request;
        request.kind = kind;
        for (const auto& [member, value] : object.items()) {
            if (!take_member(member, value, request))
                return Error(Errc::malformed, "the request has a member that this node does not know");
        }
        return request;
    }
    return Error(Errc::malformed, "no request that this node knows");
}

std::string answer_line(const Result<void>& answer) {
    return answer ? line_of({{"done", true}}) : failed_line(answer.error());
}
std::string answer_line(const Result<storage::KeeperReport>& answer) {
    return line_of_answer(answer);
}
std::string answer_line(const Result<storage::PurgeReport>& answer) {
    return line_of_answer(answer);
}
std::string answer_line(const Result<std::vector<storage::DeletedStudy>>& answer) {
    return line_of_answer(answer);
}
std::string answer_line(const Result<std::vector<std::string>>& answer) {
    return line_of_answer(answer);
}
std::string answer_line(const Result<storage::IngestOutcome>& answer) {
    return line_of_answer(answer);
}
std::string answer_line(const Result<media::ImportReport>& answer) {
    return line_of_answer(answer);
}

template <class T>
Result<T> parse_answer(std::string_view line) {
    auto done = done_of(line);
    if (!done) return std::move(done).error();
    T answer{};
    read(*done, answer);
    return answer;
}
template <>
Result<void> parse_answer<void>(std::string_view line) {
    auto done = done_of(line);
    return done ? Result<void>() : std::move(done).error();
}
template Result<storage::KeeperReport> parse_answer(std::string_view);
template Result<storage::PurgeReport> parse_answer(std::string_view);
template Result<std::vector<storage::DeletedStudy>> parse_answer(std::string_view);
template Result<std::vector<std::string>> parse_answer(std::string_view);
template Result<storage::IngestOutcome> parse_answer(std::string_view);
template Result<media::ImportReport> parse_answer(std::string_view);

std::string progress_line(const media::ImportReport& counts) {
    return line_of({{"progress", json_of(counts)}});
}

std::optional<media::ImportReport> parse_progress(std::string_view line) {
    const auto object = object_of(line);
    const auto progress = object.find("progress");
    if (progress == object.end()) return std::nullopt;
    media::ImportReport counts;
    read(*progress, counts);
    return counts;
}

}  // namespace sagitta::app
