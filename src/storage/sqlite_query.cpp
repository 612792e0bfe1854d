#include "storage/sqlite_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "storage/search_forms.h"

namespace sagitta::storage {
namespace {

namespace tags = dicom::tags;
using dicom::MatchKey;
using dicom::MatchKind;
using dicom::Vr;

/// Columns that follow from other rows; not in index_columns() because no record holds them.
struct DerivedColumn {
    dicom::Tag tag;
    Vr vr;
    Level level;
    std::string_view name;
    bool matchable;
};
constexpr std::array kDerived{
    DerivedColumn{tags::NumberOfPatientRelatedStudies, Vr::IS, Level::patient, "study_count", false},
    DerivedColumn{tags::NumberOfPatientRelatedSeries, Vr::IS, Level::patient, "series_count", false},
    DerivedColumn{tags::NumberOfPatientRelatedInstances, Vr::IS, Level::patient, "instance_count", false},
    DerivedColumn{tags::ModalitiesInStudy, Vr::CS, Level::study, "modalities", true},
    DerivedColumn{tags::SOPClassesInStudy, Vr::UI, Level::study, "sop_classes", true},
    DerivedColumn{tags::NumberOfStudyRelatedSeries, Vr::IS, Level::study, "series_count", false},
    DerivedColumn{tags::NumberOfStudyRelatedInstances, Vr::IS, Level::study, "instance_count", false},
    DerivedColumn{tags::NumberOfSeriesRelatedInstances, Vr::IS, Level::series, "instance_count", false},
};

/// One value each, in its own form and in an index: conditions on them are plain SQL.
constexpr std::array kUids{tags::StudyInstanceUID, tags::SeriesInstanceUID, tags::SOPInstanceUID};

constexpr std::size_t kMostPrefixes = 16;  // looked up one by one; of more, the span from first to last
constexpr std::size_t kNarrowPrefix = 3;   // bytes: shorter ones find more than a range of dates

constexpr std::int64_t kMostCounted = 4096;  // rows of a key: counting takes well below a millisecond
constexpr std::int64_t kFew = 50;            // nothing much better is to be found

constexpr std::size_t kMostTrigrams = 24;  // of a pattern: more narrow no further

constexpr std::string_view kAliases = "ptsi";  // patient p, study t, series s, instance i

char alias(Level level) {
    return kAliases[static_cast<std::size_t>(level)];
}

/// "p.name" of the column that can judge a key on `tag`, if there is one at `level` or above.
std::optional<std::string> column_for(dicom::Tag tag, Level level) {
    for (const auto& column : index_columns()) {
        if (column.tag != tag || column.level > level) continue;
        return fmt::format("{}.{}", alias(column.level), column.name);
    }
    for (const auto& column : kDerived) {
        if (column.tag == tag && column.level <= level && column.matchable) {
            return fmt::format("{}.{}", alias(column.level), column.name);
        }
    }
    return std::nullopt;
}

bool is_count(dicom::Tag tag) {
    return std::any_of(kDerived.begin(), kDerived.end(),
                       [&](const auto& c) { return c.tag == tag && !c.matchable; });
}

/// The least text greater than all that begin with `prefix`; empty when there is none.
std::string behind_prefix(std::string prefix) {
    while (!prefix.empty() && static_cast<unsigned char>(prefix.back()) == 0xff) prefix.pop_back();
    if (!prefix.empty()) prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
    return prefix;
}

bool is_exact(const MatchKey& key) {
    return key.kind == MatchKind::single_value || key.kind == MatchKind::list;
}

/// json_each would end such a value at its NUL.
bool holds_nul(const MatchKey& key) {
    return std::any_of(key.values.begin(), key.values.end(),
                       [](const auto& value) { return value.find('\0') != std::string::npos; });
}

/// A key on one of kUids that SQL can judge.
bool is_uid_condition(const MatchKey& key) {
    return key.vr == Vr::UI && is_exact(key) && !holds_nul(key) &&
           std::find(kUids.begin(), kUids.end(), key.tag) != kUids.end();
}

std::string prefix_of(const std::string& pattern) {
    return pattern.substr(0, pattern.find_first_of("*?"));
}

/// Bytes of the shortest prefix of a wildcard key's patterns.
std::size_t shortest_prefix(const MatchKey& key) {
    std::size_t shortest = std::string::npos;
    for (const auto& pattern : key.values) shortest = std::min(shortest, prefix_of(pattern).size());
    return shortest;
}

/// Runs of three characters every text that matches `pattern` holds, which cover what is between its
/// wildcards; none when there are none. Those between them overlap: they would cost more to look up than they
/// narrow.
std::vector<std::string> trigrams_of(std::string_view pattern) {
    std::vector<std::string> found;
    std::vector<std::size_t> starts;  // of the characters since a wildcard
    for (std::size_t at = 0; at <= pattern.size(); ++at) {
        const bool ends = at == pattern.size() || pattern[at] == '*' || pattern[at] == '?';
        if (!ends && (static_cast<unsigned char>(pattern[at]) & 0xc0) == 0x80) continue;
        starts.push_back(at);
        if (!ends) continue;
        const auto count = starts.size() - 1;
        for (std::size_t n = 0; count >= 3; n = std::min(n + 3, count - 3)) {
            found.emplace_back(pattern.substr(starts[n], starts[n + 3] - starts[n]));
            if (n + 3 == count) break;
        }
        starts.clear();
    }
    if (found.size() > kMostTrigrams) found.resize(kMostTrigrams);
    return found;
}

/// In the language of FTS5: all the trigrams of one of the patterns. Empty when a pattern has none.
std::string text_condition(const MatchKey& key) {
    std::string any;
    if (key.values.size() > kMostPrefixes) return {};
    for (const auto& pattern : key.values) {
        std::string all;
        for (const auto& trigram : trigrams_of(pattern)) {
            all += all.empty() ? "\"" : " AND \"";
            for (const char c : trigram) all += c == '"' ? "\"\"" : std::string(1, c);
            all += '"';
        }
        if (all.empty()) return {};
        any += fmt::format("{}({})", any.empty() ? "" : " OR ", all);
    }
    return any;
}

const IndexColumn* searched_column(const MatchKey& key, Level level) {
    for (const auto& column : searched_columns()) {
        if (column.tag == key.tag && column.vr == key.vr && column.level <= level) return &column;
    }
    return nullptr;
}

/// By rows made of what the dictionary says the attribute is.
bool is_chosen(const MatchKey& key, std::span<const dicom::Tag> chosen) {
    const auto* entry = dicom::find_tag(key.tag);
    return entry != nullptr && entry->vr == key.vr &&
           std::find(chosen.begin(), chosen.end(), key.tag) != chosen.end();
}

/// By a part in the middle, which says more than a short prefix.
bool is_found_by_text(const MatchKey& key) {
    return key.kind == MatchKind::wildcard && key.vr != Vr::DA && shortest_prefix(key) < kNarrowPrefix &&
           !text_condition(key).empty();
}

/// How well a key narrows a search, lowest best; empty when no index helps.
std::optional<std::size_t> rank(const MatchKey& key, Level level, std::span<const dicom::Tag> chosen) {
    const auto* column = searched_column(key, level);
    if ((column == nullptr && !is_chosen(key, chosen)) || holds_nul(key) || !key.fuzzy.empty())
        return std::nullopt;
    enum Rank : std::size_t {
        exact = 0,
        narrow_prefix = 100,
        text = 200,
        range = 300,
        prefix = 400,
        open_range = 500
    };
    const auto place = column == nullptr ? searched_columns().size()
                                         : static_cast<std::size_t>(column - searched_columns().data());
    switch (key.kind) {
        case MatchKind::universal:
        case MatchKind::empty_value: return std::nullopt;
        case MatchKind::single_value:
        case MatchKind::list: return exact + place;
        case MatchKind::range:
            return (key.values[0].empty() || key.values[1].empty() ? open_range : range) + place;
        case MatchKind::wildcard: {
            const auto length = shortest_prefix(key);
            if (length >= kNarrowPrefix) return narrow_prefix + place;
            if (column != nullptr && is_found_by_text(key)) return text + place;
            if (length == 0) return std::nullopt;
            return prefix + place;
        }
    }
    return std::nullopt;
}

class Compiler {
public:
    Compiler(const Query& query, std::span<const dicom::Tag> chosen, const RowCounter& count)
        : query_(query), chosen_(chosen), count_(count), keys_(query.keys) {
        // The days a date with its time spans are found as any range of dates; judged is the instant.
        for (const auto& key : query.date_times) keys_.push_back(key.days());
    }

