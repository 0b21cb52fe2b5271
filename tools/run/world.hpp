#pragma once
// The world of a scenario: the roles on their nodes, the links between them, the faults around them,
// the judges listening. Made from a Scenario and nothing else.

#include <memory>
#include <variant>

#include "faults/injector.hpp"
#include "model/broker.hpp"
#include "model/client.hpp"
#include "model/controller.hpp"
#include "model/vocabulary.hpp"
#include "scenarios/scenario.hpp"
#include "sim/world.hpp"
#include "tools/run/audience.hpp"

namespace eos {

/// The closed set of processes.
using AnyNode = std::variant<model::Controller, model::Broker, model::Client>;
using World = sim::World<model::Vocabulary, AnyNode, faults::Injector, Audience>;

/// Furnished and not begun. With a script the faults replay decisions instead of drawing them.
/// `operations`: the judges look at operations of clients too, as they always do where the scenario
/// expects something of them.
[[nodiscard]] World make_world(const scenarios::Scenario& scenario, EventLevel level,
                               std::shared_ptr<const faults::Script> script = {},
                               bool operations = false);

/// What every living replica, coordinator and client says of itself at the end of a run.
void audit(World& world);

[[nodiscard]] reports::JudgeConfig judge_config(const scenarios::Scenario& scenario);

}  // namespace eos
