// One scenario under each delivery mode, with the same luck.

#include <fmt/format.h>

#include <algorithm>

#include "tools/run/sweep.hpp"

namespace eos {
namespace {

// What a mode promises whatever happens to it (anomalies.md section 4). `jobs`: a Flink job is among
// the apps, whose sink promises nothing under NONE (F21).
void judge_promise(reports::ModeRow& row, bool jobs) {
    const auto count = [&](reports::Count c) { return row.sums.counts[static_cast<std::size_t>(c)]; };
    const auto breaks = [&](reports::Count c) {
        if (count(c) == 0) return;
        row.promise_kept = false;
        if (!row.broken.empty()) row.broken += ", ";
        row.broken += fmt::format("{} {}", count(c), reports::name(c));
    };
    if (row.mode == "at-most-once" && !jobs) breaks(reports::Count::duplicates);
    if (row.mode == "at-least-once" || row.mode == "idempotent") breaks(reports::Count::lost);
    if (row.mode == "idempotent") breaks(reports::Count::reordered);
}

}  // namespace

Compared compare(const scenarios::Loaded& loaded, const ComparePlan& plan,
                 const std::function<void(std::int64_t, std::int64_t)>& progress) {
    Compared compared;
    reports::CompareReport report;
    report.file = plan.file;
    report.app = plan.app;
    report.first_seed = plan.seeds.front();
    const auto total = static_cast<std::int64_t>(plan.modes.size() * plan.seeds.size());
    std::int64_t finished = 0;
    for (const auto& mode : plan.modes) {
        SweepPlan one;
        one.cells = {scenarios::Cell{}};
        one.seeds = plan.seeds;
        one.overrides = plan.overrides;
        one.overrides.push_back(
            {fmt::format("apps.{}.mode", plan.app.empty() ? "*" : plan.app), mode});
        one.jobs = plan.jobs;
        one.stop = plan.stop;
        // The modes are compared on the same seeds: one that makes no sense in a mode is in the way.
        bool jobs = false;
        const bool draws = scenarios::sweep_of(loaded).draws;
        for (const auto seed : draws ? plan.seeds : std::vector{plan.seeds.front()}) {
            const auto instance = instance_at(loaded, one, 0, seed);
            if (!instance.scenario) {
                compared.diagnostics = instance.diagnostics;
                return compared;
            }
            report.scenario = instance.scenario->name;
            const auto& apps = instance.scenario->apps;
            jobs = std::any_of(apps.begin(), apps.end(),
                               [](const scenarios::App& app) { return app.config.is_job(); });
        }
        SweepSums sums({mode});
        const auto swept = sweep(loaded, one, [&](const SweepRun& run) {
            sums.add(run);
            if (progress) progress(++finished, total);
        });
        reports::ModeRow row;
        row.mode = mode;
        row.sums = sums.rows().front();
        judge_promise(row, jobs);
        report.seeds = std::max(report.seeds, row.sums.runs);
        report.rows.push_back(std::move(row));
        if (!compared.broken) compared.broken = sums.broken();
        if (!swept.complete) {
            report.interrupted = true;
            break;
        }
    }
    compared.report = std::move(report);
    return compared;
}

}  // namespace eos
