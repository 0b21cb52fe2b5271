#pragma once
// A failing run, kept so that it still means something after the code has changed: the scenario
// with all overlays laid in, the seed, every decision chance took, what went wrong, and the digest.
// The file is YAML with the key `eosim-repro` first; it is read back with positioned diagnostics.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faults/script.hpp"
#include "scenarios/load.hpp"

namespace eos::scenarios {

struct Repro {
    std::string engine;   ///< version that recorded it
    std::string variant;  ///< where it came from; already laid in
    std::string cell;
    std::uint64_t seed = 1;
    std::vector<DrawnValue> drawn;  ///< of sweep.draw; already laid in
    faults::Script decisions;
    std::vector<std::string> anomalies;  ///< classes that must appear again: "lost", "duplicates"
    std::string verdict;                 ///< "fail", "pass", "inconclusive"
    std::string digest;                  ///< of the trace, 16 hex digits
    Node scenario;                       ///< the tree after overlays, without sweep
};

[[nodiscard]] std::string write_repro(const Repro& repro);

struct LoadedRepro {
    std::optional<Repro> repro;        ///< empty if there are errors
    std::optional<Scenario> scenario;  ///< its scenario, read
    Diagnostics diagnostics;
};
[[nodiscard]] LoadedRepro load_repro_text(std::string name, std::string_view text);
[[nodiscard]] LoadedRepro load_repro_file(const std::string& path);

/// Whether a tree is a repro file rather than a scenario.
[[nodiscard]] bool is_repro(const Loaded& loaded);

}  // namespace eos::scenarios
