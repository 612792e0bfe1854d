#include "dicom/dump.h"

#include <algorithm>
#include <optional>
#include <string>

#include <fmt/format.h>

#include "core/bytes.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/private_block.h"
#include "dicom/uid.h"
#include "dicom/utf8.h"
#include "dicom/value_text.h"

namespace sagitta::dicom {
namespace {

constexpr std::size_t kNameColumns = 32;
constexpr std::size_t kIndent = 2;
constexpr std::size_t kShownFragments = 8;

namespace colour {
constexpr std::string_view kReset = "\x1b[0m";
constexpr std::string_view kDim = "\x1b[2m";
constexpr std::string_view kTag = "\x1b[36m";
constexpr std::string_view kVr = "\x1b[33m";
constexpr std::string_view kName = "\x1b[32m";
constexpr std::string_view kPrivateName = "\x1b[35m";
constexpr std::string_view kStructure = "\x1b[1;34m";
}  // namespace colour

// At most `width` columns, the last of them "…" when something is missing.
std::string shortened(std::string text, std::size_t width) {
    if (text.size() <= width || display_width(text) <= width) return text;
    std::size_t used = 0;
    std::size_t keep = 0;
    for (std::size_t at = 0; at < text.size();) {
        const auto c = next_code_point(text, at);
        used += c ? display_width(*c) : 1;
        if (used >= width) break;
        keep = at;
    }
    text.resize(keep);
    return text += "…";
}

std::string padded(std::string text, std::size_t width) {
    const auto used = display_width(text);
    if (used < width) text.append(width - used, ' ');
    return text;
}

std::string plural(std::uint64_t count, std::string_view one) {
    return fmt::format("{} {}{}", count, one, count == 1 ? "" : "s");
}

bool is_plain_text(std::span<const std::byte> bytes) {
    auto text = as_text(bytes);
    while (!text.empty() && (text.back() == '\0' || text.back() == ' ')) text.remove_suffix(1);
    return text.size() >= 2 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::string hexadecimal(const Element& element, std::size_t max_columns) {
    const auto bytes = element.value();
    const std::size_t unit = element.vr() == Vr::OW ? 2 : 1;
    std::string text;
    for (std::size_t at = 0; at + unit <= bytes.size(); at += unit) {
        if (text.size() > max_columns) break;
        if (!text.empty()) text += ' ';
        if (unit == 1) {
            text += fmt::format("{:02x}", static_cast<unsigned>(bytes[at]));
        } else {
            const bool big = element.node().big_endian;
            const auto word =
                big ? load_be<std::uint16_t>(bytes.data() + at) : load_le<std::uint16_t>(bytes.data() + at);
            text += fmt::format("{:04x}", word);
        }
    }
    return text;
}

std::string numbers(const Element& element, std::size_t max_columns) {
    std::string text;
    for (std::size_t n = 0; text.size() <= max_columns; ++n) {
        const auto number = number_text(element, n);
        if (!number) break;
        if (n != 0) text += '\\';
        text += *number;
    }
    return text;
}

std::string tag_list(const Element& element, std::size_t max_columns) {
    std::string text;
    for (std::size_t n = 0; text.size() <= max_columns; ++n) {
        const auto tag = tag_value(element, n);
        if (!tag) break;
        if (n != 0) text += '\\';
        text += to_string(*tag);
        if (const auto* entry = find_tag(*tag)) text.append(" ").append(entry->keyword);
    }
    return text;
}

class Dumper {
public:
    Dumper(const DumpOptions& options, const LineSink& sink) : options_(options), sink_(sink) {}

    void level(const ElementRange& elements, const CharacterSet& outer, std::uint32_t depth,
               const std::string& path) {
        const CharacterSet character_set = character_set_of(elements, outer);
        for (const Element element : elements) {
            const std::string name = name_of(elements, element, character_set);
            const std::string full_name = path.empty() ? name : path + "." + name;
            const bool wanted = selected(element.tag());
            if (wanted) show(element, character_set, depth, options_.only.empty() ? name : full_name);
            const bool by_itself = !options_.only.empty() && !wanted;
            if (by_itself && element.vr() == Vr::OB) continue;
            descend(element, character_set, by_itself ? depth : depth + 1, full_name, wanted);
        }
    }

private:
    [[nodiscard]] bool selected(Tag tag) const {
        return inside_selected_ > 0 || options_.only.empty() ||
               std::find(options_.only.begin(), options_.only.end(), tag) != options_.only.end();
    }

    void descend(const Element& element, const CharacterSet& character_set, std::uint32_t depth,
                 const std::string& path, bool wanted) {
        if (!element.has_children()) return;
        if (element.vr() == Vr::OB || element.vr() == Vr::OW) return fragments(element, depth);
        if (wanted && depth > options_.depth) return;
        if (wanted) ++inside_selected_;
        std::size_t number = 0;
        for (const Element item : element.children()) {
            if (wanted) item_line(item, number, depth);
            level(item.children(), character_set, wanted ? depth + 1 : depth,
                  fmt::format("{}[{}]", path, number));
            ++number;
        }
        if (wanted) --inside_selected_;
    }

    static std::string name_of(const ElementRange& elements, const Element& element,
                               const CharacterSet& character_set) {
        const Tag tag = element.tag();
        if (const auto* entry = find_tag(tag)) return std::string(entry->keyword);
        if (tag.is_group_length()) return "GenericGroupLength";
        if (tag.is_private_creator()) return "PrivateCreator";
        if (!tag.is_private()) return "?";
        const auto creator = private_creator_of(elements, tag);
        if (!creator) return "? private, no creator";
        const std::string owner = decoded_text(*creator, character_set);
        std::string name = fmt::format("{} {:02x}", printable(owner), tag.element() & 0xff);
        const auto known = find_private_tag(owner, tag);
        if (known && !known->name.empty()) name.append(" ").append(known->name);
        return name;
    }

    [[nodiscard]] std::string paint(std::string_view colour, std::string text) const {
        if (!options_.colour || text.empty()) return text;
        return std::string(colour).append(text).append(colour::kReset);
    }

    [[nodiscard]] std::string offset_column(const Element& element) const {
        const auto& node = element.node();
        return paint(colour::kDim, node.owned ? std::string(9, ' ')
                                              : fmt::format("{:9}", node.offset + options_.offset_base));
    }

    void show(const Element& element, const CharacterSet& character_set, std::uint32_t depth,
              const std::string& name) {
        const std::size_t indent = kIndent * depth;
        const std::size_t name_columns =
            kNameColumns > indent ? std::max<std::size_t>(kNameColumns - indent, 16) : 16;
        const std::string shown_name =
            padded(options_.only.empty() ? shortened(name, kNameColumns + 8) : name, name_columns);
        const std::size_t used =
            9 + 1 + indent + 11 + 1 + 2 + 1 + 9 + 1 + 3 + 2 + display_width(shown_name) + 2;
        const std::size_t room = options_.full                ? SIZE_MAX / 4
                                 : options_.width > used + 16 ? options_.width - used
                                                              : 16;
        const auto vm = uses_character_set(element.vr()) ? decoded_values(element, character_set).size()
                                                         : value_count(element);
        const bool known = find_tag(element.tag()) != nullptr;
        std::string line = offset_column(element) + ' ' + std::string(indent, ' ');
        line += paint(colour::kTag, to_string(element.tag())) + ' ';
        line += paint(colour::kVr, std::string(to_string(element.vr()))) + ' ';
        line += paint(colour::kDim, element.node().undefined_length
                                        ? fmt::format("{:>9} {:>3}", "u/l", vm)
                                        : fmt::format("{:>9} {:>3}", element.length(), vm));
        line += "  " + paint(known ? colour::kName : colour::kPrivateName, shown_name) + "  ";
        line += value(element, character_set, room);
        sink_(line);
    }

    [[nodiscard]] std::string value(const Element& element, const CharacterSet& character_set,
                                    std::size_t room) const {
        if (element.vr() == Vr::SQ || (element.vr() == Vr::UN && element.node().undefined_length)) {
            const auto items = element.children();
            return paint(
                colour::kStructure,
                plural(static_cast<std::uint64_t>(std::distance(items.begin(), items.end())), "item"));
        }
        if (element.node().undefined_length) return encapsulated(element);
        if (element.empty()) return paint(colour::kDim, "(empty)");
        if (element.vr() == Vr::UI) return uids(element, room);
        if (element.vr() == Vr::AT) return shortened(tag_list(element, room), room);
        if (number_bytes(element.vr()) != 0) return shortened(numbers(element, room), room);
        if (is_text(element.vr())) return shortened(printable(decoded_text(element, character_set)), room);
        if (element.vr() == Vr::UN && is_plain_text(element.value())) {
            return shortened("\"" + printable(element.text()) + "\"", room);
        }
        return shortened(hexadecimal(element, room), room);
    }

    [[nodiscard]] std::string uids(const Element& element, std::size_t room) const {
        const std::string text = printable(element.text());
        const auto* entry = find_uid(text);
        if (entry == nullptr) return shortened(text, room);
        const std::string uid = shortened(text, room);
        const std::size_t left = room - display_width(uid);
        const std::string name = " " + std::string(entry->name) + (entry->retired ? " (retired)" : "");
        return uid + paint(colour::kDim, left >= 8 ? shortened(name, left) : std::string());
    }

    [[nodiscard]] std::string encapsulated(const Element& element) const {
        std::uint64_t fragments = 0;
        std::uint64_t bytes = 0;
        bool is_table = true;
        for (const Element fragment : element.children()) {
            if (!is_table) {
                ++fragments;
                bytes += fragment.length();
            }
            is_table = false;
        }
        return paint(colour::kStructure, fmt::format("{}, {} bytes", plural(fragments, "fragment"), bytes));
    }

    void structure_line(const Element& element, std::uint32_t depth, std::string title, std::string rest) {
        std::string line = offset_column(element) + ' ' + std::string(kIndent * depth, ' ');
        line += paint(colour::kStructure, padded(std::move(title), 14));
        line += paint(colour::kDim, fmt::format(" {:>9}", element.node().undefined_length
                                                              ? std::string("u/l")
                                                              : std::to_string(element.length())));
        if (!rest.empty()) line += "      " + std::move(rest);
        sink_(line);
    }

    void item_line(const Element& item, std::size_t number, std::uint32_t depth) {
        structure_line(item, depth, fmt::format("item {}", number), {});
    }

    void fragments(const Element& element, std::uint32_t depth) {
        std::size_t number = 0;
        const auto all =
            static_cast<std::size_t>(std::distance(element.children().begin(), element.children().end()));
        for (const Element fragment : element.children()) {
            if (number > kShownFragments && number + 1 < all && !options_.full) {
                sink_(std::string(10 + kIndent * depth, ' ') +
                      paint(colour::kDim, "… " + plural(all - number, "more fragment")));
                return;
            }
            const std::size_t used = 10 + kIndent * depth + 14 + 10 + 6;
            const std::size_t room = options_.width > used + 24 ? options_.width - used : 24;
            const auto entries = fragment.length() / 4;
            const std::string rest =
                number == 0 ? plural(entries, "frame offset")
                            : shortened(hexadecimal(fragment, room), std::min<std::size_t>(room, 48));
            structure_line(fragment, depth, number == 0 ? "offset table" : fmt::format("fragment {}", number),
                           rest);
            ++number;
        }
    }

    const DumpOptions& options_;
    const LineSink& sink_;
    std::uint32_t inside_selected_ = 0;
};

}  // namespace

void dump(const DataSet& data_set, const DumpOptions& options, const LineSink& line) {
    Dumper(options, line).level(data_set.elements(), CharacterSet(), 0, {});
}

void dump_heading(std::string_view text, const DumpOptions& options, const LineSink& line) {
    if (options.colour) return line(std::string(colour::kStructure).append(text).append(colour::kReset));
    line(text);
}

}  // namespace sagitta::dicom
