#pragma once
// A repro file run again: does the run still follow the decisions that were recorded, and does it
// still come to the same end?

#include <optional>
#include <string>

#include "scenarios/repro.hpp"
#include "tools/run/run.hpp"

namespace eos::cli {

struct Replayed {
    scenarios::LoadedRepro loaded;  ///< without a repro: its diagnostics say why
    RunOutcome outcome;
    std::string problem;  ///< empty: verdict and anomalies are the recorded ones
    bool same_digest = false;
};
[[nodiscard]] Replayed replay_file(const std::string& path, EventLevel level,
                                   std::optional<sim::Duration> until = {});

}  // namespace eos::cli
