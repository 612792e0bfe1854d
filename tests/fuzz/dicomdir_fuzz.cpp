// The tree of a DICOMDIR. First byte: lenient or strict. What must hold: whatever the links say, each
// item of the directory becomes at most one record, parents stand before children, subtrees nest.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>

#include "core/bytes.h"
#include "dicom/dicomdir.h"

namespace {

using namespace sagitta;
using namespace sagitta::dicom;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    ParseOptions options;
    options.keep_readable_part = (data[0] & 1) != 0;
    options.max_inflated_bytes = 1 << 20;
    const auto set = read_dicomdir(std::as_bytes(std::span(data + 1, size - 1)), options);
    if (!set) {
        require(!set.error().context.empty(), "a refusal says why");
        return 0;
    }
    std::set<std::uint32_t> rows;
    for (std::uint32_t n = 0; n < set->records.size(); ++n) {
        const auto& record = set->records[n];
        require(rows.insert(record.row).second, "an item is one record");
        require(record.subtree < set->records.size() - n, "a subtree ends inside the list");
        const bool root = record.parent == DirectoryRecord::kNone;
        require(root == (record.depth == 0), "what has no parent is at the root");
        if (root) continue;
        const auto& parent = set->records[record.parent];
        require(record.parent < n && n <= record.parent + parent.subtree,
                "a record lies in its parent's subtree");
        require(record.depth == parent.depth + 1, "a record is one level below its parent");
    }
    require(!set->in_order_of_records || !set->warnings.empty(), "a repair is told");
    return 0;
}
