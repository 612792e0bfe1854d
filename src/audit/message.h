// An event as an audit message (PS3.15 A.5.1, A.5.3) and as a syslog message (RFC 5424, PS3.15 A.6). Pure.
#pragma once

#include <string>
#include <string_view>

#include "audit/event.h"

namespace sagitta::audit {

/// Well-formed XML 1.0 in UTF-8 whatever the values hold: what XML has no way to say becomes U+FFFD.
[[nodiscard]] std::string to_xml(const Event& event, std::string_view audit_source_id);

/// `text` as the content of an attribute or element.
[[nodiscard]] std::string xml_escaped(std::string_view text);

struct SyslogOrigin {
    std::string host_name;
    long process_id = 0;
};
/// Facility 10 (security), severity notice or, for what failed, warning.
[[nodiscard]] std::string to_syslog(const Event& event, const SyslogOrigin& origin, std::string_view xml);

/// "LENGTH SP MESSAGE": octet counting (RFC 6587 3.4.1).
[[nodiscard]] std::string framed(std::string_view syslog_message);

/// "2026-11-23T05:00:00.123Z".
[[nodiscard]] std::string time_text(std::chrono::system_clock::time_point time);

}  // namespace sagitta::audit