    CompiledQuery compile() {
        select();
        const auto driving = driving_key();
        for (std::size_t n = 0; n < query_.keys.size(); ++n) add_key(n, driving == n);
        for (std::size_t n = 0; n < query_.date_times.size(); ++n)
            add_date_time(n, driving == query_.keys.size() + n);
        out_.sql += fmt::format(" FROM {}", tables());
        out_.sql += where_.empty() ? "" : fmt::format(" WHERE {}", where_);
        return std::move(out_);
    }

private:
    void select() {
        std::string columns;
        auto add = [&](dicom::Tag tag, Vr vr, Level level, std::string_view name) {
            if (level > query_.level) return;
            columns += fmt::format("{}{}.{}", columns.empty() ? "" : ", ", alias(level), name);
            out_.attributes.push_back({tag, vr, {}});
        };
        for (const auto& column : index_columns()) add(column.tag, column.vr, column.level, column.name);
        for (const auto& column : kDerived) add(column.tag, column.vr, column.level, column.name);
        out_.location_column = static_cast<int>(out_.attributes.size());
        if (query_.want_instance) columns += fmt::format(", {}", kLocationColumns);
        out_.sql = fmt::format("SELECT {}", columns);
    }

    std::string tables() const {
        std::string text = "patient p";
        if (query_.level >= Level::study) text += " JOIN study t ON t.patient = p.id";
        if (query_.level >= Level::series) text += " JOIN series s ON s.study = t.id";
        if (query_.level >= Level::image) return text + " JOIN instance i ON i.series = s.id";
        if (!query_.want_instance) return text;
        switch (query_.level) {
            case Level::patient:
                return text +
                       " JOIN instance i ON i.id = (SELECT ii.id FROM study tt JOIN series ss ON ss.study = "
                       "tt.id "
                       "JOIN instance ii ON ii.series = ss.id WHERE tt.patient = p.id LIMIT 1)";
            case Level::study:
                return text +
                       " JOIN instance i ON i.id = (SELECT ii.id FROM series ss JOIN instance ii ON "
                       "ii.series = ss.id WHERE ss.study = t.id LIMIT 1)";
            default:
                return text +
                       " JOIN instance i ON i.id = (SELECT ii.id FROM instance ii WHERE ii.series = s.id "
                       "LIMIT 1)";
        }
    }

