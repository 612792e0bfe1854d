#include "deid/identity.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "dicom/date_time.h"
#include "dicom/generated/tags.h"
#include "dicom/text.h"
#include "dicom/utf8.h"
#include "dicom/value_text.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using Bounds = IdentityString::Bounds;

constexpr std::size_t kMaxStrings = 5000;
constexpr std::size_t kMaxCharacterSets = 32;
constexpr std::size_t kMaxValueBytes = 64 * 1024;

// Words that stand in names and say nothing, and what a tool like this one writes.
constexpr std::array<std::string_view, 58> kNoNames = {
    "admin",       "anon",         "anonym",   "anonymized", "anonymous", "assistant", "clinic", "dept",
    "doctor",      "dr",           "frau",     "herr",       "hospital",  "jr",        "md",     "miss",
    "mme",         "mr",           "mrs",      "ms",         "mtra",      "na",        "nil",    "no",
    "none",        "nurse",        "operator", "patient",    "phd",       "physician", "prof",   "professor",
    "radiologist", "radiology",    "removed",  "rt",         "rtr",       "sr",        "staff",  "tech",
    "technician",  "technologist", "test",     "unknown",    "user",      "von",       "van",    "der",
    "den",         "del",          "de",       "la",         "le",        "el",        "al",     "bin",
    "abu",         "the"};

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') text.remove_suffix(1);
    while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') text.remove_prefix(1);
    return text;
}

template <class Each>
void for_each_part(std::string_view text, std::string_view delimiters, Each&& each) {
    while (!text.empty()) {
        const auto end = text.find_first_of(delimiters);
        if (const auto part = trimmed(text.substr(0, end)); !part.empty()) each(part);
        if (end == std::string_view::npos) return;
        text.remove_prefix(end + 1);
    }
}

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

// Scripts without spaces between words: Han, kana, Hangul and Thai.
bool has_no_words(char32_t c) {
    return (c >= 0x0e00 && c < 0x0e80) || (c >= 0x2e80 && c < 0xa000 && c != 0x3000) ||
           (c >= 0xac00 && c < 0xd7b0) || (c >= 0xf900 && c < 0xfb00) || (c >= 0xff66 && c < 0xffdd) ||
           (c >= 0x20000 && c < 0x32000);
}

struct Shape {
    std::size_t characters = 0;
    std::size_t digits = 0;
    bool ascii = true;
    bool no_words = false;
};

Shape shape_of(std::string_view text) {
    Shape shape;
    for (std::size_t at = 0; at < text.size();) {
        const auto c = dicom::next_code_point(text, at).value_or(dicom::kReplacementCharacter);
        ++shape.characters;
        if (c < 0x80 && is_digit(static_cast<char>(c))) ++shape.digits;
        shape.ascii = shape.ascii && c < 0x80;
        shape.no_words = shape.no_words || has_no_words(c);
    }
    return shape;
}

// "Müller" is also written "Mueller".
std::string transliterated(std::string_view text) {
    struct Pair {
        std::string_view from, to;
    };
    constexpr std::array<Pair, 12> pairs = {{{"ä", "ae"},
                                             {"ö", "oe"},
                                             {"ü", "ue"},
                                             {"Ä", "Ae"},
                                             {"Ö", "Oe"},
                                             {"Ü", "Ue"},
                                             {"ß", "ss"},
                                             {"å", "aa"},
                                             {"Å", "Aa"},
                                             {"ø", "oe"},
                                             {"Ø", "Oe"},
                                             {"æ", "ae"}}};
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        const auto pair = std::find_if(pairs.begin(), pairs.end(),
                                       [&](const Pair& p) { return text.substr(at).starts_with(p.from); });
        if (pair == pairs.end()) {
            out.push_back(text[at++]);
        } else {
            out += pair->to;
            at += pair->from.size();
        }
    }
    return out;
}

class Harvester {
public:
    Harvester(const dicom::DataSet& instance, const OptionSet& options)
        : instance_(instance), options_(options) {}

    Identity run() {
        visit_all();
        find_patient();
        identity_.strings.reserve(found_.size());
        for (const auto& [text, entry] : found_)
            identity_.strings.push_back({text, entry.first, entry.second});
        std::stable_sort(identity_.strings.begin(), identity_.strings.end(),
                         [](const auto& a, const auto& b) { return a.text.size() > b.text.size(); });
        return std::move(identity_);
    }

private:
    struct Around {
        std::uint32_t end;
        dicom::CharacterSet character_set;
    };

