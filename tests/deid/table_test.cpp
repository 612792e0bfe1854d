// Every row of PS3.15 Table E.1-1, the Basic Profile and each option alone, at the top level and inside a
// sequence: what the table says is what happens to the value.
#include "deid/deidentifier.h"

#include <gtest/gtest.h>

#include <array>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/walk.h"
#include "tests/deid/sample.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

struct Row {
    dicom::Tag tag;
    Vr vr = Vr::none;
    std::string basic;
    std::set<std::string> keeps;
    std::set<std::string> cleans;
};

// The table itself, read again and without the code under test.
std::vector<Row> rows() {
    std::ifstream file(SAGITTA_SOURCE_DIR "/src/deid/tables/confidentiality_profile.tsv");
    std::vector<Row> found;
    std::string line;
    std::getline(file, line);
    while (std::getline(file, line)) {
        std::vector<std::string> cells;
        std::istringstream cut(line);
        for (std::string cell; std::getline(cut, cell, '\t');) cells.push_back(cell);
        std::string digits = cells[0].substr(1, 4) + cells[0].substr(6, 4);
        if (digits == "50xxxxxx") digits = "50000010";
        for (auto& c : digits) c = c == 'x' ? '0' : c;
        Row row;
        row.tag = dicom::Tag(static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16)));
        const auto* entry = dicom::find_tag(row.tag);
        row.vr = entry != nullptr ? entry->vr : Vr::LO;
        row.basic = cells[2];
        std::istringstream options(cells.size() > 3 ? cells[3] : "");
        for (std::string option; options >> option;) {
            const auto name = option.substr(0, option.find('='));
            (option.back() == 'K' ? row.keeps : row.cleans).insert(name);
        }
        if (row.tag.group() > 0x0002) found.push_back(row);
    }
    return found;
}

std::string canary(Vr vr) {
    switch (vr) {
        case Vr::DA: return "19330412";
        case Vr::TM: return "131517";
        case Vr::DT: return "19330412131517";
        case Vr::AS: return "047Y";
        case Vr::DS:
        case Vr::IS: return "73512";
        case Vr::UI: return "1.2.3.73512.4";
        case Vr::US: return "73";
        default: return "CANARYBIRD";
    }
}

void add_value(dicom::DataSetBuilder& builder, const Row& row) {
    if (row.vr == Vr::SQ) {
        builder.begin_sequence(row.tag);
        builder.begin_item();
        builder.add_text(tags::CodeMeaning, Vr::LO, "CANARYBIRD");
        builder.add_text(tags::PatientComments, Vr::LT, "CANARYBIRD");
        builder.end();
        builder.end();
        return;
    }
    builder.add(row.tag, row.vr, as_bytes(canary(row.vr)));
}

// An instance with nothing else in it but that attribute, on the level asked for.
dicom::DataSet instance_with(const Row& row, bool nested) {
    dicom::DataSet made = test::minimal_instance();
    dicom::DataSetBuilder builder;
    if (nested) {
        builder.begin_sequence(dicom::Tag(0x00081115));
        builder.begin_item();
    }
    add_value(builder, row);
    if (nested) {
        builder.end();
        builder.end();
    }
    const auto holder = builder.finish();
    for (const auto& element : holder.elements()) made.set(element);
    return made;
}

std::optional<dicom::Element> found_in(const dicom::DataSet& data_set, const Row& row, bool nested) {
    if (!nested) return data_set.find(row.tag);
    const auto sequence = data_set.find(dicom::Tag(0x00081115));
    if (!sequence) return std::nullopt;
    for (const auto& item : sequence->children()) return item.children().find(row.tag);
    return std::nullopt;
}

bool holds_canary(const Deidentified& made, const Row& row) {
    const auto text = as_text(made.bytes.span());
    if (row.vr == Vr::US) return false;  // two letters, found by chance
    return text.find(canary(row.vr)) != std::string_view::npos;
}

class TableTest : public testing::TestWithParam<bool> {
protected:
    static Deidentified made(const Row& row, const OptionSet& options) {
        auto profile = test::profile_with(options);
        const Deidentifier deidentifier(profile, test::pseudonyms());
        auto result = deidentifier.apply(instance_with(row, GetParam()), dicom::explicit_vr_little_endian());
        EXPECT_TRUE(result.has_value()) << dicom::to_string(row.tag);
        if (!result) return {};
        EXPECT_FALSE(result->quarantined.has_value()) << dicom::to_string(row.tag) << *result->quarantined;
        return std::move(*result);
    }
};

TEST_P(TableTest, HasTheWholeTable) {
    EXPECT_EQ(rows().size(),
              617u);  // 621 rows with that of private attributes, three of groups 0000 and 0002
}

