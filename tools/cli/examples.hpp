#pragma once
// The example scenarios that ship with eosim: the library folder, read when somebody asks.

#include <string>
#include <vector>

namespace eos::cli {

struct Example {
    std::string name;   ///< "start/hello-duplicates"
    std::string about;  ///< first sentence of the file's `about`
    std::string path;
};
/// Sorted by name. Throws UsageError if the library is not found.
[[nodiscard]] std::vector<Example> examples();

/// The starter scenario of `init`, also what `bench` runs.
[[nodiscard]] std::string_view starter();

}  // namespace eos::cli
