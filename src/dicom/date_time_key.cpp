#include "dicom/date_time_key.h"

#include "dicom/dictionary.h"

namespace sagitta::dicom {
namespace {

bool is_instant_or_range(const MatchKey& key) {
    return key.kind == MatchKind::single_value || key.kind == MatchKind::range;
}

std::string_view first_value(std::string_view text) {
    return text.substr(0, text.find('\\'));
}

}  // namespace

bool DateTimeKey::matches(std::string_view stored_date, std::string_view stored_time) const {
    const auto day = comparable(Vr::DA, first_value(stored_date));
    const auto clock = comparable(Vr::TM, first_value(stored_time));
    if (day.empty() || clock.empty()) return false;
    const std::string instant = day + clock;
    return (from.empty() || instant >= from) && (to.empty() || instant <= to);
}

MatchKey DateTimeKey::days() const {
    constexpr std::size_t kDay = 8;
    return {date, Vr::DA, MatchKind::range, {from.substr(0, kDay), to.substr(0, kDay)}};
}

std::optional<Tag> time_of(Tag date) {
    const auto* entry = find_tag(date);
    if (entry == nullptr || entry->vr != Vr::DA) return std::nullopt;
    std::string keyword(entry->keyword);
    const auto at = keyword.rfind("Date");
    if (at == std::string::npos) return std::nullopt;
    const auto* time = find_keyword(keyword.replace(at, 4, "Time"));
    return time != nullptr && time->vr == Vr::TM ? std::optional(time->tag) : std::nullopt;
}

std::optional<DateTimeKey> combine(const MatchKey& date, const MatchKey& time) {
    if (!is_instant_or_range(date) || !is_instant_or_range(time) || time_of(date.tag) != time.tag)
        return std::nullopt;
    DateTimeKey both{date.tag, time.tag, date.values.front(), date.values.back()};
    const auto& from = time.values.front();
    const auto& to = time.values.back();
    if (!both.from.empty()) both.from += from.empty() ? "000000.000000" : from;
    if (!both.to.empty()) both.to += to.empty() ? "235960.999999" : to;
    return both;
}

}  // namespace sagitta::dicom
