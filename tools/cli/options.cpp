#include "tools/cli/options.hpp"

#include <algorithm>
#include <array>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "scenarios/catalogue.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/usage.hpp"
#include "tools/run/run.hpp"

namespace eos::cli {
namespace {

// Promised by the plan, refused until they exist.
constexpr std::array<std::string_view, 2> verbs_to_come{"shrink", "explain"};
constexpr std::array<std::string_view, 4> flags_to_come{"--step", "--break", "--depth",
                                                        "--anomaly"};

std::vector<std::string> list_choices() {
    std::vector<std::string> words;
    for (const auto topic : scenarios::catalogue_topics()) words.emplace_back(topic);
    words.emplace_back("examples");
    return words;
}

// The table: an App of CLI11 whose options write into `options`.
class Table {
  public:
    Table() : app_("simulate Kafka-style delivery guarantees, deterministically", "eosim") {
        app_.set_version_flag("--version", "eosim " + std::string(engine_version()));
        app_.require_subcommand(0, 1);
        app_.get_formatter()->column_width(26);
        app_.get_formatter()->label("REQUIRED", "");
        app_.get_formatter()->label("TEXT", "");

        auto* run = verb("run", "one simulation, judged; a directory: every scenario below it");
        files(run, "FILE", "scenario, repro file or directory");
        value(run, "--seed", options_.seed, "N", "seed, or 'random' (default: the file's)");
        value(run, "--variant", options_.variant, "NAME",
              "a variant, or a cell as sweep prints it");
        sets(run);
        outs(run, "FILE.json, .md or .junit.xml");
        flag(run, "--json", options_.json, "the result as JSON instead of the screen");
        choice(run, "--events", options_.events, {"none", "key", "rpc", "all"},
               "how much of the run to print (default key)");
        flag(run, "--timing", options_.timing, "wall-clock time, the only output that varies");

        auto* sweep = verb("sweep", "many seeds and variants in parallel, keeps what fails");
        files(sweep, "FILE", "scenario");
        value(sweep, "--seeds", options_.seeds, "A..B",
              "seeds, A..B or a,b,c (default: the file's, or 1..1000)");
        value(sweep, "--variant", options_.variant, "NAME", "only this variant, or this cell");
        sets(sweep);
        value(sweep, "--time", options_.time, "TIME", "stop after this time, e.g. 60s");
        jobs(sweep);
        value(sweep, "--stop-after", options_.stop_after, "N", "stop after N failing runs");
        value(sweep, "--keep", options_.keep, "N",
              "repro files of the first N failing runs (default 10)");
        value(sweep, "--limit", options_.limit, "N",
              "places to try per fault of sweep.place (default: all)");
        outs(sweep, "FILE.jsonl, .csv, .json, .md or .junit.xml");
        flag(sweep, "--resume", options_.resume,
             "skip the runs the --out FILE.jsonl holds already");

        auto* compare = verb("compare", "the same faults under every delivery mode, side by side");
        files(compare, "FILE", "scenario");
        value(compare, "--app", options_.app, "NAME",
              "only this app changes its mode (default: all)");
        value(compare, "--modes", options_.modes, "A,B,C", "delivery modes (default: all)");
        value(compare, "--seeds", options_.seeds, "A..B", "seeds (default: the file's, or 1..100)");
        sets(compare);
        jobs(compare);

        auto* replay =
            verb("replay", "run a repro file again and verify that it follows the record");
        files(replay, "REPRO", "repro file");
        value(replay, "--until", options_.until, "TIME", "stop at this virtual time, e.g. 8.1s");
        choice(replay, "--events", options_.events, {"none", "key", "rpc", "all"},
               "how much of the run to print (default key)");

        auto* inspect =
            verb("inspect", "what brokers, coordinators and clients know at a chosen moment");
        files(inspect, "FILE", "scenario or repro file");
        value(inspect, "--at", options_.at, "TIME",
              "this virtual time, e.g. 8.1s (default: the end of the run)");
        value(inspect, "--event", options_.event, "N|NAME",
              "after this many events, or a milestone as in 'when', e.g. txn.completed");
        value(inspect, "--nth", options_.nth, "N", "its n-th time, with a milestone (default 1)");
        value(inspect, "--seed", options_.seed, "N", "seed (default: the file's)");
        value(inspect, "--variant", options_.variant, "NAME",
              "a variant, or a cell as sweep prints it");
        sets(inspect);
        value(inspect, "--only", options_.only, "A,B,C",
              "of nodes, partitions, producers, transactions, groups, clients, messages");
        choice(inspect, "--format", options_.format, {"text", "json"}, "text (default) or json");

        auto* report = verb("report", "stored results as text, Markdown, JUnit, CSV, JSON");
        files(report, "RESULT", "results (.json, .jsonl)");
        outs(report, "FILE.md, .junit.xml, .csv, .jsonl or .json");

        auto* check = verb("check", "validate scenarios; errors point at line and column");
        check->alias("validate");
        files(check, "FILE", "scenarios, repro files or directories");
        choice(check, "--format", options_.format, {"text", "json", "github"},
               "text (default), json, or annotations for GitHub");
        flag(check, "--strict", options_.strict, "warnings are errors");

        auto* list = verb("list", "the words of the language: modes, faults, events, ...");
        words(list, "WHAT", list_choices(), "what to list");
        flag(list, "--json", options_.json, "as JSON");

        auto* schema = verb("schema", "JSON Schema of scenario files, results or states");
        words(schema, "WHAT", {"scenario", "result", "state"},
              "scenario (default), result, or state as inspect prints it");
        outs(schema, "FILE.json");

        auto* init = verb("init", "write a small commented scenario");
        files(init, "FILE", "where to write it (default scenario.yaml)");
        value(init, "--example", options_.example, "NAME", "one of 'eosim list examples' instead");

        auto* bench = verb("bench", "events and runs per second on this machine");
        value(bench, "--time", options_.time, "TIME", "how long to measure (default 5s)");

        auto* completion = verb("completion", "completion script of a shell");
        words(completion, "SHELL", {"bash", "zsh", "fish"}, "bash, zsh or fish");
    }

