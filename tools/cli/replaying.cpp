#include "tools/cli/replaying.hpp"

#include <fmt/format.h>

#include "tools/cli/stop.hpp"

namespace eos::cli {
namespace {

std::string difference(const scenarios::Repro& repro, const RunOutcome& outcome) {
    const auto& report = outcome.report;
    if (outcome.divergence) {
        const auto& d = *outcome.divergence;
        return fmt::format("it leaves the record at decision {} of {}: {}", d.step + 1,
                           repro.decisions.size(), d.what);
    }
    for (const auto& word : repro.anomalies) {
        const auto count = reports::count_named(word);
        if (!count || report.findings.total(*count) == 0)
            return fmt::format("the anomaly '{}' does not appear again", word);
    }
    if (repro.verdict != reports::name(report.verdict))
        return fmt::format("the verdict was {}, now it is {}", repro.verdict,
                           reports::name(report.verdict));
    return "";
}

}  // namespace

Replayed replay_file(const std::string& path, EventLevel level,
                     std::optional<sim::Duration> until) {
    Replayed replayed;
    replayed.loaded = scenarios::load_repro_file(path);
    if (!replayed.loaded.repro || !replayed.loaded.scenario) return replayed;
    const auto& repro = *replayed.loaded.repro;
    RunOptions options;
    options.level = level;
    options.operations = true;
    options.script = std::make_shared<const faults::Script>(repro.decisions);
    options.stop = &stop_flag();
    options.until = until;
    replayed.outcome = run(*replayed.loaded.scenario, options);
    auto& report = replayed.outcome.report;
    report.file = path;
    report.reproduce = {"eosim", "replay", path};
    replayed.problem = difference(repro, replayed.outcome);
    replayed.same_digest = repro.digest == fmt::format("{:016x}", report.digest);
    return replayed;
}

}  // namespace eos::cli
