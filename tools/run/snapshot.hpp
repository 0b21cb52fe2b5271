#pragma once
// A moment of a running world as plain data: every role is asked through its const accessors, and
// numbers get the names the scenario gave them. The world is only looked at.

#include "reports/state.hpp"
#include "scenarios/scenario.hpp"
#include "tools/run/world.hpp"

namespace eos {

[[nodiscard]] reports::state::Cluster snapshot(const World& world,
                                               const scenarios::Scenario& scenario);

}  // namespace eos