    CLI::App& app() { return app_; }
    Options& options() { return options_; }
    [[nodiscard]] const std::vector<std::string>& choices_of(const CLI::Option* option) const {
        static const std::vector<std::string> none;
        for (const auto& [known, choices] : choices_)
            if (known == option) return choices;
        return none;
    }

  private:
    CLI::App* verb(const char* name, const char* help) {
        auto* sub = app_.add_subcommand(name, help);
        sub->get_formatter()->column_width(26);
        return sub;
    }
    void files(CLI::App* sub, const char* name, const char* help) {
        sub->add_option(name, options_.words, help)->type_name("");
    }
    void words(CLI::App* sub, const char* name, std::vector<std::string> choices,
               const char* help) {
        auto* option = sub->add_option(name, options_.words, help)->type_name("");
        choices_.emplace_back(option, std::move(choices));
    }
    CLI::Option* value(CLI::App* sub, const char* name, std::optional<std::string>& target,
                       const char* type, const char* help) {
        const auto take = [&target](const CLI::results_t& results) {
            target = results.back();
            return true;
        };
        return sub->add_option(name, take, help)
            ->type_name(type)
            ->expected(1)
            ->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    }
    void choice(CLI::App* sub, const char* name, std::optional<std::string>& target,
                std::vector<std::string> choices, const char* help) {
        std::string type;
        for (const auto& word : choices) type += (type.empty() ? "" : "|") + word;
        choices_.emplace_back(value(sub, name, target, type.c_str(), help), std::move(choices));
    }
    static void flag(CLI::App* sub, const char* name, bool& target, const char* help) {
        sub->add_flag(name, target, help)->disable_flag_override();
    }
    void sets(CLI::App* sub) {
        many(sub, "--set", options_.sets, "PATH=VALUE", "overrule a field of the file; repeatable");
    }
    void outs(CLI::App* sub, const char* help) { many(sub, "--out", options_.outs, "FILE", help); }
    void jobs(CLI::App* sub) {
        value(sub, "--jobs", options_.jobs, "N", "runs at a time (default: the cores)");
    }
    static void many(CLI::App* sub, const char* name, std::vector<std::string>& target,
                     const char* type, const char* help) {
        sub->add_option(name, target, help)
            ->type_name(type)
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
    }

