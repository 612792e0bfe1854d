// Pictures of the corpus beside those that DCMTK's dcmj2pnm makes of the same files, pixel by pixel.
#include <algorithm>
#include <cstdio>
#include <map>
#include <string>

#include <gtest/gtest.h>

#include "codec/functional_groups.h"
#include "codec/palette.h"
#include "codec/render.h"
#include "dicom/generated/tags.h"
#include "tests/codec/dcmj2pnm.h"
#include "tests/support/shared_data.h"

namespace sagitta::codec {
namespace {

namespace tags = dicom::tags;
namespace fs = std::filesystem;

constexpr int kTolerance = 1;
constexpr std::uint64_t kMostPixels = 1u << 19;  // of a file that is looked at

struct Image {
    std::string name;  ///< below the corpus
    fs::path path;
    FrameSource source;
};

/// What both can decode without a codec in between: native and RLE.
const std::vector<Image>& images() {
    static const std::vector<Image> all = [] {
        std::vector<Image> found;
        for (const auto& path : test::shared_objects()) {
            const auto name = fs::relative(path, test::shared_data()).string();
            if (name.starts_with("malformed/")) continue;
            auto source = FrameSource::open_file(path.string());
            if (!source || source->frame_count() == 0 || source->format().pixels() > kMostPixels) continue;
            const auto uid = source->syntax().uid;
            if (source->syntax().encapsulated && uid != "1.2.840.10008.1.2.5") continue;
            found.push_back({name, path, std::move(*source)});
        }
        return found;
    }();
    return all;
}

struct Deviation {
    int tolerance;
    const char* reason;
};
/// Where dcmj2pnm does not what the standard says.
const std::map<std::string, Deviation> kDeviations = {
    {"codecs/3.dcm", {7, "it rounds rescaled numbers to integers before the window"}},
};

class RenderedLikeDcmtk : public testing::Test {
protected:
    void SetUp() override {
        if (!test::has_dcmj2pnm()) GTEST_SKIP() << "dcmj2pnm is not installed";
        if (images().empty()) GTEST_SKIP() << "the corpus is not there";
    }

    /// Compares every picture that `wanted` chooses; `arguments` are dcmj2pnm's.
    template <class Wanted>
    void compare(const std::string& arguments, Wanted wanted) {
        int compared = 0;
        for (const Image& image : images()) {
            RenderOptions options;
            if (!wanted(image.source, options)) continue;
            const Picture theirs = test::dcmj2pnm(arguments, image.path.string());
            if (theirs.rows == 0) continue;  // it cannot read that file
            const auto ours = render_frame(image.source, 0, options);
            ASSERT_TRUE(ours.has_value()) << image.name << ": " << ours.error().message();
            ++compared;
            ASSERT_EQ(ours->rows, theirs.rows) << image.name;
            ASSERT_EQ(ours->columns, theirs.columns) << image.name;
            ASSERT_EQ(ours->channels, theirs.channels) << image.name;
            const auto deviation = kDeviations.find(image.name);
            const int tolerance = deviation == kDeviations.end() ? kTolerance : deviation->second.tolerance;
            EXPECT_LE(test::largest_difference(*ours, theirs), tolerance) << image.name;
        }
        std::printf("  %d pictures compared\n", compared);
        EXPECT_GT(compared, 0);
    }
};

/// What dcmj2pnm has no notion of: a supplemental palette, and the unit of a dose, in which our windows are.
bool is_unknown_to_dcmtk(const FrameSource& source) {
    const auto palette = read_supplemental_palette(source.data_set(), source.format());
    return (palette && palette->has_value()) || source.data_set().contains(tags::DoseGridScaling);
}

bool is_gray(const FrameSource& source) {
    return source.format().samples_per_pixel == 1 &&
           source.format().photometric != Photometric::palette_color &&
           source.format().sample == SampleType::integer && !is_unknown_to_dcmtk(source);
}

ModalityTransform modality_of(const FrameSource& source) {
    const auto transform =
        modality_transform(source.data_set(), FunctionalGroups(source.data_set()), 0, source.format());
    return transform ? *transform : ModalityTransform();
}

TEST_F(RenderedLikeDcmtk, WithoutVoi) {
    compare("-O -W", [](const FrameSource& source, RenderOptions& options) {
        // It shows the ones of single bits in a middle grey.
        if (!is_gray(source) || source.format().bits_stored == 1) return false;
        options.window = window_of(*transformed_range(source.format(), modality_of(source)));
        return true;
    });
}

TEST_F(RenderedLikeDcmtk, ByItsWindow) {
    compare("-O +Wi 1", [](const FrameSource& source, RenderOptions& options) {
        options.voi = 1;
        return is_gray(source) && decimal(source.data_set().elements(), tags::WindowCenter) &&
               decimal(source.data_set().elements(), tags::WindowWidth).value_or(0) > 0;
    });
}

TEST_F(RenderedLikeDcmtk, ByAGivenWindow) {
    for (const Window window : {Window{40, 400}, Window{1000.5, 3001}, Window{100, 1}}) {
        const auto arguments = "-O +Ww " + std::to_string(window.center) + " " + std::to_string(window.width);
        compare(arguments, [&](const FrameSource& source, RenderOptions& options) {
            options.window = window;
            return is_gray(source);
        });
    }
}

TEST_F(RenderedLikeDcmtk, BySigmoid) {
    const Window window = {200, 350, VoiFunction::sigmoid};
    compare("-O +Ww 200 350 +Wfs", [&](const FrameSource& source, RenderOptions& options) {
        options.window = window;
        return is_gray(source);
    });
}

TEST_F(RenderedLikeDcmtk, ByItsVoiTables) {
    compare("-O +Wl 1", [](const FrameSource& source, RenderOptions& options) {
        const auto choices = voi_choices(FunctionalGroups(source.data_set()), 0, false);
        if (!is_gray(source) || !choices || choices->tables.empty()) return false;
        options.voi = static_cast<std::uint32_t>(choices->windows.size() + 1);
        return true;
    });
}

TEST_F(RenderedLikeDcmtk, ByTheRangeOfItsValues) {
    compare("-O +Wm", [](const FrameSource& source, RenderOptions& options) {
        options.automatic = true;
        // Its range has padding in it, of pixels and of the element, which are no part of the image.
        return is_gray(source) && !pixel_padding(source.data_set(), source.format()) &&
               source.format().frame_bytes() % 2 == 0;
    });
}

TEST_F(RenderedLikeDcmtk, Inverted) {
    compare("-O +P +Ww 100 300", [](const FrameSource& source, RenderOptions& options) {
        options.window = Window{100, 300};
        options.invert = true;
        return is_gray(source);
    });
}

TEST_F(RenderedLikeDcmtk, WithOverlays) {
    compare("+O 0 +Omr +Ww 100 300", [](const FrameSource& source, RenderOptions& options) {
        options.window = Window{100, 300};
        options.overlays = true;
        return is_gray(source) && source.data_set().contains(dicom::Tag(0x6000, 0x0010));
    });
}

TEST_F(RenderedLikeDcmtk, InColour) {
    compare("-O", [](const FrameSource& source, RenderOptions&) {
        return source.format().samples_per_pixel == 3 && source.format().photometric == Photometric::rgb;
    });
}

TEST_F(RenderedLikeDcmtk, ByItsPalette) {
    compare("-O", [](const FrameSource& source, RenderOptions&) {
        return source.format().photometric == Photometric::palette_color;
    });
}

}  // namespace
}  // namespace sagitta::codec
