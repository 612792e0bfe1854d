#include "deid/vault.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string>

#include "deid/reidentify.h"
#include "deid/sealed_box.h"
#include "dicom/builder.h"
#include "dicom/generated/tags.h"
#include "dicom/value_text.h"
#include "tests/deid/sample.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Vr;

ProjectKey key(std::uint8_t seed) {
    std::array<std::uint8_t, 32> secret{};
    secret.fill(seed);
    return *ProjectKey::from_bytes(secret);
}

class VaultTest : public testing::Test {
protected:
    void SetUp() override {
        folder_ = std::filesystem::temp_directory_path() / ("sagitta-vault-" + std::to_string(::getpid()));
        std::filesystem::create_directories(folder_);
        path_ = folder_ / "project.vault";
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }

    [[nodiscard]] std::string bytes() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void sql(const char* text) const {
        sqlite3* database = nullptr;
        ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
        EXPECT_EQ(sqlite3_exec(database, text, nullptr, nullptr, nullptr), SQLITE_OK);
        sqlite3_close(database);
    }

    std::filesystem::path folder_;
    std::filesystem::path path_;
};

TEST_F(VaultTest, RemembersAcrossOpeningsAndTellsNobodyElse) {
    {
        auto vault = Vault::open(path_, key(1));
        ASSERT_TRUE(vault.has_value());
        const std::array mappings = {Mapping{Mapping::Kind::uid, "2.25.1", "1.2.3.NACHTIGALL"},
                                     Mapping{Mapping::Kind::uid, "2.25.1", "another"}};
        ASSERT_TRUE(vault->add(mappings).has_value());
    }
    struct stat status {};
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0600u);
    EXPECT_EQ(bytes().find("NACHTIGALL"), std::string::npos);
    auto vault = Vault::open(path_, key(1));
    ASSERT_TRUE(vault.has_value());
    EXPECT_EQ(**vault->find(Mapping::Kind::uid, "2.25.1"), "1.2.3.NACHTIGALL");
    EXPECT_FALSE(vault->find(Mapping::Kind::patient, "2.25.1")->has_value());
}

TEST_F(VaultTest, IsRefusedToAnotherKeyAndToTheWorld) {
    ASSERT_TRUE(Vault::open(path_, key(1)).has_value());
    EXPECT_EQ(Vault::open(path_, key(2)).error().code, Errc::refused);
    ::chmod(path_.c_str(), 0644);
    EXPECT_EQ(Vault::open(path_, key(1)).error().code, Errc::refused);
}

TEST_F(VaultTest, NoticesEntriesThatWereExchanged) {
    {
        auto vault = Vault::open(path_, key(1));
        const std::array mappings = {Mapping{Mapping::Kind::uid, "2.25.1", "1.1"},
                                     Mapping{Mapping::Kind::uid, "2.25.2", "1.2"}};
        ASSERT_TRUE(vault->add(mappings).has_value());
    }
    sql("UPDATE mapping SET original = (SELECT original FROM mapping WHERE pseudonym = '2.25.2')");
    auto vault = Vault::open(path_, key(1));
    EXPECT_EQ(vault->find(Mapping::Kind::uid, "2.25.1").error().code, Errc::corrupt);
    EXPECT_EQ(**vault->find(Mapping::Kind::uid, "2.25.2"), "1.2");
}

TEST_F(VaultTest, WritesDownWhatItIsUsedFor) {
    auto vault = Vault::open(path_, key(1));
    ASSERT_TRUE(vault->note("export", "uids").has_value());
    sqlite3* database = nullptr;
    ASSERT_EQ(sqlite3_open(path_.c_str(), &database), SQLITE_OK);
    int rows = 0;
    const auto count = [](void* to, int, char** values, char**) {
        *static_cast<int*>(to) += std::string(values[0]) == "export" ? 1 : 0;
        return 0;
    };
    EXPECT_EQ(sqlite3_exec(database, "SELECT action FROM audit WHERE at LIKE '20%Z' AND user <> ''", count,
                           &rows, nullptr),
              SQLITE_OK);
    sqlite3_close(database);
    EXPECT_EQ(rows, 1);
}

