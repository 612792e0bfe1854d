#include "dicom/edit.h"

#include <charconv>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/dictionary.h"
#include "dicom/edit_tree.h"
#include "dicom/edit_value.h"
#include "dicom/generated/tags.h"
#include "dicom/recode.h"
#include "dicom/value_check.h"

namespace sagitta::dicom {
namespace {

using State = EditEntry::State;

constexpr std::string_view kUtf8Term = "ISO_IR 192";

// Gives what a tree holds to a builder. Recursion goes no deeper than the paths that opened it.
class Emitter {
public:
    Emitter(const DataSet& original, const EditOptions& options, bool utf8)
        : original_(original), options_(options), utf8_(utf8), builder_(original) {}

    Result<DataSet> run(const EditEntry& root) {
        ValueContext context;
        context.syntax = options_.syntax;
        if (auto emitted = level(root, context, ""); !emitted) return std::move(emitted).error();
        return builder_.finish();
    }

    /// The failure was a text outside the character set.
    [[nodiscard]] bool text_did_not_fit() const noexcept { return text_did_not_fit_; }

private:
    [[nodiscard]] Element kept(const EditEntry& entry) const { return {original_, *entry.row}; }

    [[nodiscard]] std::optional<std::int64_t> integer_of(const EditEntry& entry) const {
        if (entry.state == State::kept) return kept(entry).integer();
        std::int64_t number = 0;
        const auto& text = entry.text;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (error != std::errc()) return std::nullopt;
        return number;
    }

    // What the elements of a level say of their neighbours.
    [[nodiscard]] ValueContext inside(const EditEntry& container, ValueContext context) const {
        for (const EditEntry& entry : container.children) {
            if (entry.tag == tags::SpecificCharacterSet) {
                context.character_set =
                    CharacterSet::parse(entry.state == State::kept ? kept(entry).text() : entry.text);
            } else if (entry.tag == tags::PixelRepresentation) {
                context.signed_pixels = integer_of(entry) == 1;
            } else if (entry.tag == tags::BitsAllocated) {
                context.wide_pixels = integer_of(entry).value_or(0) > 8;
            }
        }
        return context;
    }

    Result<void> level(const EditEntry& container, const ValueContext& outer, const std::string& path) {
        const ValueContext context = inside(container, outer);
        bool utf8_stated = !utf8_ || !path.empty();
        for (const EditEntry& entry : container.children) {
            if (!utf8_stated && entry.tag >= tags::SpecificCharacterSet) {
                builder_.add_text(tags::SpecificCharacterSet, Vr::CS, kUtf8Term);
                utf8_stated = true;
            }
            if (utf8_ && entry.tag == tags::SpecificCharacterSet) continue;
            if (auto emitted = element(entry, context, path); !emitted) return emitted;
        }
        if (!utf8_stated) builder_.add_text(tags::SpecificCharacterSet, Vr::CS, kUtf8Term);
        return {};
    }

    Result<void> element(const EditEntry& entry, const ValueContext& context, const std::string& path) {
        const auto name = [&] { return path + name_of(entry.tag); };
        switch (entry.state) {
            case State::kept: {
                if (!utf8_) {
                    builder_.keep(kept(entry));
                    return {};
                }
                auto added = add_in_utf8(builder_, kept(entry), context.character_set);
                if (!added) return std::move(added).error().within(name());
                return {};
            }
            case State::open: return items(entry, context, name());
            case State::value: break;
        }
        auto added = value(entry, context);
        if (!added) return std::move(added).error().within(name());
        return {};
    }

    static std::string name_of(Tag tag) {
        PathStep step;
        step.tag = tag;
        return to_string(step);
    }

    Result<void> items(const EditEntry& entry, const ValueContext& context, const std::string& path) {
        begin(entry);
        std::size_t number = 0;
        for (const EditEntry& item : entry.children) {
            const std::string item_path = path + "[" + std::to_string(number++) + "]";
            if (item.state == State::kept) {
                if (!utf8_) {
                    builder_.keep(kept(item));
                } else if (auto added = add_in_utf8(builder_, kept(item), context.character_set); !added) {
                    return std::move(added).error().within(item_path);
                }
                continue;
            }
            begin(item);
            if (auto emitted = level(item, context, item_path + "."); !emitted) return emitted;
            builder_.end();
        }
        builder_.end();
        return {};
    }

