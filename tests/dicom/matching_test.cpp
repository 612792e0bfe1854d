#include "dicom/matching.h"

#include <chrono>
#include <fstream>
#include <set>
#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "dicom/dictionary.h"
#include "tests/dicom/matching_cases.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

constexpr Tag kAnyTag{0x00100020u};

TEST(Matching, EveryCaseOfTheTable) {
    for (const auto& row : test::kMatchCases) {
        SCOPED_TRACE(std::string(to_string(row.vr)) + " key '" + std::string(row.key) + "' stored '" +
                     std::string(row.stored) + "'");
        const auto key = parse_match_key(kAnyTag, row.vr, row.key);
        if (row.expect == test::Expect::invalid) {
            EXPECT_TRUE(!key.has_value() && key.error().code == Errc::invalid_argument);
            continue;
        }
        if (!key) {
            ADD_FAILURE() << key.error().message();
            continue;
        }
        EXPECT_EQ(matches(*key, row.stored), row.expect == test::Expect::match);
    }
}

TEST(Matching, EveryCaseOfTheTableOfExtensions) {
    const MatchOptions options{false, true, true};
    for (const auto& row : test::kExtendedCases) {
        SCOPED_TRACE(std::string(to_string(row.vr)) + " key '" + std::string(row.key) + "' stored '" +
                     std::string(row.stored) + "'");
        const auto key = parse_match_key(kAnyTag, row.vr, row.key, options);
        ASSERT_TRUE(key.has_value());
        EXPECT_EQ(matches(*key, row.stored), row.expect == test::Expect::match);
    }
}

// Nothing that plain matching finds is lost, nothing that is no name is treated as one.
TEST(Matching, FuzzyNamesOnlyAdd) {
    const MatchOptions options{false, false, true};
    for (const auto& row : test::kMatchCases) {
        if (row.expect == test::Expect::invalid) continue;
        SCOPED_TRACE(std::string(to_string(row.vr)) + " key '" + std::string(row.key) + "'");
        const auto key = parse_match_key(kAnyTag, row.vr, row.key, options);
        ASSERT_TRUE(key.has_value());
        const bool matched = matches(*key, row.stored);
        const bool plainly = row.expect == test::Expect::match;
        EXPECT_EQ(matched, row.vr == Vr::PN ? matched || plainly : plainly);
    }
}

// What storage compiles from: the kind and the values, not only the verdict.
TEST(Matching, KeysAreNormalisedToComparableForm) {
    struct Row {
        Vr vr;
        std::string_view text;
        MatchKind kind;
        std::vector<std::string> values;
    };
    const std::vector<Row> rows = {
        {Vr::LO, "*", MatchKind::universal, {}},
        {Vr::LO, " A ", MatchKind::single_value, {"A"}},
        {Vr::CS, "CT\\MR", MatchKind::list, {"CT", "MR"}},
        {Vr::LO, "A*", MatchKind::wildcard, {"A*"}},
        {Vr::LO, "A*\\B", MatchKind::wildcard, {"A*", "B"}},
        {Vr::PN, "MÜLLER^Jörg^^", MatchKind::single_value, {"muller^jorg"}},
        {Vr::PN, "Doe^*", MatchKind::wildcard, {"doe^*", "doe"}},
        {Vr::PN, "Doe^J*^*", MatchKind::wildcard, {"doe^j*"}},
        {Vr::UI, "1.2\\1.3", MatchKind::list, {"1.2", "1.3"}},
        {Vr::DA, "2021.04.08", MatchKind::single_value, {"20210408"}},
        {Vr::DA, "20210408-", MatchKind::range, {"20210408", ""}},
        {Vr::DA, "-20210408", MatchKind::range, {"", "20210408"}},
        {Vr::TM, "10-1130", MatchKind::range, {"100000.000000", "113059.999999"}},
        {Vr::TM, "101112", MatchKind::range, {"101112.000000", "101112.999999"}},
        {Vr::TM, "101112.123456", MatchKind::single_value, {"101112.123456"}},
        {Vr::DT, "202102", MatchKind::range, {"20210201000000.000000", "20210228235959.999999"}},
        {Vr::IS, "007", MatchKind::single_value, {"7"}},
        {Vr::DS, "1.50\\2", MatchKind::list, {"1.5", "2"}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.text);
        const auto key = parse_match_key(kAnyTag, row.vr, row.text);
        ASSERT_TRUE(key.has_value());
        EXPECT_EQ(key->tag, kAnyTag);
        EXPECT_EQ(key->vr, row.vr);
        EXPECT_EQ(key->kind, row.kind);
        EXPECT_EQ(key->values, row.values);
    }
}

