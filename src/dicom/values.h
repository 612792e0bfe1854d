// Values by type: what a program means when it asks for a date, a name or a number. Strict: an
// element is read as what its VR says or not at all. Knows levels of a data set and their character
// set, not what attributes mean.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/character_set.h"
#include "dicom/data_set.h"
#include "dicom/date_time.h"
#include "dicom/number_string.h"
#include "dicom/number_view.h"
#include "dicom/person_name.h"
#include "dicom/uid.h"

namespace sagitta::dicom {

/// A value that is not a binary number, and the VRs it is read from. std::string (UTF-8): all that
/// is text; PersonName: PN; Date: DA; Time: TM; DateTime: DT; DecimalString: DS; IntegerString: IS;
/// Uid: UI; Tag: AT.
template <class T>
concept TextValue = std::same_as<T, std::string> || std::same_as<T, PersonName> || std::same_as<T, Date> ||
    std::same_as<T, Time> || std::same_as<T, DateTime> || std::same_as<T, DecimalString> ||
    std::same_as<T, IntegerString> || std::same_as<T, Uid> || std::same_as<T, Tag>;

/// The numbers of a value: uint16_t of US OW, int16_t of SS OW, uint32_t of UL OL, int32_t of SL,
/// uint64_t of UV OV, int64_t of SV, float of FL OF, double of FD OD, uint8_t of OB UN. Errors:
/// invalid_argument for another VR or encapsulated pixel data, malformed when the length is odd for T.
template <Number T>
[[nodiscard]] Result<NumberView<T>> numbers_of(const Element& element);

/// One level of a data set, an item or the top, and its elements by type. Valid as long as the
/// data set is neither changed nor destroyed.
class Values {
public:
    explicit Values(const DataSet& data_set) : Values(data_set.elements(), CharacterSet()) {}
    /// An item inside `outer`, whose character set it has unless it states its own.
    Values(const Element& item, const Values& outer) : Values(item.children(), outer.character_set_) {}
    Values(const ElementRange& level, const CharacterSet& outer);

    [[nodiscard]] bool contains(Tag tag) const noexcept { return find(tag).has_value(); }
    [[nodiscard]] std::optional<Element> find(Tag tag) const noexcept { return level_.find(tag); }
    [[nodiscard]] const ElementRange& level() const noexcept { return level_; }
    [[nodiscard]] const CharacterSet& character_set() const noexcept { return character_set_; }

    /// The n-th value. Nothing when it is empty or there are fewer; an absent element is not_found.
    /// Other errors: invalid_argument when the VR is read as another type, malformed.
    template <class T>
    requires TextValue<T> || Number<T>
    [[nodiscard]] Result<std::optional<T>> get(Tag tag, std::size_t n = 0) const;

    /// All values; none when the element is empty. Errors as of get; an empty value among others
    /// is malformed, but for std::string.
    template <class T>
    requires TextValue<T> || Number<T>
    [[nodiscard]] Result<std::vector<T>> all(Tag tag) const;

    /// The numbers where they lie. Errors: not_found, and those of numbers_of.
    template <Number T>
    [[nodiscard]] Result<NumberView<T>> numbers(Tag tag) const;

    /// The items of a sequence. Errors: not_found, invalid_argument when it is none.
    [[nodiscard]] Result<std::vector<Values>> items(Tag tag) const;

private:
    ElementRange level_;
    CharacterSet character_set_;
};

}  // namespace sagitta::dicom
