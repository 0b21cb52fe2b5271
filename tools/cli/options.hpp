#pragma once
// The command line as plain data. The table of verbs and flags is made once with CLI11, in
// options.cpp, the only file that includes it; help, completion and parsing read that table. Values
// are texts here: verbs read numbers and times themselves, strictly.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace eos::cli {

struct Options {
    std::string verb;
    std::vector<std::string> words;  ///< files, or WHAT
    std::vector<std::string> sets;
    std::vector<std::string> outs;
    std::optional<std::string> seed, seeds, variant, events, time, jobs, stop_after, keep, app,
        modes, until, format, example, limit, at, event, nth, only;
    bool json = false, timing = false, resume = false, strict = false;
};

struct Parsed {
    std::optional<int> exit;  ///< help or version was asked for: nothing left to do
    std::string text;         ///< to print then
    Options options;
};
/// Throws UsageError.
[[nodiscard]] Parsed parse(int argc, char** argv);

/// What completion scripts and the man page need.
struct FlagInfo {
    std::string name;  ///< "--seed"
    std::string help;
    bool takes_value = false;
    std::string type;  ///< "N"
    std::vector<std::string> choices;
};
struct VerbInfo {
    std::string name;
    std::string help;
    std::string argument;  ///< "FILE"; empty: none
    std::vector<FlagInfo> flags;
    bool takes_files = false;
    std::vector<std::string> choices;  ///< of its argument
};
[[nodiscard]] std::vector<VerbInfo> verbs();

/// The man page, in troff.
[[nodiscard]] std::string man_page();

/// The screen without a verb.
[[nodiscard]] std::string root_help();

}  // namespace eos::cli
