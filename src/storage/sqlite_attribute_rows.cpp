#include "storage/sqlite_attribute_rows.h"

#include <algorithm>
#include <utility>

#include "storage/sqlite_log.h"

namespace sagitta::storage {
namespace {

class SqliteAttributeRows final : public AttributeRows {
public:
    explicit SqliteAttributeRows(Database& database) : db_(database) {}

    Result<void> choose(std::span<const dicom::Tag> tags) override {
        return in_transaction(db_, [&]() -> Result<void> {
            auto known = chosen_attributes(db_);
            if (!known) return std::move(known).error();
            Result<void> done;
            for (const auto tag : *known) {
                if (std::find(tags.begin(), tags.end(), tag) != tags.end()) continue;
                if (done) done = run("DELETE FROM attribute_index WHERE attribute = ?", {tag.value});
            }
            for (const auto tag : tags) {
                if (done)
                    done = run("INSERT OR IGNORE INTO attribute_index (attribute, covered_to) VALUES (?, 0)",
                               {tag.value});
            }
            return done;
        });
    }

    Result<bool> forget_some() override {
        bool any = false;
        auto done = in_transaction(db_, [&]() -> Result<void> {
            auto deleted = run(
                "DELETE FROM series_key WHERE (attribute, value, series) IN (SELECT attribute, value, series "
                "FROM series_key WHERE attribute = (SELECT attribute FROM series_key WHERE attribute NOT IN "
                "(SELECT attribute FROM attribute_index) LIMIT 1) LIMIT 4096)",
                {});
            any = deleted && db_.changed_rows() != 0;
            return deleted;
        });
        if (!done) return std::move(done).error();
        return any;
    }

    Result<std::vector<UncoveredInstance>> uncovered(std::size_t most) override {
        std::vector<UncoveredInstance> found;
        auto select = db_.cached(
            "SELECT id, series, volume, file_offset, file_length, data_set_offset, header_length FROM "
            "instance "
            "WHERE id > (SELECT min(covered_to) FROM attribute_index) ORDER BY id LIMIT ?");
        if (!select) return std::move(select).error();
        auto& row = **select;
        const ResetAtEnd reset(row);
        row.bind(1, static_cast<std::int64_t>(most));
        while (true) {
            auto more = row.step();
            if (!more) return std::move(more).error();
            if (!*more) return found;
            UncoveredInstance one;
            one.id = row.integer(0);
            one.series = row.integer(1);
            one.location.volume = static_cast<std::uint32_t>(row.integer(2));
            one.location.offset = static_cast<std::uint64_t>(row.integer(3));
            one.location.length = static_cast<std::uint64_t>(row.integer(4));
            one.location.data_set_offset = static_cast<std::uint64_t>(row.integer(5));
            one.location.header_length = static_cast<std::uint64_t>(row.integer(6));
            found.push_back(std::move(one));
        }
    }

    Result<bool> cover(std::span<const SeriesValue> values, const UncoveredInstance& last) override {
        bool is_there = false;
        auto done = in_transaction(db_, [&]() -> Result<void> {
            // Ids above the greatest one are given again: those up to one that is still there are not.
            auto still = is_still(last);
            if (!still) return std::move(still).error();
            is_there = *still;
            if (!is_there) return {};
            auto insert =
                db_.cached("INSERT OR IGNORE INTO series_key (attribute, value, series) VALUES (?, ?, ?)");
            if (!insert) return std::move(insert).error();
            for (const auto& value : values) {
                (*insert)->bind(1, static_cast<std::int64_t>(value.tag.value));
                (*insert)->bind(2, std::string_view(value.form));
                (*insert)->bind(3, value.series);
                if (auto added = (*insert)->run(); !added) return added;
            }
            return run("UPDATE attribute_index SET covered_to = max(covered_to, ?)", {last.id});
        });
        if (!done) return std::move(done).error();
        return is_there;
    }

private:
    Result<void> run(const std::string& sql, std::initializer_list<std::int64_t> values) {
        auto statement = db_.cached(sql);
        if (!statement) return std::move(statement).error();
        int index = 0;
        for (const auto value : values) (*statement)->bind(++index, value);
        return (*statement)->run();
    }

    Result<bool> is_still(const UncoveredInstance& one) {
        auto select = db_.cached("SELECT 1 FROM instance WHERE id = ? AND volume = ? AND file_offset = ?");
        if (!select) return std::move(select).error();
        const ResetAtEnd reset(**select);
        (*select)->bind(1, one.id);
        (*select)->bind(2, static_cast<std::int64_t>(one.location.volume));
        (*select)->bind(3, static_cast<std::int64_t>(one.location.offset));
        return (*select)->step();
    }

    Database& db_;
};

}  // namespace

std::unique_ptr<AttributeRows> make_attribute_rows(Database& database) {
    return std::make_unique<SqliteAttributeRows>(database);
}

Result<std::vector<dicom::Tag>> chosen_attributes(Database& database) {
    std::vector<dicom::Tag> tags;
    auto select = database.cached("SELECT attribute FROM attribute_index ORDER BY attribute");
    if (!select) return std::move(select).error();
    const ResetAtEnd reset(**select);
    while (true) {
        auto row = (*select)->step();
        if (!row) return std::move(row).error();
        if (!*row) return tags;
        tags.push_back(dicom::Tag{static_cast<std::uint32_t>((*select)->integer(0))});
    }
}

}  // namespace sagitta::storage
