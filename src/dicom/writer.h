// Data set to bytes (PS3.5 section 7): the inverse of parser.h, without recursion.
#pragma once

#include <cstdint>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/transfer_syntax.h"

namespace sagitta::dicom {

struct WriteOptions {
    enum class Form : std::uint8_t {
        as_read,  ///< kinds of length, UN and padding as they stand: what was read is written again
        /// Defined lengths; no group lengths (PS3.5 7.2) but those of groups 0000 and 0002; the real VR
        /// of what was stored as UN; text padded by its VR, and no more than it needs.
        canonical,
        canonical_undefined_lengths,  ///< the same with undefined lengths of sequences and items
    };
    Form form = Form::as_read;
};

/// Appends the data set to `out` in the given syntax: even lengths, big-endian numbers swapped. A
/// deflated syntax deflates. A value too long for a 16-bit length becomes UN (PS3.5 6.2.2); a sequence
/// that no dictionary would know in implicit VR gets an undefined length, which tells it from bytes.
/// Errors: limit_exceeded when a value does not fit its length field.
[[nodiscard]] Result<void> write_data_set(const DataSet& data_set, const TransferSyntax& syntax,
                                          ByteBuffer& out, const WriteOptions& options = {});

}  // namespace sagitta::dicom
