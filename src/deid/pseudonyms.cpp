#include "deid/pseudonyms.h"

#include <algorithm>
#include <array>
#include <set>

#include <fmt/format.h>

#include "dicom/text.h"

namespace sagitta::deid {
namespace {

constexpr std::string_view kStandardRoot = "1.2.840.10008.";
constexpr std::string_view kBase32 = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
constexpr std::size_t kDigits = 15;  // 75 bits

char letter(PseudonymKind kind) {
    switch (kind) {
        case PseudonymKind::patient: return 'P';
        case PseudonymKind::accession: return 'A';
        case PseudonymKind::study: return 'S';
        case PseudonymKind::other: return 'H';
    }
    return 'H';
}

// Decimal digits of a 128-bit number, most significant byte first.
std::string decimal(std::array<std::uint8_t, 16> number) {
    std::string digits;
    for (;;) {
        unsigned remainder = 0;
        bool zero = true;
        for (auto& byte : number) {
            const unsigned value = remainder << 8 | byte;
            byte = static_cast<std::uint8_t>(value / 10);
            remainder = value % 10;
            zero = zero && byte == 0;
        }
        digits.push_back(static_cast<char>('0' + remainder));
        if (zero) break;
    }
    std::reverse(digits.begin(), digits.end());
    return digits;
}

std::string readable(char first, const Digest& digest) {
    std::string text(1, first);
    for (std::size_t at = 0; at < kDigits; ++at) {
        const std::size_t bit = at * 5;
        const unsigned pair = static_cast<unsigned>(digest[bit / 8]) << 8 | digest[bit / 8 + 1];
        text.push_back(kBase32[pair >> (11 - bit % 8) & 31]);
    }
    return text;
}

std::optional<PseudonymKind> parse_kind(std::string_view word) {
    for (const auto kind : {PseudonymKind::patient, PseudonymKind::accession, PseudonymKind::study}) {
        if (to_string(kind) == word) return kind;
    }
    return std::nullopt;
}

// One field of a CSV line (RFC 4180), from `at` on; moves `at` behind its comma. Empty when a quote is open.
std::optional<std::string> next_field(std::string_view line, std::size_t& at) {
    std::string field;
    const bool quoted = at < line.size() && line[at] == '"';
    if (quoted) ++at;
    for (; at < line.size(); ++at) {
        if (quoted && line[at] == '"') {
            if (at + 1 >= line.size() || line[at + 1] != '"') break;
            ++at;
        } else if (!quoted && line[at] == ',') {
            break;
        }
        field.push_back(line[at]);
    }
    if (quoted && (at >= line.size() || line[at++] != '"')) return std::nullopt;
    if (at < line.size() && line[at] != ',') return std::nullopt;
    ++at;
    return field;
}

}  // namespace

std::string_view to_string(PseudonymKind kind) noexcept {
    switch (kind) {
        case PseudonymKind::patient: return "patient";
        case PseudonymKind::accession: return "accession";
        case PseudonymKind::study: return "study";
        case PseudonymKind::other: return "other";
    }
    return "other";
}

Result<PseudonymTable> PseudonymTable::parse(std::string_view csv, const std::string& name) {
    PseudonymTable table;
    std::set<std::pair<PseudonymKind, std::string>> used;
    const auto wrong = [&](std::size_t line, std::string_view what) {
        return Error(Errc::malformed, fmt::format("{}:{}: {}", name, line, what));
    };
    std::size_t number = 0;
    while (!csv.empty()) {
        ++number;
        std::string_view line = csv.substr(0, csv.find('\n'));
        csv.remove_prefix(std::min(csv.size(), line.size() + 1));
        if (line.ends_with('\r')) line.remove_suffix(1);
        if (number == 1) {
            if (line != "kind,original,pseudonym")
                return wrong(number, "the first line must be: kind,original,pseudonym");
            continue;
        }
        if (line.empty()) continue;
        std::size_t at = 0;
        const auto kind = next_field(line, at);
        const auto original = next_field(line, at);
        const auto pseudonym = next_field(line, at);
        if (!kind || !original || !pseudonym || at != line.size() + 1)
            return wrong(number, "must have three fields");
        const auto known = parse_kind(*kind);
        if (!known) return wrong(number, "the kind must be patient, accession or study");
        if (original->empty() || pseudonym->empty() || pseudonym->size() > 64 ||
            pseudonym->find('\\') != std::string::npos || !dicom::is_valid_utf8(*pseudonym)) {
            return wrong(number, "needs an original, and a pseudonym of 1 to 64 characters");
        }
        if (!used.emplace(*known, *pseudonym).second)
            return wrong(number, "this pseudonym stands here twice: two would become one");
        if (!table.rows_.emplace(std::pair{*known, *original}, *pseudonym).second)
            return wrong(number, "this original stands here twice");
    }
    return table;
}

std::optional<std::string> PseudonymTable::find(PseudonymKind kind, std::string_view original) const {
    const auto found = rows_.find(std::pair{kind, std::string(original)});
    if (found == rows_.end()) return std::nullopt;
    return found->second;
}

bool is_well_known_uid(std::string_view uid) noexcept {
    return uid.starts_with(kStandardRoot);
}

std::string Pseudonyms::uid(std::string_view original) const {
    if (original.empty() || is_well_known_uid(original)) return std::string(original);
    const Digest digest = key_.mac("uid", original);
    std::array<std::uint8_t, 16> uuid{};
    std::copy_n(digest.begin(), uuid.size(), uuid.begin());
    uuid[6] = static_cast<std::uint8_t>((uuid[6] & 0x0f) | 0x80);
    uuid[8] = static_cast<std::uint8_t>((uuid[8] & 0x3f) | 0x80);
    return "2.25." + decimal(uuid);
}

Result<std::string> Pseudonyms::patient(const PatientIdentity& patient) const {
    if (!table_.empty() || table_only_) {
        if (auto given = table_.find(PseudonymKind::patient, patient.id)) return *given;
        if (table_only_) return Error(Errc::not_found, "the table of pseudonyms has none for this patient");
    }
    return readable(letter(PseudonymKind::patient), key_.mac("patient", patient.issuer, patient.id));
}

Result<std::string> Pseudonyms::identifier(PseudonymKind kind, const PatientIdentity& patient,
                                           std::string_view original) const {
    if (auto given = table_.find(kind, original)) return *given;
    const Digest digest = key_.mac(to_string(kind), patient.issuer + '\n' + patient.id, original);
    return readable(letter(kind), digest);
}

std::string Pseudonyms::hashed(std::string_view purpose, std::string_view original) const {
    return readable(letter(PseudonymKind::other), key_.mac("value", purpose, original));
}

std::int32_t Pseudonyms::shift_days(const PatientIdentity& patient) const {
    const Digest digest = key_.mac("date shift", patient.issuer, patient.id);
    std::uint64_t number = 0;
    for (std::size_t at = 0; at < 8; ++at) number = number << 8 | digest[at];
    return -1 - static_cast<std::int32_t>(number % 3650);
}

}  // namespace sagitta::deid
