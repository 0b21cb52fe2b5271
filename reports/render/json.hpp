#pragma once
// Results as JSON documents, and back. `eosim.result/1` is one run; `eosim.results/1` a list of
// them; `eosim.sweep/1` the variants of a sweep and its runs. Integers only (times in
// microseconds), keys in a fixed order, absent = not measured, additions only within /1.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "reports/render/rows.hpp"
#include "reports/result.hpp"

namespace eos::reports {

/// Wall-clock time, only with --timing.
struct Timing {
    std::int64_t wall_us = 0;
};

[[nodiscard]] std::string json(const RunReport& report, const std::optional<Timing>& timing = {});
[[nodiscard]] std::string json(const std::vector<RunReport>& reports);
[[nodiscard]] std::string json(const SweepReport& report, const std::vector<StoredRow>& rows);

/// What a stored file held.
struct StoredResults {
    std::vector<RunReport> runs;
    std::vector<StoredRow> rows;
    std::string problem;  ///< not empty: why it could not be read, "line 3, column 7: ..."
};
/// Reads any of the three documents, or lines of `eosim.row/1`.
[[nodiscard]] StoredResults read_results(std::string_view text);

/// JSON Schema (draft-07) of eosim.result/1.
[[nodiscard]] std::string result_schema();

}  // namespace eos::reports
