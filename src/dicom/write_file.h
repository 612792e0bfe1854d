// A whole file written so that nobody ever sees half of it, also after a crash. Knows nothing of what
// is in it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "core/result.h"

namespace sagitta::dicom {

enum class IfFileExists {
    refuse,
    replace,  ///< the name then stands for the new file; readers of the old one keep it
};

/// Writes `parts` one behind the other: to a temporary file in the same folder, synced, renamed, and
/// the folder synced. Returns once all of it is on stable storage. A failure leaves nothing behind.
/// Errors, with the path: already_exists, not_found (the folder), no_space, io_failure.
[[nodiscard]] Result<void> write_file(const std::string& path,
                                      std::span<const std::span<const std::byte>> parts,
                                      IfFileExists if_exists = IfFileExists::refuse);

/// The same for a file too long to be in memory. Destroyed without `commit`, it leaves nothing behind.
class NewFile {
public:
    /// Errors: those of write_file.
    [[nodiscard]] static Result<NewFile> create(const std::string& path,
                                                IfFileExists if_exists = IfFileExists::refuse);
    NewFile(NewFile&&) noexcept;
    NewFile& operator=(NewFile&&) noexcept;
    ~NewFile();

    [[nodiscard]] Result<void> append(std::span<const std::byte> bytes);
    /// Replaces bytes that were appended: for lengths that are known at the end.
    [[nodiscard]] Result<void> overwrite(std::uint64_t offset, std::span<const std::byte> bytes);
    /// Returns once the file has its name on stable storage. At most one call.
    [[nodiscard]] Result<void> commit();

private:
    struct State;
    explicit NewFile(std::unique_ptr<State> state) noexcept;
    std::unique_ptr<State> state_;
};

}  // namespace sagitta::dicom
