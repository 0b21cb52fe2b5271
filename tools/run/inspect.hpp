#pragma once
// A run up to a chosen moment, and what everybody knows then. The run is the one `run` makes of the
// same scenario and seed; it is stopped, not disturbed.

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/script.hpp"
#include "reports/state.hpp"
#include "scenarios/scenario.hpp"

namespace eos {

/// One of them, or none: the end of the run.
struct StopAt {
    std::optional<sim::Duration> time;            ///< when everything up to this time has happened
    std::optional<std::uint64_t> event;           ///< when this many events were handled
    std::optional<sim::MilestoneKind> milestone;  ///< after the event in which it is reached
    std::int64_t occurrence = 1;                  ///< of the milestone, from 1
};

struct InspectOptions {
    StopAt stop_at;
    std::shared_ptr<const faults::Script> script;  ///< replay these decisions
    const std::atomic<bool>* stop = nullptr;       ///< checked every virtual second
};

struct Inspection {
    reports::state::Cluster state;
    bool reached = false;          ///< else the run was over, or cut short, before
    std::int64_t occurrences = 0;  ///< of the milestone, up to here
    std::string cut_short;         ///< why the run did not come to its end; empty: it did
    bool interrupted = false;
    std::optional<faults::Divergence> divergence;
};

/// Throws sim::BrokenContract if the simulator itself is at fault.
[[nodiscard]] Inspection inspect(const scenarios::Scenario& scenario,
                                 const InspectOptions& options = {});

/// "txn.completed", "fault.NAME", "fault.NAME.ended", "safeguard.NAME" as this scenario knows them.
[[nodiscard]] std::optional<sim::MilestoneKind> milestone_named(const scenarios::Scenario& scenario,
                                                                std::string_view name);
/// All of those names.
[[nodiscard]] std::vector<std::string> milestone_names(const scenarios::Scenario& scenario);

}  // namespace eos
