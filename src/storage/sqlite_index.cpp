#include "storage/sqlite_index.h"

#include <memory>
#include <mutex>
#include <utility>

#include "storage/change_feed.h"
#include "storage/sqlite_attribute_rows.h"
#include "storage/sqlite_change_feed.h"
#include "storage/sqlite_database.h"
#include "storage/sqlite_query.h"
#include "storage/sqlite_reader.h"

namespace sagitta::storage {
namespace {

InstanceLocation location_in(const Statement& row, int column) {
    InstanceLocation location;
    location.sop_instance_uid = dicom::Uid::parse(row.text(column)).value_or(dicom::Uid());
    location.sop_class_uid = row.text(column + 1);
    location.transfer_syntax_uid = row.text(column + 2);
    location.volume = static_cast<std::uint32_t>(row.integer(column + 3));
    location.offset = static_cast<std::uint64_t>(row.integer(column + 4));
    location.length = static_cast<std::uint64_t>(row.integer(column + 5));
    location.data_set_offset = static_cast<std::uint64_t>(row.integer(column + 6));
    location.header_length = static_cast<std::uint64_t>(row.integer(column + 7));
    return location;
}

std::optional<std::int64_t> number_of(Database& database, const CompiledQuery& query) {
    auto select = database.cached(query.sql);
    if (!select) return std::nullopt;
    const ResetAtEnd reset(**select);
    for (std::size_t i = 0; i < query.values.size(); ++i) {
        (*select)->bind(static_cast<int>(i) + 1, std::string_view(query.values[i]));
    }
    auto row = (*select)->step();
    if (!row || !*row) return std::nullopt;
    return (*select)->integer(0);
}

class SqliteIndex final : public InstanceIndex {
public:
    explicit SqliteIndex(std::string path) : path_(std::move(path)) {}

    Result<FindSummary> find(const Query& query,
                             const std::function<bool(const Match&)>& each) const override;
    std::vector<dicom::MatchKey> unindexed(const Query& query) const override {
        return keys_without_column(query);
    }
    Result<std::vector<InstanceLocation>> locate(const Scope& scope) const override;
    Result<std::optional<InstanceLocation>> find_instance(const dicom::Uid& sop_instance_uid) const override;
    Result<IndexCounts> counts() const override;
    Result<std::vector<Event>> events(std::uint64_t after, std::uint64_t limit) const override {
        auto reader = borrow();
        if (!reader) return std::move(reader).error();
        return read_events(*(*reader)->database, after, limit);
    }

private:
    /// Gives the connection back to the pool at the end of a call.
    struct Return {
        const SqliteIndex* pool;
        void operator()(Reader* reader) const {
            reader->query = nullptr;
            const std::lock_guard lock(pool->mutex_);
            pool->idle_.emplace_back(reader);
        }
    };
    using Borrowed = std::unique_ptr<Reader, Return>;

    Result<Borrowed> borrow() const {
        {
            const std::lock_guard lock(mutex_);
            if (!idle_.empty()) {
                Borrowed reader(idle_.back().release(), Return{this});
                idle_.pop_back();
                return reader;
            }
        }
        auto reader = open_reader(path_);
        if (!reader) return std::move(reader).error();
        return Borrowed(reader->release(), Return{this});
    }

    std::string path_;
    mutable std::mutex mutex_;
    mutable std::vector<std::unique_ptr<Reader>> idle_;
};

Result<FindSummary> SqliteIndex::find(const Query& query,
                                      const std::function<bool(const Match&)>& each) const {
    FindSummary summary;
    if (query.limit == 0) return FindSummary{0, true};
    auto reader = borrow();
    if (!reader) return std::move(reader).error();
    (*reader)->query = &query;
    auto chosen = chosen_attributes(*(*reader)->database);
    if (!chosen) return std::move(chosen).error();
    const auto count = [&](const CompiledQuery& rows) { return number_of(*(*reader)->database, rows); };
    auto compiled = compile(query, *chosen, count);
    auto select = (*reader)->database->cached(compiled.sql);
    if (!select) return std::move(select).error();
    auto& row = **select;
    const ResetAtEnd reset(row);
    for (std::size_t i = 0; i < compiled.values.size(); ++i) {
        row.bind(static_cast<int>(i) + 1, std::string_view(compiled.values[i]));
    }
    while (true) {
        auto more = row.step();
        if (!more) return std::move(more).error();
        if (!*more) return summary;
        for (std::size_t i = 0; i < compiled.attributes.size(); ++i) {
            compiled.attributes[i].value = row.text(static_cast<int>(i));
        }
        Match match{compiled.attributes, nullptr};
        InstanceLocation location;
        if (query.want_instance) {
            location = location_in(row, compiled.location_column);
            match.instance = &location;
        }
        ++summary.matches;
        if (!each(match) || summary.matches >= query.limit) {
            summary.limit_reached = true;
            return summary;
        }
    }
}

Result<std::vector<InstanceLocation>> SqliteIndex::locate(const Scope& scope) const {
    std::vector<InstanceLocation> found;
    const auto compiled = compile(scope);
    if (compiled.sql.empty()) return found;
    auto reader = borrow();
    if (!reader) return std::move(reader).error();
    auto select = (*reader)->database->cached(compiled.sql);
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    for (std::size_t i = 0; i < compiled.values.size(); ++i) {
        (*select)->bind(static_cast<int>(i) + 1, std::string_view(compiled.values[i]));
    }
    while (true) {
        auto more = (*select)->step();
        if (!more) return std::move(more).error();
        if (!*more) return found;
        found.push_back(location_in(**select, 0));
    }
}

Result<std::optional<InstanceLocation>> SqliteIndex::find_instance(const dicom::Uid& sop_instance_uid) const {
    Scope scope;
    scope.sop_instance_uids.push_back(sop_instance_uid.str());
    auto found = locate(scope);
    if (!found) return std::move(found).error();
    if (found->empty()) return std::optional<InstanceLocation>();
    return std::optional<InstanceLocation>(std::move(found->front()));
}

Result<IndexCounts> SqliteIndex::counts() const {
    auto reader = borrow();
    if (!reader) return std::move(reader).error();
    auto select = (*reader)->database->cached(
        "SELECT (SELECT count(*) FROM patient), (SELECT count(*) FROM study), (SELECT count(*) FROM series), "
        "count(*), coalesce(sum(file_length), 0) FROM instance");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    auto row = (*select)->step();
    if (!row) return std::move(row).error();
    auto at = [&](int column) { return static_cast<std::uint64_t>((*select)->integer(column)); };
    return IndexCounts{at(0), at(1), at(2), at(3), at(4)};
}

}  // namespace

std::string_view Match::value(dicom::Tag tag) const noexcept {
    for (const auto& attribute : attributes) {
        if (attribute.tag == tag) return attribute.value;
    }
    return {};
}

std::unique_ptr<InstanceIndex> open_instance_index(const std::string& path) {
    return std::make_unique<SqliteIndex>(path);
}

}  // namespace sagitta::storage
