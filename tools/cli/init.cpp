// eosim init: a small commented scenario to begin with.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <fmt/format.h>

#include "reports/render/shell.hpp"
#include "reports/render/words.hpp"
#include "tools/cli/examples.hpp"
#include "tools/cli/numbers.hpp"
#include "tools/cli/usage.hpp"
#include "tools/cli/verbs.hpp"

namespace eos::cli {
namespace {

std::string example_text(const std::string& name) {
    std::vector<std::string> names;
    for (const auto& example : examples()) {
        names.push_back(example.name);
        // The name without its folder will do.
        if (example.name != name && !example.name.ends_with("/" + name)) continue;
        std::ifstream file(example.path, std::ios::binary);
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    }
    auto hint = suggest(name, names);
    if (hint.empty()) hint = "eosim list examples";
    throw UsageError(fmt::format("--example: there is no example '{}'", name), hint);
}

}  // namespace

int init_verb(const Options& options, Screen& screen) {
    if (options.words.size() > 1)
        throw UsageError(fmt::format("init writes one file, '{}' is too many", options.words[1]));
    const auto path = options.words.empty() ? std::string("scenario.yaml") : options.words.front();
    const auto text = options.example ? example_text(*options.example) : std::string(starter());
    std::error_code ignored;
    if (std::filesystem::exists(std::filesystem::symlink_status(path, ignored)))
        throw UsageError(fmt::format("{} exists already and is left as it is", path),
                         "name another file: eosim init FILE");
    write_file(path, text);
    const auto lines = std::count(text.begin(), text.end(), '\n');
    screen.print(fmt::format("wrote {} ({})\nedit it, then:  {} && {}\n", path,
                             reports::counted(lines, "line"),
                             reports::shell_line({"eosim", "check", path}),
                             reports::shell_line({"eosim", "run", path})));
    return exit_code::met;
}

}  // namespace eos::cli
