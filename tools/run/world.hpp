#pragma once
// The world of a scenario: the roles on their nodes, the links between them, the faults around them,
// the judges listening. Made from a Scenario and nothing else.

#include <memory>
#include <variant>

#include "faults/injector.hpp"
#include "model/broker.hpp"
#include "model/client.hpp"
#include "model/controller.hpp"
#include "model/job_manager.hpp"
#include "model/store.hpp"
#include "model/task_manager.hpp"
#include "model/vocabulary.hpp"
#include "scenarios/scenario.hpp"
#include "sim/world.hpp"
#include "tools/run/audience.hpp"
#include "tools/run/run.hpp"

namespace eos {

/// The closed set of processes.
using AnyNode = std::variant<model::Controller, model::Broker, model::Client, model::Store,
                             model::TaskManager, model::JobManager>;
using World = sim::World<model::Vocabulary, AnyNode, faults::Injector, Audience>;

/// Furnished and not begun. Of the options those that say who listens and what the faults do: level,
/// script, operations (looked at too where the scenario expects something of them), record.
[[nodiscard]] World make_world(const scenarios::Scenario& scenario, const RunOptions& options = {});

/// What every living replica, coordinator and client says of itself at the end of a run.
void audit(World& world);

[[nodiscard]] reports::JudgeConfig judge_config(const scenarios::Scenario& scenario);

}  // namespace eos
