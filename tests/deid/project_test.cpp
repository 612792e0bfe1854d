#include "deid/project.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "core/bytes.h"
#include "deid/sealed_instance.h"
#include "dicom/generated/tags.h"
#include "dicom/transfer_syntax.h"
#include "tests/deid/sample.h"
#include "tests/support/temporary_folder.h"

namespace sagitta::deid {
namespace {

namespace fs = std::filesystem;
namespace tags = dicom::tags;
using dicom::Vr;

class ProjectTest : public testing::Test {
protected:
    void SetUp() override {
        std::ofstream(folder_.path() / "p.toml") << "base = \"basic\"\nname = \"p\"\n";
        settings_.name = "p";
        settings_.profile = (folder_.path() / "p.toml").string();
        settings_.key_file = (folder_.path() / "p.key").string();
        settings_.vault = true;
        ASSERT_TRUE(ProjectKey::create(settings_.key_file));
        auto opened = Project::open(settings_, work());
        ASSERT_TRUE(opened) << opened.error().message();
        project_ = std::move(*opened);
    }
    [[nodiscard]] std::string work() const { return (folder_.path() / "work").string(); }
    [[nodiscard]] std::size_t count(const char* part, const char* ending) const {
        std::size_t found = 0;
        for (const auto& entry : fs::recursive_directory_iterator(fs::path(work()) / part))
            found += entry.path().extension() == ending ? 1u : 0u;
        return found;
    }
    Result<Deidentified> apply(const dicom::DataSet& original, std::uint64_t association = 1) {
        return project_->apply(original, dicom::explicit_vr_little_endian(), association);
    }

    sagitta::test::TemporaryFolder folder_;
    ProjectSettings settings_;
    std::unique_ptr<Project> project_;
};

dicom::DataSet numbered(int study, int instance) {
    auto made = test::minimal_instance();
    made.set_text(tags::StudyInstanceUID, Vr::UI, "1.2.3." + std::to_string(study));
    made.set_text(tags::SOPInstanceUID, Vr::UI, "1.2.4." + std::to_string(instance));
    return made;
}

TEST_F(ProjectTest, WhatManyThreadsMakeIsAllRemembered) {
    constexpr int kThreads = 8, kEach = 25;
    std::vector<std::thread> threads;
    std::atomic<int> failures = 0;
    for (int t = 0; t < kThreads; ++t) {
        threads.emplace_back([&, t] {
            for (int n = 0; n < kEach; ++n) {
                if (const auto made = apply(numbered(t, t * kEach + n)); !made || made->quarantined)
                    ++failures;
            }
        });
    }
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(failures, 0);
    // Another connection sees them while the first is open.
    const auto key = ProjectKey::load(settings_.key_file);
    const auto vault = Vault::open(work() + "/vault.sqlite", *key);
    ASSERT_TRUE(vault);
    std::set<std::string> originals;
    ASSERT_TRUE(vault->for_each(Mapping::Kind::uid, [&](std::string_view, std::string_view original) {
        originals.emplace(original);
    }));
    for (int n = 0; n < kThreads * kEach; ++n)
        EXPECT_TRUE(originals.contains("1.2.4." + std::to_string(n))) << n;
}

TEST_F(ProjectTest, ReportsAreWrittenByStudyWhenTheAssociationEnds) {
    ASSERT_TRUE(apply(numbered(1, 1), 5));
    ASSERT_TRUE(apply(numbered(2, 2), 5));
    ASSERT_TRUE(apply(numbered(2, 3), 6));
    EXPECT_EQ(count("reports", ".json"), 0u);
    project_->finish(5);
    EXPECT_EQ(count("reports", ".json"), 2u);
    EXPECT_EQ(count("reports", ".txt"), 2u);
    project_->finish(5);  // nothing more to say
    EXPECT_EQ(count("reports", ".json"), 2u);
    project_->finish(6);
    EXPECT_EQ(count("reports", ".json"), 3u);
}

TEST_F(ProjectTest, AnAssociationOfManyStudiesDoesNotKeepThemAllInMemory) {
    for (int n = 0; n < 70; ++n) ASSERT_TRUE(apply(numbered(n, n)));
    EXPECT_GT(count("reports", ".json"), 60u);
    project_->finish(1);
    EXPECT_EQ(count("reports", ".json"), 70u);
}

TEST_F(ProjectTest, KeptAsideOnceAndReadableOnlyWithTheKey) {
    auto made = apply(numbered(1, 1));
    ASSERT_TRUE(made);
    const std::string original = "the original's bytes with Doe^John in them";
    ASSERT_TRUE(project_->keep_aside(*made, original));
    ASSERT_TRUE(project_->keep_aside(*made, original));
    ASSERT_EQ(count("quarantine", ".sealed"), 1u);
    ASSERT_TRUE(project_->keep_aside(*made, original + "?"));
    EXPECT_EQ(count("quarantine", ".sealed"), 2u);

    const auto path = fs::directory_iterator(fs::path(work()) / "quarantine")->path();
    struct stat status {};
    ASSERT_EQ(::stat(path.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777u, 0600u);
    std::ifstream file(path, std::ios::binary);
    std::string sealed(std::istreambuf_iterator<char>(file), {});
    EXPECT_EQ(sealed.find("Doe"), std::string::npos);
    const auto key = ProjectKey::load(settings_.key_file);
    const auto opened = open_sealed_instance(*key, sealed);
    ASSERT_TRUE(opened) << opened.error().message();
    EXPECT_TRUE(opened->part10.starts_with(original));
    EXPECT_EQ(opened->sop_instance_uid, made->sop_instance_uid);

    const auto other = ProjectKey::create((folder_.path() / "other.key").string());
    EXPECT_EQ(open_sealed_instance(*other, sealed).error().code, Errc::refused);
    for (const std::size_t at : {std::size_t(0), std::size_t(70), sealed.size() - 1}) {
        auto changed = sealed;
        changed[at] = static_cast<char>(changed[at] ^ 1);
        EXPECT_FALSE(open_sealed_instance(*key, changed)) << at;
    }
    for (std::size_t length = 0; length < sealed.size(); ++length)
        EXPECT_FALSE(open_sealed_instance(*key, sealed.substr(0, length))) << length;
}

TEST_F(ProjectTest, ProblemsSayWhere) {
    EXPECT_TRUE(Project::problems(settings_).empty());
    auto broken = settings_;
    broken.profile = (folder_.path() / "none.toml").string();
    broken.key_file = (folder_.path() / "none.key").string();
    const auto found = Project::problems(broken);
    ASSERT_EQ(found.size(), 2u);
    EXPECT_NE(found[0].find("none.toml"), std::string::npos);
    EXPECT_NE(found[1].find("none.key"), std::string::npos);
    EXPECT_FALSE(Project::open(broken, work() + "2"));
    EXPECT_FALSE(fs::exists(work() + "2"));
}

TEST_F(ProjectTest, AVaultOfAnotherKeyIsRefused) {
    project_.reset();
    fs::remove(settings_.key_file);
    ASSERT_TRUE(ProjectKey::create(settings_.key_file));
    const auto opened = Project::open(settings_, work());
    ASSERT_FALSE(opened);
    EXPECT_EQ(opened.error().code, Errc::refused);
}

}  // namespace
}  // namespace sagitta::deid
