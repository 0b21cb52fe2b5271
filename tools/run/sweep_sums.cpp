// What a sweep adds up: a row per cell, how soon each kind of anomaly was met, what was reached.

#include <algorithm>
#include <utility>

#include "tools/run/sweep.hpp"

namespace eos {
namespace {

// Being told that one is fenced is no anomaly.
std::vector<reports::Found> found_in(const std::vector<reports::RunRow>& runs) {
    std::vector<reports::Found> result;
    for (std::size_t i = 0; i < reports::count_kinds; ++i) {
        const auto count = static_cast<model::Count>(i);
        if (count == model::Count::fenced) continue;
        std::vector<std::int64_t> waits;
        std::int64_t wait = 0;
        for (const auto& run : runs) {
            ++wait;
            if (run.counts[i] > 0) waits.push_back(std::exchange(wait, 0));
        }
        if (waits.empty()) continue;
        const auto middle = waits.begin() + static_cast<std::ptrdiff_t>(waits.size() / 2);
        std::nth_element(waits.begin(), middle, waits.end());
        result.push_back({count, static_cast<std::int64_t>(waits.size()), *middle});
    }
    return result;
}

}  // namespace

SweepSums::SweepSums(std::vector<std::string> variants)
    : rows_(variants.size()), latencies_(variants.size()), runs_(variants.size()) {
    for (std::size_t i = 0; i < variants.size(); ++i) rows_[i].variant = std::move(variants[i]);
}

void SweepSums::add(std::size_t cell, const reports::RunRow& run) {
    auto& row = rows_[cell];
    ++row.runs;
    switch (run.verdict) {
        case reports::Verdict::pass: ++row.pass; break;
        case reports::Verdict::fail: ++row.fail; break;
        case reports::Verdict::inconclusive: ++row.undecided; break;
    }
    std::int64_t anomalies = 0;
    for (std::size_t i = 0; i < reports::count_kinds; ++i) {
        row.counts[i] += run.counts[i];
        anomalies += run.counts[i];
    }
    row.gap_max = std::max(row.gap_max, run.measured.unavailable);
    row.acked += run.measured.records_acked;
    row.offered += run.measured.records_offered;
    row.visible += run.measured.records_visible;
    row.requests += run.requests;
    row.log_bytes += run.measured.log_bytes;
    if (run.verdict == reports::Verdict::fail && !row.first_failing_seed)
        row.first_failing_seed = run.seed;
    if (anomalies > row.worst) {
        row.worst = anomalies;
        row.worst_seed = run.seed;
    }
    runs_[cell].push_back(run);
}

void SweepSums::add(const SweepRun& run) {
    add(run.cell, run.row);
    latencies_[run.cell].add(run.visible);
    if (run.broken && !broken_) broken_ = run.broken;
    for (std::size_t i = 0; i < run.milestones.size(); ++i) {
        const auto found = std::find_if(reached_.begin(), reached_.end(), [&](const auto& entry) {
            return entry.first == run.milestone_names[i];
        });
        if (found == reached_.end()) {
            reached_.emplace_back(run.milestone_names[i], run.milestones[i]);
        } else {
            found->second += run.milestones[i];
        }
    }
}

std::vector<reports::SweepRow> SweepSums::rows() const {
    auto rows = rows_;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].found = found_in(runs_[i]);
        rows[i].latency_p50 = latencies_[i].quantile(500);
        rows[i].latency_p99 = latencies_[i].quantile(990);
    }
    return rows;
}

}  // namespace eos
