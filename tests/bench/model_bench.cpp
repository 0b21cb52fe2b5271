// The whole simulator: scenarios of the library run and judged as a sweep runs them. `events` is
// the pace on one core and on all, `runs` what a user waits for, `transactions` the pace of the
// protocol, `length` whether an event costs more the longer a run gets, `fork` what a copy of a cluster in full swing costs. `eosim bench`
// measures the same scenarios where nothing but the program is installed.
#include <cstdint>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "scenarios/load.hpp"
#include "tools/run/run.hpp"
#include "tools/run/world.hpp"

namespace {

using namespace eos;

/// A scenario of the library, without a variant.
scenarios::Scenario scenario(const std::string& name,
                             std::vector<scenarios::Override> overrides = {}) {
    const auto loaded = scenarios::load_file(std::string(EOSIM_SOURCE_DIR "/scenarios/") + name);
    scenarios::Request request;
    request.overrides = std::move(overrides);
    auto instance = scenarios::instantiate(loaded, request);
    return std::move(instance.scenario).value();
}

/// Runs seed after seed; each thread begins at seeds of its own.
void run_seeds(benchmark::State& state, scenarios::Scenario scenario) {
    auto seed = static_cast<std::uint64_t>(state.thread_index()) * 1'000'000;
    std::uint64_t events = 0;
    std::uint64_t runs = 0;
    RunOptions options;
    options.record = false;
    for (auto _ : state) {
        scenario.seed = scenario.faults.seed = ++seed;
        events += run(scenario, options).report.events;
        ++runs;
    }
    using benchmark::Counter;
    state.counters["events_per_s"] = Counter(static_cast<double>(events), Counter::kIsRate);
    state.counters["runs_per_s"] = Counter(static_cast<double>(runs), Counter::kIsRate);
    state.counters["ns_per_event"] =
        Counter(static_cast<double>(events),
                Counter::kIsRate | Counter::kInvert | Counter::kAvgThreads);
    state.counters["events_per_run"] =
        Counter(static_cast<double>(events) / static_cast<double>(runs), Counter::kAvgThreads);
}

void hello_duplicates(benchmark::State& state) {
    run_seeds(state, scenario("start/hello-duplicates.yaml"));
}
void delivery_modes(benchmark::State& state) {
    run_seeds(state, scenario("start/delivery-modes.yaml"));
}
void chaos(benchmark::State& state) { run_seeds(state, scenario("chaos/idempotent.yaml")); }
BENCHMARK(hello_duplicates)->MinTime(3);
BENCHMARK(delivery_modes)->MinTime(3);
BENCHMARK(chaos)->MinTime(3);
/// Over every core, in wall-clock time: what is lost against the line above is lost to sharing.
BENCHMARK(chaos)->MinTime(3)->ThreadPerCpu()->UseRealTime();

/// Transactions of ten records, replicated, with markers, read committed, and all judges listening: the
/// whole protocol by the transaction.
void transactions(benchmark::State& state) {
    auto ten = scenario("cost/transactions.yaml");
    std::int64_t committed = 0;
    std::uint64_t events = 0;
    for (auto _ : state) {
        ++ten.seed;
        const auto report = run(ten).report;
        committed += report.findings.measured.transactions.committed;
        events += report.events;
    }
    using benchmark::Counter;
    state.counters["txn_per_s"] = Counter(static_cast<double>(committed), Counter::kIsRate);
    state.counters["events_per_txn"] =
        Counter(static_cast<double>(events) / static_cast<double>(committed));
}
BENCHMARK(transactions)->MinTime(3);

/// The same bad days, n times as many of them.
void length(benchmark::State& state) {
    const auto times = [&](std::int64_t n) { return std::to_string(n * state.range(0)); };
    run_seeds(state, scenario("chaos/idempotent.yaml", {{"duration", times(60) + "s"},
                                                        {"apps.shop.records", times(500)}}));
}
BENCHMARK(length)->Arg(1)->Arg(4)->Arg(16)->MinTime(3);

/// A copy of a cluster of three brokers and four clients after 30 s of chaos, and of its tapes.
void fork(benchmark::State& state) {
    World world = make_world(scenario("chaos/idempotent.yaml"));
    world.run_until(sim::time_zero + sim::seconds(30));
    for (auto _ : state) {
        World copy = world;
        benchmark::DoNotOptimize(copy);
    }
}
BENCHMARK(fork);

void hash_state(benchmark::State& state) {
    World world = make_world(scenario("chaos/idempotent.yaml"));
    world.run_until(sim::time_zero + sim::seconds(30));
    for (auto _ : state) benchmark::DoNotOptimize(world.state_hash());
}
BENCHMARK(hash_state);

}  // namespace

BENCHMARK_MAIN();
