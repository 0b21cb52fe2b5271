#pragma once
// What `run` shares between one file and many.

#include <cstdint>
#include <optional>
#include <vector>

#include "scenarios/load.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/output.hpp"
#include "tools/cli/results.hpp"
#include "tools/run/run.hpp"

namespace eos::cli {

[[nodiscard]] EventLevel level_of(const Options& options);
/// What has to be kept so that every sink can be written.
[[nodiscard]] EventLevel level_for(EventLevel asked, const std::vector<Sink>& sinks);

/// Fills in where a run came from and the command that repeats it.
void name_run(reports::RunReport& report, const Input& input, const scenarios::Instance& instance,
              const std::vector<scenarios::Override>& overrides);

/// Runs and names. Empty if the simulator itself is at fault, which is told with the command.
[[nodiscard]] std::optional<RunOutcome> run_named(const Input& input,
                                                  const scenarios::Instance& instance,
                                                  const std::vector<scenarios::Override>& overrides,
                                                  const RunOptions& how);

/// Every scenario of every file and directory, every variant, one line each.
[[nodiscard]] int run_many(const Options& options, std::optional<std::uint64_t> seed,
                           const std::vector<scenarios::Override>& overrides, Screen& screen);

}  // namespace eos::cli
