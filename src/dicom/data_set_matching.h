// Does an instance satisfy an identifier (PS3.4 C.2.2.2)? Whole data sets, with sequences, private
// elements, dates paired with times, and the character sets of both sides; one value is matching.h.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/character_set.h"
#include "dicom/data_set.h"
#include "dicom/date_time_key.h"
#include "dicom/matching.h"

namespace sagitta::dicom {

/// The value of an element as a key of VR `as` compares with: in UTF-8, with backslashes between values.
/// Nothing when the element has no such form.
[[nodiscard]] std::optional<std::string> match_text(const Element& element, Vr as,
                                                    const CharacterSet& character_set);

/// An identifier understood once, to be asked about many instances. Immutable and thread-safe.
class DataSetMatcher {
public:
    /// What only says how to ask or what to return is no key: Query/Retrieve Level and View, Specific
    /// Character Set, Timezone Offset, Retrieve AE Title, availability, group lengths. Errors: those of
    /// parse_match_key, with the tag; invalid_argument for a sequence of several items (C.2.2.2.6) and for a
    /// value that has no comparison (OB, OW …).
    [[nodiscard]] static Result<DataSetMatcher> parse(const DataSet& identifier,
                                                      const MatchOptions& options = {});

    /// A sequence matches when one of its items satisfies all keys of the key's item; without any
    /// key that says something it matches always. Otherwise each key as matches() of matching.h.
    [[nodiscard]] bool matches(const DataSet& instance) const;

    /// No key says anything: every instance matches.
    [[nodiscard]] bool is_universal() const noexcept { return !groups_.front().says_something; }

private:
    struct Key {
        MatchKey key;
        std::string private_creator;  ///< of a private key: then the block is found by it
    };
    /// The keys of the identifier, or of the item of one of its sequences.
    struct Group {
        Tag sequence;
        std::string private_creator;
        std::size_t parent = 0;
        std::vector<Key> keys;
        std::vector<DateTimeKey> date_times;
        bool says_something = false;  ///< here or in a sequence inside
    };
    struct Candidate;
    struct Parser;

    [[nodiscard]] static std::optional<Element> find(const ElementRange& level, Tag tag,
                                                     const std::string& private_creator);
    [[nodiscard]] static bool satisfies(const Candidate& candidate, const Group& group);

    std::vector<Group> groups_;  ///< the top level first, each before those inside it
};

/// The same for one instance.
[[nodiscard]] Result<bool> matches(const DataSet& identifier, const DataSet& instance,
                                   const MatchOptions& options = {});

}  // namespace sagitta::dicom