    /// The key whose rows are looked up first. One is enough: looking up a second one's rows too
    /// costs as much as it finds, judging only as much as the first one found.
    std::optional<std::size_t> driving_key() const {
        std::vector<std::pair<std::size_t, std::size_t>> ranked;  // and its place in keys_
        for (std::size_t n = 0; n < keys_.size(); ++n) {
            const auto& key = keys_[n];
            if (is_uid_condition(key) && column_for(key.tag, query_.level)) return std::nullopt;
            if (const auto its_rank = rank(key, query_.level, chosen_)) ranked.emplace_back(*its_rank, n);
        }
        if (ranked.empty()) return std::nullopt;
        std::sort(ranked.begin(), ranked.end());
        auto best = ranked.front().second;
        if (!count_ || ranked.size() == 1) return best;
        auto fewest = kMostCounted;
        for (const auto& [its_rank, n] : ranked) {
            if (fewest <= kFew) break;
            if (searched_column(keys_[n], query_.level) == nullptr)
                continue;  // not all of its rows are there
            const auto found = count_(counting(n, fewest));
            if (!found || *found >= fewest) continue;
            best = n;
            fewest = *found;
        }
        return best;
    }

    /// How many rows are looked up by a key, if they are not more than `most`.
    CompiledQuery counting(std::size_t n, std::int64_t most) const {
        Compiler part(query_, chosen_, count_);
        const auto& key = keys_[n];
        const std::string_view entity =
            searched_column(key, query_.level)->level == Level::patient ? "patient" : "study";
        const auto rows = is_found_by_text(key) ? part.rows_of_text(key, entity)
                                                : part.rows_of(n, entity, Exactness::spans);
        part.out_.sql = fmt::format("SELECT count(*) FROM ({} LIMIT CAST({} AS INTEGER))", rows,
                                    part.bound(fmt::format("{}", most)));
        return std::move(part.out_);
    }

