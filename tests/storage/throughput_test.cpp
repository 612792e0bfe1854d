// Prints rates when asked for: SAGITTA_BENCH=1 storage_tests --gtest_filter=Throughput.*
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <thread>

#include "core/log.h"
#include "dicom/matching.h"
#include "storage/file_system.h"
#include "tests/storage/sample.h"

namespace sagitta::storage::testing {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
    return std::chrono::duration<double>(Clock::now() - start).count();
}

Sample numbered(int n) {
    Sample sample;
    sample.patient_id = fmt::format("P{}", n / 1000);
    sample.patient_name = fmt::format("Name{}^First", n / 1000);
    sample.study_uid = fmt::format("1.2.840.99.{}", n / 200);
    sample.series_uid = fmt::format("1.2.840.99.{}.1", n / 100);
    sample.sop_uid = fmt::format("1.2.840.99.1234567.7654321.{}", n);
    sample.study_date = fmt::format("20{:02}{:02}{:02}", n / 200 % 24, n / 200 % 12 + 1, n / 200 % 28 + 1);
    sample.accession = fmt::format("A{}", n / 200);
    return sample;
}

std::string base() {
    const char* path = std::getenv("SAGITTA_BENCH_DIR");
    return path != nullptr ? path : std::filesystem::temp_directory_path().string();
}

/// Instances per second until all are acknowledged; preparing them is not measured.
double ingest_rate(Archive& archive, int first, int count, std::size_t bytes) {
    double spent = 0;
    for (int done = 0; done < count;) {
        std::vector<IncomingInstance> ready;
        const int some = std::min<int>(count - done, static_cast<int>(200'000'000 / bytes));
        for (int n = 0; n < some; ++n) {
            auto sample = numbered(first + done + n);
            sample.content = std::string(bytes, static_cast<char>('a' + n % 26));
            ready.push_back(incoming(sample));
        }
        Answers answers;
        const auto start = Clock::now();
        for (std::size_t n = 0; n < ready.size(); ++n) {
            EXPECT_TRUE(archive.submit(std::move(ready[n]), answers.expect(n)));
        }
        for (const auto& [n, answer] : answers.wait()) EXPECT_TRUE(answer);
        spent += seconds_since(start);
        done += some;
    }
    return count / spent;
}

double raw_rate(const std::string& path, int count, std::size_t bytes, int per_sync) {
    auto file = real_file_system().open(path, OpenMode::create);
    const std::string data(bytes, 'x');
    const std::vector<std::span<const std::byte>> parts(static_cast<std::size_t>(per_sync), as_bytes(data));
    const auto start = Clock::now();
    for (int n = 0; n < count; n += per_sync) {
        EXPECT_TRUE((*file)->write_at(static_cast<std::uint64_t>(n) * bytes, parts));
        EXPECT_TRUE((*file)->sync());
    }
    const auto rate = count / seconds_since(start);
    file->reset();
    std::filesystem::remove(path);
    return rate;
}

void ask(const Archive& archive, const char* what, dicom::Tag tag, Vr vr, const char* value) {
    Query query;
    query.keys = {*dicom::parse_match_key(tag, vr, value)};
    std::uint64_t found = 0;
    const auto start = Clock::now();
    constexpr int kTimes = 200;
    for (int n = 0; n < kTimes; ++n) {
        found = archive.index().find(query, [](const Match&) { return true; })->matches;
    }
    fmt::print("find by {:16} {:6} matches  {:8.3f} ms\n", what, found, seconds_since(start) * 1000 / kTimes);
}

TEST(Throughput, OfIngestAndQueries) {
    if (std::getenv("SAGITTA_BENCH") == nullptr) GTEST_SKIP() << "set SAGITTA_BENCH=1";
    log::set_level(log::Level::warning);
    const auto path = base() + "/sagitta-bench";
    std::filesystem::remove_all(path);
    ArchiveOptions options;
    options.memory_budget = 1ull << 30;
    {
        auto archive = open_archive(path, options);
        fmt::print("raw   10 KB, sync per 64:  {:8.0f}/s\n", raw_rate(path + "/raw", 20'000, 10'000, 64));
        fmt::print("ingest 10 KB:              {:8.0f}/s\n", ingest_rate(*archive, 0, 100'000, 10'000));
        ask(*archive, "patient id", tags::PatientID, Vr::LO, "P42");
        ask(*archive, "name prefix", tags::PatientName, Vr::PN, "NAME42*");
        ask(*archive, "study date", tags::StudyDate, Vr::DA, "20110401-20110415");
        ask(*archive, "study uid", tags::StudyInstanceUID, Vr::UI, "1.2.840.99.77");
        ask(*archive, "accession", tags::AccessionNumber, Vr::SH, "A77");
        ask(*archive, "nothing: all", tags::PatientID, Vr::LO, "");
        fmt::print("raw   527 KB, sync per 64: {:8.0f}/s\n", raw_rate(path + "/raw", 1'920, 527'000, 64));
        fmt::print("ingest 527 KB:             {:8.0f}/s\n",
                   ingest_rate(*archive, 1'000'000, 1'900, 527'000));
        fmt::print("raw   527 KB, sync per 64: {:8.0f}/s\n", raw_rate(path + "/raw", 1'920, 527'000, 64));
    }
    std::filesystem::remove_all(path);
}

}  // namespace
}  // namespace sagitta::storage::testing
