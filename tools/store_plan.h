// What there is to send: files found under paths, looked into no further than their headers, and
// grouped so that each group fits the presentation contexts of one association.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "dicom/uid.h"
#include "net/scu/client.h"

namespace sagitta::tools {

struct FileToSend {
    std::string path;
    dicom::Uid sop_instance_uid;
    std::uint64_t data_set_offset = 0;
    std::uint64_t data_set_bytes = 0;
    std::uint32_t kind = 0;  ///< index into StorePlan::kinds
};

struct FileKind {
    dicom::Uid sop_class_uid;
    std::string transfer_syntax_uid;
    bool operator==(const FileKind&) const = default;
};

struct StorePlan {
    std::vector<FileKind> kinds;
    std::vector<FileToSend> files;
    std::uint64_t bytes = 0;
    std::uint64_t skipped = 0;  ///< not DICOM, or no object
    std::vector<Error> unreadable;
};

/// Files, folders (recursively) and what DICOMDIRs refer to, in a stable order. `note` gets a line for each
/// file skipped.
[[nodiscard]] StorePlan make_store_plan(std::span<const std::string> paths,
                                        const std::function<void(std::string_view)>& note);

/// Kinds [first, last) that one association can propose: at most 128 of them.
struct KindRange {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
};
[[nodiscard]] std::vector<KindRange> split_kinds(const StorePlan& plan);
/// How the files are encoded; with `transcode` also the uncompressed syntaxes that everybody must take
/// (PS3.5 10.1), where there is room.
[[nodiscard]] std::vector<net::scu::WantedContext> wanted_contexts(const StorePlan& plan, KindRange range,
                                                                   bool transcode);

}  // namespace sagitta::tools
