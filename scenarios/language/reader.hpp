#pragma once
// Bytes to a tree with positions. Whatever the bytes are, this returns: problems become
// diagnostics, and work is bounded by budgets. YAML as yaml-cpp reads it, minus what hides
// mistakes: repeated keys, merge keys, explicit tags, second documents, quotes that are never
// closed.

#include <optional>
#include <string>
#include <string_view>

#include "scenarios/language/ast.hpp"
#include "scenarios/language/diagnostics.hpp"

namespace eos::scenarios {

struct Budgets {
    std::size_t bytes = 1024 * 1024;
    std::size_t nodes = 20'000;  ///< after expanding aliases
    std::size_t aliases = 100;
    std::size_t depth = 32;
};

/// Reads the text of a source that `diagnostics` holds. Empty if no tree could be made; a tree may
/// exist although errors were reported.
[[nodiscard]] std::optional<Node> read_yaml(Diagnostics& diagnostics, std::int32_t source,
                                            const Budgets& budgets = {});

/// Reads the bytes of a file for add_source. On failure says why ("is a directory", ...).
struct FileText {
    std::string bytes;
    std::string problem;  ///< empty: read
};
[[nodiscard]] FileText read_file(const std::string& path, const Budgets& budgets = {});

}  // namespace eos::scenarios