    Options options_;
    CLI::App app_;
    std::vector<std::pair<const CLI::Option*, std::vector<std::string>>> choices_;
};

std::vector<std::string> verb_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const auto* sub : app.get_subcommands({})) {
        names.push_back(sub->get_name());
        for (const auto& alias : sub->get_aliases()) names.push_back(alias);
    }
    return names;
}

std::vector<std::string> flag_names(const CLI::App& sub) {
    std::vector<std::string> names;
    for (const auto* option : sub.get_options())
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
    return names;
}

bool to_come(std::string_view word) {
    return std::find(verbs_to_come.begin(), verbs_to_come.end(), word) != verbs_to_come.end() ||
           std::find(flags_to_come.begin(), flags_to_come.end(), word) != flags_to_come.end();
}

// What CLI11 did not expect: the first flag nobody knows, else a word too many.
[[noreturn]] void unexpected(const CLI::App& sub, int argc, char** argv) {
    const auto known = flag_names(sub);
    for (int i = 1; i < argc; ++i) {
        const std::string whole = argv[i];
        if (whole == "--") break;
        if (whole.size() < 2 || whole[0] != '-') continue;
        const auto name = whole.substr(0, whole.find('='));
        if (std::find(known.begin(), known.end(), name) != known.end() || name == "-h") {
            // The value of a known flag is no flag itself.
            const auto* option = sub.get_option_no_throw(name);
            if (option != nullptr && option->get_items_expected_max() > 0 && name == whole) ++i;
            continue;
        }
        if (to_come(name))
            throw UsageError(fmt::format("'{}' is not available yet", name),
                             fmt::format("eosim {} --help lists what is", sub.get_name()));
        auto hint = suggest(name, known);
        if (hint.empty()) hint = fmt::format("eosim {} --help lists the options", sub.get_name());
        throw UsageError(fmt::format("{} does not know the option '{}'", sub.get_name(), name),
                         hint);
    }
    throw UsageError(fmt::format("{} takes fewer arguments", sub.get_name()),
                     fmt::format("see eosim {} --help", sub.get_name()));
}

void check_choice(const Table& table, const CLI::App& sub, std::string_view flag,
                  const std::optional<std::string>& given) {
    if (!given) return;
    const auto* option = sub.get_option_no_throw(std::string(flag));
    const auto& choices = table.choices_of(option);
    if (std::find(choices.begin(), choices.end(), *given) == choices.end())
        throw UsageError(fmt::format("{}: '{}' is not one of its values", flag, *given),
                         suggest_or_list(*given, choices));
}

// eosim help, help VERB, help --man.
std::string help_on(std::string_view what, const std::vector<std::string>& names,
                    const CLI::App& app) {
    if (what.empty() || what == "--help" || what == "-h") return root_help();
    if (what == "--man") return man_page();
    if (std::find(names.begin(), names.end(), what) == names.end())
        throw UsageError(fmt::format("there is no help on '{}'", what),
                         suggest_or_list(std::string(what), names));
    return app.get_subcommand(std::string(what))->help("eosim");
}

}  // namespace

