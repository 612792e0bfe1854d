#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "codec/volume.h"
#include "codec/volume_file.h"
#include "command.h"
#include "dicom/series.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;

struct Options {
    std::string in;
    std::string out;
    std::string series;
    std::string type = "auto";
    std::string encoding = "gzip";
    std::vector<std::string> allowed;
    bool json = false;
    bool force = false;
    codec::VolumeOptions volume;
};

Result<codec::VolumeFormat> format_of(const Options& options) {
    const auto ending = fs::path(options.out).extension();
    if (ending == ".npy") return codec::VolumeFormat::npy;
    if (ending != ".nrrd") return Error(Errc::invalid_argument, options.out + ": name it .npy or .nrrd");
    return options.encoding == "raw" ? codec::VolumeFormat::nrrd_raw : codec::VolumeFormat::nrrd_gzip;
}

Result<std::set<std::string>> allowed_kinds(const Options& options) {
    const auto known = codec::volume_finding_kinds();
    std::set<std::string> kinds;
    for (const std::string& kind : options.allowed) {
        if (kind == "all") {
            kinds.insert(known.begin(), known.end());
        } else if (std::find(known.begin(), known.end(), kind) == known.end()) {
            return Error(Errc::invalid_argument,
                         fmt::format("--allow knows all, {}", fmt::join(known.begin(), known.end(), ", ")));
        } else {
            kinds.insert(kind);
        }
    }
    return kinds;
}

Result<dicom::SeriesOfFiles> read_input(const std::string& path) {
    std::error_code ignored;
    if (!fs::is_regular_file(path, ignored)) return dicom::read_series_below(path);
    const std::vector<std::string> one = {path};
    auto found = dicom::read_series(one);
    if (found.series.empty() && !found.unreadable.empty()) return std::move(found.unreadable.front().error);
    return found;
}

/// The one with images, or the one that was named.
Result<dicom::Series> choose_series(dicom::SeriesOfFiles found, const Options& options) {
    std::vector<dicom::Series> images;
    for (auto& series : found.series) {
        const bool named = series.series_instance_uid == std::string_view(options.series);
        const bool pixels = std::any_of(series.instances.begin(), series.instances.end(),
                                        [](const auto& instance) { return instance.rows > 0; });
        if (options.series.empty() ? pixels : named) images.push_back(std::move(series));
    }
    if (images.size() == 1) return std::move(images.front());
    if (images.empty()) {
        return Error(Errc::not_found,
                     options.in + (options.series.empty() ? ": no images" : ": no such series"));
    }
    std::string text =
        fmt::format("{} holds {} series, choose one with --series:", options.in, images.size());
    for (const auto& series : images) {
        text += fmt::format("\n  {} {} ({} files)", series.series_instance_uid.view(), series.modality,
                            series.instances.size());
    }
    return Error(Errc::invalid_argument, text);
}

void report(const codec::Volume& volume, const Options& options) {
    if (options.json) {
        fmt::print("{}", codec::describe_volume(volume));
        return;
    }
    fmt::print("{} slices of {} x {}, {}{}{}, voxels of {:.4g} x {:.4g} x {:.4g} mm\n", volume.slices.size(),
               volume.rows, volume.columns, to_string(volume.type), volume.unit.empty() ? "" : " ",
               volume.unit, volume.spacing_mm[0], volume.spacing_mm[1], volume.spacing_mm[2]);
    for (const auto& finding : volume.findings) fmt::print("allowed: {}: {}\n", finding.kind, finding.text);
}

Result<codec::Volume> plan(const Options& options) {
    auto found = read_input(options.in);
    if (!found) return std::move(found).error();
    const auto unreadable = found->unreadable.size();
    auto series = choose_series(std::move(*found), options);
    if (!series) return std::move(series).error();
    if (unreadable > 0) complain(fmt::format("{}: {} files are no DICOM instances", options.in, unreadable));
    return codec::plan_volume(*series, options.volume);
}

Result<void> write(const Options& options, codec::VolumeFormat format, const std::set<std::string>& allowed) {
    std::error_code ignored;
    if (fs::equivalent(options.in, options.out, ignored)) {
        return Error(Errc::already_exists, options.out + " is the input, which is never changed");
    }
    const auto volume = plan(options);
    if (!volume) return Error(volume.error());
    if (const auto refused = codec::refuse_findings(*volume, allowed)) {
        if (options.json) report(*volume, options);
        return Error(refused->code, "no plain stack: " + refused->context + "; --allow KIND overrules");
    }
    codec::VolumeFileOptions file;
    file.format = format;
    file.limits = options.volume.limits;
    if (options.force) file.if_exists = dicom::IfFileExists::replace;
    Progress progress;
    file.on_slice = [&](std::size_t written) {
        if (progress.is_due()) progress.show(fmt::format("{} of {} slices", written, volume->slices.size()));
    };
    if (auto written = codec::write_volume(*volume, options.out, file); !written) return written;
    progress.clear();
    report(*volume, options);
    return {};
}

int run(Options& options) {
    const auto format = format_of(options);
    const auto allowed = allowed_kinds(options);
    if (!format || !allowed) {
        complain("", !format ? format.error() : allowed.error());
        return kUsage;
    }
    options.volume.type = codec::parse_number_type(options.type);
    const auto written = write(options, *format, *allowed);
    if (written) return kOk;
    complain("", written.error());
    return kFailed;
}

}  // namespace

void add_volume(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("volume", "Stack a series into a .npy or .nrrd file");
    command->add_option("IN", options->in, "Folder of the series, or a multi-frame file")
        ->required()
        ->type_name("");
    command->add_option("OUT", options->out, "File to write: .npy, with a .json beside it, or .nrrd")
        ->required()
        ->type_name("");
    command->add_option("--series", options->series, "Series Instance UID, when there are several")
        ->type_name("UID");
    command->add_option("--stack", options->volume.stack, "Which stack or time point, when there are several")
        ->check(CLI::Range(1u, 1u << 24))
        ->type_name("N");
    command
        ->add_option("--dtype", options->type,
                     "Of the numbers; auto: the smallest integer that is exact, else float32")
        ->check(CLI::IsMember(
            {"auto", "float32", "float64", "int8", "uint8", "int16", "uint16", "int32", "uint32"}))
        ->capture_default_str()
        ->type_name("TYPE");
    command
        ->add_option("--allow", options->allowed, "Write in spite of these findings: gap, sheared, … or all")
        ->delimiter(',')
        ->type_name("KIND");
    command->add_option("--encoding", options->encoding, "Of a .nrrd")
        ->check(CLI::IsMember({"gzip", "raw"}))
        ->capture_default_str()
        ->type_name("gzip|raw");
    command->add_flag("--json", options->json, "Report as JSON");
    command->add_flag("--force", options->force, "Replace OUT when it exists");
    command->footer(
        "Slices are sorted by where they lie, not by name or number, and rescaled (Modality LUT, Rescale "
        "Slope\n"
        "and Intercept). Gaps, slices at one place, mixed orientation, spacing or size and leaning stacks "
        "are\n"
        "reported and refused. Coordinates are DICOM's: LPS, in mm.\n\n"
        "Examples:\n"
        "  sagitta volume ct/ ct.npy\n"
        "  sagitta volume study/ t1.nrrd --series 1.2.840.113619.2.5 --dtype float32\n"
        "  sagitta volume cardiac.dcm phase3.npy --stack 3 --allow gap,uneven_spacing");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
