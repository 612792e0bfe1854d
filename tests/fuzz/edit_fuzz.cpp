// Paths, assignments and edits. The first lines are edits (`s`, `i` or `d`, then what stands behind the
// option), up to an empty line; the rest is a data set, explicit VR little endian. What must hold: the
// original stays as it was, a path reads back as it is shown, and what comes out is written and read.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"
#include "dicom/edit.h"
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

void add_edit(std::vector<Edit>& edits, std::string_view line) {
    Edit edit;
    if (line.front() == 's') {
        auto set = parse_set(line.substr(1));
        if (!set) return;
        edit = std::move(*set);
    } else {
        auto path = parse_path(line.substr(1));
        if (!path) return;
        edit.kind = line.front() == 'i' ? Edit::Kind::insert : Edit::Kind::erase;
        edit.path = std::move(*path);
    }
    const auto again = parse_path(to_string(edit.path));
    require(again && to_string(*again) == to_string(edit.path), "a path reads back as it is shown");
    edits.push_back(std::move(edit));
}

std::string written(const DataSet& data_set, WriteOptions::Form form) {
    ByteBuffer out;
    WriteOptions options;
    options.form = form;
    require(write_data_set(data_set, explicit_vr_little_endian(), out, options).has_value(),
            "what comes out can be written");
    return std::string(as_text(out.span()));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    std::vector<Edit> edits;
    while (!rest.empty() && edits.size() < 32) {
        const auto line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        if (line.empty()) break;
        add_edit(edits, line);
    }
    ParseOptions parse_options;
    parse_options.max_depth = 32;
    const auto parsed = parse_data_set(as_bytes(rest), explicit_vr_little_endian(), parse_options);
    if (!parsed) return 0;
    const std::string before = written(parsed->data_set, WriteOptions::Form::as_read);
    for (const Edit& edit : edits) (void)find_all(parsed->data_set, edit.path);
    for (const auto text : {EditOptions::Text::refuse, EditOptions::Text::utf8}) {
        EditOptions options;
        options.text = text;
        options.check_values = size % 2 == 0;
        const auto made = apply_edits(parsed->data_set, edits, options);
        require(written(parsed->data_set, WriteOptions::Form::as_read) == before, "the original stays");
        if (!made) continue;
        parse_options.max_depth = 256;
        for (const auto form : {WriteOptions::Form::as_read, WriteOptions::Form::canonical}) {
            const std::string bytes = written(*made, form);
            require(parse_data_set(as_bytes(bytes), explicit_vr_little_endian(), parse_options).has_value(),
                    "what was written can be read");
        }
    }
    return 0;
}
