// What the index knows by notes: which members go, which are gone, which studies are protected.
// Internal to storage; the thread of its IndexWriter, between its begin and commit where it changes
// something.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "core/result.h"
#include "storage/deleted_study.h"
#include "storage/index_writer.h"
#include "storage/note.h"
#include "storage/query.h"

namespace sagitta::storage {

/// An entity of which something was taken away or came back, and the members that may describe it now.
struct Entity {
    Level level = Level::study;  ///< patient, study or series
    std::int64_t id = 0;
    IndexedMember first;  ///< the one served that lies first
};

/// What a deleted member was.
struct DeletedMember {
    NoteLine line;
    bool served = false;  ///< else one that a later member had superseded
};

/// Errors everywhere: those of IndexWriter.
class DeletionIndex {
public:
    virtual ~DeletionIndex() = default;

    /// All members of the instances in `scope`, superseded ones too, as lines to note.
    [[nodiscard]] virtual Result<std::vector<NoteLine>> members_of(const Scope& scope) = 0;

    /// What was deleted last of each instance in `scope` and can still be restored: not of those
    /// that are stored again. `scope` without patients.
    [[nodiscard]] virtual Result<std::vector<NoteLine>> restorable(const Scope& scope) = 0;

    /// Deleted members that can be restored no longer than `until`, at most so many.
    [[nodiscard]] virtual Result<std::vector<NoteLine>> due(std::int64_t until, std::size_t most) = 0;

    [[nodiscard]] virtual Result<std::vector<DeletedStudy>> deleted() = 0;
    [[nodiscard]] virtual Result<bool> is_protected(const std::string& study_uid) = 0;
    [[nodiscard]] virtual Result<std::vector<std::string>> protected_studies() = 0;

    /// Notes an event at `line.place` of the note at `note`, and takes the member, if it is there,
    /// from what is served or superseded to the deleted.
    [[nodiscard]] virtual Result<void> remove(const NoteLine& line, const IndexedMember& note) = 0;

    /// Notes an event, and takes the member from the deleted, if it is among them: true when it was served,
    /// so that the caller inserts it again; a superseded one is that again.
    [[nodiscard]] virtual Result<bool> restore(const NoteLine& line, const IndexedMember& note) = 0;

    /// The bytes are gone.
    [[nodiscard]] virtual Result<void> forget(const NoteLine& line) = 0;

    [[nodiscard]] virtual Result<void> set_protected(const NoteLine& line) = 0;
    /// Notes an event; nothing else.
    [[nodiscard]] virtual Result<void> note_completion(const NoteLine& line, const IndexedMember& note) = 0;

    /// Counts and lists of everything touched by remove and `touch`; what is empty goes. The answer is
    /// what is left of it.
    [[nodiscard]] virtual Result<std::vector<Entity>> settle() = 0;
    /// The series of that UID, and what is above it, is to be settled.
    [[nodiscard]] virtual Result<void> touch(const std::string& series_uid) = 0;

    /// The entity's attributes are those of `record` from now on, if that one says it belongs to it.
    [[nodiscard]] virtual Result<void> describe(const Entity& entity, const InstanceRecord& record) = 0;
};

}  // namespace sagitta::storage
