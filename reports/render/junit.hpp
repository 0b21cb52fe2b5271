#pragma once
// JUnit XML for CI: a suite per scenario, a testcase per variant, and one per seed that failed.
// What could not be decided is an <error>, not a <failure>.

#include <string>
#include <vector>

#include "reports/render/rows.hpp"
#include "reports/result.hpp"

namespace eos::reports {

[[nodiscard]] std::string junit(const std::vector<RunReport>& reports);
[[nodiscard]] std::string junit(const SweepReport& report, const std::vector<StoredRow>& rows);

}  // namespace eos::reports
