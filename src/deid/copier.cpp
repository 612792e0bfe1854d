#include "deid/copier.h"

#include <algorithm>
#include <utility>

#include "core/bytes.h"
#include "deid/date_shift.h"
#include "deid/dummy.h"
#include "deid/markers.h"
#include "dicom/generated/tags.h"
#include "dicom/parser.h"
#include "dicom/private_block.h"
#include "dicom/transfer_syntax.h"
#include "dicom/utf8.h"
#include "dicom/value_text.h"

namespace sagitta::deid {
namespace {

namespace tags = dicom::tags;
using dicom::Element;

bool is_text_to_clean(Vr vr) {
    switch (vr) {
        case Vr::AE:
        case Vr::LO:
        case Vr::LT:
        case Vr::PN:
        case Vr::SH:
        case Vr::ST:
        case Vr::UC:
        case Vr::UR:
        case Vr::UT: return true;
        default: return false;
    }
}

constexpr int kMaxUnreadDepth = 4;

// Copies all of another data set, values too.
void add_rows(dicom::DataSetBuilder& builder, const dicom::DataSet& from) {
    const auto nodes = from.nodes();
    std::vector<std::size_t> ends;
    for (std::size_t row = 0; row < nodes.size(); ++row) {
        for (; !ends.empty() && ends.back() <= row; ends.pop_back()) builder.end();
        const auto& node = nodes[row];
        if (node.vr == Vr::SQ || node.tag == dicom::kItem) {
            node.vr == Vr::SQ ? builder.begin_sequence(node.tag) : builder.begin_item();
            ends.push_back(row + 1 + node.subtree);
        } else {
            builder.add(node.tag, node.vr, from.value_of(node));
        }
    }
    for (; !ends.empty(); ends.pop_back()) builder.end();
}

bool is_date(Vr vr) {
    return vr == Vr::DA || vr == Vr::TM || vr == Vr::DT;
}

// Terms that are common in CS; a patient who is called Head does not make every head secret.
constexpr std::string_view kCommonTerms[] = {
    "ABDOMEN",   "AXIAL",     "BREAST",   "CARDIAC", "CHEST", "CONTAINS", "CORONAL", "CT",
    "DERIVED",   "DISPLAY",   "FOOT",     "HAND",    "HEAD",  "HIP",      "KNEE",    "LEG",
    "LOCALIZER", "LUNG",      "MR",       "NECK",    "NO",    "NONE",     "NORMAL",  "NUM",
    "ORIGINAL",  "OTHER",     "PELVIS",   "PIXEL",   "POINT", "PRIMARY",  "PT",      "RGB",
    "SAGITTAL",  "SECONDARY", "SHOULDER", "SPINE",   "TEXT",  "UNKNOWN",  "VOLUME",  "YES"};

// Coding schemes whose meanings are published (PS3.16 section 8); local ones may say anything.
constexpr std::string_view kPublishedSchemes[] = {
    "ACR",      "BI",          "C4",         "CD2",    "DCM",     "DCMUID",  "FMA",   "HL7",       "I10",
    "I10C",     "I10P",        "I11",        "I9",     "I9C",     "IBSI",    "ICDO3", "ISO3166_1", "ISO639_1",
    "ISO639_2", "ITIS_TSN",    "LN",         "MA",     "MDC",     "MDNS",    "NCIt",  "NEU",       "PATHLEX",
    "POS",      "PUBCHEM_CID", "RADELEMENT", "RADLEX", "RFC3066", "RFC5646", "RO",    "RXNORM",    "SCT",
    "SNM3",     "SRT",         "UBERON",     "UCUM",   "UMLS",    "UNS",     "UPC"};

bool is_common_term(std::string_view term) {
    return std::find(std::begin(kCommonTerms), std::end(kCommonTerms), term) != std::end(kCommonTerms);
}

std::string_view trimmed(std::string_view text) {
    while (!text.empty() && (text.back() == ' ' || text.back() == '\0')) text.remove_suffix(1);
    while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
    return text;
}

template <class Each>
void for_each_value(std::string_view text, Each&& each) {
    for (;;) {
        const auto slash = text.find('\\');
        each(trimmed(text.substr(0, slash)));
        if (slash == std::string_view::npos) return;
        text.remove_prefix(slash + 1);
    }
}

}  // namespace

dicom::DataSet Copier::run() {
    read_stated_blocks();
    push_level(original_.elements(), Tag(), dicom::CharacterSet(), false);
    copy_levels();
    dicom::DataSet made = builder_.finish();
    if (!equipment_added_) {
        dicom::DataSetBuilder equipment;
        equipment.begin_sequence(tags::ContributingEquipmentSequence);
        add_contributing_equipment(equipment);
        equipment.end();
        const auto with = equipment.finish();
        made.set(*with.find(tags::ContributingEquipmentSequence));
    }
    return made;
}

void Copier::copy_levels() {
    while (!frames_.empty()) {
        Frame& frame = frames_.back();
        const auto row = next_row(frame);
        if (!row) {
            const bool equipment = depth_ == 0 && frame.items && frames_.size() == 2 &&
                                   frame.parent == tags::ContributingEquipmentSequence;
            if (equipment) add_contributing_equipment(builder_);
            equipment_added_ = equipment_added_ || equipment;
            frames_.pop_back();
            if (!frames_.empty()) builder_.end();
            continue;
        }
        const Element element(original_, *row);
        if (frame.items) {
            builder_.begin_item();
            push_level(element.children(), frame.parent, frame.character_set, frame.dummies);
        } else {
            visit(element);
        }
    }
}

void Copier::push_level(const dicom::ElementRange& level, Tag parent, const dicom::CharacterSet& outer,
                        bool dummies) {
    Frame frame;
    frame.next = frame.first = level.first_index();
    frame.end = level.last_index();
    frame.parent = parent;
    frame.character_set = dicom::character_set_of(level, outer);
    frame.dummies = dummies;
    Tag last;
    bool ascending = true;
    for (const auto& element : level) {
        ascending = ascending && (last < element.tag() || element.index() == frame.first);
        last = element.tag();
    }
    if (!ascending) {
        // PS3.5 7.1. Of a tag that comes twice readers see the first; the others would only hide things.
        for (const auto& element : level) frame.order.push_back(element.index());
        const auto tag_of = [this](std::uint32_t row) { return original_.nodes()[row].tag; };
        std::stable_sort(frame.order.begin(), frame.order.end(),
                         [&](std::uint32_t a, std::uint32_t b) { return tag_of(a) < tag_of(b); });
        const auto twice =
            std::unique(frame.order.begin(), frame.order.end(),
                        [&](std::uint32_t a, std::uint32_t b) { return tag_of(a) == tag_of(b); });
        frame.order.erase(twice, frame.order.end());
    }
    frames_.push_back(std::move(frame));
}

void Copier::push_items(const Element& sequence, bool dummies) {
    builder_.begin_sequence(sequence.tag());
    Frame frame;
    frame.next = frame.first = sequence.index() + 1;
    frame.end = sequence.index() + 1 + sequence.node().subtree;
    frame.parent = sequence.tag();
    frame.character_set = frames_.back().character_set;
    frame.items = true;
    frame.dummies = dummies || frames_.back().dummies;
    frames_.push_back(std::move(frame));
}

std::optional<std::uint32_t> Copier::next_row(Frame& frame) const {
    if (!frame.order.empty()) {
        if (frame.at == frame.order.size()) return std::nullopt;
        return frame.order[frame.at++];
    }
    if (frame.next >= frame.end) return std::nullopt;
    const std::uint32_t row = frame.next;
    frame.next += 1 + original_.nodes()[row].subtree;
    return row;
}

AttributeFacts Copier::facts_of(const Element& element) const {
    const Frame& frame = frames_.back();
    AttributeFacts facts;
    facts.tag = element.tag();
    facts.vr = element.vr();
    facts.parent = frame.parent;
    facts.iod = context_.iod;
    if (!facts.tag.is_private()) return facts;
    if (const auto creator = dicom::private_creator_of(level_of(frame), facts.tag)) {
        facts.creator = creator->text();
        for (const StatedBlock& block : stated_) {
            if (block.group != facts.tag.group() || block.creator != facts.creator) continue;
            const auto low = static_cast<std::uint8_t>(facts.tag.element() & 0xff);
            facts.stated_safe = block.all || std::find(block.elements.begin(), block.elements.end(), low) !=
                                                 block.elements.end();
        }
    }
    return facts;
}

// What the data set says of its private blocks counts on the top level, where it stands.
void Copier::read_stated_blocks() {
    if (!context_.profile.options.contains(Option::retain_safe_private)) return;
    const auto sequence = original_.find(tags::PrivateDataElementCharacteristicsSequence);
    if (!sequence) return;
    for (const auto& item : sequence->children()) {
        const auto level = item.children();
        StatedBlock block;
        block.group = static_cast<std::uint16_t>(level.integer(tags::PrivateGroupReference).value_or(0));
        block.creator = std::string(level.text(tags::PrivateCreatorReference));
        block.all = level.text(tags::BlockIdentifyingInformationStatus) == "SAFE";
        if (const auto listed = level.find(tags::NonidentifyingPrivateElements)) {
            for (std::size_t n = 0; const auto number = listed->integer(n); ++n)
                block.elements.push_back(static_cast<std::uint8_t>(*number & 0xff));
        }
        stated_.push_back(std::move(block));
    }
}

// A creator stays as long as something of its block does.
bool Copier::block_is_kept(const Element& creator) const {
    const Tag tag = creator.tag();
    for (const auto& element : level_of(frames_.back())) {
        const Tag other = element.tag();
        if (other.group() != tag.group() || other.element() >> 8 != tag.element()) continue;
        const auto decision = decide(context_.profile, context_.rules, facts_of(element));
        if (decision.action != Action::remove) return true;
    }
    return false;
}

Action Copier::final_action(const Element& element, const Decision& decision) const {
    const bool inside_dummy = frames_.back().dummies && is_text_to_clean(element.vr());
    if (inside_dummy && (decision.action == Action::clean || decision.action == Action::keep))
        return Action::dummy;
    return decision.action;
}

void Copier::visit(const Element& element) {
    const Tag tag = element.tag();
    const bool top = frames_.size() == 1;
    if (tag.is_group_length() || tag.group() == 0xfffe || tag.group() <= 0x0002) return;
    if (top && is_marker(tag)) return;
    if (tag == tags::SpecificCharacterSet) return builder_.keep(element);
    if (tag.is_private() && !private_may_stay_) {
        Decision gone;
        gone.source = Decision::Source::private_element;
        if (!tag.is_private_creator())
            report_.done.push_back({frames_.back().parent, tag, gone, Action::remove});
        return;
    }
    if (tag.is_private_creator()) {
        if (block_is_kept(element)) builder_.keep(element);
        return;
    }
    if (top && element.has_children() && element.vr() != Vr::SQ && tag == tags::PixelData) {
        ++report_.kept;
        return builder_.keep(element);
    }
    const Decision decision = decide(context_.profile, context_.rules, facts_of(element));
    const Action action = final_action(element, decision);
    perform(element, decision, action);
}

void Copier::perform(const Element& element, const Decision& decision, Action action) {
    const bool unasked = action == Action::keep && decision.source != Decision::Source::rule;
    if (unasked) {
        ++report_.kept;
    } else {
        report_.done.push_back({frames_.back().parent, element.tag(), decision, action});
    }
    const bool sequence = element.vr() == Vr::SQ;
    switch (action) {
        case Action::remove: return;
        case Action::keep: return keep(element, decision);
        case Action::dummy: return perform_dummy(element, decision);
        case Action::empty:
            if (add_pseudonym(element, decision)) return;
            if (!sequence) return builder_.add(element.tag(), element.vr(), {});
            builder_.begin_sequence(element.tag());
            return builder_.end();
        case Action::uid:
        case Action::clean: return perform_clean(element, decision);
        case Action::shift:
            if (!is_date(element.vr())) return perform_dummy(element, decision);
            return builder_.add_text(element.tag(), element.vr(),
                                     shifted_values(element.vr(), element.text(), context_.shift_days));
        case Action::hash:
            if (!is_text_to_clean(element.vr()) && element.vr() != Vr::CS)
                return perform_dummy(element, decision);
            if (element.empty()) return builder_.keep(element);
            return builder_.add_text(
                element.tag(), element.vr(),
                context_.pseudonyms.hashed(dicom::to_string(element.tag()),
                                           dicom::decoded_text(element, frames_.back().character_set)));
        case Action::set:
            if (sequence) return perform_dummy(element, decision);
            return add_encoded(element.tag(), element.vr(), context_.profile.rules[decision.number].value);
    }
}

// Patient, order and study keep apart what belongs apart: pseudonyms instead of nothing.
bool Copier::add_pseudonym(const Element& element, const Decision& decision) {
    if (decision.source != Decision::Source::table) return false;
    const Tag tag = element.tag();
    const bool patient = tag == tags::PatientID || tag == tags::PatientName;
    if (patient) {
        if (element.empty() && tag == tags::PatientName) return false;
        add_encoded(tag, element.vr(), context_.patient_pseudonym);
        return true;
    }
    if (element.empty()) return false;
    const std::string value = dicom::decoded_text(element, frames_.back().character_set);
    if (tag == tags::AccessionNumber || tag == tags::StudyID) {
        const auto kind = tag == tags::StudyID ? PseudonymKind::study : PseudonymKind::accession;
        const auto made = context_.pseudonyms.identifier(kind, context_.identity.patient, value);
        add_encoded(tag, element.vr(), *made);
        return true;
    }
    if (decision.action == Action::dummy && identifying(tag) == IdentityKind::id &&
        is_text_to_clean(element.vr())) {
        builder_.add_text(tag, element.vr(), context_.pseudonyms.hashed(dicom::to_string(tag), value));
        return true;
    }
    return false;
}

void Copier::perform_dummy(const Element& element, const Decision& decision) {
    if (add_pseudonym(element, decision)) return;
    const Vr vr = element.vr();
    if (vr == Vr::SQ) {
        if (!add_dummy_content(builder_, element)) push_items(element, true);
    } else if (vr == Vr::UI) {
        replace_uids(element);
    } else if (element.tag() == tags::CodingSchemeDesignator) {
        builder_.add_text(element.tag(), vr, "99REMOVED");
    } else {
        add_dummy(builder_, element.tag(), vr);
    }
}

void Copier::keep(const Element& element, const Decision& decision) {
    const Vr vr = element.vr();
    if (vr == Vr::SQ) return push_items(element, false);
    if (decision.vr == Vr::SQ) return keep_unread_sequence(element);
    if (vr == Vr::AS && decision.source != Decision::Source::rule) return clean_number(element, vr);
    // Kept by an option or a rule, but not with the patient's name in it.
    if (is_text_to_clean(vr)) return clean_text(element, decision);
    builder_.keep(element);
}

// A safe private sequence that stands as UN: implicit VR little endian (PS3.5 6.2.2). What cannot be read
// is left out.
void Copier::keep_unread_sequence(const Element& element) {
    if (depth_ >= kMaxUnreadDepth) return;
    ByteBuffer bytes;
    append_le(bytes, element.tag().group());
    append_le(bytes, element.tag().element());
    append_le(bytes, std::uint32_t{0xffffffff});
    bytes.append(element.value());
    for (const std::uint32_t word : {0xe0ddfffeu, 0u}) append_le(bytes, word);
    const auto parsed =
        dicom::parse_data_set(std::as_const(bytes).span(), dicom::implicit_vr_little_endian());
    if (!parsed) return;
    const auto sequence = parsed->data_set.find(element.tag());
    if (!sequence || sequence->vr() != Vr::SQ) return;
    Copier inside(parsed->data_set, context_, report_, depth_ + 1);
    inside.push_level(parsed->data_set.elements(), frames_.back().parent, frames_.back().character_set,
                      frames_.back().dummies);
    inside.frames_.back().next = inside.frames_.back().end;
    inside.push_items(*sequence, false);
    inside.copy_levels();
    const dicom::DataSet made = inside.builder_.finish();
    uids_.insert(uids_.end(), inside.uids_.begin(), inside.uids_.end());
    add_rows(builder_, made);
}

void Copier::perform_clean(const Element& element, const Decision& decision) {
    const Vr vr = decision.vr == Vr::none ? element.vr() : decision.vr;
    if (element.vr() == Vr::SQ) return push_items(element, false);
    if (vr == Vr::UI) return replace_uids(element);
    if (element.empty()) return builder_.keep(element);
    if (is_text_to_clean(vr)) return clean_text(element, decision);
    if (vr == Vr::CS) return clean_codes(element);
    if (vr == Vr::DS || vr == Vr::IS || vr == Vr::AS) return clean_number(element, vr);
    if (is_date(vr)) {
        const auto& options = context_.profile.options;
        if (options.contains(Option::retain_full_dates)) return keep(element, decision);
        if (!options.contains(Option::retain_modified_dates)) return add_dummy(builder_, element.tag(), vr);
        return builder_.add_text(element.tag(), vr, shifted_values(vr, element.text(), context_.shift_days));
    }
    if (vr == Vr::OB || vr == Vr::UN) return;
    builder_.keep(element);
}

void Copier::replace_uids(const Element& element) {
    std::string made;
    bool first = true;
    for_each_value(element.text(), [&](std::string_view uid) {
        if (!std::exchange(first, false)) made += '\\';
        std::string replaced = context_.pseudonyms.uid(uid);
        if (replaced != uid) uids_.emplace_back(std::string(uid), replaced);
        made += replaced;
    });
    builder_.add_text(element.tag(), Vr::UI, made);
}

bool Copier::is_local_meaning(const Element& element) const {
    if (element.tag() != tags::CodeMeaning || context_.profile.options.contains(Option::clean_descriptors))
        return false;
    const auto scheme = level_of(frames_.back()).text(tags::CodingSchemeDesignator);
    return std::find(std::begin(kPublishedSchemes), std::end(kPublishedSchemes), scheme) ==
           std::end(kPublishedSchemes);
}

void Copier::clean_text(const Element& element, const Decision& decision) {
    const Frame& frame = frames_.back();
    if (decision.source == Decision::Source::own_table && is_local_meaning(element))
        return add_dummy(builder_, element.tag(), element.vr());
    const std::string text = dicom::decoded_text(element, frame.character_set);
    ResidueCounts counts;
    std::optional<std::string> cut;
    if (text.find("\xef\xbf\xbd") != std::string::npos) {
        cut = std::string();  // What cannot be read cannot be searched.
        ++counts.other;
    } else {
        CleanOptions options;
        const bool free = decision.source != Decision::Source::own_table;
        const bool kept = decision.action == Action::keep;
        options.dates = free && !kept && !context_.profile.options.contains(Option::retain_full_dates);
        options.patterns = free && !kept;
        cut = context_.residue.cut(text, options, counts);
    }
    if (!cut) return builder_.keep(element);
    report_.cut.push_back({frame.parent, element.tag(), counts});
    if (cut->empty()) return add_dummy(builder_, element.tag(), element.vr());
    add_encoded(element.tag(), element.vr(), *cut);
}

void Copier::add_encoded(Tag tag, Vr vr, std::string_view utf8) {
    if (dicom::is_ascii(utf8)) return builder_.add_text(tag, vr, utf8);
    const auto encoded = frames_.back().character_set.from_utf8(utf8, vr);
    if (!encoded) return add_dummy(builder_, tag, vr);
    builder_.add_text(tag, vr, *encoded);
}

void Copier::clean_codes(const Element& element) {
    const Frame& frame = frames_.back();
    std::string made;
    ResidueCounts counts;
    bool first = true;
    bool changed = false;
    for_each_value(element.text(), [&](std::string_view value) {
        if (!std::exchange(first, false)) made += '\\';
        const auto kind =
            value.size() >= 3 && !is_common_term(value) ? context_.residue.find(value) : std::nullopt;
        if (kind) counts.add(*kind);
        changed = changed || kind.has_value();
        made += kind ? kRemovedText : value;
    });
    if (!changed) return builder_.keep(element);
    report_.cut.push_back({frame.parent, element.tag(), counts});
    builder_.add_text(element.tag(), element.vr(), made);
}

// What is no number, or is one that names somebody, under a VR of numbers.
void Copier::clean_number(const Element& element, Vr vr) {
    if (vr == Vr::AS) {
        const auto age = capped_age(element.text());
        if (!age) return add_dummy(builder_, element.tag(), vr);
        if (*age == element.text()) return builder_.keep(element);
        return builder_.add_text(element.tag(), vr, *age);
    }
    const std::string_view text = element.text();
    const std::string_view allowed = vr == Vr::IS ? "0123456789+- \\" : "0123456789+-.eE \\";
    bool sound = text.find_first_not_of(allowed) == std::string_view::npos;
    for_each_value(text, [&](std::string_view value) {
        sound = sound && (value.size() < 6 || vr == Vr::DS || !context_.residue.find(value));
    });
    sound ? builder_.keep(element) : add_dummy(builder_, element.tag(), vr);
}

}  // namespace sagitta::deid
