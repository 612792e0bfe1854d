// The reader of DICOM JSON, and its inverse. First byte: encapsulated or not, bulk data or none. What
// must hold: what is accepted is printed, read and printed again to the same; and it survives being
// encoded and parsed.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "core/bytes.h"
#include "dicom/json.h"
#include "dicom/json_reader.h"
#include "dicom/parser.h"
#include "dicom/writer.h"

namespace {

using namespace sagitta;
using namespace sagitta::dicom;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "violated: %s\n", what);
    std::abort();
}

std::string json_of(const DataSet& data_set) {
    std::string text;
    append_json(data_set, text);
    return text;
}

/// Every row lies inside its parent; each level is in order.
void walk(const ElementRange& top) {
    std::uint64_t before = 0;
    for (const Element element : top) {
        require(element.tag().value >= before, "elements are in order");
        before = element.tag() == kItem ? 0 : element.tag().value + std::uint64_t{1};
        require(element.length() % 2 == 0, "lengths are even");
        walk(element.children());  // at most max_depth below
    }
}

void require_same(const DataSet& first, const DataSet& second) {
    const auto a = first.nodes();
    const auto b = second.nodes();
    require(a.size() == b.size(), "printing keeps the number of elements");
    for (std::size_t row = 0; row < a.size(); ++row) {
        require(a[row].tag == b[row].tag && a[row].subtree == b[row].subtree, "printing keeps the structure");
        require(a[row].vr == b[row].vr, "printing keeps VRs");
    }
}

void round_trip(const DataSet& data_set, const JsonReadOptions& options) {
    const std::string printed = json_of(data_set);
    const auto again = read_json(printed, options);
    if (!again) std::fprintf(stderr, "%s\n%s\n", again.error().message().c_str(), printed.c_str());
    require(again.has_value(), "what was printed is accepted");
    require_same(data_set, again->data_set);
    require(json_of(again->data_set) == printed, "printing twice gives the same text");

    // UN is read by the dictionary's VR where the tag has one (PS3.5 6.2.2): no longer the same model.
    for (const Node& node : data_set.nodes())
        if (node.vr == Vr::UN) return;
    ByteBuffer encoded;
    const auto& syntax = explicit_vr_little_endian();
    if (!write_data_set(data_set, syntax, encoded)) return;  // longer than its length field
    ParseOptions deep;
    deep.max_depth = 256;
    const auto parsed = parse_data_set(std::as_const(encoded).span(), syntax, deep);
    require(parsed.has_value(), "what was encoded can be parsed");
    require(json_of(parsed->data_set) == printed, "encoding changes nothing");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const auto text = as_text(std::as_bytes(std::span(data + 1, size - 1)));
    JsonReadOptions options;
    options.max_depth = 32;
    options.max_elements = 1 << 16;
    options.encapsulated = (data[0] & 1) != 0;
    if ((data[0] & 2) != 0) {
        options.bulk_data = [](std::string_view uri) -> Result<ByteBuffer> {
            return ByteBuffer(as_bytes(uri));
        };
    }
    const auto list = read_json_list(text, options);
    if (!list) {
        require(!list.error().context.empty(), "a refusal says why");
        return 0;
    }
    options.bulk_data = {};
    for (const auto& one : *list) {
        walk(one.meta.elements());
        walk(one.data_set.elements());
        round_trip(one.data_set, options);
    }
    return 0;
}