    std::string rows_of_text(const MatchKey& key, std::string_view entity) {
        return fmt::format("SELECT rowid FROM {0}_text WHERE {0}_text MATCH {1}", entity,
                           bound(text_condition(key)));
    }

    void add_key(std::size_t n, bool drives) {
        const auto& key = query_.keys[n];
        if (key.kind == MatchKind::universal) return;
        const auto column = column_for(key.tag, query_.level);
        if (drives && searched_column(key, query_.level) == nullptr) {
            conjoin(search_series(n));
            drives = false;
        }
        if (!column) return;
        if (drives)
            conjoin(search(n));
        else if (is_uid_condition(key))
            conjoin(one_of(*column, key.values));
        else
            conjoin(judgement(n, *column));
    }

    void add_date_time(std::size_t n, bool drives) {
        const auto& key = query_.date_times[n];
        const auto date = column_for(key.date, query_.level);
        const auto time = column_for(key.time, query_.level);
        if (!date || !time) return;
        if (drives) conjoin(search(query_.keys.size() + n));
        conjoin(fmt::format("dicom_match_instant({}, {}, {})", n, *date, *time));
    }

    /// The rows that match, through patient_key or study_key: one form that does is enough.
    std::string search(std::size_t n) {
        const auto& key = keys_[n];
        const auto level = searched_column(key, query_.level)->level;
        const std::string_view entity = level == Level::patient ? "patient" : "study";
        if (is_found_by_text(key)) {
            return fmt::format("{}.id IN ({}) AND {}", alias(level), rows_of_text(key, entity),
                               judgement(n, *column_for(key.tag, query_.level)));
        }
        return fmt::format("{}.id IN ({})", alias(level), rows_of(n, entity));
    }

    /// `spans`: of a pattern all that begins as it does, row by row as they are read.
    enum class Exactness : std::uint8_t { judged, spans };

    std::string rows_of(std::size_t n, std::string_view entity, Exactness how = Exactness::judged) {
        const auto& key = keys_[n];
        const auto from =
            fmt::format("SELECT k.{0} FROM {0}_key k WHERE k.attribute = {1}", entity, key.tag.value);
        if (key.kind != MatchKind::wildcard) {
            return fmt::format("{} AND {}", from,
                               key.kind == MatchKind::range ? range(key) : one_of("k.value", key.values));
        }
        std::string found;
        const std::string_view also = how == Exactness::judged ? " UNION " : " UNION ALL ";
        for (const auto& condition : prefix_conditions(n, how)) {
            found += fmt::format("{}{} AND {}", found.empty() ? "" : also, from, condition);
        }
        return found;
    }

    /// The series that may match by a chosen attribute: those with rows, and those with instances nobody has
    /// read yet.
    std::string search_series(std::size_t n) {
        const auto series = fmt::format(
            "{} UNION SELECT ii.series FROM instance ii WHERE ii.id > coalesce((SELECT covered_to "
            "FROM attribute_index WHERE attribute = {}), 0)",
            rows_of(n, "series"), keys_[n].tag.value);
        switch (query_.level) {
            case Level::patient:
                return fmt::format(
                    "p.id IN (SELECT tt.patient FROM series ss JOIN study tt ON tt.id = ss.study WHERE ss.id "
                    "IN ({}))",
                    series);
            case Level::study:
                return fmt::format("t.id IN (SELECT ss.study FROM series ss WHERE ss.id IN ({}))", series);
            default: return fmt::format("s.id IN ({})", series);
        }
    }

    std::string one_of(const std::string& column, const std::vector<std::string>& values) {
        if (values.size() == 1) return fmt::format("{} = {}", column, bound(values[0]));
        return fmt::format("{} IN (SELECT value FROM json_each({}))", column, bound(json_list(values)));
    }

    std::string range(const MatchKey& key) {
        std::string text;
        if (!key.values[0].empty()) text = fmt::format("k.value >= {}", bound(key.values[0]));
        if (!key.values[0].empty() && !key.values[1].empty()) text += " AND ";
        if (!key.values[1].empty()) text += fmt::format("k.value <= {}", bound(key.values[1]));
        return text;
    }

