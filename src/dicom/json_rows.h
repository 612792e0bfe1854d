// What a JSON text of the DICOM JSON model says, before it is a data set: one flat table in the order
// of the text, because "vr" may stand behind "Value" and attributes may come in any order. Between
// json_reader.cpp, which fills it, and json_values.cpp, which understands it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/tag.h"
#include "dicom/vr.h"

namespace sagitta::dicom::json_rows {

/// A scalar of JSON.
struct Value {
    enum class Kind : std::uint8_t { null, text, signed_integer, unsigned_integer, real };
    Kind kind = Kind::null;
    std::uint64_t bits = 0;  ///< the integer, or where the text begins
    std::uint64_t size = 0;  ///< of the text; of a real number: as it was spelled
};

/// An attribute, or an object in a "Value": an item, or a person name.
struct Row {
    enum class Content : std::uint8_t { none, scalars, objects, bytes, uri };
    Tag tag;
    Vr vr = Vr::none;  ///< none until it was said
    Content content = Content::none;
    bool is_name = false;       ///< an object of component groups: three scalars from `first` on
    std::uint32_t subtree = 0;  ///< rows behind it that lie inside it
    std::uint64_t first = 0;    ///< scalar, or byte of the text
    std::uint64_t count = 0;
};

struct Table {
    std::vector<Row> rows;
    std::vector<Value> values;
    std::string text;  ///< strings and decoded bytes

    [[nodiscard]] std::string_view text_of(const Value& value) const {
        return std::string_view(text).substr(value.bits, value.size);
    }
    [[nodiscard]] std::string_view bytes_of(const Row& row) const {
        return std::string_view(text).substr(row.first, row.count);
    }
};

/// The Value Field of the attribute in `row`, whose content is scalars or names (PS3.18 F.2.3).
/// `out` is replaced. The error does not name the element.
[[nodiscard]] Result<void> value_field(const Table& table, std::uint32_t row, std::string& out);

/// Whether a Value Field from elsewhere can be one of this VR.
[[nodiscard]] Result<void> check_value_field(std::string_view bytes, Vr vr);

}  // namespace sagitta::dicom::json_rows
