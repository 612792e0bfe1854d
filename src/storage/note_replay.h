// Does to the index what a note in a volume says: once when it is written, and again in every index that
// is built from the volumes. Internal to storage.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/file_system.h"
#include "storage/index_writer.h"
#include "storage/layout.h"
#include "storage/note.h"

namespace sagitta::storage {

/// The lines of the note at `note`, in order. Between begin and commit of `index`. `damage` gets a
/// sentence for each restored member that cannot be read. Errors: those of IndexWriter, io_failure.
[[nodiscard]] Result<void> apply_note(FileSystem& file_system, const Layout& layout, IndexWriter& index,
                                      const IndexedMember& note, const std::vector<NoteLine>& lines,
                                      std::vector<std::string>& damage);

}  // namespace sagitta::storage