TEST(SealedBox, OpensOnlyWhatWasSealedForIt) {
    const Digest one = key(1).mac("x", ""), other = key(2).mac("x", "");
    auto sealed = seal(one, "plain", "bound");
    ASSERT_TRUE(sealed.has_value());
    EXPECT_EQ(sealed->size(), 5u + 12 + 16);
    EXPECT_NE(*sealed, *seal(one, "plain", "bound"));
    EXPECT_EQ(*open_sealed(one, *sealed, "bound"), "plain");
    EXPECT_FALSE(open_sealed(other, *sealed, "bound").has_value());
    EXPECT_FALSE(open_sealed(one, *sealed, "other").has_value());
    EXPECT_FALSE(open_sealed(one, sealed->substr(1), "bound").has_value());
    EXPECT_FALSE(open_sealed(one, "short", "bound").has_value());
    sealed->back() = static_cast<char>(sealed->back() ^ 1);
    EXPECT_FALSE(open_sealed(one, *sealed, "bound").has_value());
}

TEST_F(VaultTest, ThereAndBackAgain) {
    auto original = test::minimal_instance();
    original.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 100");
    original.set_text(tags::PatientName, Vr::PN, "M\xfcller^J\xf6rg");
    original.set_text(tags::PatientBirthDate, Vr::DA, "19500213");
    original.set_text(tags::AccessionNumber, Vr::SH, "A77123");
    original.set_text(tags::StudyDate, Vr::DA, "20240301");
    original.set_text(tags::ContentDate, Vr::DA, "20240302");
    Profile profile = test::profile_with({});
    profile.options.insert(Option::retain_modified_dates);
    DeidentifierOptions options;
    options.mappings = true;
    const Deidentifier deidentifier(profile, test::pseudonyms(), options);
    const auto made = deidentifier.apply(original, dicom::explicit_vr_little_endian());
    ASSERT_TRUE(made.has_value() && !made->quarantined);
    EXPECT_NE(made->data_set.text(tags::ContentDate), "20240302");
    auto vault = Vault::open(path_, key(1));
    ASSERT_TRUE(vault->add(made->mappings).has_value());

    const auto back = reidentified(made->data_set, *vault);
    ASSERT_TRUE(back.has_value());
    for (const auto tag :
         {tags::PatientName, tags::PatientID, tags::PatientBirthDate, tags::AccessionNumber, tags::StudyDate,
          tags::ContentDate, tags::SOPInstanceUID, tags::StudyInstanceUID, tags::SeriesInstanceUID})
        EXPECT_EQ(back->text(tag), original.text(tag)) << dicom::to_string(tag);
    EXPECT_FALSE(back->contains(tags::PatientIdentityRemoved));

    // A result somebody else made of it: its own UID, references to ours, and no character set.
    dicom::DataSet result;
    result.set_text(tags::SOPClassUID, Vr::UI, "1.2.840.10008.5.1.4.1.1.66.4");
    result.set_text(tags::SOPInstanceUID, Vr::UI, "1.9.9.9");
    result.set_text(tags::PatientID, Vr::LO, made->data_set.text(tags::PatientID));
    result.set_text(tags::StudyInstanceUID, Vr::UI, made->data_set.text(tags::StudyInstanceUID));
    dicom::DataSetBuilder builder;
    builder.begin_sequence(tags::ReferencedSeriesSequence);
    builder.begin_item();
    builder.add_text(tags::SeriesInstanceUID, Vr::UI, made->data_set.text(tags::SeriesInstanceUID));
    builder.end();
    builder.end();
    const auto references = builder.finish();
    result.set(*references.find(tags::ReferencedSeriesSequence));
    const auto restored = reidentified(result, *vault);
    ASSERT_TRUE(restored.has_value());
    EXPECT_EQ(restored->text(tags::SOPInstanceUID), "1.9.9.9");
    EXPECT_EQ(restored->text(tags::SpecificCharacterSet), "ISO_IR 192");
    EXPECT_EQ(restored->text(tags::PatientName), "Müller^Jörg");
    for (const auto& item : restored->find(tags::ReferencedSeriesSequence)->children())
        EXPECT_EQ(item.children().text(tags::SeriesInstanceUID), original.text(tags::SeriesInstanceUID));

    result.set_text(tags::PatientID, Vr::LO, "PUNKNOWN");
    EXPECT_EQ(reidentified(result, *vault).error().code, Errc::not_found);
}

}  // namespace
}  // namespace sagitta::deid
