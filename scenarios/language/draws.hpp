#pragma once
// Values that differ by seed (sweep.draw), each from a random stream of its own path.

#include <cstdint>
#include <optional>
#include <string>

#include "scenarios/language/ast.hpp"

namespace eos::scenarios {

/// How a value is shown in one word.
[[nodiscard]] std::string short_text(const Node& node);

/// Draws one value: an entry of a list, or a point of a range. Empty if `values` is neither.
[[nodiscard]] std::optional<Node> draw(const Node& values, const std::string& path,
                                       std::uint64_t seed);

}  // namespace eos::scenarios
