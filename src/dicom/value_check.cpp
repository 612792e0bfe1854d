#include "dicom/value_check.h"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <limits>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "dicom/utf8.h"

namespace sagitta::dicom {
namespace {

// What is wrong with a value, to stand behind "value 2 ". Null when nothing is.
using Complaint = const char*;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
bool all_digits(std::string_view text) {
    return std::all_of(text.begin(), text.end(), is_digit);
}
int number_of(std::string_view digits) {
    int number = 0;
    std::from_chars(digits.data(), digits.data() + digits.size(), number);
    return number;
}
std::string_view trimmed(std::string_view text) {
    while (text.ends_with(' ')) text.remove_suffix(1);
    while (text.starts_with(' ')) text.remove_prefix(1);
    return text;
}
bool printable_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

std::size_t characters_in(std::string_view utf8) {
    return static_cast<std::size_t>(std::count_if(
        utf8.begin(), utf8.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

// Letters, marks and spaces alone; `layout` adds TAB, LF, FF and CR (PS3.5 6.1.3).
Complaint check_characters(std::string_view utf8, bool layout) {
    for (std::size_t at = 0; at < utf8.size();) {
        const auto c = next_code_point(utf8, at);
        if (!c) return "is not UTF-8";
        const bool is_layout = *c == U'\t' || *c == U'\n' || *c == U'\f' || *c == U'\r';
        if (layout && is_layout) continue;
        if (*c < 0x20 || (*c >= 0x7f && *c < 0xa0)) return "has a control character";
    }
    return nullptr;
}

Complaint check_date(std::string_view text) {
    if (text.size() != 8 || !all_digits(text)) return "is no date, YYYYMMDD";
    using namespace std::chrono;
    const year_month_day date(year(number_of(text.substr(0, 4))),
                              month(static_cast<unsigned>(number_of(text.substr(4, 2)))),
                              day(static_cast<unsigned>(number_of(text.substr(6, 2)))));
    return date.ok() ? nullptr : "is no day of the calendar";
}

// HH[MM[SS[.F to FFFFFF]]]; a leap second is 60.
bool is_time(std::string_view text) {
    const auto dot = text.find('.');
    const auto whole = text.substr(0, dot);
    if (whole.empty() || whole.size() > 6 || whole.size() % 2 != 0 || !all_digits(whole)) return false;
    if (dot != std::string_view::npos) {
        const auto fraction = text.substr(dot + 1);
        if (whole.size() != 6 || fraction.empty() || fraction.size() > 6 || !all_digits(fraction))
            return false;
    }
    return number_of(whole.substr(0, 2)) <= 23 && (whole.size() < 4 || number_of(whole.substr(2, 2)) <= 59) &&
           (whole.size() < 6 || number_of(whole.substr(4, 2)) <= 60);
}

Complaint check_time(std::string_view text) {
    return is_time(text) ? nullptr : "is no time, HHMMSS.FFFFFF";
}

Complaint check_date_time(std::string_view text) {
    constexpr Complaint kWrong = "is no date and time, YYYYMMDDHHMMSS.FFFFFF&ZZXX";
    if (const auto sign = text.find_first_of("+-"); sign != std::string_view::npos) {
        const auto offset = text.substr(sign + 1);
        if (offset.size() != 4 || !all_digits(offset) || number_of(offset.substr(2)) > 59) return kWrong;
        const bool west = text[sign] == '-';
        if (number_of(offset) > (west ? 1200 : 1400) || (west && number_of(offset) == 0)) return kWrong;
        text = text.substr(0, sign);
    }
    const auto date = text.substr(0, 8);
    if (date.size() < 4 || date.size() % 2 != 0 || !all_digits(date)) return kWrong;
    const std::string whole_date = std::string(date) + std::string("0101").substr((date.size() - 4));
    if (check_date(whole_date) != nullptr) return kWrong;
    return text.size() <= 8 || is_time(text.substr(8)) ? nullptr : kWrong;
}

Complaint check_age(std::string_view text) {
    const bool fits = text.size() == 4 && all_digits(text.substr(0, 3)) &&
                      std::string_view("DWMY").find(text[3]) != std::string_view::npos;
    return fits ? nullptr : "is no age, as in 045Y";
}

Complaint check_code(std::string_view text) {
    const bool fits = std::all_of(text.begin(), text.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || is_digit(c) || c == ' ' || c == '_';
    });
    return fits ? nullptr : "has other characters than A-Z, 0-9, space and underscore";
}

Complaint check_ae_title(std::string_view text) {
    if (!printable_ascii(text)) return "has other characters than those of ASCII";
    return trimmed(text).empty() ? "has nothing but spaces" : nullptr;
}

Complaint check_uid(std::string_view text) {
    std::string_view rest = text;
    while (true) {
        const auto component = rest.substr(0, rest.find('.'));
        if (component.empty() || !all_digits(component)) return "is no UID";
        if (component.size() > 1 && component.front() == '0')
            return "has a UID component with a leading zero";
        if (component.size() == rest.size()) return nullptr;
        rest.remove_prefix(component.size() + 1);
    }
}

Complaint check_integer_string(std::string_view text) {
    std::string_view digits = trimmed(text);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    const bool signed_twice = digits.data() != trimmed(text).data() && digits.starts_with('-');
    if (error != std::errc() || end != digits.data() + digits.size() || signed_twice)
        return "is no whole number";
    const bool fits = number >= std::numeric_limits<std::int32_t>::min() &&
                      number <= std::numeric_limits<std::int32_t>::max();
    return fits ? nullptr : "is outside the range of IS";
}

Complaint check_decimal_string(std::string_view text) {
    std::string_view rest = trimmed(text);
    const auto take_sign = [&] {
        if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    };
    const auto take_digits = [&] {
        std::size_t count = 0;
        for (; !rest.empty() && is_digit(rest.front()); ++count) rest.remove_prefix(1);
        return count;
    };
    take_sign();
    std::size_t digits = take_digits();
    if (rest.starts_with('.')) {
        rest.remove_prefix(1);
        digits += take_digits();
    }
    bool fits = digits != 0;
    if (rest.starts_with('E') || rest.starts_with('e')) {
        rest.remove_prefix(1);
        take_sign();
        fits = fits && take_digits() != 0;
    }
    return fits && rest.empty() ? nullptr : "is no decimal number";
}

// RFC 3986 section 2: what may stand in a URI at all.
Complaint check_uri(std::string_view text) {
    constexpr std::string_view kMarks = "-._~:/?#[]@!$&'()*+,;=%";
    const bool fits = std::all_of(text.begin(), text.end(), [&](char c) {
        return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               kMarks.find(c) != std::string_view::npos;
    });
    return fits ? nullptr : "has characters that no URI has";
}

Complaint check_person_name(std::string_view text) {
    std::size_t groups = 0;
    while (true) {
        const auto group = text.substr(0, text.find('='));
        if (++groups > 3) return "has more than three component groups";
        if (characters_in(group) > 64) return "has a component group of more than 64 characters";
        if (std::count(group.begin(), group.end(), '^') > 4) return "has more than five components";
        if (group.size() == text.size()) return nullptr;
        text.remove_prefix(group.size() + 1);
    }
}

struct Rule {
    Vr vr;
    std::size_t max_characters;
    Complaint too_long;
    Complaint (*check)(std::string_view);
};

constexpr std::size_t kAny = SIZE_MAX;

// PS3.5 Table 6.2-1. Lengths are characters; where (0008,0005) has no say these are bytes, too.
constexpr Rule kRules[] = {
    {Vr::AE, 16, "is longer than 16 characters", check_ae_title},
    {Vr::AS, kAny, nullptr, check_age},
    {Vr::CS, 16, "is longer than 16 characters", check_code},
    {Vr::DA, kAny, nullptr, check_date},
    {Vr::DS, 16, "is longer than 16 characters", check_decimal_string},
    {Vr::DT, 26, "is longer than 26 characters", check_date_time},
    {Vr::IS, 12, "is longer than 12 characters", check_integer_string},
    {Vr::LO, 64, "is longer than 64 characters", nullptr},
    {Vr::LT, 10240, "is longer than 10240 characters", nullptr},
    {Vr::PN, kAny, nullptr, check_person_name},
    {Vr::SH, 16, "is longer than 16 characters", nullptr},
    {Vr::ST, 1024, "is longer than 1024 characters", nullptr},
    {Vr::TM, 14, "is longer than 14 characters", check_time},
    {Vr::UC, kAny, nullptr, nullptr},
    {Vr::UI, 64, "is longer than 64 characters", check_uid},
    {Vr::UR, kAny, nullptr, check_uri},
    {Vr::UT, kAny, nullptr, nullptr},
};

Complaint check_one(const Rule& rule, std::string_view value) {
    const bool layout = rule.vr == Vr::LT || rule.vr == Vr::ST || rule.vr == Vr::UT;
    if (const auto wrong = check_characters(value, layout)) return wrong;
    if (value.empty()) return nullptr;
    if (rule.max_characters != kAny && characters_in(value) > rule.max_characters) return rule.too_long;
    return rule.check != nullptr ? rule.check(value) : nullptr;
}

Error wrong_vm(std::string_view vm, std::uint64_t values) {
    return {Errc::invalid_argument, "has " + std::to_string(values) + (values == 1 ? " value" : " values") +
                                        ", not " + std::string(vm)};
}

std::optional<std::uint64_t> take_number(std::string_view& text) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc()) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

// One alternative: "3", "1-3", "2-n", "2-2n".
bool range_allows(std::string_view vm, std::uint64_t values) {
    const auto least = take_number(vm);
    if (!least) return false;
    if (vm.empty()) return values == *least;
    if (!vm.starts_with('-') || values < *least) return false;
    vm.remove_prefix(1);
    const auto most = take_number(vm);
    if (vm == "n") return !most || *most == 0 || values % *most == 0;
    return most && vm.empty() && values <= *most;
}

std::size_t value_bytes(Vr vr) {
    return vr == Vr::AT ? 4 : swap_unit(vr);
}

bool counts_numbers(Vr vr) {
    return vr == Vr::US || vr == Vr::SS || vr == Vr::AT || vr == Vr::FL || vr == Vr::SL || vr == Vr::UL ||
           vr == Vr::FD || vr == Vr::SV || vr == Vr::UV;
}

}  // namespace

bool vm_allows(std::string_view vm, std::uint64_t values) noexcept {
    if (vm.empty() || values == 0) return true;
    constexpr std::string_view kOr = " or ";
    while (true) {
        const auto end = vm.find(kOr);
        if (range_allows(vm.substr(0, end), values)) return true;
        if (end == std::string_view::npos) return false;
        vm.remove_prefix(end + kOr.size());
    }
}

Result<void> check_text(Vr vr, std::string_view utf8, std::string_view vm) {
    const auto* rule =
        std::find_if(std::begin(kRules), std::end(kRules), [&](const Rule& r) { return r.vr == vr; });
    if (rule == std::end(kRules)) return Error(Errc::invalid_argument, "is no text");
    if (utf8.empty()) return {};
    const bool several = !is_single_valued_text(vr);
    std::uint64_t values = 0;
    std::string_view rest = utf8;
    while (true) {
        const auto value = several ? rest.substr(0, rest.find('\\')) : rest;
        ++values;
        if (const auto wrong = check_one(*rule, value)) {
            const bool alone = values == 1 && value.size() == utf8.size();
            return Error(
                Errc::invalid_argument,
                alone ? std::string(wrong) : "value " + std::to_string(values) + " " + std::string(wrong));
        }
        if (value.size() == rest.size()) break;
        rest.remove_prefix(value.size() + 1);
    }
    if (!vm_allows(vm, values)) return wrong_vm(vm, values);
    return {};
}

Result<void> check_bytes(Vr vr, std::span<const std::byte> value, std::string_view vm) {
    if (const auto unit = value_bytes(vr); value.size() % unit != 0) {
        return Error(Errc::invalid_argument, "is no multiple of " + std::to_string(unit) + " bytes long");
    }
    if (!counts_numbers(vr)) return {};
    const std::uint64_t values = value.size() / value_bytes(vr);
    if (!vm_allows(vm, values)) return wrong_vm(vm, values);
    return {};
}

}  // namespace sagitta::dicom
