#include <algorithm>
#include <fstream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "dicom/builder.h"
#include "dicom/dictionary.h"
#include "dicom/dump.h"
#include "dicom/part10.h"
#include "dicom/private_block.h"
#include "dicom/walk.h"
#include "tests/support/shared_data.h"

namespace sagitta::dicom {
namespace {

TEST(PrivateDictionary, KnowsElementsByCreatorInAnyBlock) {
    const auto b_value = find_private_tag("Philips Imaging DD 001", Tag(0x20011003u));
    ASSERT_TRUE(b_value.has_value());
    EXPECT_EQ(b_value->vr, Vr::FL);
    EXPECT_EQ(b_value->vm, "1");
    EXPECT_EQ(b_value->name, "Diffusion B-Factor");
    const auto other_block = find_private_tag("Philips Imaging DD 001", Tag(0x2001fe03u));
    ASSERT_TRUE(other_block.has_value());
    EXPECT_EQ(other_block->name, b_value->name);

    const auto csa = find_private_tag("SIEMENS CSA HEADER", Tag(0x00291010u));
    ASSERT_TRUE(csa.has_value());
    EXPECT_EQ(csa->vr, Vr::OB);
}

TEST(PrivateDictionary, ComparesCreatorsExactlyButForPadding) {
    const Tag csa(0x00291010u);
    EXPECT_TRUE(find_private_tag(" SIEMENS CSA HEADER  ", csa).has_value());
    EXPECT_TRUE(find_private_tag(std::string_view("SIEMENS CSA HEADER\0", 19), csa).has_value());
    EXPECT_FALSE(find_private_tag("Siemens CSA Header", csa).has_value());
    EXPECT_FALSE(find_private_tag("SIEMENS CSA HEADER 2", csa).has_value());
    EXPECT_FALSE(find_private_tag("SIEMENS CSA HEADE", csa).has_value());
    EXPECT_FALSE(find_private_tag("", csa).has_value());
    EXPECT_FALSE(find_private_tag("zzzz", csa).has_value());
    EXPECT_FALSE(find_private_tag("\xff\xff", csa).has_value());
}

TEST(PrivateDictionary, KnowsNothingOutsideBlocks) {
    EXPECT_FALSE(find_private_tag("SIEMENS CSA HEADER", Tag(0x00290010u)).has_value()) << "a creator";
    EXPECT_FALSE(find_private_tag("SIEMENS CSA HEADER", Tag(0x00281010u)).has_value()) << "not private";
    EXPECT_FALSE(find_private_tag("SIEMENS CSA HEADER", Tag(0x00311010u)).has_value()) << "another group";
    EXPECT_FALSE(find_private_tag("SIEMENS CSA HEADER", Tag(0x002910ffu)).has_value()) << "no such element";
}

TEST(PrivateDictionary, KnowsRepeatingGroups) {
    const auto text = find_private_tag("DLX_ANNOT_01", Tag(0x70011004u));
    ASSERT_TRUE(text.has_value());
    EXPECT_EQ(text->vr, Vr::ST);
    EXPECT_EQ(find_private_tag("DLX_ANNOT_01", Tag(0x70ff1004u))->name, text->name);
    EXPECT_FALSE(find_private_tag("DLX_ANNOT_01", Tag(0x71011004u)).has_value());
}

TEST(PrivateDictionary, SaysWhenTheDataSetDecidesTheVr) {
    const auto raw = find_private_tag("FDMS 1.0", Tag(0x002710a3u));
    ASSERT_TRUE(raw.has_value());
    EXPECT_EQ(raw->vr, Vr::US);
    EXPECT_TRUE(raw->ambiguous_vr);
}

std::vector<std::string> fields_of(const std::string& line) {
    std::vector<std::string> fields;
    for (std::size_t at = 0; at <= line.size();) {
        const auto tab = std::min(line.find('\t', at), line.size());
        fields.push_back(line.substr(at, tab - at));
        at = tab + 1;
    }
    return fields;
}

TEST(PrivateDictionary, FindsEveryRowOfItsTable) {
    std::ifstream file(std::string(SAGITTA_SOURCE_DIR) + "/src/dicom/tables/private_dictionary.tsv");
    std::string line;
    std::getline(file, line);
    int rows = 0;
    while (std::getline(file, line)) {
        SCOPED_TRACE(line);
        const auto fields = fields_of(line);
        ASSERT_EQ(fields.size(), 5u);
        std::string digits = fields[1].substr(1, 4) + fields[1].substr(6, 4);
        if (digits.compare(2, 2, "xx") == 0) digits.replace(2, 2, "01");
        digits.replace(4, 2, "7f");
        const auto entry =
            find_private_tag(fields[0], Tag(static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16))));
        ASSERT_TRUE(entry.has_value());
        EXPECT_EQ(to_string(entry->vr), fields[2].substr(0, 2));
        EXPECT_EQ(entry->ambiguous_vr, fields[2].size() > 2);
        EXPECT_EQ(entry->vm, fields[3]);
        EXPECT_EQ(entry->name, fields[4]);
        ++rows;
    }
    EXPECT_GT(rows, 10000);
}