    void visit_all() {
        const auto nodes = instance_.nodes();
        std::vector<Around> around;
        const auto top = dicom::character_set_of(instance_.elements(), dicom::CharacterSet());
        note(top, instance_.text(tags::SpecificCharacterSet));
        around.push_back({static_cast<std::uint32_t>(nodes.size()), top});
        for (std::uint32_t index = 0; index < nodes.size(); ++index) {
            while (around.back().end <= index) around.pop_back();
            const dicom::Element element(instance_, index);
            if (element.tag() == dicom::kItem) {
                const auto children = element.children();
                if (children.find(tags::SpecificCharacterSet)) {
                    const auto own = dicom::character_set_of(children, around.back().character_set);
                    note(own, children.text(tags::SpecificCharacterSet));
                    around.push_back({children.last_index(), own});
                }
            } else if (element.vr() == Vr::SQ) {
                continue;
            } else if (element.has_children()) {
                index += element.node().subtree;  // fragments
            } else {
                visit(element, around.back().character_set);
            }
        }
    }

    void note(const dicom::CharacterSet& set, std::string_view stated) {
        if (!noted_.emplace(stated).second) return;
        if (identity_.character_sets.size() < kMaxCharacterSets) {
            identity_.character_sets.push_back(set);
        } else {
            identity_.complete = false;
        }
    }

    void visit(const dicom::Element& element, const dicom::CharacterSet& set) {
        if (element.length() == 0) return;
        if (element.length() > kMaxValueBytes) {
            identity_.complete = identity_.complete && element.vr() != Vr::PN && !identifying(element.tag());
            return;
        }
        if (element.vr() == Vr::PN) return add_names(element, set);
        if (element.vr() == Vr::DA || element.vr() == Vr::DT) return add_dates(element);
        const auto kind = identifying(element.tag());
        if (!kind || !dicom::is_text(element.vr())) return;
        if (*kind == IdentityKind::institution && options_.contains(Option::retain_institution)) return;
        if (*kind == IdentityKind::device && options_.contains(Option::retain_device)) return;
        const std::string text = dicom::decoded_text(element, set);
        switch (*kind) {
            case IdentityKind::id:
            case IdentityKind::device:
                for_each_part(text, "\\", [&](std::string_view part) { add_id(part, *kind); });
                break;
            case IdentityKind::phone:
                for_each_part(text, "\\", [&](std::string_view part) { add_phone(part); });
                break;
            default: add_text(text, *kind); break;
        }
    }

    void add(std::string_view text, IdentityKind kind, Bounds bounds) {
        if (found_.size() < kMaxStrings) {
            found_.try_emplace(std::string(text), kind, bounds);
        } else {
            identity_.complete = false;
        }
    }

    void add_word(std::string_view word) {
        const Shape shape = shape_of(word);
        if (shape.no_words) return add(word, IdentityKind::name, Bounds::none);
        if (shape.characters < 2 || shape.digits == shape.characters) return;
        const std::string folded = dicom::fold(word);
        if (std::find(kNoNames.begin(), kNoNames.end(), folded) != kNoNames.end()) return;
        const std::size_t free = shape.ascii || folded.size() == shape.characters ? 5 : 3;
        const Bounds bounds = shape.characters >= free ? Bounds::none : Bounds::letters;
        add(word, IdentityKind::name, bounds);
        add_beginnings(word, shape.characters, IdentityKind::name, Bounds::letters);
        if (!shape.ascii) add(transliterated(word), IdentityKind::name, bounds);
    }

    // What is left where a value was too short for the whole: "*fl3d_Quirrenbac".
    void add_beginnings(std::string_view word, std::size_t characters, IdentityKind kind, Bounds bounds) {
        const std::size_t least = std::max<std::size_t>(5, (characters * 3 + 4) / 5);
        std::size_t end = word.size();
        for (std::size_t count = characters; count-- > least;) {
            do {
                --end;
            } while (end > 0 && (static_cast<unsigned char>(word[end]) & 0xc0) == 0x80);
            add(word.substr(0, end), kind, bounds);
        }
    }

    // A component as it stands, its words, and its parts around hyphens.
    void add_component(std::string_view component) {
        if (shape_of(component).characters >= 5 && component.find(' ') != std::string_view::npos)
            add(component, IdentityKind::name, Bounds::letters);
        for_each_part(component, " ,.\t'", [&](std::string_view word) {
            add_word(word);
            if (word.find('-') != std::string_view::npos) {
                for_each_part(word, "-", [&](std::string_view part) { add_word(part); });
            }
        });
    }

