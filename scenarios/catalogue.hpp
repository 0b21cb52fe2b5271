#pragma once
// The words of the language for people and editors: tables for `list`, the JSON Schema, the
// reference in Markdown. All of it comes from the tables that drive parsing.

#include <string>
#include <string_view>
#include <vector>

namespace eos::scenarios {

/// One row of `list WHAT`.
struct CatalogueRow {
    std::string name;
    std::string help;
    std::string detail;   ///< default, source, where it is shown; may be empty
    std::string missing;  ///< the part it waits for; empty: modelled
};

/// What can be listed: modes faults events expectations mistakes bugs safeguards protocols clients
/// steps targets settings metrics warnings workloads fields.
[[nodiscard]] std::vector<std::string_view> catalogue_topics();
/// The rows of one of them; empty if there is no such list.
[[nodiscard]] std::vector<CatalogueRow> catalogue(std::string_view what);

/// JSON Schema (draft-07) of a scenario file, as text.
[[nodiscard]] std::string schema();

/// The field reference in Markdown.
[[nodiscard]] std::string reference();

}  // namespace eos::scenarios
