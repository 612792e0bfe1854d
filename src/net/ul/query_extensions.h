// What SOP Class Extended Negotiation agrees for Query/Retrieve (PS3.4 C.5). Pure: bytes and policy in,
// bytes out. What the extensions do is the business of those who answer queries.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <vector>

namespace sagitta::net::ul {

struct QueryExtensions {
    bool relational = false;  ///< no unique keys of the levels above needed; also for C-MOVE and C-GET
    bool combined_date_time = false;  ///< a date and its time are one instant
    bool fuzzy_names = false;
    bool empty_values = false;
    bool operator==(const QueryExtensions&) const = default;
};

/// What either side's Service-class-application-information says for a Q/R SOP class; absent bytes are 0.
/// Nothing for others.
[[nodiscard]] QueryExtensions read_query_extensions(std::string_view sop_class_uid,
                                                    std::span<const std::byte> information);

/// The acceptor's bytes (PS3.4 C.5.1.1.2, C.5.2.1.2, C.5.3.1.2): as many as were asked, those we know at
/// most; 1 only where it was asked for and is `offered`. Empty when there is nothing to answer.
[[nodiscard]] std::vector<std::byte> answer_query_extensions(std::string_view sop_class_uid,
                                                             std::span<const std::byte> requested,
                                                             const QueryExtensions& offered);

/// Any of both.
[[nodiscard]] constexpr QueryExtensions operator|(const QueryExtensions& a, const QueryExtensions& b) {
    return {a.relational || b.relational, a.combined_date_time || b.combined_date_time,
            a.fuzzy_names || b.fuzzy_names, a.empty_values || b.empty_values};
}

}  // namespace sagitta::net::ul
