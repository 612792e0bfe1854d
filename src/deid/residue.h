// The patient's own strings in what remains: cut out of texts, and looked for in the encoded result, in
// every spelling and character set. Knows strings (identity.h), not where they came from.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deid/byte_matcher.h"
#include "deid/identity.h"

namespace sagitta::deid {

/// What was found, for reports: how often, of which kind, never what.
struct ResidueCounts {
    std::uint32_t names = 0;
    std::uint32_t ids = 0;
    std::uint32_t dates = 0;
    std::uint32_t other = 0;
    void add(IdentityKind kind) noexcept;
};

struct CleanOptions {
    bool dates = true;     ///< cut whatever looks like a date
    bool patterns = true;  ///< cut telephone numbers, mail addresses, long numbers, names behind titles
};

/// Immutable once made; thread-safe.
class Residue {
public:
    explicit Residue(const Identity& identity);

    /// The text without what identifies; nothing when there was nothing to cut. UTF-8.
    [[nodiscard]] std::optional<std::string> cut(std::string_view utf8, const CleanOptions& options,
                                                 ResidueCounts& counts) const;
    /// The kind of the first of the patient's own strings in it.
    [[nodiscard]] std::optional<IdentityKind> find(std::string_view utf8) const;

    /// A place in encoded bytes.
    struct Hit {
        std::size_t offset;
        std::size_t length;
        IdentityKind kind;
        bool digits;  ///< nothing but digits and what separates them
    };
    /// Every place of the strings in bytes of any encoding: UTF-8, Latin-1, the instance's own, UTF-16. At
    /// most `limit`.
    [[nodiscard]] std::vector<Hit> search(std::span<const std::byte> bytes, std::size_t limit) const;

private:
    struct Pattern {
        IdentityKind kind;
        IdentityString::Bounds bounds;
        bool digits = false;
        bool wide = false;  ///< UTF-16: neighbours are not looked at
    };

    void add_bytes(const IdentityString& string, const Identity& identity);

    ByteMatcher folded_;  ///< over folded text
    std::vector<Pattern> folded_patterns_;
    ByteMatcher bytes_;  ///< over encoded bytes
    std::vector<Pattern> byte_patterns_;
};

}  // namespace sagitta::deid
