// Proposes everything, one transfer syntax a context, so that every cell of the matrix has an answer of its
// own (PS3.8 9.3.2.2): in as many associations as that takes.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/task.h"
#include "doctor/findings.h"
#include "net/scu/client.h"

namespace sagitta::doctor {

struct Cell {
    std::string sop_class_uid;
    std::string transfer_syntax_uid;
};

/// All Storage SOP classes of PS3.6 with all transfer syntaxes in which objects are stored, class by class.
[[nodiscard]] std::vector<Cell> storage_cells();
/// Query/Retrieve, worklist, commitment, procedure steps …, in both uncompressed syntaxes.
[[nodiscard]] std::vector<Cell> service_cells();

struct Matrix {
    std::vector<ClassAnswer> classes;  ///< in the order of the cells, those without an answer too
    std::size_t associations = 0;
};

/// `progress` hears how many cells are answered. Errors: when the peer takes no association any more; a peer
/// that dislikes many contexts is asked with fewer first.
[[nodiscard]] Task<Result<Matrix>> ask_matrix(net::scu::Address peer, net::scu::ClientSettings settings,
                                              std::vector<Cell> cells, bool with_scp_role,
                                              std::function<void(std::size_t)> progress);

}  // namespace sagitta::doctor
