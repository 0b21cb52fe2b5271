#include "tools/run/run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "reports/render/story.hpp"
#include "tools/run/world.hpp"

namespace eos {
namespace {

// What ended a run before its time.
enum class Ended : std::uint8_t { in_time, too_many_events, too_long, interrupted };

// Of the busiest broker so far.
sim::Duration busiest(const World& world, const model::Topology& topology) {
    sim::Duration most{};
    for (const auto broker : topology.all_brokers()) most = std::max(most, world.served(broker));
    return most;
}

// `busy`: of the busiest broker while load was offered.
Ended pass_time(World& world, const scenarios::Scenario& scenario, const RunOptions& options,
                sim::Duration& busy) {
    const auto load_end = sim::time_zero + scenario.duration;
    auto end = sim::time_zero + scenario.duration + scenario.settle;
    if (options.until) end = std::min(end, sim::time_zero + *options.until);
    // limits.wall is a belt of the user, not of the simulation: the only clock there is.
    const auto begin = std::chrono::steady_clock::now();
    while (world.now() < end) {
        auto next = std::min(end, world.now() + sim::seconds(1));
        if (world.now() < load_end) next = std::min(next, load_end);
        world.run_until(next);
        if (world.now() <= load_end) busy = busiest(world, *scenario.topology);
        if (world.events() > scenario.limits.events) return Ended::too_many_events;
        if (options.stop && options.stop->load(std::memory_order_relaxed))
            return Ended::interrupted;
        if (scenario.limits.wall && std::chrono::steady_clock::now() - begin >
                                        std::chrono::nanoseconds(scenario.limits.wall->count()))
            return Ended::too_long;
    }
    return Ended::in_time;
}

void tell_who(const scenarios::Scenario& scenario, reports::RunReport& report) {
    report.engine = engine_version();
    report.scenario = scenario.name;
    report.variant = scenario.variant;
    if (!scenario.cell.empty())
        report.variant += (report.variant.empty() ? "" : " ") + scenario.cell;
    report.seed = scenario.seed;
    for (const auto& drawn : scenario.drawn) report.draws.emplace_back(drawn.path, drawn.value);
    report.brokers = scenario.topology->brokers;
    report.apps = static_cast<std::int32_t>(scenario.apps.size());
    const auto& faults = scenario.faults.faults;
    report.faults = static_cast<std::int32_t>(
        std::count_if(faults.begin(), faults.end(), [](const auto& f) { return !f.tells; }));
    for (const auto& app : scenario.apps) report.app_names.push_back(app.config.name);
    for (std::size_t i = 0; i < scenario.topology->logs.size(); ++i)
        report.log_names.push_back(scenario.topology->log_name({static_cast<std::int32_t>(i)}));
}

void tell_counters(const World& world, reports::RunReport& report) {
    const auto& audience = world.audience();
    for (std::size_t i = 0; i < model::api_count; ++i) {
        const auto times = audience.requests()[i];
        // A store is no broker; its calls are counted by themselves.
        if (static_cast<model::Api>(i) != model::Api::store) report.counters.requests += times;
        if (times > 0)
            report.counters.apis.emplace_back(model::name(static_cast<model::Api>(i)), times);
    }
    for (const auto& entry : model::milestones())
        report.counters.milestones.emplace_back(entry.name,
                                                audience.times(model::number(entry.mile)));
    for (const auto& entry : model::safeguards()) {
        const auto kind = sim::MilestoneKind{static_cast<std::uint16_t>(
            static_cast<int>(model::Mile::safeguard_first) + static_cast<int>(entry.safeguard))};
        if (audience.times(kind) > 0)
            report.counters.milestones.emplace_back("safeguard." + std::string(entry.name),
                                                    audience.times(kind));
    }
}

void tell_faults(const World& world, const scenarios::Scenario& scenario,
                 reports::RunReport& report) {
    const auto& plan = scenario.faults;
    const auto& ledger = world.adversary().reports();
    for (std::size_t i = 0; i < plan.faults.size(); ++i) {
        if (plan.faults[i].tells) continue;  // a step waits for it: no fault of the file
        const auto& fault = ledger[i];
        reports::FaultRow row;
        row.name = fault.name;
        row.fired = fault.fired;
        row.touched = fault.messages + fault.acts;
        for (const auto& deed : fault.deeds) {
            if (row.firings.size() == 8) break;
            row.firings.emplace_back(deed.at, 0);
        }
        row.did = faults::sentence(fault, plan);
        report.fault_rows.push_back(std::move(row));
    }
    for (std::size_t i = 0; i < plan.faults.size(); ++i) {
        if (plan.faults[i].tells) continue;
        const faults::FaultIndex index{static_cast<std::int32_t>(i)};
        for (const bool ended : {false, true}) {
            const auto kind = faults::fault_milestone(plan.words.marks, index, ended);
            report.counters.milestones.emplace_back(
                "fault." + plan.faults[i].name + (ended ? ".ended" : ""),
                world.audience().times(kind));
        }
    }
}

std::vector<reports::Deed> deeds(const World& world) {
    std::vector<reports::Deed> result;
    for (const auto& fault : world.adversary().reports())
        for (const auto& deed : fault.deeds)
            result.push_back({fault.name, std::string(deed.word), deed.at, deed.ended, deed.nodes,
                              deed.logs, deed.messages});
    std::stable_sort(result.begin(), result.end(),
                     [](const auto& a, const auto& b) { return a.at < b.at; });
    return result;
}

}  // namespace

std::string_view engine_version() { return "0.1.0"; }

RunOutcome run(const scenarios::Scenario& scenario, const RunOptions& options) {
    const sim::Running running(fmt::format("seed {} of {}{}{}", scenario.seed, scenario.name,
                                           scenario.variant.empty() ? "" : ", variant ",
                                           scenario.variant));
    RunOutcome outcome;
    auto& report = outcome.report;
    tell_who(scenario, report);

    World world = make_world(scenario, options);
    sim::Duration busy{};
    const auto ended = pass_time(world, scenario, options, busy);
    report.simulated = world.now() - sim::time_zero;
    report.events = world.events();
    report.digest = world.digest();
    audit(world);
    report.findings = world.audience().court().conclude();
    auto& measured = report.findings.measured;
    measured.running = std::min(report.simulated, scenario.duration);
    measured.broker_busy = busy;
    measured.broker_time = measured.running * scenario.costs.threads;
    report.counters.log_bytes = report.findings.measured.log_bytes;
    tell_counters(world, report);
    tell_faults(world, scenario, report);
    if (options.level != EventLevel::none) {
        report.story = reports::story(deeds(world), world.audience().moments(),
                                      *scenario.topology);
        if (options.level == EventLevel::rpc || options.level == EventLevel::all)
            report.events_listed = reports::listed_events(
                world.audience().frames(), world.audience().moments(), *scenario.topology);
    }
    const auto& progress = world.audience().court().progress();
    outcome.visible = progress.visible().count() > 0 ? progress.visible() : progress.acked();
    outcome.decisions = world.adversary().decisions();
    outcome.divergence = world.adversary().divergence(ended == Ended::in_time && !options.until);
    outcome.interrupted = ended == Ended::interrupted;

    judge_expectations(scenario, report);
    // What was cut short proves nothing: records may still have been under way.
    if (ended != Ended::in_time) report.verdict = reports::Verdict::inconclusive;
    if (ended == Ended::too_many_events)
        report.undecided_because = fmt::format("limits.events ({}) was reached at {} ms",
                                               scenario.limits.events,
                                               report.simulated.count() / 1'000'000);
    if (ended == Ended::too_long)
        report.undecided_because = fmt::format("limits.wall was reached at {} ms",
                                               report.simulated.count() / 1'000'000);
    if (ended == Ended::interrupted) report.undecided_because = "the run was interrupted";
    return outcome;
}

}  // namespace eos
