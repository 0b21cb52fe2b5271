// The command line of eosim: parses, calls one verb, and turns what it throws into exit codes.

#include <cstdio>
#include <exception>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "reports/render/shell.hpp"
#include "sim/ensure.hpp"
#include "tools/cli/options.hpp"
#include "tools/cli/stop.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace {

using namespace eos;

int dispatch(const cli::Options& options, cli::Screen& screen) {
    struct Row {
        std::string_view name;
        int (*call)(const cli::Options&, cli::Screen&);
    };
    constexpr Row rows[] = {{"run", cli::run_verb},         {"sweep", cli::sweep_verb},
                            {"compare", cli::compare_verb}, {"replay", cli::replay_verb},
                            {"inspect", cli::inspect_verb}, {"report", cli::report_verb},
                            {"check", cli::check_verb},     {"list", cli::list_verb},
                            {"schema", cli::schema_verb},   {"init", cli::init_verb},
                            {"bench", cli::bench_verb},     {"completion", cli::completion_verb}};
    for (const auto& row : rows)
        if (row.name == options.verb) return row.call(options, screen);
    throw cli::UsageError(fmt::format("unknown command '{}'", options.verb));
}

int act(int argc, char** argv) {
    cli::Screen screen;
    const auto parsed = cli::parse(argc, argv);
    if (parsed.exit) {
        screen.print(parsed.text);
        screen.finish();
        return *parsed.exit;
    }
    const int code = dispatch(parsed.options, screen);
    screen.finish();
    return code;
}

int internal_error(int argc, char** argv, const std::string& what) {
    std::vector<std::string> words{"eosim"};
    for (int i = 1; i < argc; ++i) words.emplace_back(argv[i]);
    cli::tell(
        fmt::format("eosim: internal error: {}\n"
                    "this is a bug of eosim, please report it with the command\n"
                    "      reproduce  {}\n",
                    what, reports::shell_lines(words, 17)));
    return cli::exit_code::internal;
}

}  // namespace

int main(int argc, char** argv) {
    cli::handle_signals();
    try {
        return act(argc, argv);
    } catch (const cli::UsageError& error) {
        cli::tell(fmt::format("eosim: {}\n", error.what()));
        if (!error.hint().empty()) cli::tell(fmt::format("{}\n", error.hint()));
        return cli::exit_code::usage;
    } catch (const cli::OutputError& error) {
        cli::tell(fmt::format("eosim: {}\n", error.what()));
        return cli::exit_code::cannot_write;
    } catch (const std::exception& error) {
        return internal_error(argc, argv, error.what());
    }
}
