#pragma once
// The screens of the command line: 98 columns, no colour needed, the same bytes for the same seed.

#include <string>
#include <vector>

#include "reports/result.hpp"

namespace eos::reports {

/// The screen of `run`.
[[nodiscard]] std::string text(const RunReport& report);

/// The screen of a run stopped on the way: story, events and numbers so far, no verdict.
[[nodiscard]] std::string text_so_far(const RunReport& report);

/// One line per run, for `run DIR/`: "PASS  name · variant   3 of 3".
[[nodiscard]] std::string text_line(const RunReport& report);

struct SweepReport {
    std::string scenario;
    std::string file;
    std::vector<SweepRow> rows;
    std::int64_t seeds = 0;                   ///< asked for, per variant
    std::int64_t planned = 0;                 ///< runs asked for
    std::string placed;                       ///< faults of sweep.place; empty: none
    std::vector<std::string> notes;           ///< sentences that change no verdict
    std::vector<std::string> undecided;       ///< sentences: why, and what to change
    std::vector<std::string> failing;         ///< commands that reproduce, one per failing variant
    std::vector<std::pair<std::string, bool>> claims;  ///< sweep.compare: text, held
    std::int32_t faults_fired = 0;
    std::int32_t faults_total = 0;
    std::int32_t milestones_seen = 0;
    std::int32_t milestones_total = 0;
    std::vector<std::string> never_reached;   ///< names, the first few
    std::vector<std::string> wrote;
    std::vector<std::string> kept;            ///< repro files
    std::int64_t resumed = 0;                 ///< runs read back, not made now
    std::string cut_short;                    ///< why not every run was made; empty: all were
    bool interrupted = false;
    Verdict verdict = Verdict::pass;
};
[[nodiscard]] std::string text(const SweepReport& report);

/// One line of `compare`: a mode, summed over the seeds.
struct ModeRow {
    std::string mode;
    SweepRow sums;
    bool promise_kept = true;
    std::string broken;                       ///< what it should not have shown
    std::vector<std::string> reproduce;       ///< runs the worst seed alone
};
struct CompareReport {
    std::string scenario;
    std::string file;
    std::string app;                          ///< empty: all of them
    std::int64_t seeds = 0;
    std::uint64_t first_seed = 1;
    std::vector<ModeRow> rows;
    std::int64_t batch = 0;
    bool interrupted = false;
};
[[nodiscard]] std::string text(const CompareReport& report);

}  // namespace eos::reports
