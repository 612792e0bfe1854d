#include "dicom/text.h"

#include <gtest/gtest.h>

#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

TEST(Fold, CaseAndAccents) {
    EXPECT_EQ(fold("DOE^John"), "doe^john");
    EXPECT_EQ(fold("Müller^Jörg Çelik"), "muller^jorg celik");
    EXPECT_EQ(fold("Mu\u0308ller"), "muller");
    EXPECT_EQ(fold("STRAẞE Straße"), "strasse strasse");
    EXPECT_EQ(fold("Święcicki^Żółć"), "swiecicki^zolc");
    EXPECT_EQ(fold("Ĉapek^Ġorġ Ħal"), "capek^gorg hal");
    EXPECT_EQ(fold("Çavuşoğlu^Şıh İpek"), "cavusoglu^sih ipek");
    EXPECT_EQ(fold("Sørensen Đorđe Æther Œuvre Þór Guðrún Ǿ"), "sorensen dorde aether oeuvre thor gudrun o");
    EXPECT_EQ(fold("ΔΙΟΝΎΣΙΟΣ"), fold("Διονυσιος"));
    EXPECT_EQ(fold("Люкceмбypг"), "люкceмбypг");
    EXPECT_EQ(fold("Ёлкин"), "елкин");
}

TEST(Fold, CompatibilityForms) {
    EXPECT_EQ(fold("ﾔﾏﾀﾞ^ﾀﾛｳ"), "ヤマダ^タロウ");
    EXPECT_EQ(fold("ＤＯＥ　ｊ"), "doe j");
    EXPECT_EQ(fold("ﬁn"), "fin");
    EXPECT_EQ(fold("℡"), "tel");
}

TEST(Fold, KeepsWhatCarriesTheWord) {
    EXPECT_NE(fold("ハハ"), fold("ババ"));
    EXPECT_EQ(fold("홍^길동"), "홍^길동");
    EXPECT_EQ(fold("\u1112\u1169\u11bc"), "홍");
    EXPECT_EQ(fold("นามสกุล^ชื่อ"), "นามสกุล^ชื่อ");
    EXPECT_EQ(fold("山田^太郎"), "山田^太郎");
}

TEST(Fold, VowelPointsAreOptional) {
    EXPECT_EQ(fold("שָׁלוֹם"), fold("שלום"));
    EXPECT_EQ(fold("مُحَمَّد"), fold("محمد"));
}

// A full-width asterisk in a name must not become a wildcard, nor a full-width = a delimiter.
TEST(Fold, MakesNoStructure) {
    for (char32_t c = 0x80; c <= 0x10ffff; ++c) {
        if (c >= 0xd800 && c <= 0xdfff) continue;
        std::string text;
        append_utf8(text, c);
        ASSERT_EQ(fold(text).find_first_of("*?\\^="), std::string::npos) << static_cast<unsigned>(c);
    }
}

TEST(Fold, TwiceIsOnce) {
    for (char32_t c = 0; c <= 0x10ffff; ++c) {
        if (c >= 0xd800 && c <= 0xdfff) continue;
        std::string text;
        append_utf8(text, c);
        const auto folded = fold(text);
        ASSERT_EQ(fold(folded), folded) << static_cast<unsigned>(c);
        ASSERT_TRUE(is_valid_utf8(folded));
    }
}

TEST(Fold, InvalidUtf8IsKept) {
    EXPECT_EQ(fold("M\xfcLLER"), "m\xfcller");
    EXPECT_EQ(fold("\xff\xfe"), "\xff\xfe");
    EXPECT_EQ(fold("\xc3"), "\xc3");
}

TEST(FoldPersonName, DropsWhatDoesNotTellNamesApart) {
    EXPECT_EQ(fold_person_name(""), "");
    EXPECT_EQ(fold_person_name("Doe^John^^^"), "doe^john");
    EXPECT_EQ(fold_person_name("Doe^^John"), "doe^^john");
    EXPECT_EQ(fold_person_name("^John"), "^john");
    EXPECT_EQ(fold_person_name("^^^^"), "");
    EXPECT_EQ(fold_person_name("^^=^="), "");
    EXPECT_EQ(fold_person_name("  Van   Dyke ^ Jan  "), "van dyke^jan");
    EXPECT_EQ(fold_person_name("Doe^ ^ "), "doe");
    EXPECT_EQ(fold_person_name("Wang^XiaoDong=王^小东="), "wang^xiaodong=王^小东");
    EXPECT_EQ(fold_person_name("Doe^J^^=山^^=="), "doe^j=山");
    EXPECT_EQ(fold_person_name("=山田^太郎"), "=山田^太郎");
    EXPECT_EQ(fold_person_name("==やまだ"), "==やまだ");
    EXPECT_EQ(fold_person_name("Doe^ =x"), "doe=x");
    EXPECT_EQ(fold_person_name("Doe^John^\\ Roe ^Jane^^"), "doe^john\\roe^jane");
}

TEST(ValidUtf8, RefusesWhatIsNone) {
    EXPECT_TRUE(is_valid_utf8(""));
    EXPECT_TRUE(is_valid_utf8("aü山\U0001F600\U0010FFFF"));
    EXPECT_TRUE(is_valid_utf8(std::string_view("\0", 1)));
    EXPECT_FALSE(is_valid_utf8("\x80"));
    EXPECT_FALSE(is_valid_utf8("\xc0\x80"));
    EXPECT_FALSE(is_valid_utf8("\xc1\xbf"));
    EXPECT_FALSE(is_valid_utf8("\xe0\x9f\xbf"));
    EXPECT_FALSE(is_valid_utf8("\xed\xa0\x80"));
    EXPECT_FALSE(is_valid_utf8("\xf0\x8f\xbf\xbf"));
    EXPECT_FALSE(is_valid_utf8("\xf4\x90\x80\x80"));
    EXPECT_FALSE(is_valid_utf8("\xf5\x80\x80\x80"));
    EXPECT_FALSE(is_valid_utf8("\xe5\xb1"));
    EXPECT_FALSE(is_valid_utf8("\xc3("));
}

}  // namespace
}  // namespace sagitta::dicom