std::string root_help() {
    return R"(eosim - simulate Kafka-style delivery guarantees, deterministically

Usage: eosim <command> [options]

Start
  init [FILE]          write a small commented scenario
  check FILE...        validate; errors point at line and column
  run FILE             simulate once and judge; a directory: everything below it
Find
  sweep FILE           many seeds and variants in parallel, keeps what fails
  compare FILE         the same faults under every delivery mode, side by side
Understand
  replay REPRO         run a saved failure again and verify that it follows the record
  inspect FILE         what everybody knows at a chosen moment: transactions, producers, groups
  report RESULT...     stored results as text, Markdown, JUnit, CSV, JSON
Look up
  list WHAT            modes faults events expectations mistakes bugs safeguards examples ...
  schema, completion, bench

Try   eosim run scenarios/start/hello-duplicates.yaml
Help  eosim <command> --help, eosim help --man
Exit  0 as expected  1 not as expected  2 usage  3 bad file  4 inconclusive  5 replay differs
)";
}

Parsed parse(int argc, char** argv) {
    Parsed parsed;
    if (argc < 2) {
        parsed.exit = exit_code::met;
        parsed.text = root_help();
        return parsed;
    }
    Table table;
    const std::string_view first = argv[1];
    const auto names = verb_names(table.app());
    if (first == "--help" || first == "-h" || first == "help") {
        parsed.exit = exit_code::met;
        parsed.text = help_on(argc > 2 ? argv[2] : "", names, table.app());
        return parsed;
    }
    if (!first.starts_with('-') && std::find(names.begin(), names.end(), first) == names.end()) {
        if (to_come(first))
            throw UsageError(fmt::format("'{}' is not available yet", first),
                             "eosim --help lists what is");
        auto hint = suggest(first, names);
        if (hint.empty()) hint = "eosim --help lists the commands";
        throw UsageError(fmt::format("unknown command '{}'", first), hint);
    }
    const CLI::App* sub = nullptr;
    try {
        table.app().parse(argc, argv);
    } catch (const CLI::CallForHelp&) {
        parsed.exit = exit_code::met;
        const auto chosen = table.app().get_subcommands();
        parsed.text = chosen.empty() ? root_help() : chosen.front()->help("eosim");
        return parsed;
    } catch (const CLI::CallForVersion&) {
        parsed.exit = exit_code::met;
        parsed.text = "eosim " + std::string(engine_version()) + "\n";
        return parsed;
    } catch (const CLI::ExtrasError&) {
        const auto chosen = table.app().get_subcommands();
        if (!chosen.empty()) unexpected(*chosen.front(), argc, argv);
        throw UsageError(fmt::format("unknown option '{}'", first),
                         "eosim <command> [options]: the command comes first");
    } catch (const CLI::ParseError& error) {
        const auto chosen = table.app().get_subcommands();
        throw UsageError(error.what(), chosen.empty() ? "see eosim --help"
                                                      : fmt::format("see eosim {} --help",
                                                                    chosen.front()->get_name()));
    }
    const auto chosen = table.app().get_subcommands();
    if (chosen.empty()) throw UsageError("there is no command", "eosim --help lists the commands");
    sub = chosen.front();
    parsed.options = std::move(table.options());
    parsed.options.verb = sub->get_name();
    check_choice(table, *sub, "--events", parsed.options.events);
    check_choice(table, *sub, "--format", parsed.options.format);
    return parsed;
}

std::vector<VerbInfo> verbs() {
    Table table;
    std::vector<VerbInfo> result;
    for (const auto* sub : table.app().get_subcommands({})) {
        VerbInfo verb{sub->get_name(), sub->get_description(), {}, {}, false, {}};
        for (const auto* option : sub->get_options()) {
            const auto& choices = table.choices_of(option);
            if (option->get_lnames().empty()) {
                verb.argument = option->get_name();
                verb.choices = choices;
                verb.takes_files = choices.empty();
                continue;
            }
            verb.flags.push_back({"--" + option->get_lnames().front(), option->get_description(),
                                  option->get_items_expected_max() > 0, option->get_type_name(),
                                  choices});
        }
        result.push_back(std::move(verb));
    }
    return result;
}

}  // namespace eos::cli
