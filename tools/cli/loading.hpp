#pragma once
// From the words of a command to scenarios: files, directories, variants and cells by name, --set.

#include <optional>
#include <string>
#include <vector>

#include "scenarios/load.hpp"
#include "tools/cli/options.hpp"

namespace eos::cli {

struct Input {
    scenarios::Loaded loaded;
    std::string path;
    std::string digest;  ///< of the file's bytes, 16 hexadecimal digits
    bool repro = false;
};
[[nodiscard]] Input open_input(const std::string& path);

[[nodiscard]] bool is_directory(const std::string& path);
/// Scenario and repro files below a directory, sorted; the path itself if it is a file.
[[nodiscard]] std::vector<std::string> scenario_files(const std::string& path);

/// The one file a verb works on. Throws UsageError if there is none, or more.
[[nodiscard]] const std::string& only_file(const Options& options, const std::string& example);

/// "variant path=value": what reports call a cell, and --variant takes.
[[nodiscard]] std::string cell_name(const scenarios::Loaded& loaded, const scenarios::Cell& cell);
/// The cells --variant names: those of a variant, or one by its full name; all without a name.
[[nodiscard]] std::vector<scenarios::Cell> cells_named(const Input& input,
                                                       const std::optional<std::string>& name);
/// The single cell `run` works on: a variant without its matrix, or a cell by its full name.
[[nodiscard]] scenarios::Cell cell_to_run(const Input& input,
                                          const std::optional<std::string>& name);
[[nodiscard]] std::vector<scenarios::Override> overrides_of(const Options& options);

/// Prints what is wrong with a file to standard error; gives the exit code.
[[nodiscard]] int say_invalid(const scenarios::Diagnostics& diagnostics);

[[nodiscard]] int jobs_of(const Options& options);

/// The folder of example scenarios: $EOSIM_LIBRARY, or `scenarios` above the program or here.
[[nodiscard]] std::optional<std::string> library();

}  // namespace eos::cli
