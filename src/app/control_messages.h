// What is said on the control socket: one JSON object on each line, requests and answers. Pure. In its
// strings each character U+0000 to U+00FF stands for one byte: paths and IDs are bytes of no stated encoding.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "media/import.h"
#include "storage/archive.h"
#include "storage/deleted_study.h"
#include "storage/keeper.h"
#include "storage/query.h"

namespace sagitta::app {

/// A longer request is none.
inline constexpr std::size_t kLongestRequest = 1 << 20;

/// One call of Administration.
struct ControlRequest {
    enum class Kind : std::uint8_t {
        remove,
        restore,
        purge,
        deleted,
        set_protected,
        protected_studies,
        accept_quarantined,
        drop_quarantined,
        import,
    };
    Kind kind = Kind::deleted;
    storage::Scope scope;            ///< remove, restore
    bool flag = false;               ///< remove: even_protected; set_protected: is_protected
    std::int64_t until = 0;          ///< purge
    std::vector<std::string> names;  ///< set_protected: studies; import: paths; quarantine: the one name
    unsigned threads = 1;            ///< import
};

/// "delete", "import" …: as the request is called on the wire, and in logs.
[[nodiscard]] std::string_view to_string(ControlRequest::Kind kind) noexcept;

[[nodiscard]] std::string request_line(const ControlRequest& request);
/// Errors: malformed; also for a member that is not known, which might have named less.
[[nodiscard]] Result<ControlRequest> parse_request(std::string_view line);

/// The last line of an answer: `done` or `failed`.
[[nodiscard]] std::string answer_line(const Result<void>& answer);
[[nodiscard]] std::string answer_line(const Result<storage::KeeperReport>& answer);
[[nodiscard]] std::string answer_line(const Result<storage::PurgeReport>& answer);
[[nodiscard]] std::string answer_line(const Result<std::vector<storage::DeletedStudy>>& answer);
[[nodiscard]] std::string answer_line(const Result<std::vector<std::string>>& answer);
[[nodiscard]] std::string answer_line(const Result<storage::IngestOutcome>& answer);
[[nodiscard]] std::string answer_line(const Result<media::ImportReport>& answer);

/// Of any of them. Errors: the one that was answered; malformed.
template <class T>
[[nodiscard]] Result<T> parse_answer(std::string_view line);

/// Before the last line, of an import: its counts so far.
[[nodiscard]] std::string progress_line(const media::ImportReport& counts);
/// Empty when the line is an answer.
[[nodiscard]] std::optional<media::ImportReport> parse_progress(std::string_view line);

}  // namespace sagitta::app
