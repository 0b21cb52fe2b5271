#include "tools/cli/run_many.hpp"

#include <fmt/format.h>

#include "reports/render/shell.hpp"
#include "reports/render/text.hpp"
#include "reports/render/words.hpp"
#include "sim/ensure.hpp"
#include "tools/cli/replaying.hpp"
#include "tools/cli/stop.hpp"
#include "tools/cli/usage.hpp"

namespace eos::cli {
namespace {

// Goes through files, prints a line per run and keeps score.
class Batch {
  public:
    Batch(const Options& options, std::optional<std::uint64_t> seed,
          const std::vector<scenarios::Override>& overrides, Screen& screen)
        : seed_(seed),
          overrides_(overrides),
          screen_(screen),
          sinks_(open_sinks(options.outs, {Format::json, Format::markdown, Format::junit})) {}

    void file(const std::string& path) {
        const auto input = open_input(path);
        if (input.repro) {
            repro(path);
            return;
        }
        if (!input.loaded.root) {
            invalid(path, input.loaded.diagnostics);
            return;
        }
        auto names = scenarios::variant_names(input.loaded);
        if (names.empty()) names.emplace_back();
        for (const auto& variant : names) {
            if (stop_flag().load()) return;
            scenarios::Request request;
            request.cell.variant = variant;
            request.overrides = overrides_;
            request.seed = seed_;
            const auto instance = scenarios::instantiate(input.loaded, request);
            if (!instance.scenario) {
                invalid(path, instance.diagnostics);
                return;
            }
            scenario(input, instance);
        }
    }

    int finish() {
        write_runs(sinks_, reports_, EventLevel::key);
        const auto total = passed_ + failed_ + undecided_ + differing_;
        const bool good = failed_ + undecided_ + differing_ + invalid_ + broken_ == 0;
        auto line = fmt::format("\n{}  {} of {} as expected", good ? "PASS" : "FAIL", passed_,
                                reports::counted(total, "run"));
        if (failed_ > 0) line += fmt::format(", {} not", failed_);
        if (undecided_ > 0) line += fmt::format(", {} undecided", undecided_);
        if (differing_ > 0) line += fmt::format(", {} not as recorded", differing_);
        if (invalid_ > 0) line += ", " + reports::counted(invalid_, "invalid file");
        if (broken_ > 0) line += ", " + reports::counted(broken_, "internal error");
        screen_.print(line + "\n");
        for (const auto& command : rerun_) screen_.print("      rerun  " + command + "\n");
        if (interrupted()) screen_.print("      interrupted, not every file was run\n");
        if (interrupted()) return exit_code::interrupted;
        if (broken_ > 0) return exit_code::internal;
        if (invalid_ > 0) return exit_code::invalid_file;
        if (failed_ > 0) return exit_code::not_met;
        if (differing_ > 0) return exit_code::differs;
        return undecided_ > 0 ? exit_code::inconclusive : exit_code::met;
    }

  private:
    void scenario(const Input& input, const scenarios::Instance& instance) {
        RunOptions how;
        how.level = level_for(sinks_.empty() ? EventLevel::none : EventLevel::key, sinks_);
        how.stop = &stop_flag();
        auto outcome = run_named(input, instance, overrides_, how);
        if (!outcome) {
            ++broken_;
            return;
        }
        if (outcome->interrupted) return;
        auto& report = outcome->report;
        screen_.print(reports::text_line(report));
        switch (report.verdict) {
            case reports::Verdict::pass:
                ++passed_;
                break;
            case reports::Verdict::fail:
                ++failed_;
                report.saved = save_repro(instance, *outcome);
                break;
            case reports::Verdict::inconclusive:
                ++undecided_;
                break;
        }
        if (report.verdict != reports::Verdict::pass) again(report.reproduce);
        keep(std::move(report));
    }

    void repro(const std::string& path) {
        const auto asked = sinks_.empty() ? EventLevel::none : EventLevel::key;
        auto replayed = replay_file(path, level_for(asked, sinks_));
        if (!replayed.loaded.repro) {
            invalid(path, replayed.loaded.diagnostics);
            return;
        }
        if (replayed.outcome.interrupted) return;
        auto& report = replayed.outcome.report;
        const bool good = replayed.problem.empty();
        ++(good ? passed_ : differing_);
        const auto why = good ? fmt::format("{} as recorded{}", replayed.loaded.repro->verdict,
                                            replayed.same_digest ? "" : ", by another trace")
                              : replayed.problem;
        screen_.print(fmt::format("{:<12} {:<52} {}\n", good ? "PASS" : "DIFFERS", path, why));
        if (!good) again({"eosim", "replay", path});
        // What was expected of a repro is what was recorded, whatever its verdict then.
        report.verdict = good ? reports::Verdict::pass : reports::Verdict::fail;
        report.expect = {
            {"replay", "as recorded", good ? "as recorded" : replayed.problem,
             good ? reports::ExpectRow::State::ok : reports::ExpectRow::State::failed}};
        keep(std::move(report));
    }

    void invalid(const std::string& path, const scenarios::Diagnostics& diagnostics) {
        ++invalid_;
        screen_.print(fmt::format(
            "{:<12} {:<52} {}\n", "INVALID", path,
            reports::counted(static_cast<std::int64_t>(diagnostics.errors()), "error")));
        (void)say_invalid(diagnostics);
    }
    void again(const std::vector<std::string>& words) {
        constexpr std::size_t most = 20;
        if (rerun_.size() < most) rerun_.push_back(reports::shell_lines(words, 13));
    }
    void keep(reports::RunReport report) {
        if (!sinks_.empty()) reports_.push_back(std::move(report));
    }

    std::optional<std::uint64_t> seed_;
    const std::vector<scenarios::Override>& overrides_;
    Screen& screen_;
    std::vector<Sink> sinks_;
    std::vector<reports::RunReport> reports_;
    std::vector<std::string> rerun_;
    std::int64_t passed_ = 0;
    std::int64_t failed_ = 0;
    std::int64_t undecided_ = 0;
    std::int64_t differing_ = 0;
    std::int64_t invalid_ = 0;
    std::int64_t broken_ = 0;
};

}  // namespace

std::optional<RunOutcome> run_named(const Input& input, const scenarios::Instance& instance,
                                    const std::vector<scenarios::Override>& overrides,
                                    const RunOptions& how) {
    try {
        auto outcome = run(*instance.scenario, how);
        name_run(outcome.report, input, instance, overrides);
        return outcome;
    } catch (const sim::BrokenContract& broken) {
        reports::RunReport report;
        name_run(report, input, instance, overrides);
        tell(fmt::format(
            "eosim: internal error: {}\n"
            "this is a bug of eosim, please report it with the scenario and the command\n"
            "      reproduce  {}\n",
            broken.what(), reports::shell_lines(report.reproduce, 17)));
        return std::nullopt;
    }
}

int run_many(const Options& options, std::optional<std::uint64_t> seed,
             const std::vector<scenarios::Override>& overrides, Screen& screen) {
    if (options.variant)
        throw UsageError("--variant needs a single file: a directory runs every variant");
    if (options.json || options.timing || options.events)
        throw UsageError("--json, --timing and --events need a single file",
                         "for results of a directory: --out FILE.json");
    Batch batch(options, seed, overrides, screen);
    for (const auto& word : options.words)
        for (const auto& path : scenario_files(word)) {
            if (stop_flag().load()) break;
            batch.file(path);
        }
    return batch.finish();
}

}  // namespace eos::cli
