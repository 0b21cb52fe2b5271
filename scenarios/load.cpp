#include "scenarios/load.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include <fmt/format.h>

#include "scenarios/language/draws.hpp"
#include "scenarios/language/form.hpp"
#include "scenarios/language/overlay.hpp"
#include "scenarios/language/reader.hpp"
#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

const Node* sweep_part(const Loaded& loaded, std::string_view part) {
    const auto* sweep = loaded.root ? loaded.root->find("sweep") : nullptr;
    const auto* node = sweep ? sweep->find(part) : nullptr;
    return node && (node->is_map() || node->is_sequence() || node->is_scalar()) ? node : nullptr;
}

/// Reads the text of a --set value; positions are those of the option.
std::optional<Node> option_value(Diagnostics& diagnostics, const Override& option, Key& key) {
    const auto source =
        diagnostics.add_source("--set", fmt::format("{}={}", option.path, option.value));
    key = {option.path, {source, 1, 1, static_cast<std::int32_t>(option.path.size())}};
    const auto value_column = static_cast<std::int32_t>(option.path.size()) + 2;
    if (option.value == "~") {  // takes the path away, as in a variant
        Node nothing;
        nothing.mark = {source, 1, value_column, 1};
        return nothing;
    }
    Diagnostics inner;
    const auto text = inner.add_source("--set", option.value);
    auto node = read_yaml(inner, text);
    if (!node) {
        std::string problem = "there is no value";
        if (const auto all = inner.sorted(); !all.empty() && !option.value.empty())
            problem = all.front().text;
        diagnostics.error(
            {source, 1, value_column,
             static_cast<std::int32_t>(std::max<std::size_t>(1, option.value.size()))},
            fmt::format("the value of '{}': {}", option.path, problem),
            "for example --set cluster.brokers=5");
        return std::nullopt;
    }
    // The value is shown as part of the option's text.
    struct Shift {
        std::int32_t source, by;
        void operator()(Node& n) const {
            n.mark.source = source;
            if (n.mark.line == 1) n.mark.column += by;
            for (auto& k : n.keys) {
                k.mark.source = source;
                if (k.mark.line == 1) k.mark.column += by;
            }
            for (auto& item : n.items) (*this)(item);
        }
    };
    Shift{source, value_column - 1}(*node);
    return node;
}

struct Overlays {
    Diagnostics& diagnostics;
    Node& tree;
    Scenario facts;  ///< only variant and cell are used
    std::vector<DrawnValue>& drawn;

    bool variant(const Loaded& loaded, const Cell& cell) {
        if (cell.variant.empty()) return true;
        const auto* variants = sweep_part(loaded, "variants");
        const auto* chosen = variants ? variants->find(cell.variant) : nullptr;
        if (chosen == nullptr) {
            diagnostics.error(variants ? variants->mark : tree.mark,
                              fmt::format("there is no variant '{}'", cell.variant),
                              suggestion(cell.variant, variant_names(loaded)));
            return false;
        }
        facts.variant = cell.variant;
        bool good = true;
        if (const auto* set = chosen->find("set"); set != nullptr && set->is_map())
            for (std::size_t i = 0; i < set->items.size(); ++i)
                good = set_path(diagnostics, tree, set->keys[i], set->items[i]) && good;
        if (const auto* expect = chosen->find("expect"); expect != nullptr && expect->is_map()) {
            if (auto* base = tree.find("expect"))
                lay_over(*base, *expect);
            else
                tree.put({"expect", expect->mark}, *expect);
        }
        return good;
    }

    bool matrix(const Loaded& loaded, const Cell& cell) {
        const auto* node = sweep_part(loaded, "matrix");
        bool good = true;
        for (const auto& [path, index] : cell.matrix) {
            const auto* values = node ? node->find(path) : nullptr;
            if (values == nullptr || index >= values->items.size()) continue;
            Key key{path, {}};
            for (const auto& k : node->keys)
                if (k.text == path) key = k;
            good = set_path(diagnostics, tree, key, values->items[index]) && good;
        }
        facts.cell = matrix_text(loaded, cell);
        return good;
    }

    bool draws(const Loaded& loaded, std::uint64_t seed,
               const std::optional<std::vector<DrawnValue>>& given) {
        if (given) {
            bool good = true;
            for (const auto& row : *given) {
                Key key;
                auto value = option_value(diagnostics, {row.path, row.value}, key);
                good = value && set_path(diagnostics, tree, key, *value) && good;
                drawn.push_back(row);
            }
            return good;
        }
        const auto* node = sweep_part(loaded, "draw");
        if (node == nullptr || !node->is_map()) return true;
        bool good = true;
        for (std::size_t i = 0; i < node->items.size(); ++i)
            for (const auto& path : expand_path(tree, node->keys[i].text)) {
                const auto value = draw(node->items[i], path, seed);
                if (!value) continue;  // check_sweep reports it
                good = set_path(diagnostics, tree, {path, node->keys[i].mark}, *value) && good;
                drawn.push_back({path, short_text(*value)});
            }
        return good;
    }
};

