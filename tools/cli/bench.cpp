// eosim bench: how fast this machine simulates, to size a sweep. Wall-clock times: the one verb
// whose output is not repeatable.

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

#include <fmt/format.h>

#include "reports/render/words.hpp"
#include "scenarios/load.hpp"
#include "sim/ensure.hpp"
#include "tools/cli/examples.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/stop.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"
#include "tools/run/run.hpp"

namespace eos::cli {
namespace {

using Clock = std::chrono::steady_clock;

struct Pace {
    std::int64_t runs = 0;
    std::uint64_t events = 0;
    std::int64_t ns = 1;
};

Pace measure(scenarios::Scenario scenario, std::chrono::nanoseconds budget) {
    (void)run(scenario);  // the first run pays for the memory of the others
    Pace pace;
    const auto begin = Clock::now();
    do {
        scenario.seed = scenario.faults.seed = static_cast<std::uint64_t>(++pace.runs);
        pace.events += run(scenario).report.events;
        pace.ns = std::max<std::int64_t>(
            1, std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin).count());
    } while (pace.ns < budget.count() && !stop_flag().load());
    return pace;
}

std::string pace_line(const std::string& name, const Pace& pace) {
    const auto us = pace.ns / 1000 / pace.runs;
    const auto rate = static_cast<std::int64_t>(static_cast<double>(pace.events) * 1e9 /
                                                static_cast<double>(pace.ns));
    return fmt::format("  {:<22} {:>9} events  {:>5}.{:03} ms/run  {:>11} events/s  {:>7} runs/s\n",
                       name, reports::grouped(static_cast<std::int64_t>(pace.events) / pace.runs),
                       us / 1000, us % 1000, reports::grouped(rate),
                       reports::grouped(pace.runs * 1'000'000'000 / pace.ns));
}

}  // namespace

int bench_verb(const Options& options, Screen& screen) {
    if (!options.words.empty())
        throw UsageError(
            fmt::format("bench takes no file, '{}' is too many", options.words.front()));
    const auto time = options.time ? duration("--time", *options.time) : sim::seconds(5);
    std::vector<std::pair<std::string, scenarios::Loaded>> loads;
    loads.emplace_back("starter", scenarios::load_text("starter", starter()));
    if (const auto root = library())
        for (const auto* name :
             {"start/hello-duplicates", "start/delivery-modes", "cost/transactions",
              "chaos/idempotent"})
            loads.emplace_back(name, scenarios::load_file(fmt::format("{}/{}.yaml", *root, name)));
    std::erase_if(loads, [](const auto& load) { return !load.second.root; });
    const std::chrono::nanoseconds budget(time.count() / static_cast<std::int64_t>(loads.size()));
    Pace last;
    for (const auto& [name, loaded] : loads) {
        const auto instance = scenarios::instantiate(loaded);
        if (!instance.scenario) return say_invalid(instance.diagnostics);
        last = measure(*instance.scenario, budget);
        screen.print(pace_line(name, last));
        screen.finish();
        if (interrupted()) return exit_code::interrupted;
    }
    const auto cores = static_cast<std::int64_t>(std::max(1U, std::thread::hardware_concurrency()));
    const auto seconds = last.ns * 1000 / last.runs / 1'000'000 / cores;
    screen.print(fmt::format("  one core; a sweep of 1,000 runs of {} on {} takes about {}.{} s\n",
                             loads.back().first, reports::counted(cores, "core"), seconds / 1000,
                             seconds / 100 % 10));
    return exit_code::met;
}

}  // namespace eos::cli
