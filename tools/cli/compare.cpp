// eosim compare: the same faults under each delivery mode, side by side.

#include <algorithm>

#include <fmt/format.h>

#include "reports/render/shell.hpp"
#include "scenarios/catalogue.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/progress.hpp"
#include "tools/cli/stop.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"
#include "tools/run/sweep.hpp"

namespace eos::cli {
namespace {

constexpr std::string_view unset_mode = "client-defaults";

std::vector<std::string> modes_to_compare(const Options& options) {
    std::vector<std::string> built;
    std::vector<std::string> all;
    for (const auto& row : scenarios::catalogue("modes")) {
        all.push_back(row.name);
        if (row.missing.empty() && row.name != unset_mode) built.push_back(row.name);
    }
    if (!options.modes) return built;
    auto chosen = word_list("--modes", *options.modes);
    for (const auto& mode : chosen) {
        if (std::find(all.begin(), all.end(), mode) == all.end())
            throw UsageError(fmt::format("--modes: '{}' is not a delivery mode", mode),
                             suggest_or_list(mode, all));
        for (const auto& row : scenarios::catalogue("modes"))
            if (row.name == mode && !row.missing.empty())
                throw UsageError(fmt::format("--modes: '{}' needs {}, which are not available yet",
                                             mode, row.missing),
                                 suggest_or_list("", built));
    }
    return chosen;
}

void check_app(const Input& input, const std::string& app) {
    std::vector<std::string> names;
    if (const auto* apps = input.loaded.root->find("apps"); apps != nullptr && apps->is_map())
        for (const auto& key : apps->keys) names.push_back(key.text);
    if (std::find(names.begin(), names.end(), app) == names.end())
        throw UsageError(fmt::format("--app: there is no app '{}' in {}", app, input.path),
                         suggest_or_list(app, names));
}

std::vector<std::string> worst_command(const ComparePlan& plan, const reports::ModeRow& row) {
    std::vector<std::string> words{"eosim", "run", plan.file, "--seed",
                                   std::to_string(row.sums.worst_seed.value_or(1))};
    for (const auto& option : plan.overrides)
        words.insert(words.end(), {"--set", option.path + "=" + option.value});
    words.insert(words.end(), {"--set", fmt::format("apps.{}.mode={}",
                                                    plan.app.empty() ? "*" : plan.app, row.mode)});
    return words;
}

}  // namespace

int compare_verb(const Options& options, Screen& screen) {
    ComparePlan plan;
    plan.file = only_file(options, "scenarios/start/delivery-modes.yaml");
    plan.modes = modes_to_compare(options);
    plan.overrides = overrides_of(options);
    plan.jobs = jobs_of(options);
    plan.stop = &stop_flag();
    const auto input = open_input(plan.file);
    if (input.repro) throw UsageError("a repro file is a single run, it cannot be compared");
    if (!input.loaded.root || input.loaded.diagnostics.failed())
        return say_invalid(input.loaded.diagnostics);
    const auto plain = scenarios::instantiate(input.loaded);
    if (!plain.scenario) return say_invalid(plain.diagnostics);
    const auto file_sweep = scenarios::sweep_of(input.loaded);
    if (options.seeds)
        plan.seeds = seed_list("--seeds", *options.seeds);
    else if (file_sweep.seeds)
        plan.seeds = seed_list(
            "seeds", fmt::format("{}..{}", file_sweep.seeds->first, file_sweep.seeds->second));
    else
        plan.seeds = seed_list("seeds", "1..100");
    if (options.app) {
        check_app(input, *options.app);
        plan.app = *options.app;
    }

    Compared compared;
    {
        Progress progress(static_cast<std::int64_t>(plan.modes.size() * plan.seeds.size()), 0);
        compared = compare(input.loaded, plan,
                           [&](std::int64_t done, std::int64_t) { progress.tell(done, 0); });
    }
    if (!compared.report) return say_invalid(compared.diagnostics);
    auto& report = *compared.report;
    for (auto& row : report.rows)
        if (row.sums.worst_seed) row.reproduce = worst_command(plan, row);
    screen.print(reports::text(report));
    screen.finish();
    if (compared.broken) {
        tell(
            fmt::format("eosim: internal error: {}\nthis is a bug of eosim, please report it with "
                        "the scenario\n",
                        *compared.broken));
        return exit_code::internal;
    }
    if (interrupted()) return exit_code::interrupted;
    return std::all_of(report.rows.begin(), report.rows.end(),
                       [](const reports::ModeRow& row) { return row.promise_kept; })
               ? exit_code::met
               : exit_code::not_met;
}

}  // namespace eos::cli
