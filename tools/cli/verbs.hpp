#pragma once
// One function per verb; each gives the exit code. They throw UsageError, OutputError and
// sim::BrokenContract, which main turns into exit codes.

#include "tools/cli/options.hpp"
#include "tools/cli/output.hpp"

namespace eos::cli {

[[nodiscard]] int run_verb(const Options& options, Screen& screen);
[[nodiscard]] int sweep_verb(const Options& options, Screen& screen);
[[nodiscard]] int compare_verb(const Options& options, Screen& screen);
[[nodiscard]] int replay_verb(const Options& options, Screen& screen);
[[nodiscard]] int inspect_verb(const Options& options, Screen& screen);
[[nodiscard]] int report_verb(const Options& options, Screen& screen);
[[nodiscard]] int check_verb(const Options& options, Screen& screen);
[[nodiscard]] int list_verb(const Options& options, Screen& screen);
[[nodiscard]] int schema_verb(const Options& options, Screen& screen);
[[nodiscard]] int init_verb(const Options& options, Screen& screen);
[[nodiscard]] int bench_verb(const Options& options, Screen& screen);
[[nodiscard]] int completion_verb(const Options& options, Screen& screen);

}  // namespace eos::cli
