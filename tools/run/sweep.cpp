#include "tools/run/sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <thread>

#include "sim/ensure.hpp"

namespace eos {
namespace {

// The scenario of one cell, made once: a seed is all that differs between its runs, unless the file
// draws values per seed.
struct Prepared {
    std::optional<scenarios::Scenario> scenario;
    bool draws = false;
};

Prepared prepare(const scenarios::Loaded& loaded, const SweepPlan& plan, std::size_t cell) {
    if (scenarios::sweep_of(loaded).draws) return {std::nullopt, true};
    return {seeded_at(loaded, plan, cell, plan.seeds.front()).scenario, false};
}

Seeded with_seed(const scenarios::Loaded& loaded, const SweepPlan& plan, std::size_t cell,
                 const Prepared& prepared, std::uint64_t seed) {
    if (prepared.draws) return seeded_at(loaded, plan, cell, seed);
    auto scenario = *prepared.scenario;
    scenario.seed = seed;
    scenario.faults.seed = seed;
    return {std::move(scenario), ""};
}

// As overrides_of(plan, place) would, without reading the file again.
void put(scenarios::Scenario& scenario, const SweepPlan& plan, const Place& place) {
    for (std::size_t i = 0; i < plan.placed.size(); ++i)
        for (auto& fault : scenario.faults.faults)
            if (fault.name == plan.placed[i]) fault.nth = faults::Number{place.nth[i], place.nth[i]};
}

SweepRun run_one(const scenarios::Scenario& scenario, std::size_t cell,
                 const std::atomic<bool>* stop) {
    SweepRun result;
    result.cell = cell;
    RunOptions options;
    options.stop = stop;
    options.record = false;  // who wants the decisions of a failing run makes it again
    try {
        auto outcome = run(scenario, options);
        result.row = row_of(outcome.report);
        result.visible = outcome.visible;
        for (auto& [name, times] : outcome.report.counters.milestones) {
            result.milestone_names.push_back(std::move(name));
            result.milestones.push_back(times);
        }
    } catch (const sim::BrokenContract& broken) {
        result.row.variant = scenario.variant;
        result.row.seed = scenario.seed;
        result.row.verdict = reports::Verdict::fail;
        result.row.because = "internal error";
        result.broken = broken.what();
    }
    return result;
}

// Hands finished runs on in the order of the plan; keeps only those that wait for an earlier one.
class InOrder {
  public:
    InOrder(std::size_t total, const std::function<void(const SweepRun&)>& each)
        : total_(total), each_(each) {}

    void finished(std::size_t index, std::optional<SweepRun> run) {
        const std::lock_guard lock(mutex_);
        if (run && run->row.verdict == reports::Verdict::fail) ++failing_;
        waiting_.emplace(index, std::move(run));
        while (!waiting_.empty() && waiting_.begin()->first == next_) {
            if (const auto& first = waiting_.begin()->second) each_(*first);
            waiting_.erase(waiting_.begin());
            ++next_;
        }
    }
    [[nodiscard]] std::int64_t failing() {
        const std::lock_guard lock(mutex_);
        return failing_;
    }
    /// The seed of this run draws values that do not go together.
    void left_out(std::size_t index, LeftOut one) {
        {
            const std::lock_guard lock(mutex_);
            left_out_.emplace(index, std::move(one));
        }
        finished(index, std::nullopt);
    }
    [[nodiscard]] std::vector<LeftOut> left_out() const { return by_cell(left_out_); }
    [[nodiscard]] bool complete() const { return next_ == total_; }
    /// What finished behind a run that never will (an interrupted sweep).
    void flush() {
        for (const auto& [index, run] : waiting_)
            if (run) each_(*run);
    }