/// The seed a tree names, before it is read.
std::uint64_t seed_of(const Node& tree) {
    const auto* node = tree.find("seed");
    if (node == nullptr || !node->is_scalar()) return 1;
    return parse_unsigned(node->text).value.value_or(1);
}

void cells_of(const Node* matrix, const std::string& variant, std::vector<Cell>& out) {
    std::vector<Cell> grid{Cell{variant, {}}};
    constexpr std::size_t most = 100'000;
    for (std::size_t i = 0; matrix != nullptr && i < matrix->items.size(); ++i) {
        const auto& values = matrix->items[i];
        if (!values.is_sequence() || values.items.empty()) continue;
        std::vector<Cell> wider;
        for (const auto& cell : grid)
            for (std::size_t v = 0; v < values.items.size() && wider.size() < most; ++v) {
                wider.push_back(cell);
                wider.back().matrix.emplace_back(matrix->keys[i].text, v);
            }
        grid = std::move(wider);
    }
    out.insert(out.end(), grid.begin(), grid.end());
}

}  // namespace

Loaded load_text(std::string name, std::string_view text) {
    Loaded loaded;
    loaded.path = name;
    const auto source = loaded.diagnostics.add_source(std::move(name), text);
    loaded.root = read_yaml(loaded.diagnostics, source);
    return loaded;
}

Loaded load_file(const std::string& path) {
    auto file = read_file(path);
    if (file.problem.empty()) return load_text(path, file.bytes);
    Loaded loaded;
    loaded.path = path;
    const auto source = loaded.diagnostics.add_source(path, "");
    loaded.diagnostics.error({source, 1, 1, 1}, file.problem, "name a scenario file");
    return loaded;
}

std::vector<std::string> variant_names(const Loaded& loaded) {
    std::vector<std::string> result;
    if (const auto* variants = sweep_part(loaded, "variants"); variants && variants->is_map())
        for (const auto& key : variants->keys) result.push_back(key.text);
    return result;
}

std::vector<Cell> cells(const Loaded& loaded, std::string_view variant) {
    std::vector<Cell> result;
    const auto* matrix = sweep_part(loaded, "matrix");
    cells_of(matrix && matrix->is_map() ? matrix : nullptr, std::string(variant), result);
    return result;
}

std::vector<Cell> cells(const Loaded& loaded) {
    const auto names = variant_names(loaded);
    if (names.empty()) return cells(loaded, "");
    std::vector<Cell> result;
    for (const auto& name : names)
        for (auto& cell : cells(loaded, name)) result.push_back(std::move(cell));
    return result;
}

std::string matrix_text(const Loaded& loaded, const Cell& cell) {
    std::string result;
    const auto* matrix = sweep_part(loaded, "matrix");
    for (const auto& [path, index] : cell.matrix) {
        const auto* values = matrix ? matrix->find(path) : nullptr;
        if (values == nullptr || index >= values->items.size()) continue;
        result += fmt::format("{}{}={}", result.empty() ? "" : " ", path,
                              short_text(values->items[index]));
    }
    return result;
}

std::optional<Override> parse_override(std::string_view text) {
    const auto equals = text.find('=');
    if (equals == text.npos || equals == 0) return std::nullopt;
    return Override{std::string(text.substr(0, equals)), std::string(text.substr(equals + 1))};
}

Instance instantiate(const Loaded& loaded, const Request& request) {
    Instance result{.scenario = {}, .diagnostics = loaded.diagnostics, .tree = {}, .drawn = {}};
    if (!loaded.root) return result;
    result.tree = *loaded.root;
    result.tree.erase("sweep");
    auto& diagnostics = result.diagnostics;
    const auto cell_text = matrix_text(loaded, request.cell);
    if (!request.cell.variant.empty() || !cell_text.empty())
        diagnostics.set_suffix(
            fmt::format(" (variant '{}{}{}')", request.cell.variant,
                        cell_text.empty() || request.cell.variant.empty() ? "" : ", ", cell_text));
    if (!result.tree.is_map()) {
        (void)read_scenario(diagnostics, result.tree);
        return result;
    }
    Overlays overlays{diagnostics, result.tree, {}, result.drawn};
    bool good = overlays.variant(loaded, request.cell);
    good = overlays.matrix(loaded, request.cell) && good;
    const auto seed = request.seed ? *request.seed : seed_of(result.tree);
    good = overlays.draws(loaded, seed, request.drawn) && good;
    for (const auto& option : request.overrides) {
        Key key;
        const auto value = option_value(diagnostics, option, key);
        good = value && set_path(diagnostics, result.tree, key, *value) && good;
    }
    auto scenario = read_scenario(diagnostics, result.tree);
    diagnostics.set_suffix("");
    if (!scenario || !good || diagnostics.failed()) return result;
    scenario->seed = request.seed ? *request.seed : scenario->seed;
    scenario->faults.seed = scenario->seed;
    scenario->variant = std::move(overlays.facts.variant);
    scenario->cell = std::move(overlays.facts.cell);
    scenario->drawn = result.drawn;
    result.scenario = std::move(scenario);
    return result;
}

}  // namespace eos::scenarios
