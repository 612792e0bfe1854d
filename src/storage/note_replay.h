// Does to the index what a note says: once when it is written, and again in every index that
// is built anew. Internal to storage.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "storage/archive.h"
#include "storage/file_system.h"
#include "storage/index_writer.h"
#include "storage/layout.h"
#include "storage/note.h"

namespace sagitta::storage {

/// Stored instances, by the places that notes name them with.
class MemberSource {
public:
    struct Found {
        InstanceRecord record;
        std::int64_t received = 0;
    };
    virtual ~MemberSource() = default;
    /// Nothing when no instance is there, or none that can be read. Errors: io_failure.
    [[nodiscard]] virtual Result<std::optional<Found>> read(const IndexedMember& place) = 0;
};

/// The references outlive the answer.
[[nodiscard]] std::unique_ptr<MemberSource> members_of(StorageLayout how, FileSystem& file_system,
                                                       const Layout& layout);

/// The lines of the note at `note`, in order. Between begin and commit of `index`. `damage` gets a
/// sentence for each restored member that cannot be read. Errors: those of IndexWriter, io_failure.
[[nodiscard]] Result<void> apply_note(MemberSource& members, IndexWriter& index, const IndexedMember& note,
                                      const std::vector<NoteLine>& lines, std::vector<std::string>& damage);

}  // namespace sagitta::storage
