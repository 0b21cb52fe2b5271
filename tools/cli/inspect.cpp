// eosim inspect: a run up to a chosen moment, and the state of every transaction, producer entry,
// group, partition and client then.

#include "tools/run/inspect.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "reports/render/state.hpp"
#include "reports/render/words.hpp"
#include "scenarios/repro.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/stop.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

std::vector<reports::Section> sections_of(const Options& options) {
    if (!options.only) return reports::all_sections();
    const std::vector<std::string> known(reports::section_names.begin(),
                                         reports::section_names.end());
    std::vector<reports::Section> asked;
    for (const auto& word : word_list("--only", *options.only)) {
        const auto section = reports::section_named(word);
        if (!section)
            throw UsageError(fmt::format("--only: there is no section '{}'", word),
                             suggest_or_list(word, known));
        asked.push_back(*section);
    }
    // In the order of the screen, whatever the order of the flag.
    std::vector<reports::Section> result;
    for (const auto section : reports::all_sections())
        if (std::find(asked.begin(), asked.end(), section) != asked.end())
            result.push_back(section);
    return result;
}

bool a_number(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

StopAt moment_of(const Options& options, const scenarios::Scenario& scenario) {
    StopAt at;
    if (options.at && options.event)
        throw UsageError("--at and --event name two moments", "give one of them");
    if (options.at) {
        at.time = duration("--at", *options.at);
        const auto whole = scenario.duration + scenario.settle;
        if (*at.time > whole)
            throw UsageError(fmt::format("--at: {} is past the end of the run", *options.at),
                             fmt::format("duration and settle of {} add up to {}", scenario.name,
                                         reports::short_text(whole)));
    }
    const bool milestone = options.event && !a_number(*options.event);
    if (options.nth && !milestone)
        throw UsageError("--nth counts how often a milestone is reached",
                         "give --event NAME with it, for example --event txn.completed");
    if (!options.event) return at;
    if (!milestone) {
        at.event = whole_number("--event", *options.event, 0, UINT64_MAX);
        return at;
    }
    at.milestone = milestone_named(scenario, *options.event);
    if (!at.milestone) {
        auto hint = suggest(*options.event, milestone_names(scenario));
        if (hint.empty())
            hint = "a number, or a name that 'eosim list events' prints, or fault.NAME";
        throw UsageError(fmt::format("--event: '{}' is neither a number nor a milestone of {}",
                                     *options.event, scenario.name),
                         hint);
    }
    if (options.nth)
        at.occurrence =
            static_cast<std::int64_t>(whole_number("--nth", *options.nth, 1, INT64_MAX));
    return at;
}

/// What the run is made of: a scenario and, from a repro file, its decisions.
struct Subject {
    std::optional<scenarios::Scenario> scenario;
    std::shared_ptr<const faults::Script> script;
    int code = exit_code::met;  ///< without a scenario: how to end
};

Subject subject_of(const Options& options) {
    const auto input = open_input(only_file(options, "scenarios/txn/held-endtxn.yaml"));
    Subject subject;
    if (input.repro) {
        if (options.seed || options.variant || !options.sets.empty())
            throw UsageError(
                "a repro file is run as it was recorded: no --seed, --variant or --set",
                "edit the scenario inside it, or inspect the scenario it came from");
        auto loaded = scenarios::load_repro_file(input.path);
        if (!loaded.repro || !loaded.scenario) {
            subject.code = say_invalid(loaded.diagnostics);
            return subject;
        }
        subject.script = std::make_shared<const faults::Script>(loaded.repro->decisions);
        subject.scenario = std::move(loaded.scenario);
        return subject;
    }
    if (!input.loaded.root) {
        subject.code = say_invalid(input.loaded.diagnostics);
        return subject;
    }
    scenarios::Request request;
    request.cell = cell_to_run(input, options.variant);
    request.overrides = overrides_of(options);
    if (options.seed) request.seed = whole_number("--seed", *options.seed, 0, UINT64_MAX);
    auto instance = scenarios::instantiate(input.loaded, request);
    if (!instance.scenario) {
        subject.code = say_invalid(instance.diagnostics);
        return subject;
    }
    subject.scenario = std::move(instance.scenario);
    return subject;
}

/// Why there is nothing to show: on standard error, so that what reads the state is not misled.
int never_there(const Options& options, const Inspection& found) {
    const auto& now = found.state;
    const auto end =
        fmt::format("the run {} at {} after {}", found.cut_short.empty() ? "ends" : "was cut short",
                    reports::seconds_text(now.at.time_since_epoch()),
                    reports::counted(static_cast<std::int64_t>(now.events), "event"));
    if (!found.cut_short.empty()) {
        tell(fmt::format("eosim: {}: {}\n", end, found.cut_short));
        return exit_code::inconclusive;
    }
    if (a_number(*options.event))
        throw UsageError(fmt::format("--event: {} is past the end of the run", *options.event),
                         end);
    tell(found.occurrences == 0
             ? fmt::format("eosim: {} is never reached, {}\n", *options.event, end)
             : fmt::format("eosim: {} is reached {} only, {}\n", *options.event,
                           reports::counted(found.occurrences, "time"), end));
    return exit_code::inconclusive;
}

}  // namespace

int inspect_verb(const Options& options, Screen& screen) {
    const auto sections = sections_of(options);
    const auto subject = subject_of(options);
    if (!subject.scenario) return subject.code;

    InspectOptions how;
    how.stop_at = moment_of(options, *subject.scenario);
    how.script = subject.script;
    how.stop = &stop_flag();
    auto found = inspect(*subject.scenario, how);
    if (found.interrupted) return exit_code::interrupted;
    if (!found.reached) return never_there(options, found);
    if (how.stop_at.milestone) {
        found.state.stopped_at = *options.event;
        found.state.occurrence = found.occurrences;
    }
    screen.print(options.format == "json" ? reports::json(found.state, sections)
                                          : reports::text(found.state, sections));
    if (!found.divergence) return exit_code::met;
    tell(fmt::format("eosim: the run leaves the record at decision {}: {}\n",
                     found.divergence->step + 1, found.divergence->what));
    return exit_code::differs;
}

}  // namespace eos::cli