TEST_P(TableTest, BasicProfileLeavesNoValue) {
    for (const Row& row : rows()) {
        const auto result = made(row, {});
        const auto element = found_in(result.data_set, row, GetParam());
        const std::string where = dicom::to_string(row.tag) + " " + row.basic;
        const bool identifier = row.tag == tags::SOPInstanceUID;
        EXPECT_FALSE(holds_canary(result, row) && !identifier) << where;
        if (row.basic == "X") {
            EXPECT_FALSE(element.has_value()) << where;
        }
        if (row.basic == "Z" || row.basic == "D" || row.basic == "Z/D") {
            EXPECT_TRUE(element.has_value()) << where;
        }
        if (row.basic == "D" && row.vr != Vr::UN) {
            EXPECT_FALSE(element && element->empty()) << where;
        }
        if (row.basic == "U") {
            ASSERT_TRUE(element.has_value()) << where;
            EXPECT_TRUE(element->text().starts_with("2.25.")) << where;
        }
    }
}

TEST_P(TableTest, EachOptionKeepsWhatItRetains) {
    const std::vector<std::pair<std::string, Option>> retaining = {
        {"uids", Option::retain_uids},
        {"device", Option::retain_device},
        {"institution", Option::retain_institution},
        {"patient", Option::retain_patient_characteristics},
        {"full_dates", Option::retain_full_dates}};
    for (const auto& [name, option] : retaining) {
        OptionSet options;
        options.insert(option);
        for (const Row& row : rows()) {
            const auto result = made(row, options);
            const auto element = found_in(result.data_set, row, GetParam());
            const std::string where = dicom::to_string(row.tag) + " " + name;
            if (!row.keeps.contains(name)) {
                const bool cleaned = row.cleans.contains(name);
                EXPECT_FALSE(!cleaned && holds_canary(result, row)) << where;
                continue;
            }
            ASSERT_TRUE(element.has_value()) << where;
            if (row.vr == Vr::SQ) {
                EXPECT_TRUE(element->has_children()) << where;
            } else {
                EXPECT_EQ(element->text(), as_text(as_bytes(canary(row.vr)))) << where;
            }
        }
    }
}

TEST_P(TableTest, ModifiedDatesAreOtherDatesOfTheSameForm) {
    OptionSet options;
    options.insert(Option::retain_modified_dates);
    for (const Row& row : rows()) {
        const bool date = row.vr == Vr::DA || row.vr == Vr::TM || row.vr == Vr::DT;
        if (!row.cleans.contains("modified_dates") || !date) continue;
        const auto result = made(row, options);
        const auto element = found_in(result.data_set, row, GetParam());
        const std::string where = dicom::to_string(row.tag);
        ASSERT_TRUE(element.has_value()) << where;
        EXPECT_EQ(element->text().size(), canary(row.vr).size()) << where;
        EXPECT_EQ(element->text() == canary(row.vr), row.vr == Vr::TM) << where;
    }
}

TEST_P(TableTest, CleanedDescriptorsStayWithoutTheName) {
    OptionSet options;
    options.insert(Option::clean_descriptors);
    std::size_t seen = 0;
    for (const Row& row : rows()) {
        const bool text =
            row.vr == Vr::LO || row.vr == Vr::LT || row.vr == Vr::SH || row.vr == Vr::ST || row.vr == Vr::UT;
        if (!row.cleans.contains("descriptors") || !text) continue;
        dicom::DataSet original = instance_with(row, GetParam());
        dicom::DataSetBuilder builder;
        if (GetParam()) {
            builder.begin_sequence(dicom::Tag(0x00081115));
            builder.begin_item();
        }
        builder.add_text(row.tag, row.vr, "Knee of NACHTIGALL");
        if (GetParam()) {
            builder.end();
            builder.end();
        }
        const auto holder = builder.finish();
        for (const auto& element : holder.elements()) original.set(element);
        original.set_text(tags::PatientName, Vr::PN, "Nachtigall^Florence");
        const Deidentifier deidentifier(test::profile_with(options), test::pseudonyms());
        const auto result = deidentifier.apply(original, dicom::explicit_vr_little_endian());
        ASSERT_TRUE(result.has_value() && !result->quarantined) << dicom::to_string(row.tag);
        const auto element = found_in(result->data_set, row, GetParam());
        ASSERT_TRUE(element.has_value()) << dicom::to_string(row.tag);
        EXPECT_EQ(element->text(), "Knee of") << dicom::to_string(row.tag);
        ++seen;
    }
    EXPECT_GT(seen, 100u);
}

INSTANTIATE_TEST_SUITE_P(Level, TableTest, testing::Bool(),
                         [](const auto& level) { return level.param ? "Nested" : "Top"; });

}  // namespace
}  // namespace sagitta::deid