    void add_names(const dicom::Element& element, const dicom::CharacterSet& set) {
        std::string text = dicom::decoded_text(element, set);
        if (text.find("\xef\xbf\xbd") != std::string::npos) {
            for_each_part(element.text(), "\\^=", [&](std::string_view part) {
                if (part.size() >= 3) identity_.raw.emplace_back(part);
            });
            text = dicom::decoded_text(element, dicom::CharacterSet::parse("ISO_IR 100"));
        }
        for_each_part(text, "\\=", [&](std::string_view group) {
            std::array<std::string_view, 3> parts{};
            std::size_t number = 0;
            for (std::string_view rest = group; number < 3; ++number) {
                const auto end = rest.find('^');
                parts[number] = trimmed(rest.substr(0, end));
                add_component(parts[number]);
                if (end == std::string_view::npos) break;
                rest.remove_prefix(end + 1);
            }
            // "DOEJOHN", as in the names of files.
            if (parts[0].size() >= 2 && parts[1].size() >= 2) {
                for (const auto& joined :
                     {std::string(parts[0]).append(parts[1]), std::string(parts[1]).append(parts[0])})
                    add(joined, IdentityKind::name, Bounds::none);
            }
        });
    }

    void add_id(std::string_view id, IdentityKind kind) {
        std::string plain;
        std::copy_if(id.begin(), id.end(), std::back_inserter(plain),
                     [](char c) { return is_digit(c) || (c | 32) >= 'a'; });
        for (const std::string_view form : {id, std::string_view(plain)}) {
            const Shape shape = shape_of(form);
            const bool says_nothing = form.find_first_not_of("0 -._") == std::string_view::npos;
            if (shape.characters < 3 || says_nothing || (shape.digits == 0 && shape.characters < 5)) continue;
            if (shape.digits == shape.characters) {
                add(form, kind, Bounds::digits);
            } else {
                add(form, kind, shape.characters < 8 ? Bounds::both : Bounds::none);
            }
            if (shape.characters >= 9) add_beginnings(form, shape.characters, kind, Bounds::both);
        }
    }

    void add_phone(std::string_view phone) {
        std::string digits;
        std::copy_if(phone.begin(), phone.end(), std::back_inserter(digits), is_digit);
        if (digits.size() < 5) return;
        add(phone, IdentityKind::phone, Bounds::digits);
        add(digits, IdentityKind::phone, Bounds::digits);
    }

    void add_text(std::string_view text, IdentityKind kind) {
        for_each_part(text, "\\,;^\r\n", [&](std::string_view part) {
            const Shape shape = shape_of(part);
            if (shape.characters < (shape.no_words ? 2u : 4u)) return;
            const std::string folded = dicom::fold(part);
            if (std::find(kNoNames.begin(), kNoNames.end(), folded) != kNoNames.end()) return;
            add(part, kind, shape.characters < 6 && !shape.no_words ? Bounds::both : Bounds::none);
            if (!shape.ascii) add(transliterated(part), kind, Bounds::none);
        });
    }

    // Other dates of the instance are handled where they stand; in free text every date is cut out.
    void add_dates(const dicom::Element& element) {
        if (options_.contains(Option::retain_full_dates) && element.tag() != tags::PatientBirthDate) return;
        for_each_part(element.text(), "\\-", [&](std::string_view value) {
            const auto date = dicom::Date::parse(value.substr(0, 8));
            if (!date || !date->exists() || date->year < 1850) return;
            const unsigned y = date->year, m = date->month, d = date->day;
            for (const auto& text :
                 {fmt::format("{:04}{:02}{:02}", y, m, d), fmt::format("{:04}-{:02}-{:02}", y, m, d),
                  fmt::format("{:04}/{:02}/{:02}", y, m, d), fmt::format("{:04}.{:02}.{:02}", y, m, d),
                  fmt::format("{:02}.{:02}.{:04}", d, m, y), fmt::format("{:02}/{:02}/{:04}", d, m, y),
                  fmt::format("{:02}/{:02}/{:04}", m, d, y), fmt::format("{:02}-{:02}-{:04}", d, m, y),
                  fmt::format("{:02}{:02}{:04}", d, m, y)}) {
                add(text, IdentityKind::date, Bounds::digits);
            }
        });
    }

    void find_patient() {
        const auto decoded = [&](Tag tag) {
            const auto element = instance_.find(tag);
            return element ? dicom::decoded_text(*element, identity_.character_sets.front()) : std::string();
        };
        identity_.patient.issuer = decoded(tags::IssuerOfPatientID);
        identity_.patient.id = decoded(tags::PatientID);
        if (!identity_.patient.id.empty()) return;
        const std::string name = dicom::fold_person_name(decoded(tags::PatientName));
        if (!name.empty()) {
            identity_.patient.id = "name:" + name + ":" + decoded(tags::PatientBirthDate);
        } else {
            identity_.patient.id = "study:" + decoded(tags::StudyInstanceUID);
        }
    }

    const dicom::DataSet& instance_;
    const OptionSet& options_;
    Identity identity_;
    std::set<std::string> noted_;
    std::map<std::string, std::pair<IdentityKind, Bounds>> found_;
};

}  // namespace

Identity harvest(const dicom::DataSet& instance, const OptionSet& options) {
    return Harvester(instance, options).run();
}

}  // namespace sagitta::deid
