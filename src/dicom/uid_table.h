// The registered UIDs as a whole, for those who walk over them; looking one up is find_uid (uid.h).
#pragma once

#include <span>

#include "dicom/uid.h"

namespace sagitta::dicom {

/// PS3.6 Annex A, ordered by UID as text.
[[nodiscard]] std::span<const UidEntry> registered_uids() noexcept;

}  // namespace sagitta::dicom
