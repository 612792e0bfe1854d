#include <algorithm>
#include <array>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "codec/transcode.h"
#include "command.h"
#include "dicom/generated/uids.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;
namespace uids = dicom::uids;

struct Name {
    std::string_view name;
    std::string_view uid;
};
constexpr std::array kNames{
    Name{"explicit-le", uids::ExplicitVRLittleEndian},
    Name{"implicit-le", uids::ImplicitVRLittleEndian},
    Name{"explicit-be", uids::ExplicitVRBigEndian},
    Name{"deflated", uids::DeflatedExplicitVRLittleEndian},
    Name{"rle", uids::RLELossless},
    Name{"jpeg", uids::JPEGBaseline8Bit},
    Name{"jpeg-lossless", uids::JPEGLosslessSV1},
    Name{"jpeg-ls", uids::JPEGLSLossless},
    Name{"jpeg-ls-near", uids::JPEGLSNearLossless},
    Name{"j2k-lossless", uids::JPEG2000Lossless},
    Name{"j2k", uids::JPEG2000},
    Name{"htj2k", uids::HTJ2KLossless},
    Name{"htj2k-rpcl", uids::HTJ2KLosslessRPCL},
    Name{"deflated-frames", uids::DeflatedImageFrameCompression},
};

struct Options {
    std::string in;
    std::string out;
    std::string to;
    codec::TranscodeOptions transcode;
    bool force = false;
};

struct Job {
    std::string in;
    std::string out;
};

Result<std::string_view> transfer_syntax_of(std::string_view text) {
    for (const auto& known : kNames)
        if (known.name == text || known.uid == text) return known.uid;
    if (codec::can_transcode_to(text)) return text;
    std::vector<std::string_view> names;
    for (const auto& known : kNames) names.push_back(known.name);
    return Error(Errc::invalid_argument,
                 fmt::format("{} is no transfer syntax that can be written; there are {}", text,
                             fmt::join(names, ", ")));
}

bool has_prefix(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    std::array<char, 4> prefix{};
    file.seekg(128);
    return file.read(prefix.data(), prefix.size()) && std::string_view(prefix.data(), 4) == "DICM";
}

// A folder's files keep their names in the other folder.
Result<std::vector<Job>> jobs_of(const Options& options, std::size_t& skipped) {
    if (!fs::is_directory(options.in)) return std::vector<Job>{{options.in, options.out}};
    const fs::path from = fs::weakly_canonical(fs::absolute(options.in));
    const auto inside = fs::weakly_canonical(fs::absolute(options.out)).lexically_relative(from).string();
    if (!inside.starts_with(".."))
        return Error(Errc::invalid_argument, options.out + " is inside the folder that is read");
    std::vector<Job> jobs;
    std::error_code failed;
    for (auto entry = fs::recursive_directory_iterator(options.in, failed);
         !failed && entry != fs::recursive_directory_iterator(); entry.increment(failed)) {
        if (!entry->is_regular_file(failed)) continue;
        if (!has_prefix(entry->path())) {
            ++skipped;
            continue;
        }
        const auto name = entry->path().lexically_relative(options.in);
        jobs.push_back({entry->path().string(), (fs::path(options.out) / name).string()});
    }
    if (failed) return Error(Errc::io_failure, options.in + ": " + failed.message());
    std::sort(jobs.begin(), jobs.end(), [](const Job& a, const Job& b) { return a.in < b.in; });
    for (const auto& job : jobs) {
        fs::create_directories(fs::path(job.out).parent_path(), failed);
        if (failed) return Error(Errc::io_failure, job.out + ": " + failed.message());
    }
    return jobs;
}

// Many files: one on each thread. One file: its frames on all of them.
class Run {
public:
    Run(const Options& options, std::string_view target, std::vector<Job> jobs)
        : options_(options), target_(target), jobs_(std::move(jobs)), transcode_(options.transcode) {
        const auto threads = std::max(1u, options.transcode.threads);
        workers_ = static_cast<unsigned>(std::min<std::size_t>(threads, jobs_.size()));
        if (workers_ > 1) transcode_.threads = 1;
    }

