#include "deid/reidentify.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "deid/date_shift.h"
#include "deid/markers.h"
#include "deid/original_attributes.h"
#include "dicom/builder.h"
#include "dicom/character_set.h"
#include "dicom/edit.h"
#include "dicom/generated/tags.h"
#include "dicom/value_text.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Element;

// Every UID of a value that the vault knows.
Result<std::string> original_uids(std::string_view value, const Vault& vault) {
    std::string made;
    for (;;) {
        const auto slash = value.find('\\');
        const std::string_view uid = value.substr(0, slash);
        std::optional<std::string> original;
        if (uid.starts_with("2.25.")) {
            auto found = vault.find(Mapping::Kind::uid, uid);
            if (!found) return std::move(found).error();
            original = std::move(*found);
        }
        made += original ? *original : std::string(uid);
        if (slash == std::string_view::npos) return made;
        made += '\\';
        value.remove_prefix(slash + 1);
    }
}

// All of it, with UIDs and dates as they were.
class Restorer {
public:
    Restorer(const dicom::DataSet& object, const Vault& vault, std::int32_t days)
        : object_(object), vault_(vault), days_(days), builder_(object) {}

    Result<dicom::DataSet> run() {
        const auto nodes = object_.nodes();
        std::vector<std::size_t> ends;
        for (std::uint32_t row = 0; row < nodes.size(); ++row) {
            for (; !ends.empty() && ends.back() <= row; ends.pop_back()) builder_.end();
            const Element element(object_, row);
            const bool level = element.vr() == dicom::Vr::SQ || element.tag() == dicom::kItem;
            if (element.has_children() && !level) {
                builder_.keep(element);
                row += element.node().subtree;
            } else if (level) {
                builder_.begin_like(element);
                ends.push_back(std::size_t{row} + 1 + element.node().subtree);
            } else if (auto done = leaf(element); !done) {
                return done.error();
            }
        }
        for (; !ends.empty(); ends.pop_back()) builder_.end();
        return builder_.finish();
    }

private:
    Result<void> leaf(const Element& element) {
        if (element.tag().is_group_length()) return {};
        const dicom::Vr vr = element.vr();
        if (vr == dicom::Vr::UI && !element.empty()) {
            auto uids = original_uids(element.text(), vault_);
            if (!uids) return uids.error();
            builder_.add_text(element.tag(), vr, *uids);
        } else if (days_ != 0 && (vr == dicom::Vr::DA || vr == dicom::Vr::DT) && !element.empty()) {
            builder_.add_text(element.tag(), vr, shifted_values(vr, element.text(), days_));
        } else {
            builder_.keep(element);
        }
        return {};
    }

    const dicom::DataSet& object_;
    const Vault& vault_;
    std::int32_t days_;
    dicom::DataSetBuilder builder_;
};

Result<std::optional<OriginalAttributes>> stored(const Vault& vault, Mapping::Kind kind,
                                                 std::string_view pseudonym) {
    auto found = vault.find(kind, pseudonym);
    if (!found) return std::move(found).error();
    if (!*found) return std::optional<OriginalAttributes>();
    auto read = read_original_attributes(**found);
    if (!read) return std::move(read).error();
    return std::optional(std::move(*read));
}

// Puts the attributes in; false when a text does not fit the object's character set.
bool put(dicom::DataSet& object, const dicom::DataSet& originals) {
    const auto from = dicom::character_set_of(originals.elements(), dicom::CharacterSet());
    const auto to = dicom::character_set_of(object.elements(), dicom::CharacterSet());
    bool fits = true;
    const auto rewrite = [&](std::string_view text, dicom::Vr vr) {
        auto encoded = to.from_utf8(from.to_utf8(text, vr), vr);
        fits = fits && encoded.has_value();
        return encoded ? std::move(*encoded) : std::string();
    };
    for (const auto& element : originals.elements()) {
        if (element.tag() != tags::SpecificCharacterSet) object.set(element, rewrite);
    }
    return fits;
}

Result<dicom::DataSet> with_attributes(dicom::DataSet object, const dicom::DataSet& originals) {
    dicom::DataSet made = object;
    if (put(made, originals)) return made;
    dicom::EditOptions options;
    options.text = dicom::EditOptions::Text::utf8;
    auto utf8 = dicom::apply_edits(object, {}, options);
    if (!utf8) return utf8;
    (void)put(*utf8, originals);
    return utf8;
}

}  // namespace

Result<dicom::DataSet> reidentified(const dicom::DataSet& object, const Vault& vault) {
    const auto patient = stored(vault, Mapping::Kind::patient, object.text(tags::PatientID));
    if (!patient) return patient.error();
    if (!*patient) return Error(Errc::not_found, "the vault does not know this Patient ID");
    const auto study = stored(vault, Mapping::Kind::study, object.text(tags::StudyInstanceUID));
    if (!study) return study.error();
    const bool moved = object.text(tags::LongitudinalTemporalInformationModified) == "MODIFIED";
    auto made = Restorer(object, vault, moved ? -(*patient)->shift_days : 0).run();
    if (!made) return made;
    made = with_attributes(std::move(*made), (*patient)->data_set);
    if (made && *study) made = with_attributes(std::move(*made), (*study)->data_set);
    if (!made) return made;
    for (const auto tag :
         {tags::PatientIdentityRemoved, tags::DeidentificationMethod,
          tags::DeidentificationMethodCodeSequence, tags::LongitudinalTemporalInformationModified})
        made->erase(tag);
    return made;
}

}  // namespace sagitta::deid
