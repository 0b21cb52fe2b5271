#pragma once
// The door of this folder: a file or a text becomes a tree, the tree with a variant, a matrix cell,
// drawn values and --set options laid over it becomes a Scenario. Nothing throws; whatever is wrong
// is in the diagnostics.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "scenarios/language/ast.hpp"
#include "scenarios/language/diagnostics.hpp"
#include "scenarios/scenario.hpp"

namespace eos::scenarios {

/// A file that was read, and what the positions of its findings refer to.
struct Loaded {
    Diagnostics diagnostics;   ///< of reading the YAML
    std::optional<Node> root;  ///< empty if no tree could be made
    std::string path;
};
[[nodiscard]] Loaded load_file(const std::string& path);
[[nodiscard]] Loaded load_text(std::string name, std::string_view text);

/// One point of the sweep: a variant (empty: none) and one value for each matrix path.
struct Cell {
    std::string variant;
    /// Path, and the position in its list of values.
    std::vector<std::pair<std::string, std::size_t>> matrix;
    friend bool operator==(const Cell&, const Cell&) = default;
};
/// Variants in the order of the file, each with every matrix cell; one empty cell without a sweep.
[[nodiscard]] std::vector<Cell> cells(const Loaded& loaded);
/// Cells of one variant.
[[nodiscard]] std::vector<Cell> cells(const Loaded& loaded, std::string_view variant);
[[nodiscard]] std::vector<std::string> variant_names(const Loaded& loaded);
/// "faults.act.do=crash", what a report prints for a cell's matrix part.
[[nodiscard]] std::string matrix_text(const Loaded& loaded, const Cell& cell);

/// `--set path=value`; the value is YAML.
struct Override {
    std::string path;
    std::string value;
    friend bool operator==(const Override&, const Override&) = default;
};
/// Splits "path=value"; empty without a '='.
[[nodiscard]] std::optional<Override> parse_override(std::string_view text);

struct Request {
    Cell cell;
    std::vector<Override> overrides;    ///< laid over last, in order
    std::optional<std::uint64_t> seed;  ///< empty: the file's
    /// Values for sweep.draw, from a repro file; empty: drawn from the seed.
    std::optional<std::vector<DrawnValue>> drawn;
};

struct Instance {
    std::optional<Scenario> scenario;  ///< empty if there are errors
    Diagnostics diagnostics;           ///< of the YAML and of this reading; may hold warnings
    Node tree;                         ///< after overlays, without `sweep`: what a repro file keeps
    std::vector<DrawnValue> drawn;     ///< the values of sweep.draw, also if they make no sense
};
[[nodiscard]] Instance instantiate(const Loaded& loaded, const Request& request = {});

/// Everything `check` says: the file as it is, every variant, every matrix value, the sweep itself.
/// Values that are drawn need not go together under every seed, but each under some.
[[nodiscard]] Diagnostics check(const Loaded& loaded);

// ---- The sweep (language.md, section 7)
// ----------------------------------------------------------

struct Claim {
    enum class Kind : std::uint8_t { ratio, difference, rising, falling, same_effects };
    enum class Stat : std::uint8_t { mean, sum, median, max };
    Kind kind = Kind::ratio;
    std::optional<Measure> metric;  ///< empty: of same_effects
    Stat stat = Stat::mean;
    std::string of;
    std::string against;
    std::optional<std::int64_t> min_milli;  ///< bounds times 1000
    std::optional<std::int64_t> max_milli;
    std::vector<std::string> variants;  ///< of rising, falling, same_effects
    friend bool operator==(const Claim&, const Claim&) = default;
};

struct Sweep {
    std::optional<std::pair<std::uint64_t, std::uint64_t>> seeds;  ///< both ends included
    std::vector<std::string> variants;
    bool draws = false;             ///< values differ by seed
    std::vector<std::string> place;
    std::vector<Claim> compare;
};
/// What is wrong with the sweep itself, whatever its variants say.
[[nodiscard]] Diagnostics check_sweep(const Loaded& loaded);
/// The sweep of a file without errors.
[[nodiscard]] Sweep sweep_of(const Loaded& loaded);

}  // namespace eos::scenarios