  private:
    std::mutex mutex_;
    std::map<std::size_t, std::optional<SweepRun>> waiting_;
    std::map<std::size_t, LeftOut> left_out_;
    const std::size_t total_;
    const std::function<void(const SweepRun&)>& each_;
    std::size_t next_ = 0;
    std::int64_t failing_ = 0;
};

std::string full_name(const scenarios::Loaded& loaded, const scenarios::Cell& cell) {
    const auto matrix = scenarios::matrix_text(loaded, cell);
    if (matrix.empty()) return cell.variant;
    return cell.variant.empty() ? matrix : cell.variant + " " + matrix;
}

}  // namespace

scenarios::Instance instance_at(const scenarios::Loaded& loaded, const SweepPlan& plan,
                                std::size_t cell, std::uint64_t seed) {
    scenarios::Request request;
    request.cell = plan.cells[cell];
    request.overrides = plan.overrides;
    request.seed = seed;
    return scenarios::instantiate(loaded, request);
}

Seeded seeded_at(const scenarios::Loaded& loaded, const SweepPlan& plan, std::size_t cell,
                 std::uint64_t seed) {
    auto instance = instance_at(loaded, plan, cell, seed);
    Seeded result{std::move(instance.scenario), ""};
    if (result.scenario) return result;
    for (const auto& finding : instance.diagnostics.sorted())
        if (result.problem.empty() && finding.severity == scenarios::Severity::error)
            result.problem = finding.text;
    return result;
}

std::vector<LeftOut> by_cell(const std::map<std::size_t, LeftOut>& runs) {
    std::vector<LeftOut> result;
    for (const auto& [index, one] : runs)
        if (!result.empty() && result.back().cell == one.cell)
            ++result.back().seeds;
        else
            result.push_back(one);
    return result;
}

reports::RunRow row_of(const reports::RunReport& report) {
    reports::RunRow row;
    row.variant = report.variant;
    row.seed = report.seed;
    row.verdict = report.verdict;
    for (std::size_t i = 0; i < reports::count_kinds; ++i)
        row.counts[i] = report.findings.total(static_cast<reports::Count>(i));
    row.measured = report.findings.measured;
    row.requests = report.counters.requests;
    row.events = report.events;
    row.digest = report.digest;
    for (const auto& expect : report.expect) {
        if (expect.state == reports::ExpectRow::State::ok) continue;
        row.because = fmt::format("{}: wanted {}, got {}", expect.name, expect.want, expect.got);
        if (expect.state == reports::ExpectRow::State::failed) break;
    }
    if (row.because.empty()) row.because = report.undecided_because;
    return row;
}

Swept sweep(const scenarios::Loaded& loaded, const SweepPlan& plan,
            const std::function<void(const SweepRun&)>& each) {
    std::vector<Prepared> prepared;
    for (std::size_t cell = 0; cell < plan.cells.size(); ++cell)
        prepared.push_back(prepare(loaded, plan, cell));

    const bool placing = !plan.placed.empty();
    const auto total = placing ? plan.places.size() : plan.cells.size() * plan.seeds.size();
    InOrder results(total, each);
    std::atomic<std::size_t> next{0};
    const auto work = [&] {
        for (;;) {
            if (plan.stop && plan.stop->load(std::memory_order_relaxed)) return;
            if (plan.stop_after && results.failing() >= *plan.stop_after) return;
            const auto index = next.fetch_add(1);
            if (index >= total) return;
            const auto* place = placing ? &plan.places[index] : nullptr;
            const auto cell = place ? place->cell : index / plan.seeds.size();
            const auto seed = place ? place->seed : plan.seeds[index % plan.seeds.size()];
            if ((!prepared[cell].scenario && !prepared[cell].draws) ||
                plan.done.contains({full_name(loaded, plan.cells[cell]), seed})) {
                results.finished(index, std::nullopt);
                continue;
            }
            auto seeded = with_seed(loaded, plan, cell, prepared[cell], seed);
            if (!seeded.scenario) {
                results.left_out(index, {cell, seed, 1, std::move(seeded.problem)});
                continue;
            }
            if (place) put(*seeded.scenario, plan, *place);
            auto one = run_one(*seeded.scenario, cell, plan.stop);
            if (place) one.place = overrides_of(plan, *place);
            if (plan.stop && plan.stop->load(std::memory_order_relaxed)) return;  // cut short
            results.finished(index, std::move(one));
        }
    };
    std::vector<std::jthread> threads;
    for (std::int32_t i = 1; i < plan.jobs; ++i) threads.emplace_back(work);
    work();
    threads.clear();
    const bool complete = results.complete();
    if (!complete) results.flush();
    return {complete, results.left_out()};
}

}  // namespace eos
