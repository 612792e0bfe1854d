// What is understood of a data set: values by type, ambiguous VRs, paths, private blocks, matching.
// First byte: explicit or implicit VR. What must hold: nothing crashes, the ways
// to a value agree, and an identifier without keys finds everything.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "dicom/ambiguous_vr.h"
#include "dicom/data_set_matching.h"
#include "dicom/dictionary.h"
#include "dicom/parser.h"
#include "dicom/private_block.h"
#include "dicom/series.h"
#include "dicom/values.h"
#include "dicom/walk.h"

namespace {

using namespace sagitta;
using namespace sagitta::dicom;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

/// All values and the first agree, and only the VR that is there may be asked for.
template <class T>
void read_as(const Values& values, Tag tag) {
    const auto all = values.all<T>(tag);
    const auto first = values.get<T>(tag);
    require(all || first || all.error().code == first.error().code, "one kind of failure");
    if (!all) return;
    require(first.has_value(), "where all are right, the first is");
    if (!all->empty() && *first) require(**first == all->front(), "the first is the first of all");
}

template <class T>
void read_numbers(const Values& values, Tag tag) {
    read_as<T>(values, tag);
    const auto view = values.numbers<T>(tag);
    if (!view) return;
    const auto copied = view->to_vector();
    require(copied.size() == view->size(), "all are copied");
    if (const auto in_place = view->in_place()) require(in_place->size() == view->size(), "none is missing");
}

void read_by_type(const Values& values, Tag tag) {
    read_as<std::string>(values, tag);
    read_as<PersonName>(values, tag);
    read_as<Date>(values, tag);
    read_as<Time>(values, tag);
    read_as<DateTime>(values, tag);
    read_as<DecimalString>(values, tag);
    read_as<IntegerString>(values, tag);
    read_as<Uid>(values, tag);
    read_as<Tag>(values, tag);
    read_numbers<std::uint8_t>(values, tag);
    read_numbers<std::uint16_t>(values, tag);
    read_numbers<std::int16_t>(values, tag);
    read_numbers<std::uint32_t>(values, tag);
    read_numbers<std::int32_t>(values, tag);
    read_numbers<std::uint64_t>(values, tag);
    read_numbers<std::int64_t>(values, tag);
    if (const auto name = values.get<PersonName>(tag); name && *name) {
        const auto again = PersonName::parse((*name)->text());
        require(again && *again == **name, "a name is what its text says");
    }
    if (const auto time = values.get<Time>(tag); time && *time)
        require((*time)->first() <= (*time)->last(), "a time begins before it ends");
    if (const auto at = values.get<DateTime>(tag); at && *at)
        require((*at)->first() <= (*at)->last(), "an instant begins before it ends");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    ParseOptions options;
    options.keep_readable_part = true;
    options.max_elements = 2000;
    const auto parsed = parse_data_set(
        std::as_bytes(std::span(data + 1, size - 1)),
        (data[0] & 1) != 0 ? explicit_vr_little_endian() : implicit_vr_little_endian(), options);
    if (!parsed) return 0;
    const DataSet& data_set = parsed->data_set;
    for (Walk walk(data_set); walk.next();) {
        const Element element = walk.element();
        read_by_type(Values(walk.level(), CharacterSet()), element.tag());
        const auto path = path_to(element);
        require(path.size() == walk.depth(), "both ways lead there");
        require(path.empty() || path.back().item.index() == walk.path().back().item.index(), "the same item");
        require(!walk.path_text().empty(), "a path has a name");
        const auto* entry = find_tag(element.tag());
        const bool may_change = (entry != nullptr && entry->ambiguous_vr) || element.tag().is_private();
        require(resolved_vr(element) == element.vr() || may_change, "what is certain stays");
        if (const auto creator = private_creator_of(walk.level(), element.tag())) {
            const auto found = find_private(walk.level(), creator->text(), element.tag().group(),
                                            static_cast<std::uint8_t>(element.tag().element()));
            require(found.has_value(), "what has a creator is found by it");
        }
    }
    if (auto instance = series_instance(data_set)) (void)sort_into_series({*instance, *instance});
    MatchOptions match;
    match.combined_date_time = (data[0] & 2) != 0;
    match.empty_value = (data[0] & 4) != 0;
    if (const auto matcher = DataSetMatcher::parse(data_set, match)) (void)matcher->matches(data_set);
    require(DataSetMatcher::parse(DataSet())->matches(data_set), "no key finds everything");
    return 0;
}
