// A data set as text for people: one line per element, aligned, optionally coloured. Knows nothing
// of files or terminals: the caller says what it can show.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string_view>
#include <vector>

#include "dicom/data_set.h"

namespace sagitta::dicom {

struct DumpOptions {
    bool colour = false;               ///< ANSI escape sequences
    bool full = false;                 ///< values and fragments whole, however long
    std::size_t width = 120;           ///< columns of a line; long values end in "…"
    std::uint32_t depth = UINT32_MAX;  ///< sequences below this many levels are only counted
    std::vector<Tag> only;             ///< nothing but these, at any depth; empty: everything
    std::uint64_t offset_base = 0;     ///< of the data set in its file, added to shown offsets
};

/// Gets lines without line ends. Text from the data set is in UTF-8 and free of control characters.
using LineSink = std::function<void(std::string_view line)>;

/// Columns: offset of the value in bytes, tag (indented by depth), VR, length in bytes ("u/l" when
/// it was encoded as undefined), number of values, keyword (or private creator), value. With `only`
/// the keyword is the whole path (path.h): `ReferencedSeriesSequence[0].SeriesInstanceUID`.
void dump(const DataSet& data_set, const DumpOptions& options, const LineSink& line);

/// The line above which a part of a dump stands, in the same colours.
void dump_heading(std::string_view text, const DumpOptions& options, const LineSink& line);

}  // namespace sagitta::dicom
