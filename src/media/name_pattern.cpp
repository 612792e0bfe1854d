#include "media/name_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "dicom/character_set.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/path.h"
#include "dicom/text.h"

namespace sagitta::media {
namespace {

constexpr std::size_t kLongestComponent = 200;
constexpr std::size_t kLongestExtension = 16;

std::string upper(std::string_view text) {
    std::string out(text);
    for (char& c : out) {
        if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
    }
    return out;
}

// Where the extension begins; the end when there is none.
std::size_t extension_of(std::string_view name) {
    const auto dot = name.find_last_of('.');
    const bool has = dot != std::string_view::npos && dot != 0 && name.size() - dot <= kLongestExtension;
    return has ? dot : name.size();
}

// At most `most` bytes, no character cut in two.
std::string_view cut(std::string_view text, std::size_t most) {
    if (text.size() <= most) return text;
    while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xc0u) == 0x80u) --most;
    return text.substr(0, most);
}

// Names that some systems keep for devices, with any extension.
bool is_device(std::string_view name) {
    const auto stem = upper(name.substr(0, name.find('.')));
    static constexpr std::array<std::string_view, 4> kPlain{"CON", "PRN", "AUX", "NUL"};
    if (std::find(kPlain.begin(), kPlain.end(), stem) != kPlain.end()) return true;
    return stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) && stem[3] >= '0' &&
           stem[3] <= '9';
}

std::string value_of(const dicom::DataSet& header, dicom::Tag tag, dicom::Vr vr,
                     const dicom::CharacterSet& characters) {
    const auto element = header.find(tag);
    if (!element) return {};
    if (!dicom::is_text(element->vr())) {
        const auto number = element->integer(0);
        return number ? std::to_string(*number) : std::string();
    }
    const auto text = element->text();
    return dicom::uses_character_set(vr) ? characters.to_utf8(text, vr) : std::string(text);
}

}  // namespace

std::string safe_component(std::string_view text) {
    constexpr std::string_view kForbidden = "/\\:*?\"<>|";
    std::string out;
    for (const char c : text) {
        const auto code = static_cast<unsigned char>(c);
        const bool bad = code < 0x20 || code == 0x7f || kForbidden.find(c) != std::string_view::npos;
        out += bad ? '_' : c;
    }
    const auto extension = out.substr(extension_of(out));
    out.resize(out.size() - extension.size());
    out = std::string(cut(out, kLongestComponent - extension.size())) + extension;
    const auto first = out.find_first_not_of(' ');
    if (first == std::string::npos) return "_";
    out.erase(0, first);
    if (out.front() == '.') out.front() = '_';
    while (out.back() == ' ' || out.back() == '.') out.pop_back();
    return is_device(out) ? "_" + out : out;
}

Result<NamePattern> NamePattern::parse(std::string_view text) {
    NamePattern pattern;
    for (std::size_t at = 0; at <= text.size();) {
        const auto slash = std::min(text.find('/', at), text.size());
        auto component = text.substr(at, slash - at);
        at = slash + 1;
        if (component.empty() || component == "." || component == "..") {
            return Error(Errc::invalid_argument, "a name has no empty component, no '.' and no '..'");
        }
        auto& pieces = pattern.components_.emplace_back();
        while (!component.empty()) {
            const auto brace = std::min(component.find_first_of("{}"), component.size());
            if (brace != 0) pieces.push_back({std::string(component.substr(0, brace)), {}, dicom::Vr::none});
            component.remove_prefix(brace);
            if (component.empty()) break;
            const auto end = component.find('}');
            if (component.front() == '}' || end == std::string_view::npos) {
                return Error(Errc::invalid_argument, "a brace has no other one");
            }
            const auto word = component.substr(1, end - 1);
            const auto tag = dicom::parse_tag(word);
            if (!tag) {
                const auto near = dicom::suggest_keyword(word);
                return Error(
                    Errc::invalid_argument,
                    fmt::format("'{}' is no keyword{}", word,
                                near.empty() ? std::string() : fmt::format(", did you mean {}?", near)));
            }
            const auto* entry = dicom::find_tag(*tag);
            pieces.push_back({{}, *tag, entry != nullptr ? entry->vr : dicom::Vr::LO});
            component.remove_prefix(end + 1);
        }
    }
    return pattern;
}

std::string NamePattern::name_of(const dicom::DataSet& header) const {
    const auto characters = dicom::CharacterSet::parse(header.text(dicom::tags::SpecificCharacterSet));
    std::string path;
    for (const auto& pieces : components_) {
        std::string component;
        for (const auto& piece : pieces) {
            if (piece.tag == dicom::Tag{}) {
                component += piece.text;
                continue;
            }
            const auto value = value_of(header, piece.tag, piece.vr, characters);
            component += value.empty() ? "_" : value;
        }
        if (!path.empty()) path += '/';
        path += safe_component(component);
    }
    return path;
}

std::string UsedNames::take(const std::string& path) {
    auto name = path;
    const auto slash = path.find_last_of('/') + 1;
    const auto dot = slash + extension_of(std::string_view(path).substr(slash));
    for (std::uint64_t number = 2; !folded_.insert(upper(name)).second; ++number) {
        const auto suffix = fmt::format("-{}", number);
        const auto stem = cut(std::string_view(path).substr(slash, dot - slash),
                              kLongestComponent - suffix.size() - (path.size() - dot));
        name = fmt::format("{}{}{}{}", path.substr(0, slash), stem, suffix, path.substr(dot));
    }
    return name;
}

}  // namespace sagitta::media