// Explicit files state the VR of their private elements. Where a device wrote another one than it
// documents, its versions differ.
TEST(PrivateDictionary, AgreesWithExplicitFilesOfTheCorpus) {
    const std::set<std::pair<std::string, std::uint32_t>> others = {
        {"AGFA", 0x00191010u},         {"GEMS_GENIE_1", 0x00091040u}, {"GEMS_GENIE_1", 0x00131012u},
        {"GEMS_GENIE_1", 0x0013101cu}, {"GEMS_GENIE_1", 0x0013101du},
    };
    int agreed = 0;
    for (const auto& path : test::shared_objects()) {
        ParseOptions options;
        options.keep_readable_part = true;
        const auto file = read_file(path.string(), options);
        if (!file || !file->layout.syntax->explicit_vr) continue;
        for (Walk walk(file->data_set); walk.next();) {
            const Element element = walk.element();
            const auto creator = private_creator_of(walk.level(), element.tag());
            if (!creator || element.vr() == Vr::UN) continue;
            const auto known = find_private_tag(creator->text(), element.tag());
            if (!known || known->vr == Vr::UN) continue;
            agreed += known->vr == element.vr();
            if (known->vr == element.vr()) continue;
            EXPECT_TRUE(others.contains({std::string(creator->text()), element.tag().value}))
                << path.filename() << " " << walk.path_text() << " of " << creator->text();
        }
    }
    if (agreed == 0) GTEST_SKIP() << "../shared/data is not there";
    EXPECT_GT(agreed, 4000);
}

// Two blocks of one group, one of them again inside an item with the creators the other way round.
DataSet with_private_blocks() {
    DataSetBuilder builder;
    builder.add_text(Tag(0x00290010u), Vr::LO, "SIEMENS CSA HEADER");
    builder.add_text(Tag(0x00290011u), Vr::LO, "ACME");
    builder.add_text(Tag(0x00291008u), Vr::CS, "IMAGE NUM 4");
    builder.add_text(Tag(0x00291108u), Vr::LO, "of ACME");
    builder.add_text(Tag(0x00291208u), Vr::LO, "of nobody");
    builder.begin_sequence(Tag(0x00400275u));
    builder.begin_item();
    builder.add_text(Tag(0x00290010u), Vr::LO, "ACME");
    builder.add_text(Tag(0x00291008u), Vr::LO, "inner");
    builder.end();
    builder.end();
    return builder.finish();
}

TEST(PrivateBlock, NamesItsCreatorOnItsOwnLevel) {
    const DataSet data_set = with_private_blocks();
    const auto top = data_set.elements();
    EXPECT_EQ(private_creator_of(top, Tag(0x00291008u))->text(), "SIEMENS CSA HEADER");
    EXPECT_EQ(private_creator_of(top, Tag(0x002911ffu))->text(), "ACME");
    EXPECT_FALSE(private_creator_of(top, Tag(0x00291208u)).has_value());
    EXPECT_FALSE(private_creator_of(top, Tag(0x00290010u)).has_value());
    EXPECT_FALSE(private_creator_of(top, Tag(0x00280010u)).has_value());
    const Element item = *data_set.find(Tag(0x00400275u))->children().begin();
    EXPECT_EQ(private_creator_of(item.children(), Tag(0x00291008u))->text(), "ACME");
}

TEST(PrivateBlock, FindsElementsWhereverTheirBlockIs) {
    const DataSet data_set = with_private_blocks();
    const auto top = data_set.elements();
    EXPECT_EQ(find_private(top, "ACME", 0x0029, 0x08)->text(), "of ACME");
    EXPECT_EQ(find_private(top, "SIEMENS CSA HEADER", 0x0029, 0x08)->text(), "IMAGE NUM 4");
    EXPECT_FALSE(find_private(top, "ACME", 0x0029, 0x09).has_value());
    EXPECT_FALSE(find_private(top, "ACME", 0x0031, 0x08).has_value());
    EXPECT_FALSE(find_private(top, "acme", 0x0029, 0x08).has_value());
    const Element item = *data_set.find(Tag(0x00400275u))->children().begin();
    EXPECT_EQ(find_private(item.children(), "ACME", 0x0029, 0x08)->text(), "inner");
}

TEST(PrivateBlock, IsNamedInTheDump) {
    std::string text;
    dump(with_private_blocks(), {}, [&](std::string_view line) { text.append(line).append("\n"); });
    EXPECT_NE(text.find("SIEMENS CSA HEADER 08 CSA Image Header "), std::string::npos) << text;
    EXPECT_NE(text.find("ACME 08  "), std::string::npos) << text;
    EXPECT_NE(text.find("? private, no creator"), std::string::npos) << text;
}

}  // namespace
}  // namespace sagitta::dicom
