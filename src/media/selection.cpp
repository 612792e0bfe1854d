#include "media/selection.h"

#include <algorithm>
#include <optional>
#include <tuple>
#include <utility>

#include "dicom/character_set.h"
#include "dicom/data_set_matching.h"
#include "dicom/generated/tags.h"
#include "storage/stored_header.h"

namespace sagitta::media {
namespace {

namespace tags = dicom::tags;

struct Split {
    storage::Query query;       ///< what the index judges
    dicom::DataSet for_header;  ///< the rest
};

/// Sequences and private attributes are the headers' anyway.
Result<Split> split(const storage::InstanceIndex& index, const dicom::DataSet& identifier) {
    Split out;
    out.query.level = storage::Level::image;
    out.query.want_instance = true;
    const auto characters = dicom::CharacterSet::parse(identifier.text(tags::SpecificCharacterSet));
    if (const auto set = identifier.find(tags::SpecificCharacterSet)) out.for_header.set(*set);
    for (const auto element : identifier.elements()) {
        if (element.tag() == tags::SpecificCharacterSet) continue;
        if (element.vr() == dicom::Vr::SQ || element.tag().is_private()) {
            out.for_header.set(element);
            continue;
        }
        auto key = dicom::parse_match_key(element.tag(), element.vr(),
                                          characters.to_utf8(element.text(), element.vr()));
        if (!key) return std::move(key).error().within(dicom::to_string(element.tag()));
        out.query.keys.push_back(std::move(*key));
    }
    for (const auto& key : index.unindexed(out.query)) {
        if (const auto element = identifier.find(key.tag)) out.for_header.set(*element);
    }
    return out;
}

bool is_gone(const storage::InstanceStore& store, const storage::InstanceLocation& where) {
    const auto checksum = store.checksum(where);
    return !checksum && checksum.error().code == Errc::not_found;
}

}  // namespace

storage::InstanceLocation StoredPlace::location() const {
    storage::InstanceLocation where;
    where.volume = volume;
    where.offset = offset;
    where.length = length;
    where.data_set_offset = data_set_offset;
    where.header_length = header_length;
    return where;
}

Result<std::vector<StoredPlace>> select_instances(const storage::InstanceIndex& index,
                                                  const storage::InstanceStore& store,
                                                  const dicom::DataSet& identifier) {
    auto keys = split(index, identifier);
    if (!keys) return std::move(keys).error();
    const auto matcher = dicom::DataSetMatcher::parse(keys->for_header);
    if (!matcher) return matcher.error();
    std::vector<StoredPlace> places;
    std::optional<Error> failure;
    auto found = index.find(keys->query, [&](const storage::Match& match) {
        const auto& at = *match.instance;
        if (!matcher->is_universal()) {
            auto header = storage::read_header(store, at);
            if (!header && is_gone(store, at)) return true;
            if (!header) failure = std::move(header).error();
            if (failure) return false;
            if (!matcher->matches(header->data_set)) return true;
        }
        places.push_back({at.volume, at.offset, at.length, at.data_set_offset, at.header_length});
        return true;
    });
    if (failure) return *failure;
    if (!found) return std::move(found).error();
    std::sort(places.begin(), places.end(), [](const StoredPlace& a, const StoredPlace& b) {
        return std::tie(a.volume, a.offset) < std::tie(b.volume, b.offset);
    });
    return places;
}

}  // namespace sagitta::media
