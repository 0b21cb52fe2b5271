#include "tools/run/inspect.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "tools/run/snapshot.hpp"

namespace eos {
namespace {

using Names = std::vector<std::pair<std::string, sim::MilestoneKind>>;

Names named_milestones(const scenarios::Scenario& scenario) {
    Names names;
    for (const auto& row : model::milestones())
        names.emplace_back(row.name, model::number(row.mile));
    const auto& plan = scenario.faults;
    for (std::size_t i = 0; i < plan.faults.size(); ++i) {
        if (plan.faults[i].tells) continue;  // a step waits for it: no fault of the file
        const faults::FaultIndex index{static_cast<std::int32_t>(i)};
        const auto name = "fault." + plan.faults[i].name;
        names.emplace_back(name, faults::fault_milestone(plan.words.marks, index, false));
        names.emplace_back(name + ".ended", faults::fault_milestone(plan.words.marks, index, true));
    }
    for (const auto& row : model::safeguards())
        names.emplace_back(
            "safeguard." + std::string(row.name),
            sim::MilestoneKind{static_cast<std::uint16_t>(
                static_cast<int>(model::Mile::safeguard_first) + static_cast<int>(row.safeguard))});
    return names;
}

/// Lets the world go on until it is where it was asked to stop, or the run is over.
class Approach {
  public:
    Approach(World& world, const scenarios::Scenario& scenario, const InspectOptions& options)
        : world_(world), scenario_(scenario), options_(options) {}

    [[nodiscard]] Inspection go() {
        const auto& at = options_.stop_at;
        const auto over = sim::time_zero + scenario_.duration + scenario_.settle;
        const auto end = at.time ? std::min(over, sim::time_zero + *at.time) : over;
        while (!there() && goes_on()) {
            if (at.event || at.milestone) {
                // Event by event: the state is that after the very one.
                if (!world_.step(end)) break;
            } else {
                if (world_.now() >= end) break;
                world_.run_until(std::min(end, world_.now() + sim::seconds(1)));
            }
        }
        const bool by_time = !at.event && !at.milestone;
        found_.reached = by_time ? found_.cut_short.empty() && !found_.interrupted &&
                                       (!at.time || sim::time_zero + *at.time <= over)
                                 : there();
        return std::move(found_);
    }

  private:
    [[nodiscard]] bool there() {
        const auto& at = options_.stop_at;
        if (at.event) return world_.events() >= *at.event;
        if (!at.milestone) return false;
        found_.occurrences = world_.audience().times(*at.milestone);
        return found_.occurrences >= at.occurrence;
    }

    [[nodiscard]] bool goes_on() {
        if (world_.events() > scenario_.limits.events)
            found_.cut_short =
                fmt::format("limits.events ({}) was reached", scenario_.limits.events);
        found_.interrupted = options_.stop && options_.stop->load(std::memory_order_relaxed);
        return found_.cut_short.empty() && !found_.interrupted;
    }

    World& world_;
    const scenarios::Scenario& scenario_;
    const InspectOptions& options_;
    Inspection found_;
};

}  // namespace

std::optional<sim::MilestoneKind> milestone_named(const scenarios::Scenario& scenario,
                                                  std::string_view name) {
    for (const auto& [known, kind] : named_milestones(scenario))
        if (known == name) return kind;
    return std::nullopt;
}

std::vector<std::string> milestone_names(const scenarios::Scenario& scenario) {
    std::vector<std::string> result;
    for (const auto& [name, kind] : named_milestones(scenario)) result.push_back(name);
    return result;
}

Inspection inspect(const scenarios::Scenario& scenario, const InspectOptions& options) {
    const sim::Running running(fmt::format("seed {} of {}{}{}", scenario.seed, scenario.name,
                                           scenario.variant.empty() ? "" : ", variant ",
                                           scenario.variant));
    RunOptions how;
    how.script = options.script;
    World world = make_world(scenario, how);
    auto found = Approach(world, scenario, options).go();
    const auto& at = options.stop_at;
    const bool whole = found.reached && !at.time && !at.event && !at.milestone;
    found.divergence = world.adversary().divergence(whole);
    found.state = snapshot(world, scenario);
    return found;
}

}  // namespace eos
