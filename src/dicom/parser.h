// Bytes to data set, by PS3.5 section 7 and Annex A, in one pass without recursion. Every length is
// compared with what is there before it is used; nothing is allocated from a declared length.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::dicom {

struct ParseOptions {
    bool stop_before_pixel_data = false;  ///< ends before (7FE0,xxxx) of the top level
    bool keep_readable_part = false;      ///< a fault ends the data set instead of refusing it
    bool strict = false;                  ///< what is otherwise repaired is a fault
    /// `bytes` may be only the beginning of the data set: an element of the top level that is cut
    /// short ends the result, see ParsedDataSet::wanted_bytes. Not for a deflated data set.
    bool prefix = false;
    /// When not empty: ascending tags of the top level; others are stepped over, and nothing behind
    /// the last of them is looked at.
    std::span<const Tag> only;
    std::uint32_t max_depth = 64;  ///< nested sequences
    std::uint32_t max_elements = 8u << 20;
    std::uint64_t max_inflated_bytes = 1ull << 30;  ///< of a deflated data set
};

struct ParsedDataSet {
    DataSet data_set;
    std::vector<Error> warnings;       ///< what was repaired, or why the readable part ends
    std::uint64_t consumed_bytes = 0;  ///< of the (inflated) input
    /// Where the first top-level element of group 7FE0 begins, else where the data set ends: the
    /// header of an object is everything before. Of a deflated data set: the size of the input.
    std::uint64_t header_bytes = 0;
    /// With `prefix`: how many bytes of the data set are needed to go on; 0 when nothing was cut.
    std::uint64_t wanted_bytes = 0;
    /// With `prefix`: the value of the top level inside which the bytes end; `subtree` means nothing.
    std::optional<Node> cut_value;
};

/// `bytes` is a whole data set, kept by `keep_alive` or, when that is null, by the caller for as
/// long as the result lives. Errors: truncated, malformed, limit_exceeded, with the path of the
/// element and the byte offset.
[[nodiscard]] Result<ParsedDataSet> parse_data_set(std::span<const std::byte> bytes,
                                                   const TransferSyntax& syntax,
                                                   const ParseOptions& options = {},
                                                   std::shared_ptr<const void> keep_alive = nullptr);

}  // namespace sagitta::dicom
