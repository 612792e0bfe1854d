// One answer of a C-FIND: from a row of the index, and the stored header where the row does not
// say, to the data set that is sent (PS3.4 C.4.1.1.3.2). Pure but for reading the header.
#pragma once

#include <optional>
#include <string>

#include "core/result.h"
#include "dicom/data_set.h"
#include "service/identifier.h"
#include "storage/instance_store.h"
#include "storage/query.h"

namespace sagitta::service {

/// Not thread-safe; one per query. What it is given outlives it.
class MatchBuilder {
public:
    MatchBuilder(const Identifier& identifier, const storage::InstanceStore& store,
                 std::string retrieve_ae_title);

    /// Some key or returned attribute needs Match::instance.
    [[nodiscard]] bool needs_instance() const noexcept { return needs_header_ || needs_syntax_; }

    /// The identifier to send; nothing when a key that only the header can judge does not match.
    /// Text is ISO_IR 192 when it is not all ASCII. Errors: of InstanceStore::read, corrupt.
    [[nodiscard]] Result<std::optional<dicom::DataSet>> build(const storage::Match& match) const;

private:
    void add(dicom::DataSet& answer, const ReturnKey& key, const storage::Match& match,
             const dicom::DataSet& header) const;

    const Identifier& identifier_;
    const storage::InstanceStore& store_;
    std::string retrieve_ae_title_;
    bool needs_header_ = false;  ///< a key or attribute is not in the index
    bool needs_syntax_ = false;
};

}  // namespace sagitta::service
