// Findings against expectations: which counts are right, what had to be reached, which invariants and
// bounds hold. A file that could pass without anything happening is not a test: what `reached` names
// and did not happen makes the run inconclusive, never green.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "reports/render/words.hpp"
#include "tools/run/run.hpp"

namespace eos {
namespace {

using reports::ExpectRow;
using State = ExpectRow::State;

std::vector<std::string> anomaly_ids(const reports::RunReport& report, model::Count count,
                                     std::optional<model::AppId> app) {
    std::vector<std::string> ids;
    for (std::size_t i = 0; i < report.findings.anomalies.size(); ++i) {
        const auto& anomaly = report.findings.anomalies[i];
        if (anomaly.count == count && (!app || anomaly.app == app))
            ids.push_back(fmt::format("A{}", i + 1));
    }
    return ids;
}

ExpectRow count_row(const reports::RunReport& report, std::string name, model::Count count,
                    const scenarios::Bounds& bounds, std::int64_t got,
                    std::optional<model::AppId> app) {
    ExpectRow row;
    row.name = std::move(name);
    row.want = bounds.text;
    row.got = std::to_string(got);
    row.state = bounds.holds(got) ? State::ok : State::failed;
    if (got > 0) row.anomalies = anomaly_ids(report, count, app);
    return row;
}

void add_counts(const scenarios::Scenario& scenario, reports::RunReport& report) {
    for (const auto& [count, bounds] : scenario.expect.total)
        report.expect.push_back(count_row(report, std::string(model::name(count)), count, bounds,
                                          report.findings.total(count), {}));
    for (std::size_t i = 0; i < scenario.expect.per_app.size(); ++i) {
        const model::AppId app{static_cast<std::int32_t>(i)};
        const auto found = report.findings.per_app.find(app);
        for (const auto& [count, bounds] : scenario.expect.per_app[i]) {
            if (bounds.any()) continue;
            const auto index = static_cast<std::size_t>(count);
            const auto got = found == report.findings.per_app.end() ? 0 : found->second[index];
            auto row =
                count_row(report, fmt::format("{}: {}", report.app_names[i], model::name(count)),
                          count, bounds, got, app);
            row.implied = true;
            report.expect.push_back(std::move(row));
        }
    }
    // What belongs to no application is held against the strictest promise that covers it.
    for (std::size_t c = 0; c < model::count_kinds; ++c) {
        const auto count = static_cast<model::Count>(c);
        if (scenario.expect.total.contains(count)) continue;
        const auto got = report.findings.cluster[c];
        if (got == 0) continue;
        for (const auto& counts : scenario.expect.per_app) {
            const auto promise = counts.find(count);
            if (promise == counts.end() || promise->second.any() || promise->second.holds(got))
                continue;
            auto row = count_row(report, std::string(model::name(count)), count, promise->second,
                                 got, {});
            row.implied = true;
            report.expect.push_back(std::move(row));
            break;
        }
    }
}

void add_reached(const scenarios::Scenario& scenario, reports::RunReport& report) {
    for (const auto& reached : scenario.expect.reached) {
        const auto full = reached.fault ? "fault." + reached.name : reached.name;
        std::int64_t times = 0;
        for (const auto& [name, n] : report.counters.milestones)
            if (name == full || name == reached.name) times = n;
        ExpectRow row;
        row.name = "reached " + reached.name;
        row.want = reached.bounds.text;
        row.got = fmt::format("{}x", times);
        // Too seldom: nothing was shown. Too often: a claim was broken.
        if (!reached.bounds.holds(times))
            row.state = reached.bounds.min && times < *reached.bounds.min ? State::undecided
                                                                         : State::failed;
        report.expect.push_back(std::move(row));
    }
}

void add_bounds(const scenarios::Scenario& scenario, reports::RunReport& report) {
    const auto duration_row = [&](std::string name, sim::Duration most,
                                  std::optional<sim::Duration> got) {
        ExpectRow row;
        row.name = std::move(name);
        row.want = "at most " + reports::seconds_text(most);
        row.got = got ? reports::seconds_text(*got) : "not measured";
        row.state = !got ? State::undecided : (*got <= most ? State::ok : State::failed);
        report.expect.push_back(std::move(row));
    };
    const auto& measured = report.findings.measured;
    if (scenario.expect.unavailable)
        duration_row("unavailable", *scenario.expect.unavailable, measured.unavailable);
    if (scenario.expect.latency_p99)
        duration_row("latency_p99", *scenario.expect.latency_p99, measured.latency_p99);
    for (const auto& bound : scenario.expect.metrics) {
        const auto got = measure_milli(bound.metric, report);
        ExpectRow row;
        row.name = scenarios::name_of(bound.metric);
        row.want = bound.text;
        row.got = got ? measure_text(bound.metric, *got) : "not measured";
        if (!got) {
            row.state = State::undecided;
        } else if ((bound.min_milli && *got < *bound.min_milli) ||
                   (bound.max_milli && *got > *bound.max_milli)) {
            row.state = State::failed;
        }
        report.expect.push_back(std::move(row));
    }
    for (const auto& [name, bounds] : scenario.expect.errors) {
        const auto found = report.findings.errors.find(name);
        const auto got = found == report.findings.errors.end() ? 0 : found->second;
        ExpectRow row{"error " + name, bounds.text, std::to_string(got)};
        if (!bounds.holds(got)) row.state = State::failed;
        report.expect.push_back(std::move(row));
    }
    for (const auto& [name, bounds] : scenario.expect.jepsen) {
        const auto kind = model::jepsen_named(name);
        const auto got = kind ? report.findings.black_box[*kind] : 0;
        ExpectRow row{"jepsen " + name, bounds.text, std::to_string(got)};
        if (!bounds.holds(got)) row.state = State::failed;
        report.expect.push_back(std::move(row));
    }
}

// A file that teaches configuration: `check` warns of it.
void add_lints(const scenarios::Scenario& scenario, reports::RunReport& report) {
    const auto& given = scenario.warnings;
    for (const auto& lint : scenario.expect.lints) {
        const bool found = std::find(given.begin(), given.end(), lint) != given.end();
        ExpectRow row{"lint " + lint, "given", found ? "given" : "not given"};
        if (!found) row.state = State::failed;
        report.expect.push_back(std::move(row));
    }
}

void add_invariants(reports::RunReport& report) {
    for (const auto& outcome : report.findings.invariants) {
        ExpectRow row;
        row.name = "invariant " + outcome.name;
        row.want = outcome.want;
        row.got = outcome.got;
        row.state = outcome.holds ? State::ok : State::failed;
        report.expect.push_back(std::move(row));
    }
}

}  // namespace

void judge_expectations(const scenarios::Scenario& scenario, reports::RunReport& report) {
    add_counts(scenario, report);
    add_invariants(report);
    add_bounds(scenario, report);
    add_lints(scenario, report);
    add_reached(scenario, report);
    if (!report.findings.disagreements.empty())
        report.expect.push_back({"judges agree", "yes",
                                 fmt::format("{} differences", report.findings.disagreements.size()),
                                 State::failed});
    const auto any = [&](State state) {
        return std::any_of(report.expect.begin(), report.expect.end(),
                           [&](const ExpectRow& row) { return row.state == state; });
    };
    report.verdict = any(State::failed)      ? reports::Verdict::fail
                     : any(State::undecided) ? reports::Verdict::inconclusive
                                             : reports::Verdict::pass;
    if (report.verdict == reports::Verdict::inconclusive) {
        for (const auto& row : report.expect) {
            if (row.state != State::undecided) continue;
            report.undecided_because = row.name + ": " + row.got;
            break;
        }
    }
}

}  // namespace eos
