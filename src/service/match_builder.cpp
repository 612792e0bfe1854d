#include "service/match_builder.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "core/bytes.h"
#include "dicom/character_set.h"
#include "dicom/generated/tags.h"
#include "storage/stored_header.h"

namespace sagitta::service {
namespace {

using dicom::DataSet;
using dicom::Element;
using dicom::Tag;
using dicom::Vr;
namespace tags = dicom::tags;

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

template <class T>
void append_number(std::vector<std::byte>& out, std::int64_t number) {
    std::array<std::byte, sizeof(T)> bytes{};
    store_le(bytes.data(), static_cast<T>(number));
    out.insert(out.end(), bytes.begin(), bytes.end());
}

// The index keeps numbers as decimal text; binary VRs want bytes.
void set_number(DataSet& answer, Tag tag, Vr vr, std::string_view text) {
    std::vector<std::byte> bytes;
    while (!text.empty()) {
        const auto slash = std::min(text.find('\\'), text.size());
        std::int64_t number = 0;
        const auto [end, ec] = std::from_chars(text.data(), text.data() + slash, number);
        if (ec != std::errc()) break;
        if (vr == Vr::US || vr == Vr::SS) append_number<std::uint16_t>(bytes, number);
        if (vr == Vr::UL || vr == Vr::SL) append_number<std::uint32_t>(bytes, number);
        if (vr == Vr::UV || vr == Vr::SV) append_number<std::uint64_t>(bytes, number);
        text.remove_prefix(std::min(slash + 1, text.size()));
    }
    answer.set(tag, vr, bytes);
}

void set_value(DataSet& answer, Tag tag, Vr vr, std::string_view utf8) {
    if (dicom::is_text(vr)) {
        answer.set_text(tag, vr, utf8);
    } else if (vr == Vr::SQ) {
        answer.set_empty_sequence(tag);
    } else {
        set_number(answer, tag, vr, utf8);
    }
}

// Text beyond ASCII anywhere: then the answer is UTF-8 and must say so.
bool has_text_beyond_ascii(const DataSet& data_set) {
    for (const dicom::Node& node : data_set.nodes()) {
        if (dicom::uses_character_set(node.vr) && !is_ascii(as_text(data_set.value_of(node)))) return true;
    }
    return false;
}

}  // namespace

MatchBuilder::MatchBuilder(const Identifier& identifier, const storage::InstanceStore& store,
                           std::string retrieve_ae_title)
    : identifier_(identifier), store_(store), retrieve_ae_title_(std::move(retrieve_ae_title)) {
    const auto returns = [this](Source source) {
        return std::any_of(identifier_.returns.begin(), identifier_.returns.end(),
                           [source](const ReturnKey& key) { return key.source == source; });
    };
    needs_header_ = identifier_.header_keys.has_value() || returns(Source::header);
    needs_syntax_ = returns(Source::syntax);
}

void MatchBuilder::add(DataSet& answer, const ReturnKey& key, const storage::Match& match,
                       const DataSet& header) const {
    switch (key.source) {
        case Source::index: return set_value(answer, key.tag, key.vr, match.value(key.tag));
        case Source::level: return answer.set_text(key.tag, Vr::CS, identifier_.level_text);
        case Source::retrieve: return answer.set_text(key.tag, Vr::AE, retrieve_ae_title_);
        case Source::available: return answer.set_text(key.tag, Vr::CS, "ONLINE");
        case Source::syntax: {
            const auto stored =
                match.instance != nullptr ? match.instance->transfer_syntax_uid : std::string();
            return answer.set_text(key.tag, Vr::UI, stored);
        }
        case Source::nothing: return set_value(answer, key.tag, key.vr, {});
        case Source::header: break;
    }
    const auto element = header.find(key.tag);
    if (!element) return set_value(answer, key.tag, key.vr, {});
    const auto character_set = dicom::CharacterSet::parse(header.text(tags::SpecificCharacterSet));
    const auto to_utf8 = [&](std::string_view text, Vr vr) { return character_set.to_utf8(text, vr); };
    answer.set(*element, to_utf8);
}

Result<std::optional<DataSet>> MatchBuilder::build(const storage::Match& match) const {
    storage::StoredHeader header;
    if (needs_header_ && match.instance != nullptr) {
        auto read = storage::read_header(store_, *match.instance);
        if (!read) return std::move(read).error();
        header = std::move(*read);
        const auto& keys = identifier_.header_keys;
        if (keys && !keys->matches(header.data_set)) return std::optional<DataSet>();
    }
    DataSet answer;
    for (const ReturnKey& key : identifier_.returns) add(answer, key, match, header.data_set);
    // The unique key of the level comes back whether asked for or not (PS3.4 C.4.1.1.3.2).
    const Tag unique = unique_key(identifier_.level);
    if (!answer.contains(unique)) {
        set_value(answer, unique, unique == tags::PatientID ? Vr::LO : Vr::UI, match.value(unique));
    }
    answer.set_text(tags::RetrieveAETitle, Vr::AE, retrieve_ae_title_);
    if (has_text_beyond_ascii(answer)) answer.set_text(tags::SpecificCharacterSet, Vr::CS, "ISO_IR 192");
    return std::optional<DataSet>(std::move(answer));
}

}  // namespace sagitta::service
