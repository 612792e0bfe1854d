// Makes the DICOMDIR of a file-set (PS3.3 Annex F, PS3.10 section 8): one record for each file, below
// those of its patient, study and series. Takes headers; touches no files.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "core/byte_buffer.h"
#include "core/result.h"
#include "dicom/data_set.h"
#include "dicom/dicomdir_records.h"
#include "dicom/uid.h"

namespace sagitta::dicom {

/// The File ID of the n-th file of a file-set: DICOM, a folder for each thousand, a file
/// (PS3.10 8.2), the numbers in hexadecimal.
[[nodiscard]] std::vector<std::string> numbered_file_id(std::uint32_t number);

/// Not thread-safe. What a key of type 1 lacks stays empty and is told in warnings(); nothing is
/// invented.
class DicomdirWriter {
public:
    /// `file_set_id` (0004,1130): at most 16 characters of a CS. Errors of finish() otherwise.
    explicit DicomdirWriter(std::string file_set_id = {});

    /// A file of the set. `header` is its data set, pixels not needed; only keys are copied.
    /// Errors: invalid_argument for a File ID that PS3.10 8.2 does not allow, or one given before;
    /// malformed without SOP Instance, Study or Series Instance UID; unsupported SOP Class.
    [[nodiscard]] Result<void> add(std::span<const std::string> file_id, const DataSet& header,
                                   std::string_view transfer_syntax_uid);

    /// What is not as PS3.3 F.5 wants it: the tag, never the value.
    [[nodiscard]] const std::vector<Error>& warnings() const noexcept { return warnings_; }

    /// The bytes of the file. `sop_instance_uid` identifies the directory. Errors: limit_exceeded
    /// beyond 4 GiB, invalid_argument for the File-set ID.
    [[nodiscard]] Result<ByteBuffer> finish(const Uid& sop_instance_uid = Uid::generate()) const;

private:
    struct Record {
        std::uint32_t first_child = 0;  ///< 0: none, as the root is nobody's child
        std::uint32_t last_child = 0;
        std::uint32_t next = 0;
        std::uint64_t begin = 0;  ///< of the item in items_
    };
    using Key = std::tuple<int, std::uint32_t, std::string>;  ///< level, record above, identifier

    std::uint32_t entity(const Key& key, std::string_view type, const DataSet& header);
    std::uint32_t append(std::uint32_t parent, DataSet keys, std::string_view type);
    DataSet keys_of(const DirectoryRecordType& type, const DataSet& header);

    std::string file_set_id_;
    std::map<Key, std::uint32_t> entities_;  ///< patients, studies, series, and files by File ID
    std::vector<Record> records_{1};         ///< the first one is the root, which has no item
    ByteBuffer items_;                       ///< encoded, links still zero
    std::vector<Error> warnings_;
};

}  // namespace sagitta::dicom
