// eosim run: one simulation, judged. Several files or a directory: run_many.cpp.

#include <algorithm>
#include <chrono>
#include <random>

#include <fmt/format.h>

#include "reports/render/json.hpp"
#include "reports/render/text.hpp"
#include "reports/render/words.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/replaying.hpp"
#include "tools/cli/results.hpp"
#include "tools/cli/run_many.hpp"
#include "tools/cli/stop.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

std::optional<std::uint64_t> seed_to_run(const Options& options) {
    if (!options.seed) return std::nullopt;
    // Six digits are easy to type; the report names the one that was drawn.
    if (*options.seed == "random") return 1 + std::random_device{}() % 999'999;
    return whole_number("--seed", *options.seed, 0, UINT64_MAX);
}

}  // namespace

EventLevel level_of(const Options& options) {
    if (options.events == "none") return EventLevel::none;
    if (options.events == "rpc") return EventLevel::rpc;
    if (options.events == "all") return EventLevel::all;
    return EventLevel::key;
}

EventLevel level_for(EventLevel asked, const std::vector<Sink>& sinks) {
    // The diagram of Markdown shows messages.
    if (wants(sinks, Format::markdown) && asked != EventLevel::all) return EventLevel::rpc;
    return asked;
}

void name_run(reports::RunReport& report, const Input& input, const scenarios::Instance& instance,
              const std::vector<scenarios::Override>& overrides) {
    report.file = input.path;
    report.file_digest = input.digest;
    for (const auto& option : overrides) report.overrides.emplace_back(option.path, option.value);
    reports::StoredRow row;
    row.file = input.path;
    row.overrides = report.overrides;
    row.row.seed = instance.scenario->seed;
    row.row.variant = instance.scenario->variant;
    if (!instance.scenario->cell.empty())
        row.row.variant += (row.row.variant.empty() ? "" : " ") + instance.scenario->cell;
    report.reproduce = reports::reproduce(row);
}

namespace {

int run_repro(const Options& options, const Input& input, std::vector<Sink>& sinks,
              Screen& screen) {
    if (options.seed || options.variant || !options.sets.empty())
        throw UsageError("a repro file is run as it was recorded: no --seed, --variant or --set",
                         "edit the scenario inside it, or run the scenario it came from");
    const auto asked = level_of(options);
    auto replayed = replay_file(input.path, level_for(asked, sinks));
    if (!replayed.loaded.repro) return say_invalid(replayed.loaded.diagnostics);
    auto& report = replayed.outcome.report;
    report.reproduce = {"eosim", "run", input.path};
    const auto on_screen = shown(report, asked);
    screen.print(options.json ? reports::json(on_screen) : reports::text(on_screen));
    write_runs(sinks, {report}, asked);
    if (replayed.outcome.interrupted) return exit_code::interrupted;
    if (!options.json)
        screen.print(replayed.problem.empty()
                         ? fmt::format("REPLAYED  {} as recorded{}\n",
                                       replayed.loaded.repro->verdict,
                                       replayed.same_digest ? "" : ", by another trace")
                         : fmt::format("DIFFERS  {}\n", replayed.problem));
    return replayed.problem.empty() ? exit_code::met : exit_code::differs;
}

std::string timing_line(std::int64_t wall_us, std::uint64_t events) {
    const auto rate =
        events * 1'000'000 / static_cast<std::uint64_t>(std::max<std::int64_t>(1, wall_us));
    return fmt::format("      wall time  {}.{:03} ms, {} events/s\n", wall_us / 1000,
                       wall_us % 1000, reports::grouped(static_cast<std::int64_t>(rate)));
}

}  // namespace

int run_verb(const Options& options, Screen& screen) {
    if (options.words.empty())
        throw UsageError("run needs a file or a directory",
                         "for example: eosim run scenarios/start/hello-duplicates.yaml");
    const auto overrides = overrides_of(options);
    const auto seed = seed_to_run(options);
    if (options.words.size() > 1 || is_directory(options.words.front()))
        return run_many(options, seed, overrides, screen);

    auto sinks = open_sinks(options.outs, {Format::json, Format::markdown, Format::junit});
    const auto input = open_input(options.words.front());
    if (input.repro) return run_repro(options, input, sinks, screen);
    if (!input.loaded.root) return say_invalid(input.loaded.diagnostics);
    scenarios::Request request;
    request.cell = cell_to_run(input, options.variant);
    request.overrides = overrides;
    request.seed = seed;
    const auto instance = scenarios::instantiate(input.loaded, request);
    if (!instance.scenario) return say_invalid(instance.diagnostics);

    const auto asked = level_of(options);
    RunOptions how;
    how.level = level_for(asked, sinks);
    how.operations = true;
    how.stop = &stop_flag();
    const auto begin = std::chrono::steady_clock::now();
    auto outcome = run_named(input, instance, overrides, how);
    const auto wall = std::chrono::steady_clock::now() - begin;
    if (!outcome) return exit_code::internal;
    auto& report = outcome->report;
    if (report.verdict == reports::Verdict::fail) report.saved = save_repro(instance, *outcome);

    std::optional<reports::Timing> timing;
    if (options.timing)
        timing = {std::chrono::duration_cast<std::chrono::microseconds>(wall).count()};
    const auto on_screen = shown(report, asked);
    // A closed screen keeps no file from being written, nor a full disk the screen from telling.
    std::optional<OutputError> lost;
    try {
        write_runs(sinks, {report}, asked);
    } catch (const OutputError& error) {
        lost = error;
    }
    screen.print(options.json ? reports::json(on_screen, timing) : reports::text(on_screen));
    if (timing && !options.json) screen.print(timing_line(timing->wall_us, report.events));
    screen.finish();
    if (lost) throw *lost;
    return outcome->interrupted ? exit_code::interrupted : code_of(report.verdict);
}

}  // namespace eos::cli
