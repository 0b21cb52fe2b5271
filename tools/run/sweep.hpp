#pragma once
// Seeds x variants x matrix on all cores. Runs are independent; results are handed on in the order of
// the plan whatever thread finished first, so that output does not depend on the number of jobs.

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reports/render/text.hpp"
#include "reports/result.hpp"
#include "scenarios/load.hpp"
#include "tools/run/run.hpp"

namespace eos {

/// One run of sweep.place: each placed fault at one occurrence of its trigger.
struct Place {
    std::size_t cell = 0;
    std::uint64_t seed = 0;
    std::vector<std::int64_t> nth;                   ///< by placed fault, from 1
    friend bool operator==(const Place&, const Place&) = default;
};

struct SweepPlan {
    std::vector<scenarios::Cell> cells;
    std::vector<std::uint64_t> seeds;
    std::vector<std::string> placed;                 ///< names of the faults of sweep.place
    std::vector<Place> places;                       ///< with `placed`: the runs, by cell and seed
    std::vector<scenarios::Override> overrides;
    std::int32_t jobs = 1;
    std::optional<std::int64_t> stop_after;          ///< failing runs
    std::set<std::pair<std::string, std::uint64_t>> done;  ///< (variant, seed): resumed, not run
    const std::atomic<bool>* stop = nullptr;
};

/// What one run of a sweep leaves behind.
struct SweepRun {
    std::size_t cell = 0;
    std::vector<scenarios::Override> place;          ///< of the placed faults, as --set options
    reports::RunRow row;
    reports::Histogram visible;
    std::vector<std::int64_t> milestones;            ///< in the order of the first run's names
    std::vector<std::string> milestone_names;        ///< of this run
    std::optional<std::string> broken;               ///< the simulator itself failed: its words
};

class SweepSums {
  public:
    SweepSums(std::vector<std::string> variants);
    void add(const SweepRun& run);
    /// A row read back from a results file (--resume).
    void add(std::size_t cell, const reports::RunRow& row);
    [[nodiscard]] std::vector<reports::SweepRow> rows() const;
    /// A metric's values over the seeds of a variant, times 1000: for sweep.compare.
    [[nodiscard]] const std::vector<reports::RunRow>& runs(std::size_t cell) const {
        return runs_[cell];
    }
    /// Reached at least once by any run: (name, times).
    [[nodiscard]] const std::vector<std::pair<std::string, std::int64_t>>& reached() const {
        return reached_;
    }
    [[nodiscard]] std::optional<std::string> broken() const { return broken_; }

  private:
    std::vector<reports::SweepRow> rows_;
    std::vector<reports::Histogram> latencies_;
    std::vector<std::vector<reports::RunRow>> runs_;
    std::vector<std::pair<std::string, std::int64_t>> reached_;
    std::optional<std::string> broken_;
};

/// Seeds of one cell whose drawn values (sweep.draw) do not go together: no runs.
struct LeftOut {
    std::size_t cell = 0;
    std::uint64_t seed = 0;                          ///< the first
    std::int64_t seeds = 0;                          ///< how many
    std::string because;                             ///< what the reader said of the first
};
/// Runs that were left out, by their place in the plan, as one row for each cell.
[[nodiscard]] std::vector<LeftOut> by_cell(const std::map<std::size_t, LeftOut>& runs);

/// Where placed faults can strike: the occurrences their triggers have in the fault-free run of each
/// cell and seed; `limit` of them, spread evenly, if there are more. Two faults: every pair.
struct Places {
    std::vector<Place> all;
    std::vector<std::string> nowhere;                ///< "crash in plain, seed 3": never triggered
    std::vector<std::string> thinned;                ///< "crash: 10 of 3411 in plain, seed 3"
    std::vector<LeftOut> left_out;                   ///< seeds without a fault-free run
    std::size_t wanted = 0;                          ///< more than `most`: `all` is empty
};
[[nodiscard]] Places find_places(const scenarios::Loaded& loaded, const SweepPlan& plan,
                                 std::optional<std::int64_t> limit, std::size_t most);
/// "faults.crash.nth=3": what makes one placed run of a scenario.
[[nodiscard]] std::vector<scenarios::Override> overrides_of(const SweepPlan& plan,
                                                            const Place& place);
/// The scenario of one cell and seed of a plan, with what was wrong about it.
[[nodiscard]] scenarios::Instance instance_at(const scenarios::Loaded& loaded,
                                              const SweepPlan& plan, std::size_t cell,
                                              std::uint64_t seed);
/// The scenario alone, or the first error: drawn values may not go together.
struct Seeded {
    std::optional<scenarios::Scenario> scenario;
    std::string problem;
};
[[nodiscard]] Seeded seeded_at(const scenarios::Loaded& loaded, const SweepPlan& plan,
                               std::size_t cell, std::uint64_t seed);

struct Swept {
    bool complete = false;                           ///< every planned run was made or left out
    std::vector<LeftOut> left_out;                   ///< by cell
};

/// Runs the plan. `each` is called with every finished run in the order of the plan, from one thread
/// at a time.
[[nodiscard]] Swept sweep(const scenarios::Loaded& loaded, const SweepPlan& plan,
                          const std::function<void(const SweepRun&)>& each);

/// The row of a run.
[[nodiscard]] reports::RunRow row_of(const reports::RunReport& report);

/// Checks a claim of sweep.compare over the sums.
[[nodiscard]] std::pair<std::string, bool> check_claim(const scenarios::Claim& claim,
                                                       const std::vector<std::string>& variants,
                                                       const SweepSums& sums);

/// The same faults under each mode (`compare`).
struct ComparePlan {
    std::string file;
    std::string app;                       ///< empty: all
    std::vector<std::string> modes;
    std::vector<std::uint64_t> seeds;
    std::vector<scenarios::Override> overrides;
    std::int32_t jobs = 1;
    const std::atomic<bool>* stop = nullptr;
};
/// Empty with diagnostics if a mode cannot be laid over the file.
struct Compared {
    std::optional<reports::CompareReport> report;
    scenarios::Diagnostics diagnostics;
    std::optional<std::string> broken;     ///< the simulator itself failed: its words
};
[[nodiscard]] Compared compare(const scenarios::Loaded& loaded, const ComparePlan& plan,
                               const std::function<void(std::int64_t, std::int64_t)>& progress);

}  // namespace eos