    void begin(const EditEntry& container) {
        if (container.row) {
            builder_.begin_like(kept(container));
        } else if (container.tag == kItem) {
            builder_.begin_item();
        } else {
            builder_.begin_sequence(container.tag);
        }
    }

    Result<void> value(const EditEntry& entry, const ValueContext& context) {
        const auto vr = entry.vr ? entry.vr : vr_of_new_value(entry.tag, entry.text, context);
        if (!vr)
            return Error(Errc::invalid_argument, "has no VR in the dictionary, state one as in Path:LO=");
        if (*vr == Vr::SQ) {
            if (!entry.text.empty())
                return Error(Errc::invalid_argument, "is a sequence, which has no value");
            builder_.begin_sequence(entry.tag);
            builder_.end();
            return {};
        }
        const auto* known = find_tag(entry.tag);
        const std::string_view vm = known != nullptr ? known->vm : std::string_view();
        if (options_.check_values && is_text(*vr)) {
            if (auto checked = check_text(*vr, entry.text, vm); !checked) return checked;
        }
        const bool unknown_set =
            entry.tag == tags::SpecificCharacterSet && !CharacterSet::parse(entry.text).is_known();
        if (options_.check_values && unknown_set)
            return Error(Errc::invalid_argument,
                         "names a character set that PS3.3 C.12.1.1.2 does not define");
        auto bytes = encode_value(*vr, entry.text, utf8_ ? CharacterSet::utf8() : context.character_set);
        if (!bytes) {
            const bool outside = bytes.error().code == Errc::unsupported && uses_character_set(*vr);
            text_did_not_fit_ = outside;
            if (!outside) return std::move(bytes).error();
            return Error(Errc::unsupported, "has a character outside the Specific Character Set (0008,0005)");
        }
        if (options_.check_values && !is_text(*vr)) {
            if (auto checked = check_bytes(*vr, as_bytes(*bytes), vm); !checked) return checked;
        }
        builder_.add(entry.tag, *vr, as_bytes(*bytes));
        return {};
    }

    const DataSet& original_;
    const EditOptions& options_;
    bool utf8_;
    bool text_did_not_fit_ = false;
    DataSetBuilder builder_;
};

}  // namespace

Result<Edit> parse_set(std::string_view text) {
    // An equals sign or colon inside the quotes of a private creator belongs to it.
    bool quoted = false;
    std::size_t colon = std::string_view::npos;
    std::size_t equals = std::string_view::npos;
    for (std::size_t at = 0; at < text.size() && equals == std::string_view::npos; ++at) {
        if (quoted && text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            quoted = !quoted;
        } else if (!quoted && text[at] == ':') {
            colon = at;
        } else if (!quoted && text[at] == '=') {
            equals = at;
        }
    }
    if (equals == std::string_view::npos)
        return Error(Errc::invalid_argument, "what to set is written Path=value");
    Edit edit;
    if (colon != std::string_view::npos) {
        const auto letters = text.substr(colon + 1, equals - colon - 1);
        if (letters.size() == 2) edit.vr = vr_from_letters(letters[0], letters[1]);
        if (!edit.vr) return Error(Errc::invalid_argument, "'" + std::string(letters) + "' is no VR");
    }
    auto path = parse_path(text.substr(0, std::min(colon, equals)));
    if (!path) return std::move(path).error();
    edit.path = std::move(*path);
    edit.value = std::string(text.substr(equals + 1));
    return edit;
}

Result<DataSet> apply_edits(const DataSet& original, std::span<const Edit> edits,
                            const EditOptions& options) {
    EditTree tree(original);
    for (const Edit& edit : edits) {
        if (auto applied = tree.apply(edit); !applied) return std::move(applied).error();
    }
    if (options.text != EditOptions::Text::utf8) {
        Emitter emitter(original, options, false);
        auto made = emitter.run(tree.root());
        const bool retry = emitter.text_did_not_fit() && options.text == EditOptions::Text::utf8_when_needed;
        if (!retry) return made;
    }
    return Emitter(original, options, true).run(tree.root());
}

}  // namespace sagitta::dicom
