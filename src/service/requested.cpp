#include "service/requested.h"

#include <algorithm>
#include <string>

#include "core/bytes.h"
#include "dicom/builder.h"
#include "dicom/dictionary.h"
#include "dicom/generated/tags.h"
#include "dicom/value_text.h"

namespace sagitta::service {
namespace {

using dicom::CharacterSet;
using dicom::Element;
using dicom::ElementRange;
using dicom::Vr;
namespace tags = dicom::tags;

// Of what identifiers and worklists hold; what lies deeper is left out.
constexpr int kMaxDepth = 16;

class Reduction {
public:
    void level(const ElementRange& keys, const ElementRange& from, const CharacterSet& outer, int depth) {
        const auto characters = dicom::character_set_of(from, outer);
        for (const Element key : keys) {
            if (key.tag().is_group_length() || key.tag() == tags::SpecificCharacterSet) continue;
            const auto found = from.find(key.tag());
            if (!found) {
                absent(key);
            } else if (found->vr() == Vr::SQ) {
                sequence(key, *found, characters, depth);
            } else {
                value(*found, characters);
            }
        }
    }

    dicom::DataSet finish() {
        auto made = builder_.finish();
        if (beyond_ascii_) made.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
        return made;
    }

private:
    void absent(Element key) {
        const auto* entry = dicom::find_tag(key.tag());
        const Vr vr = entry != nullptr && entry->vr != Vr::none ? entry->vr : key.vr();
        if (vr == Vr::SQ) {
            builder_.begin_sequence(key.tag());
            builder_.end();
        } else {
            builder_.add_text(key.tag(), vr, {});
        }
    }

    void sequence(Element key, Element found, const CharacterSet& characters, int depth) {
        builder_.begin_sequence(found.tag());
        for (const Element item : found.children()) {
            if (depth == kMaxDepth) break;
            builder_.begin_item();
            const auto items = key.children();
            if (items.empty() || (*items.begin()).children().empty()) {
                whole(item.children(), characters, depth + 1);
            } else {
                level((*items.begin()).children(), item.children(), characters, depth + 1);
            }
            builder_.end();
        }
        builder_.end();
    }

    void whole(const ElementRange& from, const CharacterSet& outer, int depth) {
        level(from, from, outer, depth);
    }

    void value(Element from, const CharacterSet& characters) {
        if (!dicom::uses_character_set(from.vr())) return builder_.add(from.tag(), from.vr(), from.value());
        const auto text = characters.to_utf8(from.text(), from.vr());
        beyond_ascii_ = beyond_ascii_ || std::any_of(text.begin(), text.end(), [](char c) {
                            return static_cast<unsigned char>(c) >= 0x80;
                        });
        builder_.add_text(from.tag(), from.vr(), text);
    }

    dicom::DataSetBuilder builder_;
    bool beyond_ascii_ = false;
};

}  // namespace

dicom::DataSet requested(const dicom::DataSet& identifier, const dicom::DataSet& instance) {
    Reduction reduction;
    reduction.level(identifier.elements(), instance.elements(), CharacterSet(), 0);
    return reduction.finish();
}

}  // namespace sagitta::service