TEST(Matching, LimitsListsAndPatterns) {
    std::string list = "1.2";
    for (int i = 1; i < 64 * 1024; ++i) list += "\\1.2";
    EXPECT_TRUE(parse_match_key(kAnyTag, Vr::UI, list).has_value());
    list += "\\1.2";
    const auto too_many = parse_match_key(kAnyTag, Vr::UI, list);
    ASSERT_FALSE(too_many.has_value());
    EXPECT_EQ(too_many.error().code, Errc::limit_exceeded);

    EXPECT_TRUE(parse_match_key(kAnyTag, Vr::UT, "*" + std::string(4095, 'a')).has_value());
    const auto too_long = parse_match_key(kAnyTag, Vr::UT, "*" + std::string(4096, 'a'));
    ASSERT_FALSE(too_long.has_value());
    EXPECT_EQ(too_long.error().code, Errc::limit_exceeded);
}

TEST(Matching, ErrorsDoNotRepeatTheValue) {
    const auto key = parse_match_key(kAnyTag, Vr::DA, "Doe-Secret");
    ASSERT_FALSE(key.has_value());
    EXPECT_EQ(key.error().message().find("Secret"), std::string::npos);
}

bool reference(std::string_view pattern, std::string_view text) {
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*')
        return reference(pattern.substr(1), text) || (!text.empty() && reference(pattern, text.substr(1)));
    return !text.empty() && (pattern[0] == '?' || pattern[0] == text[0]) &&
           reference(pattern.substr(1), text.substr(1));
}

/// All words of up to `longest` letters.
std::vector<std::string> words(std::string_view letters, std::size_t longest) {
    std::vector<std::string> all = {""};
    for (std::size_t first = 0, size = 0; size < longest; ++size) {
        const std::size_t end = all.size();
        for (; first < end; ++first) {
            for (const char letter : letters) all.push_back(all[first] + letter);
        }
    }
    return all;
}

TEST(Wildcard, AgreesWithTheDefinitionOnAllShortPatterns) {
    const auto texts = words("ab", 6);
    // Behind 70 letters the same patterns take the way for long ones.
    const std::string more(70, 'a');
    for (const auto& pattern : words("ab*?", 5)) {
        for (const auto& text : texts) {
            const bool expected = reference(pattern, text);
            ASSERT_EQ(matches_wildcard(pattern, text), expected) << pattern << " " << text;
            ASSERT_EQ(matches_wildcard("?" + more + pattern, "x" + more + text), expected)
                << pattern << " " << text;
        }
    }
}

TEST(Wildcard, QuestionMarkIsOneCharacterWhateverItsBytes) {
    EXPECT_TRUE(matches_wildcard("?", "ü"));
    EXPECT_TRUE(matches_wildcard("?", "山"));
    EXPECT_TRUE(matches_wildcard("?", "\U0001F600"));
    EXPECT_FALSE(matches_wildcard("?", "üü"));
    EXPECT_FALSE(matches_wildcard("??", "山"));
    EXPECT_TRUE(matches_wildcard("*?田", "山山田"));
    EXPECT_TRUE(matches_wildcard("?" + std::string(80, 'a') + "?b", "山" + std::string(80, 'a') + "山b"));
    EXPECT_FALSE(matches_wildcard("?" + std::string(80, 'a') + "?b", "山" + std::string(80, 'a') + "山山b"));
    // The wildcard at a word's edge of the automaton: tokens 63 to 66.
    for (std::size_t size = 60; size < 70; ++size) {
        EXPECT_TRUE(matches_wildcard("*" + std::string(size, '?'), "x" + std::string(size, 'y')));
        EXPECT_FALSE(matches_wildcard("*" + std::string(size, '?'), std::string(size - 1, 'y')));
        EXPECT_TRUE(
            matches_wildcard("?" + std::string(size, 'y') + "?*z", "山" + std::string(size, 'y') + "山山z"));
    }
}

