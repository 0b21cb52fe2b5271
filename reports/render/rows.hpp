#pragma once
// One run of a sweep as it is stored: the row itself and what is needed to find it again. A line of
// JSONL stands alone, so that files can be cut, joined and resumed.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "reports/render/text.hpp"
#include "reports/result.hpp"

namespace eos::reports {

struct StoredRow {
    RunRow row;
    std::string engine;
    std::string scenario;
    std::string file;
    std::string file_digest;
    std::vector<std::pair<std::string, std::string>> overrides;  ///< --set
};

/// The command that runs this row alone.
[[nodiscard]] std::vector<std::string> reproduce(const StoredRow& row);

}  // namespace eos::reports
