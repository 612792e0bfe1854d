// What the load generator does to a node, and what it measures while doing it.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "net/scu/client.h"
#include "tests/bench/load_objects.h"

namespace sagitta::bench {

struct LoadSettings {
    std::string mode;  ///< store find get move echo assoc idle
    net::scu::Address peer;
    net::ul::AeTitle calling;
    std::uint64_t associations = 4;
    std::uint64_t operations = 1000;  ///< in all; of store: objects
    std::size_t threads = 1;
    std::uint32_t max_pdu_bytes = 256 * 1024;
    std::uint16_t window = 1;  ///< of store: C-STOREs of an association at the same time, if the peer agrees
    double seconds = 0;        ///< stop after so long; 0: only after `operations`
    // store
    std::size_t object_bytes = 10 * 1024;
    std::string template_file;
    Spread spread;
    std::uint64_t run_id = 0;
    std::uint64_t first_index = 0;
    std::string acked_file;
    // find, get, move
    std::string level = "STUDY";
    std::string model = "study";
    std::vector<std::string> keys;  ///< Keyword=value; `{}` becomes a number below `pool`
    std::uint64_t pool = 1;
    std::vector<std::string> pool_values;  ///< or one of these
    std::string destination;
};

/// What one association, or all together, saw.
struct LoadReport {
    std::vector<double> latencies_ms;
    std::uint64_t operations = 0;
    std::uint64_t failures = 0;
    std::uint64_t bytes = 0;
    std::uint64_t matches = 0;
    std::map<std::string, std::uint64_t> reasons;  ///< of failures
    std::vector<std::string> acked;                ///< "index sop series study crc32" a line

    void add(LoadReport other);
};

struct LoadResult {
    LoadReport report;
    double seconds = 0;
};

/// Opens the associations, then measures. Errors: only when nothing could be measured at all.
[[nodiscard]] Result<LoadResult> run_load(const LoadSettings& settings);

}  // namespace sagitta::bench
