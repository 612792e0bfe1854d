// The data set parser and writer. First byte: which transfer syntax, how lenient. What must hold:
// no input breaks the table of rows; what was parsed is written and parsed again to the same thing.
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
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

/// Every row lies inside its parent and its value inside the bytes; every accessor is called.
void walk(const DataSet& data_set) {
    const auto nodes = data_set.nodes();
    for (std::uint32_t row = 0; row < nodes.size(); ++row) {
        require(nodes[row].subtree < nodes.size() - row, "a subtree ends inside the table");
        for (std::uint32_t inner = row + 1; inner <= row + nodes[row].subtree;
             inner += 1 + nodes[inner].subtree)
            require(inner + nodes[inner].subtree <= row + nodes[row].subtree,
                    "a child ends inside its parent");
        const Element element(data_set, row);
        std::size_t sum = 0;
        for (const auto byte : element.value()) sum += static_cast<std::size_t>(byte);
        sum += element.text().size() + element.text(1).size();
        if (element.integer(0) && element.integer(1)) ++sum;
        if (element.children().find(Tag(0x0008, 0x0018))) ++sum;
        if (sum == static_cast<std::size_t>(-1)) std::abort();
    }
    if (const auto uid = data_set.uid(Tag(0x0008, 0x0018)))
        require(uid->view().size() <= 64, "a UID has 64 characters");
}

/// Same tags, nesting, VRs and values. `syntax` is the one of the rewritten bytes.
void require_same(const DataSet& first, const DataSet& second) {
    const auto a = first.nodes();
    const auto b = second.nodes();
    require(a.size() == b.size(), "rewriting keeps the number of elements");
    for (std::size_t row = 0; row < a.size(); ++row) {
        require(a[row].tag == b[row].tag, "rewriting keeps tags");
        require(a[row].subtree == b[row].subtree, "rewriting keeps nesting");
        require(a[row].vr == b[row].vr, "rewriting keeps VRs");
        // The length of a container is that of its items; a stray delimiter in it is not written again.
        if (a[row].subtree != 0 || a[row].vr == Vr::SQ || a[row].undefined_length || a[row].tag == kItem)
            continue;
        const auto before = first.value_of(a[row]);
        const auto after = second.value_of(b[row]);
        require(after.size() == before.size() || after.size() == before.size() + 1,
                "rewriting keeps lengths");
        require(as_text(after.first(before.size())) == as_text(before), "rewriting keeps values");
    }
}

void round_trip(const DataSet& data_set, const TransferSyntax& syntax) {
    ByteBuffer written;
    if (!write_data_set(data_set, syntax, written)) return;
    ParseOptions deep;
    deep.max_depth = 256;
    const auto again = parse_data_set(written.span(), syntax, deep);
    if (!again) std::fprintf(stderr, "%s\n", again.error().message().c_str());
    require(again.has_value(), "what was written can be read");
    require_same(data_set, again->data_set);
    ByteBuffer twice;
    require(write_data_set(again->data_set, syntax, twice).has_value(), "what was read can be written");
    require(as_text(twice.span()) == as_text(written.span()), "writing twice gives the same bytes");
}

/// What other ways of asking give, beside the whole.
void compare_ways(std::span<const std::byte> bytes, const TransferSyntax& syntax, ParseOptions options,
                  const ParsedDataSet& whole) {
    ParseOptions strict = options;
    strict.strict = true;
    const auto refused = parse_data_set(bytes, syntax, strict);
    require(refused.has_value() == whole.warnings.empty(), "strict refuses what is repaired, and only that");
    if (syntax.deflated) return;

    ParseOptions beginning = options;
    beginning.prefix = true;
    const auto part = parse_data_set(bytes.first(bytes.size() / 2), syntax, beginning);
    if (part) require(part->consumed_bytes <= bytes.size() / 2, "a beginning is not passed");

    const std::vector<Tag> wanted{Tag(0x0008, 0x0018), Tag(0x0010, 0x0020)};
    ParseOptions some = options;
    some.only = wanted;
    const auto selected = parse_data_set(bytes, syntax, some);
    if (!selected) return;
    for (const Element element : selected->data_set.elements()) {
        const bool asked = element.tag() == wanted[0] || element.tag() == wanted[1];
        require(asked && whole.data_set.contains(element.tag()), "a selection is part of the whole");
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    constexpr std::string_view syntaxes[] = {"1.2.840.10008.1.2", "1.2.840.10008.1.2.1",
                                             "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99",
                                             "1.2.840.10008.1.2.4.70"};
    const auto* syntax = find_transfer_syntax(syntaxes[(data[0] & 0x0f) % std::size(syntaxes)]);
    const auto bytes = std::as_bytes(std::span(data + 1, size - 1));

    ParseOptions options;
    options.keep_readable_part = (data[0] & 0x10) != 0;
    options.stop_before_pixel_data = (data[0] & 0x20) != 0;
    options.max_depth = 32;
    options.max_inflated_bytes = 1 << 20;
    const auto parsed = parse_data_set(bytes, *syntax, options);
    if (!parsed) {
        require(!parsed.error().context.empty(), "a refusal says why");
        return 0;
    }
    if (!syntax->deflated) {
        require(parsed->consumed_bytes <= bytes.size(), "no more is consumed than is there");
        require(parsed->header_bytes <= bytes.size(), "the header ends inside the input");
    }
    walk(parsed->data_set);
    if (!options.keep_readable_part) compare_ways(bytes, *syntax, options, *parsed);
    // What claimed to be implicit and was not loses its VRs when it is written as implicit.
    if (!syntax->explicit_vr && !parsed->warnings.empty()) return 0;
    // UN of odd length under a sequence's tag, one byte short of a sequence: its pad byte completes it.
    for (const auto& warning : parsed->warnings)
        if (warning.context.find("no readable sequence") != std::string::npos) return 0;
    if (!options.keep_readable_part) round_trip(parsed->data_set, *syntax);
    return 0;
}