// Backtracking would take time to the power of the number of stars here.
TEST(Wildcard, NoPatternIsSlow) {
    std::string pattern;
    for (int i = 0; i < 1024; ++i) pattern += "*a?b";
    const std::string text(64 * 1024, 'a');
    const auto before = std::chrono::steady_clock::now();
    EXPECT_FALSE(matches_wildcard(pattern, text));
    EXPECT_FALSE(matches_wildcard("*a*a*a*a*a*a*a*a*a*a*a*a*b", text));
    EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(10));
}

TEST(RangeBound, FillsWhatIsNotSaid) {
    EXPECT_EQ(range_bound(Vr::DA, "20210408", false), "20210408");
    EXPECT_EQ(range_bound(Vr::DA, "2021.04.08", true), "20210408");
    EXPECT_EQ(range_bound(Vr::DA, "202104", true), "");
    EXPECT_EQ(range_bound(Vr::TM, "10", false), "100000.000000");
    EXPECT_EQ(range_bound(Vr::TM, "10", true), "105959.999999");
    EXPECT_EQ(range_bound(Vr::TM, "1030", true), "103059.999999");
    EXPECT_EQ(range_bound(Vr::TM, "10:30:15.5", true), "103015.599999");
    EXPECT_EQ(range_bound(Vr::TM, "10:30", false), "103000.000000");
    EXPECT_EQ(range_bound(Vr::TM, "", false), "");
    EXPECT_EQ(range_bound(Vr::DT, "2020", true), "20201231235959.999999");
    EXPECT_EQ(range_bound(Vr::DT, "202002", true), "20200229235959.999999");
    EXPECT_EQ(range_bound(Vr::DT, "20200301003000+0100", false), "20200229233000.000000");
    EXPECT_EQ(range_bound(Vr::DT, "0000+0100", false), "00000101000000.000000");
    EXPECT_EQ(range_bound(Vr::DT, "9999-0100", true), "99991231235959.999999");
    EXPECT_EQ(range_bound(Vr::LO, "20210408", false), "");
}

TEST(Comparable, IsTheFormValuesAreIndexedIn) {
    EXPECT_EQ(comparable(Vr::LO, " Abc "), "Abc");
    EXPECT_EQ(comparable(Vr::PN, "MÜLLER^Jörg^^ "), "muller^jorg");
    EXPECT_EQ(comparable(Vr::UI, std::string_view("1.2\0", 4)), "1.2");
    EXPECT_EQ(comparable(Vr::TM, "1030"), "103000.000000");
    EXPECT_EQ(comparable(Vr::DA, "19.1.2"), "");
    EXPECT_EQ(comparable(Vr::IS, "-05"), "-5");
    EXPECT_EQ(comparable(Vr::IS, "+-5"), "+-5");
    EXPECT_EQ(comparable(Vr::IS, "12a"), "12a");
    EXPECT_EQ(comparable(Vr::UV, "18446744073709551615"), "18446744073709551615");
    EXPECT_EQ(comparable(Vr::DS, "1.0E2"), "100");
    EXPECT_EQ(comparable(Vr::DS, "-0"), "0");
}

// An independent evaluation of the same keys over the query/retrieve set.
TEST(Matching, FindsWhatTheQueryOracleFinds) {
    const auto path = test::shared_data() / "series" / "qr" / "queries.json";
    std::ifstream file(path);
    if (!file) GTEST_SKIP() << "../shared/data is not there";
    const auto oracle = nlohmann::json::parse(file);
    int queries = 0;
    for (const auto& query : oracle["queries"]) {
        SCOPED_TRACE(query.dump());
        std::vector<std::pair<std::string, MatchKey>> keys;
        for (const auto& [keyword, value] : query["keys"].items()) {
            const auto* entry = find_keyword(keyword);
            ASSERT_NE(entry, nullptr);
            auto key = parse_match_key(entry->tag, entry->vr, value.get<std::string>());
            ASSERT_TRUE(key.has_value());
            keys.emplace_back(keyword, std::move(*key));
        }
        for (const auto& [name, expected] : query.items()) {
            if (!name.starts_with("expected_")) continue;
            std::set<std::string> found;
            for (const auto& instance : oracle["instances"]) {
                bool all = true;
                for (const auto& [keyword, key] : keys)
                    all = all && matches(key, instance.value(keyword, ""));
                if (all) found.insert(instance[name.substr(9)].get<std::string>());
            }
            EXPECT_EQ(found, expected.get<std::set<std::string>>());
            ++queries;
        }
    }
    EXPECT_GE(queries, 20);
}

}  // namespace
}  // namespace sagitta::dicom
