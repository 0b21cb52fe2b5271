#pragma once
// One map of a scenario, read by its section's table: unknown, missing and not yet modelled fields
// are reported, every value is checked against its type, and what is absent (or was refused)
// answers with the table's default. A Form points into the tree it reads; it lives as long as one
// reading.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "scenarios/language/ast.hpp"
#include "scenarios/language/diagnostics.hpp"
#include "scenarios/language/tables.hpp"
#include "scenarios/language/values.hpp"

namespace eos::scenarios {

class Form {
  public:
    /// `where` ends messages: "in app 'shop'"; empty at the top level. `node` may be null: all
    /// defaults. `allow_extensions`: keys that start with x- are ignored.
    Form(Diagnostics& diagnostics, const Node* node, const Section& section, std::string where,
         bool allow_extensions = false);

    /// Whether the field is there and its value has the right shape.
    [[nodiscard]] bool has(std::string_view name) const { return get(name) != nullptr; }
    [[nodiscard]] const Node* get(std::string_view name) const;
    /// Where the field is, or the map itself.
    [[nodiscard]] Mark mark(std::string_view name) const;
    [[nodiscard]] Mark key_mark(std::string_view name) const;
    [[nodiscard]] Mark mark() const { return node_ ? node_->mark : Mark{}; }
    [[nodiscard]] const std::string& where() const { return where_; }

    // Values of the field or of its default. Without either: zero, empty, or none.
    [[nodiscard]] std::string text(std::string_view name) const;
    [[nodiscard]] bool flag(std::string_view name) const;
    [[nodiscard]] std::int64_t integer(std::string_view name) const;
    [[nodiscard]] std::uint64_t seed(std::string_view name) const;
    [[nodiscard]] std::optional<std::int64_t> optional_integer(std::string_view name) const;
    [[nodiscard]] sim::Duration duration(std::string_view name) const;
    [[nodiscard]] std::optional<sim::Duration> optional_duration(std::string_view name) const;
    [[nodiscard]] sim::Spread spread(std::string_view name) const;
    [[nodiscard]] sim::Chance chance(std::string_view name) const;
    [[nodiscard]] std::int64_t rate(std::string_view name) const;
    [[nodiscard]] std::int64_t size(std::string_view name) const;
    [[nodiscard]] std::optional<std::int64_t> bandwidth(std::string_view name) const;
    [[nodiscard]] std::optional<Bounds> count(std::string_view name) const;
    /// The entries of a name or a list of names, with their positions.
    [[nodiscard]] std::vector<const Node*> list(std::string_view name) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;

    /// A default that replaces the table's (cost presets).
    void prefer(std::string_view name, std::string_view fallback);

  private:
    [[nodiscard]] std::string written(std::string_view name) const;

    const Node* node_ = nullptr;
    const Section* section_;
    std::string where_;
    std::vector<const Node*> good_;  ///< by field; null: absent or refused
    std::vector<std::pair<std::string_view, std::string_view>> preferred_;
};

/// Checks one value against its field; reports and returns false if it does not fit.
bool check_value(Diagnostics& diagnostics, const Field& field, const Node& node,
                 std::string_view where);
/// Reads `none some any N` or `{ min, max }`.
[[nodiscard]] std::optional<Bounds> read_bounds(Diagnostics& diagnostics, const Node& node,
                                                std::string_view what);
/// Reads a spread or `{ p50, p99 }`, without reporting.
[[nodiscard]] std::optional<sim::Spread> tail_of(const Node& node);

/// "did you mean 'x'?", or empty.
[[nodiscard]] std::string suggestion(std::string_view given,
                                     const std::vector<std::string>& candidates);
/// "is" and what a node is, for messages: "a list", "a map", "nothing", "'text'".
[[nodiscard]] std::string shape(const Node& node);
/// A word of a closed list; reports what is unknown or not modelled.
bool check_word(Diagnostics& diagnostics, const Words& words, const Node& node,
                std::string_view where);
/// Says that a part is not built yet; always refused, never ignored.
void refuse_unmodelled(Diagnostics& diagnostics, const Mark& mark, std::string_view what,
                       std::string_view missing);

}  // namespace eos::scenarios
