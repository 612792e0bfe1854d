// Makes a data set row by row, in document order: from nothing, or as a changed copy of another one
// whose unchanged rows stay where they are. Knows nothing of encodings or of what values mean.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "dicom/data_set.h"

namespace sagitta::dicom {

/// The caller gives elements of each level in ascending order of tags (PS3.5 7.1) and closes what it
/// opened. Not thread-safe.
class DataSetBuilder {
public:
    DataSetBuilder() = default;
    /// For a changed copy: the result shares the bytes of `original`, which is only read.
    explicit DataSetBuilder(const DataSet& original);

    /// Padded to even length by its VR; numbers are given little endian.
    void add(Tag tag, Vr vr, std::span<const std::byte> value);
    void add_text(Tag tag, Vr vr, std::string_view value);
    /// The row and all inside it as they are; `from` belongs to the original.
    void keep(Element from);

    /// Opens a sequence, an item, or encapsulated pixel data (whose fragments are add()ed with kItem).
    void begin_sequence(Tag tag, bool undefined_length = false);
    void begin_item(bool undefined_length = false);
    void begin_fragments(Tag tag, Vr vr);
    /// Opens a container encoded like `from`, which belongs to the original.
    void begin_like(Element from);
    /// Closes the innermost open container.
    void end();

    /// How many containers are open.
    [[nodiscard]] std::size_t depth() const noexcept { return open_.size(); }

    /// The data set; every container is closed. The builder is empty afterwards.
    [[nodiscard]] DataSet finish();

private:
    void open(Tag tag, Vr vr, bool undefined_length);

    DataSet made_;
    std::vector<Node> nodes_;
    std::vector<std::uint32_t> open_;
};

}  // namespace sagitta::dicom
