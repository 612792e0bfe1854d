#include "dicom/path.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "dicom/dictionary.h"

namespace sagitta::dicom {
namespace {

Error wrong(std::string what) {
    return {Errc::invalid_argument, std::move(what)};
}

template <class T>
std::optional<T> number_in(std::string_view digits, int base) {
    T number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return number;
}

class PathReader {
public:
    explicit PathReader(std::string_view text) : rest_(text) {}

    Result<Path> read() {
        Path path;
        while (true) {
            if (path.steps.size() == kMaxPathSteps) return wrong("the path is too deep");
            auto step = read_step();
            if (!step) return std::move(step).error();
            path.steps.push_back(std::move(*step));
            if (rest_.empty()) return path;
            if (!take('.')) return wrong("'" + std::string(rest_) + "' does not continue a path");
            if (path.steps.back().items == PathStep::Items::none) {
                return wrong(to_string(path.steps.back()) + " needs an item, as in [0]");
            }
        }
    }

private:
    bool take(char c) {
        if (!rest_.starts_with(c)) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // Up to one of `ends`, which stays.
    std::string_view word(std::string_view ends) {
        const auto size = std::min(rest_.find_first_of(ends), rest_.size());
        const auto found = rest_.substr(0, size);
        rest_.remove_prefix(size);
        return found;
    }

    Result<PathStep> read_step() {
        PathStep step;
        if (rest_.size() > 6 && rest_[0] == '(' && rest_[5] == ',' && rest_[6] == '"') {
            if (auto read = read_private(step); !read) return std::move(read).error();
        } else {
            const bool in_parentheses = rest_.starts_with('(');
            std::string name(word(in_parentheses ? ")" : ".["));
            if (in_parentheses && take(')')) name += ')';
            const auto tag = parse_tag(name);
            if (!tag) return unknown(name);
            step.tag = *tag;
        }
        if (step.tag.group() == 0xfffe) return wrong("items are named by their number, as in [0]");
        if (auto read = read_items(step); !read) return std::move(read).error();
        return step;
    }

    static Error unknown(const std::string& name) {
        if (name.empty()) return wrong("an attribute is missing in the path");
        const auto suggestion = suggest_keyword(name);
        return wrong("'" + name + "' is no keyword and no tag" +
                     (suggestion.empty() ? "" : ", did you mean " + std::string(suggestion) + "?"));
    }

    // (gggg,"CREATOR",ee)
    Result<void> read_private(PathStep& step) {
        constexpr std::string_view kForm = "a private attribute is written (gggg,\"CREATOR\",ee)";
        const auto group = number_in<std::uint16_t>(rest_.substr(1, 4), 16);
        rest_.remove_prefix(7);
        bool closed = false;
        while (!rest_.empty() && !closed) {
            const char c = rest_.front();
            rest_.remove_prefix(1);
            closed = c == '"';
            if (closed) break;
            if (c == '\\' && rest_.empty()) break;
            step.creator += c == '\\' ? rest_.front() : c;
            if (c == '\\') rest_.remove_prefix(1);
        }
        if (!group || !closed || !take(',')) return wrong(std::string(kForm));
        const auto element = number_in<std::uint8_t>(word(")"), 16);
        if (!element || !take(')')) return wrong(std::string(kForm));
        step.tag = Tag(*group, *element);
        if (!step.tag.is_private() || *group < 9)
            return wrong("a private group has an odd number from 0009 on");
        const bool plain = std::all_of(step.creator.begin(), step.creator.end(),
                                       [](char c) { return c >= ' ' && c <= '~' && c != '\\'; });
        const bool padded = step.creator.starts_with(' ') || step.creator.ends_with(' ');
        if (step.creator.empty() || step.creator.size() > 64 || !plain || padded) {
            return wrong("a private creator has 1 to 64 characters of ASCII, no backslash, no space around");
        }
        return {};
    }

    Result<void> read_items(PathStep& step) {
        if (!take('[')) return {};
        const auto inside = word("]");
        if (!take(']')) return wrong("']' is missing in the path");
        if (inside == "*") {
            step.items = PathStep::Items::every;
        } else if (inside == "+") {
            step.items = PathStep::Items::next;
        } else if (const auto number = number_in<std::uint32_t>(inside, 10)) {
            step.items = PathStep::Items::one;
            step.item = *number;
        } else {
            return wrong("an item is a number from 0, * or +");
        }
        return {};
    }

    std::string_view rest_;
};

// The items of `element` that a step names.
void append_items(std::vector<Element>& to, const Element& element, const PathStep& step) {
    std::uint32_t number = 0;
    for (const Element item : element.children()) {
        const bool wanted = step.items == PathStep::Items::every || number == step.item;
        if (wanted && item.tag() == kItem) to.push_back(item);
        ++number;
    }
}

}  // namespace

Result<Path> parse_path(std::string_view text) {
    return PathReader(text).read();
}

std::string to_string(const PathStep& step) {
    std::string text;
    if (!step.creator.empty()) {
        text = fmt::format("({:04x},\"", step.tag.group());
        for (const char c : step.creator) {
            if (c == '"') text += '\\';
            text += c;
        }
        text += fmt::format("\",{:02x})", step.tag.element() & 0xff);
    } else {
        const auto* entry = find_tag(step.tag);
        // The keywords of repeating groups name no tag.
        const auto* named = entry != nullptr ? find_keyword(entry->keyword) : nullptr;
        text = named != nullptr && named->tag == step.tag ? std::string(named->keyword) : to_string(step.tag);
    }
    switch (step.items) {
        case PathStep::Items::none: return text;
        case PathStep::Items::one: return text + "[" + std::to_string(step.item) + "]";
        case PathStep::Items::every: return text + "[*]";
        case PathStep::Items::next: return text + "[+]";
    }
    return text;
}

std::string to_string(const Path& path) {
    std::string text;
    for (const auto& step : path.steps) {
        if (!text.empty()) text += '.';
        text += to_string(step);
    }
    return text;
}

std::optional<Tag> resolve(const ElementRange& elements, const PathStep& step) {
    if (step.creator.empty()) return step.tag;
    std::optional<Tag> first;
    for (const Element element : elements) {
        const Tag tag = element.tag();
        if (tag.group() != step.tag.group() || !tag.is_private_creator()) continue;
        if (element.text() != step.creator) continue;
        const Tag named = private_tag(step.tag, static_cast<std::uint8_t>(tag.element()));
        if (elements.find(named)) return named;
        if (!first) first = named;
    }
    return first;
}

std::vector<Element> find_all(const DataSet& data_set, const Path& path) {
    std::vector<Element> items;
    for (std::size_t i = 0; i < path.steps.size(); ++i) {
        const PathStep& step = path.steps[i];
        std::vector<Element> next;
        const auto look_in = [&](const ElementRange& level) {
            const auto tag = resolve(level, step);
            const auto element = tag ? level.find(*tag) : std::nullopt;
            if (!element || step.items == PathStep::Items::next) return;
            step.items == PathStep::Items::none ? next.push_back(*element)
                                                : append_items(next, *element, step);
        };
        if (i == 0) look_in(data_set.elements());
        for (const Element& item : items) look_in(item.children());
        items = std::move(next);
    }
    return items;
}

std::optional<Element> find(const DataSet& data_set, const Path& path) {
    auto found = find_all(data_set, path);
    if (found.empty()) return std::nullopt;
    return found.front();
}

}  // namespace sagitta::dicom
