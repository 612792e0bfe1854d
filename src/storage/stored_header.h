// What an instance says of itself, read out of the archive: everything before its pixel data.
#pragma once

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "storage/instance_store.h"

namespace sagitta::storage {

/// With the bytes it lives on.
struct StoredHeader {
    ByteBuffer bytes;
    dicom::DataSet meta;
    dicom::DataSet data_set;  ///< what is before the pixel data
};

/// Errors: those of InstanceStore::read; corrupt.
[[nodiscard]] Result<StoredHeader> read_header(const InstanceStore& store, const InstanceLocation& instance);

}  // namespace sagitta::storage
