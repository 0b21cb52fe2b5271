// eosim replay: a repro file again, decision by decision; exit 5 when the run goes another way.

#include <fmt/format.h>

#include "reports/render/text.hpp"
#include "reports/render/words.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/replaying.hpp"
#include "tools/cli/run_many.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {

int replay_verb(const Options& options, Screen& screen) {
    const auto& path = only_file(options, ".eosim/NAME-VARIANT-SEED.repro.yaml");
    std::optional<sim::Duration> until;
    if (options.until) until = duration("--until", *options.until);
    const auto replayed = replay_file(path, level_of(options), until);
    if (!replayed.loaded.repro) return say_invalid(replayed.loaded.diagnostics);
    const auto& repro = *replayed.loaded.repro;
    const auto& report = replayed.outcome.report;

    if (until && !replayed.outcome.interrupted) {
        screen.print(reports::text_so_far(report));
        screen.print(fmt::format("\nSTOPPED  at {}, {} events; the verdict is not asked for\n",
                                 reports::seconds_text(report.simulated),
                                 reports::grouped(static_cast<std::int64_t>(report.events))));
        if (!replayed.outcome.divergence) return exit_code::met;
        screen.print(fmt::format("DIFFERS  {}\n", replayed.problem));
        return exit_code::differs;
    }
    screen.print(reports::text(report));
    if (replayed.outcome.interrupted) return exit_code::interrupted;
    if (replayed.problem.empty() && replayed.same_digest) {
        screen.print(fmt::format(
            "REPLAYED  {} as recorded, {}, the same trace\n", repro.verdict,
            reports::counted(static_cast<std::int64_t>(repro.decisions.size()), "decision")));
        return exit_code::met;
    }
    screen.print(
        fmt::format("DIFFERS  {}\n",
                    replayed.problem.empty()
                        ? fmt::format("the end is the recorded one, by another trace: the digest "
                                      "was {}",
                                      repro.digest)
                        : replayed.problem));
    if (repro.engine != engine_version())
        screen.print(fmt::format("      recorded by eosim {}, this is {}\n", repro.engine,
                                 engine_version()));
    return exit_code::differs;
}

}  // namespace eos::cli
