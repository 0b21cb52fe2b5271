#pragma once
// Paths into a scenario (language.md, section 1) and values laid over them: what variants, matrix
// cells, draws and --set do before the tree is read.

#include <string>
#include <string_view>
#include <vector>

#include "scenarios/language/ast.hpp"
#include "scenarios/language/diagnostics.hpp"

namespace eos::scenarios {

/// Lays a value over every place a path names. Missing maps on the way are made, except apps,
/// topics, variants and list entries, which must exist unless the path ends there with a map.
/// Reports at `key` and returns false if the path leads nowhere.
bool set_path(Diagnostics& diagnostics, Node& root, const Key& key, const Node& value);

/// The concrete paths a path with `*` stands for; the path itself without one. Empty: nowhere.
[[nodiscard]] std::vector<std::string> expand_path(const Node& root, std::string_view path);

/// The value a concrete path names; null if there is none.
[[nodiscard]] const Node* at_path(const Node& root, std::string_view path);

}  // namespace eos::scenarios
