#pragma once
// Results for an issue, a pull request or a job summary: Markdown with a Mermaid sequence diagram
// of the moments around the first fault or anomaly. GitHub and GitLab draw it.

#include <string>
#include <vector>

#include "reports/render/rows.hpp"
#include "reports/result.hpp"

namespace eos::reports {

/// Mermaid draws long diagrams badly or not at all.
inline constexpr std::size_t messages_most = 60;

/// With a diagram if report.events_listed holds messages.
[[nodiscard]] std::string markdown(const RunReport& report);
[[nodiscard]] std::string markdown(const std::vector<RunReport>& reports);
[[nodiscard]] std::string markdown(const SweepReport& report, const std::vector<StoredRow>& rows);

}  // namespace eos::reports