    // How many files failed.
    std::size_t all() {
        std::vector<std::thread> threads;
        for (unsigned n = 1; n < workers_; ++n) threads.emplace_back([this] { work(); });
        work();
        for (auto& thread : threads) thread.join();
        progress_.clear();
        return failed_;
    }

private:
    void work() {
        for (std::size_t n; (n = next_++) < jobs_.size();) one(jobs_[n]);
    }

    void one(const Job& job) {
        const auto if_exists = options_.force ? dicom::IfFileExists::replace : dicom::IfFileExists::refuse;
        const auto report = codec::transcode_file(job.in, job.out, target_, transcode_, if_exists);
        const std::lock_guard lock(mutex_);
        ++done_;
        if (!report || !report->warnings.empty() || !report->untouched.empty()) progress_.clear();
        if (!report) {
            ++failed_;
            complain(report.error().context.starts_with(job.in) ? "" : job.in, report.error());
            return;
        }
        for (const auto& warning : report->warnings) complain(job.in, warning);
        if (!report->untouched.empty()) note(job.in + ": copied as it is: " + report->untouched);
        if (progress_.is_due()) progress_.show(fmt::format("{} of {} files", done_, jobs_.size()));
    }

    const Options& options_;
    std::string_view target_;
    std::vector<Job> jobs_;
    codec::TranscodeOptions transcode_;
    unsigned workers_ = 1;
    std::atomic<std::size_t> next_ = 0;
    std::mutex mutex_;
    Progress progress_;
    std::size_t done_ = 0;
    std::size_t failed_ = 0;
};

int run(const Options& options) {
    const auto target = transfer_syntax_of(options.to);
    if (!target) {
        complain("", target.error());
        return kUsage;
    }
    std::size_t skipped = 0;
    auto jobs = jobs_of(options, skipped);
    if (!jobs) {
        complain("", jobs.error());
        return kUsage;
    }
    if (jobs->empty()) {
        complain(options.in + ": no DICOM files");
        return kFailed;
    }
    const std::size_t files = jobs->size();
    const std::size_t failed = Run(options, *target, std::move(*jobs)).all();
    if (files > 1 || skipped > 0)
        note(fmt::format("{} of {} files written, {} others are no DICOM files", files - failed, files,
                         skipped));
    return failed == 0 ? kOk : kFailed;
}

}  // namespace

void add_transcode(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    options->transcode.threads = std::max(1u, std::thread::hardware_concurrency());
    auto* command = app.add_subcommand("transcode", "Write DICOM files in another transfer syntax");
    command->add_option("IN", options->in, "File or folder to read, never changed")
        ->required()
        ->type_name("");
    command->add_option("OUT", options->out, "File or folder to write")->required()->type_name("");
    command->add_option("--to", options->to, "Transfer syntax: a name below, or a UID")
        ->required()
        ->type_name("NAME");
    auto& encode = options->transcode.encode;
    command->add_option("--quality", encode.quality, "Of jpeg (default 90)")
        ->check(CLI::Range(1, 100))
        ->type_name("1-100");
    command->add_option("--ratio", encode.compression_ratio, "Of j2k: native bytes for each one (default 10)")
        ->check(CLI::Range(1.0, 1000.0))
        ->type_name("N");
    command->add_option("--near", encode.near, "Of jpeg-ls-near: largest error of a sample (default 2)")
        ->check(CLI::Range(1, 255))
        ->type_name("N");
    command->add_option("--threads", options->transcode.threads, "At the same time (default: processors)")
        ->check(CLI::Range(1, 256))
        ->type_name("N");
    command->add_flag("--force", options->force, "Replace files that exist");
    command->footer(
        "NAME: explicit-le, implicit-le, explicit-be, deflated, rle, jpeg-lossless, jpeg-ls, j2k-lossless,\n"
        "htj2k, htj2k-rpcl, deflated-frames; with loss: jpeg, jpeg-ls-near, j2k. Only the last three lose\n"
        "anything: their result is a new instance that names its source. Video stays as it is.\n\n"
        "Examples:\n"
        "  sagitta transcode in.dcm out.dcm --to jpeg-ls\n"
        "  sagitta transcode study/ smaller/ --to htj2k --threads 8\n"
        "  sagitta transcode in.dcm out.dcm --to j2k --ratio 15");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
