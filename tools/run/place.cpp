// sweep.place: where faults can strike. The fault-free run counts how often each trigger is met;
// then one run for each number.

#include <algorithm>
#include <exception>
#include <mutex>
#include <thread>

#include <fmt/format.h>

#include "tools/run/sweep.hpp"

namespace eos {
namespace {

// The faults to be placed count their trigger and do nothing; the others are out.
void disarm(faults::Plan& plan, const std::vector<std::string>& placed) {
    for (auto& fault : plan.faults) {
        if (fault.tells) continue;
        fault.enabled = std::find(placed.begin(), placed.end(), fault.name) != placed.end();
        fault.act = faults::action::Nothing{};
        fault.nth.reset();
        fault.after = {};
        fault.lasts.reset();
        fault.until.reset();
    }
}

// How often each placed fault's trigger is met; empty if the run could not be made.
std::vector<std::int64_t> occurrences(scenarios::Scenario scenario, const SweepPlan& plan) {
    disarm(scenario.faults, plan.placed);
    RunOptions options;
    options.stop = plan.stop;
    const auto outcome = run(scenario, options);
    std::vector<std::int64_t> result;
    for (const auto& name : plan.placed)
        for (const auto& row : outcome.report.fault_rows)
            if (row.name == name) result.push_back(row.fired);
    return result;
}

// From 1 to total; at most `limit` of them, the first and the last among them.
std::vector<std::int64_t> spread(std::int64_t total, std::optional<std::int64_t> limit) {
    std::vector<std::int64_t> result;
    const auto kept = limit ? std::min(*limit, total) : total;
    for (std::int64_t i = 0; i < kept; ++i)
        result.push_back(kept == 1 ? 1 : 1 + i * (total - 1) / (kept - 1));
    return result;
}

}  // namespace

std::vector<scenarios::Override> overrides_of(const SweepPlan& plan, const Place& place) {
    std::vector<scenarios::Override> result;
    for (std::size_t i = 0; i < plan.placed.size(); ++i)
        result.push_back(
            {fmt::format("faults.{}.nth", plan.placed[i]), std::to_string(place.nth[i])});
    return result;
}

Places find_places(const scenarios::Loaded& loaded, const SweepPlan& plan,
                   std::optional<std::int64_t> limit, std::size_t most) {
    const auto total = plan.cells.size() * plan.seeds.size();
    std::vector<std::vector<std::int64_t>> counted(total);
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr broken;
    std::map<std::size_t, LeftOut> left_out;
    const auto work = [&] {
        for (auto index = next++; index < total; index = next++) {
            if (plan.stop && plan.stop->load(std::memory_order_relaxed)) return;
            const auto cell = index / plan.seeds.size();
            const auto seed = plan.seeds[index % plan.seeds.size()];
            auto seeded = seeded_at(loaded, plan, cell, seed);
            if (!seeded.scenario) {
                const std::lock_guard lock(mutex);
                left_out.emplace(index, LeftOut{cell, seed, 1, std::move(seeded.problem)});
                continue;
            }
            try {
                counted[index] = occurrences(std::move(*seeded.scenario), plan);
            } catch (...) {
                const std::lock_guard lock(mutex);
                broken = std::current_exception();
            }
        }
    };
    std::vector<std::jthread> threads;
    for (std::int32_t i = 1; i < plan.jobs; ++i) threads.emplace_back(work);
    work();
    threads.clear();
    if (broken) std::rethrow_exception(broken);

    Places places;
    places.left_out = by_cell(left_out);
    for (std::size_t index = 0; index < total; ++index) {
        if (counted[index].size() != plan.placed.size()) continue;  // interrupted, or left out
        const Place at{index / plan.seeds.size(), plan.seeds[index % plan.seeds.size()], {}};
        const auto matrix = scenarios::matrix_text(loaded, plan.cells[at.cell]);
        auto where = plan.cells[at.cell].variant;
        if (!matrix.empty()) where += (where.empty() ? "" : " ") + matrix;
        if (!where.empty()) where += ", ";
        std::vector<std::vector<std::int64_t>> axes;
        std::size_t runs = 1;
        for (std::size_t i = 0; i < plan.placed.size(); ++i) {
            const auto times = counted[index][i];
            const auto chosen = spread(times, limit);
            if (times == 0)
                places.nowhere.push_back(
                    fmt::format("{} ({}seed {})", plan.placed[i], where, at.seed));
            if (static_cast<std::int64_t>(chosen.size()) < times)
                places.thinned.push_back(fmt::format("{} at {} of {} occurrences ({}seed {})",
                                                     plan.placed[i], chosen.size(), times, where,
                                                     at.seed));
            runs *= chosen.size();
            axes.push_back(chosen);
        }
        places.wanted += runs;
        if (places.wanted > most) continue;
        for (std::size_t n = 0; n < runs; ++n) {
            auto one = at;
            std::size_t rest = n;
            for (auto axis = axes.rbegin(); axis != axes.rend(); rest /= axis->size(), ++axis)
                one.nth.insert(one.nth.begin(), (*axis)[rest % axis->size()]);
            places.all.push_back(std::move(one));
        }
    }
    if (places.wanted > most) places.all.clear();
    return places;
}

}  // namespace eos
