// The directory records of PS3.3 F.5 as tables: which one a SOP Class has, and its keys.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "dicom/tag.h"

namespace sagitta::dicom {

/// Whether a key must be there (PS3.5 7.4): with a value, with one when the instance has it, or at all.
enum class KeyType : std::uint8_t { type_1, type_1c, type_2 };

struct DirectoryKey {
    Tag tag;
    KeyType type;
};

struct DirectoryRecordType {
    std::string_view name;  ///< of (0004,1430)
    std::span<const DirectoryKey> keys;
    bool at_root;  ///< belongs to no patient (PS3.3 Table F.4-1)
};

/// Null when there is none of that name.
[[nodiscard]] const DirectoryRecordType* find_directory_record_type(std::string_view name) noexcept;

/// The type of the record of an instance (PS3.3 F.4, F.5): IMAGE, SR DOCUMENT, PRESENTATION, RT PLAN …
/// Null when the SOP Class has none.
[[nodiscard]] const DirectoryRecordType* directory_record_type_of(std::string_view sop_class_uid) noexcept;

}  // namespace sagitta::dicom
