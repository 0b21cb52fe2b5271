#pragma once
// Targets become nodes, logs and groups at the moment a fault fires: roles are asked of the
// directory, what is one of several is drawn. In a match nothing is drawn: any of them will do.

#include <optional>
#include <vector>

#include "faults/dice.hpp"
#include "faults/plan.hpp"
#include "faults/scene.hpp"
#include "sim/adversary.hpp"

namespace eos::faults {

/// What a target is resolved against.
struct Site {
    const Plan& plan;
    const sim::Surroundings& around;
    const std::optional<Scene>& scene;  ///< empty for `at` and `every`
};

/// The nodes of a list of targets, each once, in the order named. Empty: nobody holds that role.
[[nodiscard]] std::vector<sim::NodeId> resolve_nodes(const Targets& targets, const Site& site,
                                                     Rolls& rolls);
/// The logs they name or stand for (`leader:P` stands for P).
[[nodiscard]] std::vector<std::int32_t> resolve_logs(const Targets& targets, const Site& site,
                                                     Rolls& rolls);
/// The groups they name or stand for (a coordinator, a member, an owner).
[[nodiscard]] std::vector<std::int32_t> resolve_groups(const Targets& targets, const Site& site,
                                                       Rolls& rolls);
/// The transactional ids they name.
[[nodiscard]] std::vector<std::int32_t> resolve_txids(const Targets& targets, const Site& site,
                                                      Rolls& rolls);

/// Every node that no target of any of the groups names.
[[nodiscard]] std::vector<sim::NodeId> remaining_nodes(const Plan& plan,
                                                       const std::vector<sim::NodeId>& named);
[[nodiscard]] std::vector<std::int32_t> logs_of(const LogPick& pick, const Plan& plan);

/// Whether the facts satisfy every match.
[[nodiscard]] bool satisfied(const Matches& matches, const Happening& happening, const Plan& plan,
                             const sim::Surroundings& around);

}  // namespace eos::faults
