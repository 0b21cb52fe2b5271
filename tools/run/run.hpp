#pragma once
// One simulation, judged: the library's front door. eos::run(scenario) builds the world, lets chaos
// and settling pass, asks the judges, and holds their findings against the expectations.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "faults/script.hpp"
#include "reports/judges/histogram.hpp"
#include "reports/result.hpp"
#include "scenarios/scenario.hpp"
#include "tools/run/audience.hpp"

namespace eos {

/// The version reports and repro files name.
[[nodiscard]] std::string_view engine_version();

struct RunOptions {
    EventLevel level = EventLevel::none;             ///< tapes to keep for story and events
    std::shared_ptr<const faults::Script> script;    ///< replay these decisions
    const std::atomic<bool>* stop = nullptr;         ///< checked every virtual second
    std::optional<sim::Duration> until;              ///< stop at this virtual time, not at the end
    bool operations = false;                         ///< look for cycles of operations too
    bool record = true;                              ///< keep the decisions; a sweep needs them not
};

struct RunOutcome {
    reports::RunReport report;
    faults::Script decisions;                        ///< what chance decided, if recorded
    std::optional<faults::Divergence> divergence;    ///< with a script: where it was left
    reports::Histogram visible;                      ///< produce to visible, for sums over seeds
    bool interrupted = false;
};

/// Runs a scenario with its seed. Throws sim::BrokenContract if the simulator itself is at fault.
[[nodiscard]] RunOutcome run(const scenarios::Scenario& scenario, const RunOptions& options = {});

/// Holds findings and measurements against what the scenario expects; fills report.expect, .verdict
/// and .undecided_because.
void judge_expectations(const scenarios::Scenario& scenario, reports::RunReport& report);

/// A measure times 1000, in its own unit (times in microseconds); none if this run has none (a ratio
/// to nothing, the latency of no record).
[[nodiscard]] std::optional<std::int64_t> measure_milli(const scenarios::Measure& measure,
                                                        const reports::RunReport& report);
/// Such a value as it is printed: "1.3 s" for a time, "2", "0.95" or "-4.374" for the rest.
[[nodiscard]] std::string measure_text(const scenarios::Measure& measure, std::int64_t milli);
/// A number times 1000, without the zeros that say nothing.
[[nodiscard]] std::string milli_text(std::int64_t milli);

}  // namespace eos
