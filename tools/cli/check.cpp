// eosim check: validates scenario and repro files. What it finds is its result: standard output.

#include <fmt/format.h>

#include "reports/render/words.hpp"
#include "scenarios/repro.hpp"
#include "tools/cli/loading.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

std::string fine(const Input& input) {
    const auto variants = scenarios::variant_names(input.loaded).size();
    auto line = input.path + ": ok";
    if (variants > 0)
        line += ", " + reports::counted(static_cast<std::int64_t>(variants), "variant");
    return line + "\n";
}

}  // namespace

int check_verb(const Options& options, Screen& screen) {
    if (options.words.empty())
        throw UsageError("check needs a file", "for example: eosim check scenario.yaml");
    auto format = scenarios::DiagnosticFormat::text;
    if (options.format == "json") format = scenarios::DiagnosticFormat::json;
    if (options.format == "github") format = scenarios::DiagnosticFormat::github;
    std::vector<std::string> paths;
    for (const auto& word : options.words)
        for (auto& path : scenario_files(word)) paths.push_back(std::move(path));

    int code = exit_code::met;
    const bool list = format == scenarios::DiagnosticFormat::json && paths.size() > 1;
    if (list) screen.print("[\n");
    for (std::size_t i = 0; i < paths.size(); ++i) {
        const auto input = open_input(paths[i]);
        const auto found = input.repro ? scenarios::load_repro_file(paths[i]).diagnostics
                                       : scenarios::check(input.loaded);
        auto text = scenarios::print(found, format);
        if (format == scenarios::DiagnosticFormat::text && !found.failed()) text += fine(input);
        if (list && i + 1 < paths.size() && text.ends_with('\n')) text.insert(text.size() - 1, ",");
        screen.print(text);
        if (found.failed() || (options.strict && found.warnings() > 0))
            code = exit_code::invalid_file;
    }
    if (list) screen.print("]\n");
    return code;
}

}  // namespace eos::cli
