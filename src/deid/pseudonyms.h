// What stands in the place of an identifier: keyed, so that the same always becomes the same, and nobody
// without the key can tell what it was. No state: nothing is remembered from one call to the next.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/result.h"
#include "deid/project_key.h"

namespace sagitta::deid {

enum class PseudonymKind : std::uint8_t { patient, accession, study, other };
[[nodiscard]] std::string_view to_string(PseudonymKind kind) noexcept;

/// Whose data it is: what pseudonyms and the date shift depend on. In UTF-8.
struct PatientIdentity {
    std::string issuer;
    std::string id;
    bool operator==(const PatientIdentity&) const = default;
};

/// Pseudonyms that somebody gave: lines `kind,original,pseudonym` behind a line that says so.
class PseudonymTable {
public:
    PseudonymTable() = default;
    /// `name` stands before line numbers. Errors: malformed, already_exists for two of the same kind that
    /// share a pseudonym.
    [[nodiscard]] static Result<PseudonymTable> parse(std::string_view csv, const std::string& name);
    [[nodiscard]] std::optional<std::string> find(PseudonymKind kind, std::string_view original) const;
    [[nodiscard]] bool empty() const noexcept { return rows_.empty(); }

private:
    std::map<std::pair<PseudonymKind, std::string>, std::string, std::less<>> rows_;
};

/// Immutable and thread-safe.
class Pseudonyms {
public:
    explicit Pseudonyms(ProjectKey key, PseudonymTable table = {}, bool table_only = false)
        : key_(std::move(key)), table_(std::move(table)), table_only_(table_only) {}

    /// 2.25 and a UUID of version 8 (PS3.5 B.2, RFC 9562); UIDs of the standard itself, 1.2.840.10008, stay.
    [[nodiscard]] std::string uid(std::string_view original) const;
    /// 16 characters that fit SH, unique per kind. Errors: not_found when only the table may answer.
    [[nodiscard]] Result<std::string> patient(const PatientIdentity& patient) const;
    [[nodiscard]] Result<std::string> identifier(PseudonymKind kind, const PatientIdentity& patient,
                                                 std::string_view original) const;
    /// The same for any value; `purpose` keeps attributes apart.
    [[nodiscard]] std::string hashed(std::string_view purpose, std::string_view original) const;
    /// -1 to -3650.
    [[nodiscard]] std::int32_t shift_days(const PatientIdentity& patient) const;
    [[nodiscard]] const ProjectKey& key() const noexcept { return key_; }

private:
    ProjectKey key_;
    PseudonymTable table_;
    bool table_only_;
};

/// Belongs to the standard or is registered there: says nothing of anybody.
[[nodiscard]] bool is_well_known_uid(std::string_view uid) noexcept;

}  // namespace sagitta::deid
