#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <variant>

#include <fmt/format.h>

#include "codec/frame_source.h"
#include "codec/jpeg_writer.h"
#include "codec/png_writer.h"
#include "codec/render.h"
#include "command.h"
#include "dicom/number_string.h"
#include "dicom/write_file.h"
#include "terminal.h"

namespace sagitta::tools {
namespace {

namespace fs = std::filesystem;

constexpr std::uint32_t kMostPixelsOfASide = 65500;  // more than that JPEG has no room for
constexpr int kDefaultQuality = 90;

struct Options {
    std::string in;
    std::string out;
    std::string frame = "1";
    std::string window;
    std::uint32_t voi = 0;
    bool automatic = false;
    bool contact_sheet = false;
    bool force = false;
    int quality = kDefaultQuality;
    codec::ContactSheetOptions sheet;
    codec::RenderOptions render;
};

enum class Format : std::uint8_t { png, jpeg };

Result<Format> format_of(const Options& options) {
    std::string ending = fs::path(options.out).extension().string();
    std::transform(ending.begin(), ending.end(), ending.begin(),
                   [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
    if (ending == ".png") return Format::png;
    if (ending != ".jpg" && ending != ".jpeg") {
        return Error(Errc::invalid_argument, options.out + ": name it .png or .jpg");
    }
    if (options.render.bits == 16) return Error(Errc::invalid_argument, "JPEG has 8 bits, PNG can have 16");
    return Format::jpeg;
}

/// "C,W", by the function that the image would use for a window of its own: LINEAR.
Result<codec::Window> parse_window(const std::string& text) {
    const auto comma = text.find(',');
    const auto center = dicom::DecimalString::parse(text.substr(0, comma));
    const auto width =
        comma == std::string::npos ? std::nullopt : dicom::DecimalString::parse(text.substr(comma + 1));
    if (!center || !width || !(width->value > 0)) {
        return Error(Errc::invalid_argument,
                     "--window wants center,width with a width above 0, such as 40,400");
    }
    return codec::Window{center->value, width->value};
}

Result<std::optional<std::uint32_t>> parse_frame(const Options& options) {
    if (options.frame == "all") return std::optional<std::uint32_t>();
    std::uint32_t number = 0;
    const char* end = options.frame.data() + options.frame.size();
    const auto [stop, error] = std::from_chars(options.frame.data(), end, number);
    if (error != std::errc() || stop != end || number == 0) {
        return Error(Errc::invalid_argument, "--frame wants a number from 1 on, or all");
    }
    return std::optional(number);
}

/// OUT, or OUT with the number of the frame in as many digits as the last one has: cine-07.png.
std::string name_of(const Options& options, std::uint32_t frame, std::uint32_t frames) {
    fs::path path(options.out);
    const auto digits = std::to_string(frames).size();
    const auto name =
        fmt::format("{}-{:0{}}{}", path.stem().string(), frame, digits, path.extension().string());
    return path.replace_filename(name).string();
}

Result<void> write_picture(const codec::Picture& picture, Format format, const std::string& path,
                           const Options& options) {
    std::error_code ignored;
    if (fs::equivalent(options.in, path, ignored)) {
        return Error(Errc::already_exists, path + " is the input, which is never changed");
    }
    auto file =
        format == Format::png ? codec::write_png(picture) : codec::write_jpeg(picture, options.quality);
    if (!file) return std::move(file).error();
    const std::array parts{std::as_const(*file).span()};
    return dicom::write_file(path, parts,
                             options.force ? dicom::IfFileExists::replace : dicom::IfFileExists::refuse);
}

Result<void> render(const Options& options, Format format, std::optional<std::uint32_t> frame) {
    const auto source = codec::FrameSource::open_file(options.in, options.render.limits);
    if (!source) return Error(source.error());
    for (const auto& warning : source->warnings()) complain(options.in, warning);
    if (options.contact_sheet) {
        auto sheet = codec::render_contact_sheet(*source, options.render, options.sheet);
        if (!sheet) return std::move(sheet).error().within(options.in);
        return write_picture(*sheet, format, options.out, options);
    }
    const std::uint32_t frames = source->frame_count();
    if (frame && *frame > frames) {
        return Error(Errc::invalid_argument,
                     fmt::format("{}: no frame {}, there are {}", options.in, *frame, frames));
    }
    for (std::uint32_t n = frame.value_or(1); n <= frame.value_or(frames); ++n) {
        const auto picture = codec::render_frame(*source, n - 1, options.render);
        if (!picture) return Error(picture.error()).within(fmt::format("{}: frame {}", options.in, n));
        const auto path = frame ? options.out : name_of(options, n, frames);
        if (auto written = write_picture(*picture, format, path, options); !written) return written;
    }
    return {};
}

int run(Options& options) {
    const auto refuse = [](const Error& error) {
        complain("", error);
        return kUsage;
    };
    const auto format = format_of(options);
    if (!format) return refuse(format.error());
    const auto frame = parse_frame(options);
    if (!frame) return refuse(frame.error());
    if (!options.window.empty()) {
        const auto window = parse_window(options.window);
        if (!window) return refuse(window.error());
        options.render.window = *window;
    }
    if (options.voi != 0) options.render.voi = options.voi;
    options.render.automatic = options.automatic || options.render.ignored_percent > 0;
    if (auto rendered = render(options, *format, *frame); !rendered) {
        complain("", rendered.error());
        return kFailed;
    }
    return kOk;
}

}  // namespace

void add_render(CLI::App& app, int& status) {
    auto options = std::make_shared<Options>();
    auto* command = app.add_subcommand("render", "Write frames of an image as PNG or JPEG");
    command->add_option("IN", options->in, "DICOM file, never changed")->required()->type_name("");
    command->add_option("OUT", options->out, "Picture to write: .png or .jpg")->required()->type_name("");
    command->add_option("--frame", options->frame, "Frame, from 1, or all: OUT-1, OUT-2 … then")
        ->capture_default_str()
        ->type_name("N|all");
    auto* window = command->add_option("--window", options->window, "Center and width, in the image's unit")
                       ->type_name("C,W");
    auto* voi = command->add_option("--voi", options->voi, "Its own n-th: windows, then VOI LUTs")
                    ->check(CLI::Range(1u, 65535u))
                    ->type_name("N");
    auto* automatic = command->add_flag("--auto", options->automatic, "The range of the frame's own values");
    command
        ->add_option("--ignore", options->render.ignored_percent,
                     "With --auto: leave out so many percent of the pixels at each end")
        ->check(CLI::Range(0.0, 50.0))
        ->type_name("PERCENT")
        ->needs(automatic);
    window->excludes(voi)->excludes(automatic);
    voi->excludes(automatic);
    command->add_option("--size", options->render.size, "Pixels of the longer side")
        ->check(CLI::Range(1u, kMostPixelsOfASide))
        ->type_name("N");
    command->add_flag("--square-pixels", options->render.square_pixels,
                      "Stretch to the image's pixel aspect ratio or spacing");
    command->add_option("--bits", options->render.bits, "Of the picture")
        ->check(CLI::IsMember({8, 16}))
        ->capture_default_str()
        ->type_name("8|16");
    command->add_option("--quality", options->quality, "Of a JPEG")
        ->check(CLI::Range(1, 100))
        ->capture_default_str()
        ->type_name("N");
    command->add_flag("--contact-sheet", options->contact_sheet,
                      "All frames in one picture, at most 256 in equal distances; --size is of a frame then");
    command->add_flag("--overlays", options->render.overlays, "Draw the overlays, in white");
    command->add_flag("--invert", options->render.invert, "Exchange black and white");
    command->add_flag("--force", options->force, "Replace OUT when it exists");
    command->footer(
        "Without --window, --voi or --auto the image's first window is used, else its first VOI LUT, else "
        "the\n"
        "range of the frame's values. Overlays are left out, as they may show names.\n\n"
        "Examples:\n"
        "  sagitta render ct.dcm ct.png --window 40,400\n"
        "  sagitta render cine.dcm cine.jpg --frame all --size 512\n"
        "  sagitta render mr.dcm mr.png --auto --ignore 0.5 --bits 16\n"
        "  sagitta render cine.dcm sheet.png --contact-sheet");
    command->callback([options, &status] { status = run(*options); });
}

}  // namespace sagitta::tools