    /// For each pattern the span of its prefix, and where that is not the whole of it, a judgement.
    std::vector<std::string> prefix_conditions(std::size_t n, Exactness how) {
        const auto& patterns = query_.keys[n].values;
        std::vector<std::string> conditions;
        if (patterns.size() > kMostPrefixes) {
            std::vector<std::string> prefixes;
            for (const auto& pattern : patterns) prefixes.push_back(prefix_of(pattern));
            const auto [low, high] = std::minmax_element(prefixes.begin(), prefixes.end());
            conditions.push_back(span(*low, *high));
            if (how == Exactness::judged) conditions.back() += " AND " + judgement(n, "k.value");
            return conditions;
        }
        for (const auto& pattern : patterns) {
            const auto prefix = prefix_of(pattern);
            conditions.push_back(span(prefix, prefix));
            if (how == Exactness::judged && pattern != prefix + '*')
                conditions.back() += " AND " + judgement(n, "k.value");
        }
        return conditions;
    }

    /// From the first text that begins with `low` to the last that begins with `high`.
    std::string span(const std::string& low, const std::string& high) {
        auto text = fmt::format("k.value >= {}", bound(low));
        const auto end = behind_prefix(high);
        if (!end.empty()) text += fmt::format(" AND k.value < {}", bound(end));
        return text;
    }

    static std::string judgement(std::size_t n, std::string_view column) {
        return fmt::format("dicom_match({}, {})", n, column);
    }

    void conjoin(const std::string& condition) { where_ += (where_.empty() ? "" : " AND ") + condition; }

    std::string bound(std::string value) {
        out_.values.push_back(std::move(value));
        return fmt::format("?{}", out_.values.size());
    }

    const Query& query_;
    std::span<const dicom::Tag> chosen_;
    const RowCounter& count_;
    std::vector<MatchKey> keys_;  ///< of the query, then one for each of its date_times
    CompiledQuery out_;
    std::string where_;
};

}  // namespace

CompiledQuery compile(const Query& query, std::span<const dicom::Tag> chosen, const RowCounter& count) {
    return Compiler(query, chosen, count).compile();
}

CompiledQuery compile(const Scope& scope) {
    CompiledQuery out;
    std::string where;
    auto add = [&](const std::vector<std::string>& list, std::string_view before, std::string_view behind) {
        if (list.empty()) return;
        out.values.push_back(list.size() == 1 ? list.front() : json_list(list));
        where += fmt::format("{}{} {}{}", where.empty() ? "" : " AND ", before,
                             list.size() == 1
                                 ? fmt::format("= ?{}", out.values.size())
                                 : fmt::format("IN (SELECT value FROM json_each(?{}))", out.values.size()),
                             behind);
    };
    const auto by_id =
        fmt::format("p.id IN (SELECT k.patient FROM patient_key k WHERE k.attribute = {} AND k.value",
                    tags::PatientID.value);
    add(scope.patient_ids, by_id, ")");
    add(scope.study_instance_uids, "t.study_uid", "");
    add(scope.series_instance_uids, "s.series_uid", "");
    add(scope.sop_instance_uids, "i.sop_uid", "");
    if (where.empty()) return out;
    out.sql = fmt::format(
        "SELECT {} FROM patient p JOIN study t ON t.patient = p.id JOIN series s ON s.study = t.id JOIN "
        "instance i ON i.series = s.id WHERE {} ORDER BY i.volume, i.file_offset",
        kLocationColumns, where);
    return out;
}

std::vector<MatchKey> keys_without_column(const Query& query) {
    std::vector<MatchKey> without;
    for (const auto& key : query.keys) {
        if (key.kind == MatchKind::universal || is_count(key.tag)) continue;
        if (!column_for(key.tag, query.level)) without.push_back(key);
    }
    return without;
}

std::string json_list(const std::vector<std::string>& values) {
    std::string text = "[";
    for (const auto& value : values) {
        if (value.find('\0') != std::string::npos) continue;
        if (text.size() > 1) text += ',';
        text += '"';
        for (const char c : value) {
            if (static_cast<unsigned char>(c) < 0x20)
                text += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
            else if (c == '"' || c == '\\')
                (text += '\\') += c;
            else
                text += c;
        }
        text += '"';
    }
    return text + ']';
}

}  // namespace sagitta::storage
