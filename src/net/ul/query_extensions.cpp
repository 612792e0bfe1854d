#include "net/ul/query_extensions.h"

#include <algorithm>

#include "net/ul/negotiation.h"

namespace sagitta::net::ul {

namespace {

/// The bytes of PS3.4 Table C.5-1, from 0; those of the other bytes we do not do, but the last.
enum FindByte : std::size_t {
    kRelational = 0,
    kDateTime = 1,
    kFuzzyNames = 2,
    kEmptyValues = 5,
    kMultipleValues = 6,  ///< done whether asked for or not
    kFindBytes = 7,
};
/// Of C-MOVE (C.5.2) and C-GET (C.5.3): relational retrieval, enhanced multi-frame conversion.
constexpr std::size_t kRetrieveBytes = 2;

bool is_retrieval(ServiceKind kind) {
    return kind == ServiceKind::move || kind == ServiceKind::get;
}

}  // namespace

QueryExtensions read_query_extensions(std::string_view sop_class_uid,
                                      std::span<const std::byte> information) {
    const auto says = [&](std::size_t at) {
        return at < information.size() && information[at] == std::byte{1};
    };
    const auto kind = service_kind(sop_class_uid);
    QueryExtensions extensions;
    if (kind != ServiceKind::find && !is_retrieval(kind)) return extensions;
    extensions.relational = says(kRelational);
    if (kind != ServiceKind::find) return extensions;
    extensions.combined_date_time = says(kDateTime);
    extensions.fuzzy_names = says(kFuzzyNames);
    extensions.empty_values = says(kEmptyValues);
    return extensions;
}

std::vector<std::byte> answer_query_extensions(std::string_view sop_class_uid,
                                               std::span<const std::byte> requested,
                                               const QueryExtensions& offered) {
    const auto kind = service_kind(sop_class_uid);
    if (kind != ServiceKind::find && !is_retrieval(kind)) return {};
    const auto known = kind == ServiceKind::find ? std::size_t{kFindBytes} : kRetrieveBytes;
    std::vector<std::byte> answer(std::min(requested.size(), known));
    const auto agree = [&](std::size_t at, bool ours) {
        if (at < answer.size() && ours && requested[at] == std::byte{1}) answer[at] = std::byte{1};
    };
    agree(kRelational, offered.relational);
    if (kind != ServiceKind::find) return answer;
    agree(kDateTime, offered.combined_date_time);
    agree(kFuzzyNames, offered.fuzzy_names);
    agree(kEmptyValues, offered.empty_values);
    agree(kMultipleValues, true);
    return answer;
}

}  // namespace sagitta::net::ul
