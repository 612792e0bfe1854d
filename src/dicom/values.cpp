#include "dicom/values.h"

#include <string_view>
#include <type_traits>
#include <utility>

#include "dicom/value_text.h"

namespace sagitta::dicom {
namespace {

Error absent(Tag tag) {
    return {Errc::not_found, to_string(tag) + " is not there"};
}

Error wrong_type(const Element& element) {
    return {Errc::invalid_argument, to_string(element.tag())
                                        .append(" of VR ")
                                        .append(to_string(element.vr()))
                                        .append(" is not of the type asked for")};
}

Error malformed(const Element& element, std::string_view what) {
    return {
        Errc::malformed,
        to_string(element.tag()).append(" of VR ").append(to_string(element.vr())).append(" ").append(what)};
}

template <Number T>
bool holds(Vr vr) {
    if constexpr (std::is_same_v<T, std::uint8_t>) return vr == Vr::OB || vr == Vr::UN;
    if constexpr (std::is_same_v<T, std::uint16_t>) return vr == Vr::US || vr == Vr::OW;
    if constexpr (std::is_same_v<T, std::int16_t>) return vr == Vr::SS || vr == Vr::OW;
    if constexpr (std::is_same_v<T, std::uint32_t>) return vr == Vr::UL || vr == Vr::OL;
    if constexpr (std::is_same_v<T, std::int32_t>) return vr == Vr::SL;
    if constexpr (std::is_same_v<T, std::uint64_t>) return vr == Vr::UV || vr == Vr::OV;
    if constexpr (std::is_same_v<T, std::int64_t>) return vr == Vr::SV;
    if constexpr (std::is_same_v<T, float>) return vr == Vr::FL || vr == Vr::OF;
    if constexpr (std::is_same_v<T, double>) return vr == Vr::FD || vr == Vr::OD;
}

template <TextValue T>
bool holds(Vr vr) {
    if constexpr (std::is_same_v<T, std::string>) return is_text(vr);
    if constexpr (std::is_same_v<T, PersonName>) return vr == Vr::PN;
    if constexpr (std::is_same_v<T, Date>) return vr == Vr::DA;
    if constexpr (std::is_same_v<T, Time>) return vr == Vr::TM;
    if constexpr (std::is_same_v<T, DateTime>) return vr == Vr::DT;
    if constexpr (std::is_same_v<T, DecimalString>) return vr == Vr::DS;
    if constexpr (std::is_same_v<T, IntegerString>) return vr == Vr::IS;
    if constexpr (std::is_same_v<T, Uid>) return vr == Vr::UI;
    if constexpr (std::is_same_v<T, Tag>) return vr == Vr::AT;
}

/// One value of the VR that T is read from; empty when it is malformed.
template <class T>
std::optional<T> parsed(std::string_view text) {
    if constexpr (std::is_same_v<T, std::string>) {
        return std::string(text);
    } else if constexpr (std::is_same_v<T, PersonName>) {
        auto name = PersonName::parse(text);
        return name ? std::optional(std::move(*name)) : std::nullopt;
    } else if constexpr (std::is_same_v<T, Date>) {
        const auto date = Date::parse(text);
        return date && date->exists() ? date : std::nullopt;
    } else if constexpr (std::is_same_v<T, DateTime>) {
        const auto value = DateTime::parse(text);
        return value && value->date.exists() ? value : std::nullopt;
    } else {
        return T::parse(text);
    }
}

template <class T>
Result<std::vector<T>> all_of(const Element& element, const CharacterSet& character_set) {
    std::vector<T> values;
    if constexpr (Number<T>) {
        auto view = numbers_of<T>(element);
        if (!view) return std::move(view).error();
        values = view->to_vector();
    } else if constexpr (std::is_same_v<T, Tag>) {
        if (element.length() % 4 != 0) return malformed(element, "ends inside a tag");
        while (const auto tag = tag_value(element, values.size())) values.push_back(*tag);
    } else {
        for (const std::string& text : decoded_values(element, character_set)) {
            auto value = parsed<T>(text);
            if (!value) return malformed(element, "holds what its VR does not allow");
            values.push_back(std::move(*value));
        }
    }
    return values;
}

template <class T>
Result<std::optional<T>> nth_of(const Element& element, const CharacterSet& character_set, std::size_t n) {
    if constexpr (Number<T>) {
        auto view = numbers_of<T>(element);
        if (!view) return std::move(view).error();
        return n < view->size() ? std::optional<T>((*view)[n]) : std::nullopt;
    } else if constexpr (std::is_same_v<T, Tag>) {
        return tag_value(element, n);
    } else {
        const auto texts = decoded_values(element, character_set);
        if (n >= texts.size() || texts[n].empty()) return std::optional<T>();
        auto value = parsed<T>(texts[n]);
        if (!value) return malformed(element, "holds what its VR does not allow");
        return value;
    }
}

}  // namespace

template <Number T>
Result<NumberView<T>> numbers_of(const Element& element) {
    if (!holds<T>(element.vr()) || element.has_children()) return wrong_type(element);
    if (element.length() % sizeof(T) != 0) return malformed(element, "ends inside a number");
    return NumberView<T>(element.value(), element.node().big_endian);
}

Values::Values(const ElementRange& level, const CharacterSet& outer)
    : level_(level), character_set_(character_set_of(level, outer)) {}

template <class T>
requires TextValue<T> || Number<T> Result<std::optional<T>> Values::get(Tag tag, std::size_t n)
const {
    const auto element = find(tag);
    if (!element) return absent(tag);
    if (!holds<T>(element->vr())) return wrong_type(*element);
    return nth_of<T>(*element, character_set_, n);
}

template <class T>
requires TextValue<T> || Number<T> Result<std::vector<T>> Values::all(Tag tag)
const {
    const auto element = find(tag);
    if (!element) return absent(tag);
    if (!holds<T>(element->vr())) return wrong_type(*element);
    return all_of<T>(*element, character_set_);
}

template <Number T>
Result<NumberView<T>> Values::numbers(Tag tag) const {
    const auto element = find(tag);
    if (!element) return absent(tag);
    return numbers_of<T>(*element);
}

Result<std::vector<Values>> Values::items(Tag tag) const {
    const auto element = find(tag);
    if (!element) return absent(tag);
    if (element->vr() != Vr::SQ) return wrong_type(*element);
    std::vector<Values> items;
    for (const Element item : element->children()) items.emplace_back(item, *this);
    return items;
}

#define SAGITTA_VALUE(T)                                                            \
    template Result<std::optional<T>> Values::get<T>(Tag tag, std::size_t n) const; \
    template Result<std::vector<T>> Values::all<T>(Tag tag) const;
#define SAGITTA_NUMBER(T)                                         \
    SAGITTA_VALUE(T)                                              \
    template Result<NumberView<T>> Values::numbers<T>(Tag) const; \
    template Result<NumberView<T>> numbers_of<T>(const Element&);
SAGITTA_VALUE(std::string)
SAGITTA_VALUE(PersonName)
SAGITTA_VALUE(Date)
SAGITTA_VALUE(Time)
SAGITTA_VALUE(DateTime)
SAGITTA_VALUE(DecimalString)
SAGITTA_VALUE(IntegerString)
SAGITTA_VALUE(Uid)
SAGITTA_VALUE(Tag)
SAGITTA_NUMBER(std::uint8_t)
SAGITTA_NUMBER(std::uint16_t)
SAGITTA_NUMBER(std::int16_t)
SAGITTA_NUMBER(std::uint32_t)
SAGITTA_NUMBER(std::int32_t)
SAGITTA_NUMBER(std::uint64_t)
SAGITTA_NUMBER(std::int64_t)
SAGITTA_NUMBER(float)
SAGITTA_NUMBER(double)
#undef SAGITTA_NUMBER
#undef SAGITTA_VALUE

}  // namespace sagitta::dicom
