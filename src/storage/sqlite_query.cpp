#include "storage/sqlite_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "dicom/generated/tags.h"

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

/// Columns with an index of their own: conditions on them are worth writing as SQL.
constexpr std::array kIndexed{tags::PatientID,         tags::PatientBirthDate, tags::StudyInstanceUID,
                              tags::StudyID,           tags::StudyDate,        tags::AccessionNumber,
                              tags::SeriesInstanceUID, tags::SOPInstanceUID};

constexpr std::string_view kAliases = "ptsi";  // patient p, study t, series s, instance i

char alias(Level level) {
    return kAliases[static_cast<std::size_t>(level)];
}

/// "p.name" of the column that can judge a key, if there is one at `level` or above.
std::optional<std::string> column_for(const MatchKey& key, Level level) {
    for (const auto& column : index_columns()) {
        if (column.tag != key.tag || column.level > level) continue;
        return fmt::format("{}.{}{}", alias(column.level), column.name, column.vr == Vr::PN ? "_folded" : "");
    }
    for (const auto& column : kDerived) {
        if (column.tag == key.tag && column.level <= level && column.matchable) {
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

class Compiler {
public:
    explicit Compiler(const Query& query) : query_(query) {}

    CompiledQuery compile() {
        select();
        for (std::size_t i = 0; i < query_.keys.size(); ++i) add_key(i);
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

    void add_key(std::size_t n) {
        const auto& key = query_.keys[n];
        if (key.kind == MatchKind::universal) return;
        const auto column = column_for(key, query_.level);
        if (!column) return;
        if (key.tag == tags::PatientName) return add_name(n, *column);
        const bool indexed = std::find(kIndexed.begin(), kIndexed.end(), key.tag) != kIndexed.end();
        if (indexed) add_condition(*column, key);
        const bool exact = key.kind == MatchKind::single_value || key.kind == MatchKind::list;
        if (!indexed || !exact) add_judgement(n, *column);
    }

    /// Names are found by their forms in patient_name, so that a component group alone is found too.
    void add_name(std::size_t n, const std::string& column) {
        const auto& key = query_.keys[n];
        const auto before = std::exchange(where_, std::string());
        add_condition("folded", key);
        const auto condition = std::exchange(where_, before);
        if (!condition.empty()) {
            conjoin(fmt::format("p.id IN (SELECT patient FROM patient_name WHERE {})", condition));
        }
        if (key.kind == MatchKind::wildcard) add_judgement(n, column);
    }

    /// What an index can use. For single values and lists it is the whole truth, for the other kinds
    /// a superset that a judgement narrows.
    void add_condition(const std::string& column, const MatchKey& key) {
        switch (key.kind) {
            case MatchKind::universal: return;
            case MatchKind::single_value:
                return conjoin(fmt::format("{} = {}", column, bound(key.values[0])));
            case MatchKind::list:
                return conjoin(fmt::format("{} IN (SELECT value FROM json_each({}))", column,
                                           bound(json_list(key.values))));
            case MatchKind::wildcard: return add_prefixes(column, key.values);
            case MatchKind::range:
                if (!key.values[0].empty()) conjoin(fmt::format("{} >= {}", column, bound(key.values[0])));
                if (!key.values[1].empty()) conjoin(fmt::format("{} <= {}", column, bound(key.values[1])));
                return;
        }
    }

    void add_prefixes(const std::string& column, const std::vector<std::string>& patterns) {
        std::vector<std::string> prefixes;
        for (const auto& pattern : patterns) {
            prefixes.push_back(pattern.substr(0, pattern.find_first_of("*?")));
            if (prefixes.back().empty() || behind_prefix(prefixes.back()).empty()) return;
        }
        // Several patterns: a range from the least to the greatest prefix holds them all.
        const auto [low, high] = std::minmax_element(prefixes.begin(), prefixes.end());
        conjoin(fmt::format("{} >= {}", column, bound(*low)));
        conjoin(fmt::format("{} < {}", column, bound(behind_prefix(*high))));
    }

    void add_judgement(std::size_t n, const std::string& column) {
        conjoin(fmt::format("dicom_match({}, {})", n, column));
    }

    void conjoin(const std::string& condition) { where_ += (where_.empty() ? "" : " AND ") + condition; }

    std::string bound(std::string value) {
        out_.values.push_back(std::move(value));
        return fmt::format("?{}", out_.values.size());
    }

    const Query& query_;
    CompiledQuery out_;
    std::string where_;
};

}  // namespace

CompiledQuery compile(const Query& query) {
    return Compiler(query).compile();
}

std::vector<MatchKey> keys_without_column(const Query& query) {
    std::vector<MatchKey> without;
    for (const auto& key : query.keys) {
        if (key.kind == MatchKind::universal || is_count(key.tag)) continue;
        if (!column_for(key, query.level)) without.push_back(key);
    }
    return without;
}

std::string json_list(const std::vector<std::string>& values) {
    std::string text = "[";
    for (const auto& value : values) {
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
