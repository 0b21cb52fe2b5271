#pragma once
// Runs of a sweep for spreadsheets and plots: one line per run after a comment that plots them.

#include <string>
#include <string_view>

#include "reports/render/rows.hpp"

namespace eos::reports {

/// The comment (a gnuplot one-liner for `file`) and the line of column names.
[[nodiscard]] std::string csv_header(std::string_view file);
[[nodiscard]] std::string csv_line(const StoredRow& row);

}  // namespace eos::reports
