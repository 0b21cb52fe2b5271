#pragma once
// Compares what a case expects with what a harness observed.

#include <optional>
#include <string>

#include "tests/conformance/harness.hpp"

namespace eos::conformance {

/// None if it matches, else one line: what was expected and what was observed.
[[nodiscard]] std::optional<std::string> difference(const YAML::Node& expected,
                                                    const Observed& observed,
                                                    const Harness& harness);

/// A value on one line.
[[nodiscard]] std::string flow(const YAML::Node& node);

}  // namespace eos::conformance
