// The sweep of a file: what varies, and the claims about it; and `check`, which reads all of it.

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "scenarios/language/draws.hpp"
#include "scenarios/language/form.hpp"
#include "scenarios/language/overlay.hpp"
#include "scenarios/language/reading.hpp"
#include "scenarios/load.hpp"

namespace eos::scenarios {
namespace {

constexpr std::size_t variants_max = 200;
constexpr std::size_t axis_max = 200;
constexpr std::uint64_t drawn_seeds = 100;  ///< what check tries before it calls a draw senseless

/// Names of variants, and of claims' metrics, with the problems of each said once.
class SweepReader {
  public:
    SweepReader(Diagnostics& diagnostics, const Loaded& loaded)
        : diagnostics_(diagnostics), loaded_(loaded), root_(*loaded.root) {}

    Sweep read() {
        const auto* node = root_.find("sweep");
        Sweep sweep;
        if (node == nullptr) return sweep;
        const Form form(diagnostics_, node, sweep_section, "in sweep");
        if (form.has("seeds")) {
            const auto range = parse_integer_range(form.text("seeds"));
            sweep.seeds = {static_cast<std::uint64_t>(range.value->low),
                           static_cast<std::uint64_t>(range.value->high)};
        }
        sweep.variants = variant_names(loaded_);
        variants(form);
        matrix(form);
        sweep.draws = form.get("draw") != nullptr;
        draws(form);
        place(form, sweep);
        for (const auto* row : form.list("compare"))
            if (auto claim = read_claim(*row, sweep.variants))
                sweep.compare.push_back(std::move(*claim));
        return sweep;
    }

  private:
    void variants(const Form& form) {
        const auto* node = form.get("variants");
        if (node == nullptr) return;
        if (node->items.size() > variants_max)
            diagnostics_.error(form.key_mark("variants"),
                               fmt::format("{} variants are more than a "
                                           "table can show",
                                           node->items.size()),
                               fmt::format("at most {}; a matrix varies values", variants_max));
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            static const Field name{.name = "variant name", .type = Type::slug};
            (void)check_value(diagnostics_, name,
                              Node::scalar(node->keys[i].text, node->keys[i].mark), "");
            const auto where = fmt::format("in variant '{}'", node->keys[i].text);
            const Form variant(diagnostics_, &node->items[i], variant_section, where);
        }
    }

    void matrix(const Form& form) {
        const auto* node = form.get("matrix");
        if (node == nullptr) return;
        std::size_t total = 1;
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            const auto& values = node->items[i];
            if (!values.is_sequence() || values.items.empty())
                diagnostics_.error(values.mark,
                                   fmt::format("matrix '{}' must be a list of values, "
                                               "not {}",
                                               node->keys[i].text, shape(values)),
                                   "for example apps.shop.mode: [at-least-once, idempotent]");
            if (values.items.size() > axis_max)
                diagnostics_.error(values.mark,
                                   fmt::format("{} values of '{}' are more than a table "
                                               "can show",
                                               values.items.size(), node->keys[i].text),
                                   fmt::format("at most {}; `draw` varies more", axis_max));
            total *= std::clamp<std::size_t>(values.items.size(), 1, 100'000);
            constexpr std::size_t most = 10'000;
            if (total > most) {
                diagnostics_.error(node->keys[i].mark,
                                   fmt::format("the matrix has more than {} cells", most),
                                   "vary less at once");
                return;
            }
        }
    }

    void draws(const Form& form) {
        const auto* node = form.get("draw");
        if (node == nullptr) return;
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            const auto& key = node->keys[i];
            const auto& values = node->items[i];
            const bool list = values.is_sequence() && !values.items.empty();
            const bool range = values.is_scalar() && values.text.find("..") != std::string::npos &&
                               (parse_integer_range(values.text) || parse_spread(values.text));
            if (!list && !range)
                diagnostics_.error(values.mark,
                                   fmt::format("draw '{}' needs a list or a range, not {}",
                                               key.text, shape(values)),
                                   "for example faults.*.enabled: [true, false]");
            if (expand_path(root_, key.text).empty())
                diagnostics_.error(key.mark, fmt::format("path '{}' leads nowhere", key.text));
        }
    }

    void place(const Form& form, Sweep& sweep) {
        std::vector<std::string> names;
        if (const auto* faults = root_.find("faults"); faults != nullptr && faults->is_sequence())
            for (std::size_t i = 0; i < faults->items.size(); ++i) {
                const auto* name = faults->items[i].find("name");
                names.push_back(name ? name->text : fmt::format("fault-{}", i + 1));
            }
        for (const auto* node : form.list("place")) {
            const auto found = std::find(names.begin(), names.end(), node->text);
            if (found == names.end())
                diagnostics_.error(node->mark, fmt::format("there is no fault {}", shape(*node)),
                                   suggestion(node->text, names));
            else
                placed(*node, static_cast<std::size_t>(found - names.begin()));
            sweep.place.push_back(node->text);
        }
        if (sweep.place.size() > 2)
            diagnostics_.error(form.mark("place"), "more than two faults cannot be placed together",
                               "name one or two");
    }

    /// A place is the n-th occurrence of a trigger: what else chooses one is in its way.
    void placed(const Node& name, std::size_t index) {
        const auto& fault = root_.find("faults")->items[index];
        if (fault.find("when") == nullptr)
            diagnostics_.error(name.mark,
                               fmt::format("'{}' has no occurrences to be placed at", name.text),
                               "place needs a fault with 'when'");
        for (const std::string_view field : {"since", "chance", "times"})
            if (fault.find(field) != nullptr)
                diagnostics_.error(name.mark,
                                   fmt::format("'{}' cannot be placed: it has '{}'", name.text,
                                               field),
                                   "its place is the number of the occurrence alone");
    }

    std::optional<std::int64_t> bound(const Form& form, std::string_view name) {
        const auto* node = form.get(name);
        if (node == nullptr) return std::nullopt;
        // A difference may be below zero.
        const bool negative = node->text.starts_with('-');
        if (const auto value = parse_milli(std::string_view(node->text).substr(negative ? 1 : 0));
            node->is_scalar() && value)
            return negative ? -*value.value : *value.value;
        if (const auto time = parse_duration(node->text); node->is_scalar() && time)
            return time.value->count();
        diagnostics_.error(node->mark, fmt::format("{}: {} is neither a number nor a duration",
                                                   name, shape(*node)));
        return std::nullopt;
    }

    std::string variant(const Node& node, const std::vector<std::string>& known) {
        if (std::find(known.begin(), known.end(), node.text) == known.end())
            diagnostics_.error(node.mark, fmt::format("there is no variant {}", shape(node)),
                               suggestion(node.text, known));
        return node.text;
    }

    std::optional<Claim> read_claim(const Node& row, const std::vector<std::string>& known) {
        const Form form(diagnostics_, &row, claim_section, "in a claim");
        struct KindField {
            std::string_view field;
            Claim::Kind kind;
        };
        constexpr std::array<KindField, 5> kinds_of_claims{
            KindField{"ratio", Claim::Kind::ratio},
            KindField{"difference", Claim::Kind::difference},
            KindField{"rising", Claim::Kind::rising}, KindField{"falling", Claim::Kind::falling},
            KindField{"same", Claim::Kind::same_effects}};
        Claim claim;
        std::string_view chosen;
        int given = 0;
        for (const auto& [field, kind] : kinds_of_claims)
            if (form.has(field)) {
                ++given;
                chosen = field;
                claim.kind = kind;
            }
        if (given != 1) {
            diagnostics_.error(
                row.mark,
                given == 0 ? "this claim claims nothing" : "this claim claims several things",
                "give exactly one of ratio, difference, rising, falling and same");
            return std::nullopt;
        }
        const bool pair = claim.kind == Claim::Kind::ratio || claim.kind == Claim::Kind::difference;
        const bool same = claim.kind == Claim::Kind::same_effects;
        if (!same) metric(form, row, claim);
        claim.stat = static_cast<Claim::Stat>(0);
        for (std::size_t i = 0; i < claim_stats.rows.size(); ++i)
            if (claim_stats.rows[i].name == form.text("stat"))
                claim.stat = static_cast<Claim::Stat>(i);
        if (pair) {
            for (const std::string_view field : {"of", "against"})
                if (form.list(field).size() != 1)
                    diagnostics_.error(form.mark(field),
                                       fmt::format("'{}' must be one variant", field),
                                       "of: the one spoken of, against: the other");
            if (const auto of = form.list("of"); of.size() == 1) claim.of = variant(*of[0], known);
            if (const auto* against = form.get("against")) claim.against = variant(*against, known);
            const Form bounds(diagnostics_, form.get(chosen), metric_section, "in a bound");
            claim.min_milli = bound(bounds, "min");
            claim.max_milli = bound(bounds, "max");
            if (!bounds.has("min") && !bounds.has("max"))
                diagnostics_.error(form.mark(chosen), "this bound bounds nothing",
                                   "give min, max or both");
        } else {
            for (const auto* node : form.list(same ? "of" : chosen))
                claim.variants.push_back(variant(*node, known));
            if (claim.variants.size() < 2)
                diagnostics_.error(row.mark, "a claim compares at least two variants");
            if (same && form.text("same") != "effects")
                diagnostics_.error(form.mark("same"), "only 'same: effects' is known");
        }
        return claim;
    }

    void metric(const Form& form, const Node& row, Claim& claim) {
        const auto* node = form.get("metric");
        if (node == nullptr) {
            diagnostics_.error(row.mark, "this claim names no metric",
                               "for example metric: duplicates");
            return;
        }
        claim.metric = read_measure(diagnostics_, *node, "in a claim");
    }

    Diagnostics& diagnostics_;
    const Loaded& loaded_;
    const Node& root_;
};

/// The first seed whose drawn values go together; the first of all if none do.
Instance instance_of(const Loaded& loaded, const std::string& variant, bool draws) {
    Request request{.cell = {variant, {}}, .overrides = {}, .seed = {}, .drawn = {}};
    auto first = instantiate(loaded, request);
    if (first.scenario || !draws) return first;
    for (std::uint64_t seed = 1; seed <= drawn_seeds; ++seed) {
        request.seed = seed;
        if (auto other = instantiate(loaded, request); other.scenario) return other;
    }
    return first;
}

/// Entries of a drawn list that no seed can have, whatever it draws beside them.
void check_draws(Diagnostics& diagnostics, const Loaded& loaded) {
    struct Tried {
        bool valid = false;
        std::string problem;
    };
    std::map<std::pair<std::string, std::string>, Tried> tried;
    for (std::uint64_t seed = 1; seed <= drawn_seeds; ++seed) {
        const auto instance = instantiate(
            loaded, {.cell = {}, .overrides = {}, .seed = seed, .drawn = {}});
        const auto all = instance.diagnostics.sorted();
        const auto error = std::find_if(all.begin(), all.end(), [](const Diagnostic& one) {
            return one.severity == Severity::error;
        });
        for (const auto& row : instance.drawn) {
            auto& value = tried[{row.path, row.value}];
            value.valid = value.valid || instance.scenario;
            if (error != all.end() && value.problem.empty()) value.problem = error->text;
        }
    }
    const auto& draw = *loaded.root->find("sweep")->find("draw");
    for (std::size_t i = 0; i < draw.items.size(); ++i)
        for (const auto& value : draw.items[i].items)
            for (const auto& path : expand_path(*loaded.root, draw.keys[i].text)) {
                const auto found = tried.find({path, short_text(value)});
                if (found == tried.end() || found->second.valid) continue;
                diagnostics.error(value.mark,
                                  fmt::format("no seed of 1..{} that draws {}={} makes sense",
                                              drawn_seeds, path, short_text(value)),
                                  found->second.problem);
                break;
            }
}

/// expect.lints: what check must warn of, in the file as it is and in every variant.
Diagnostics checked(Instance instance, const std::string& variant) {
    auto& diagnostics = instance.diagnostics;
    const auto* expect = instance.tree.find("expect");
    const auto* lints = expect ? expect->find("lints") : nullptr;
    if (!instance.scenario || lints == nullptr) return diagnostics;
    const auto& given = instance.scenario->warnings;
    if (!variant.empty()) diagnostics.set_suffix(fmt::format(" (variant '{}')", variant));
    for (const auto& lint : lints->items)
        if (std::find(given.begin(), given.end(), lint.text) == given.end())
            diagnostics.error(lint.mark, fmt::format("check does not warn of '{}' here", lint.text),
                              "remove it from lints");
    diagnostics.set_suffix("");
    return diagnostics;
}

}  // namespace

Sweep sweep_of(const Loaded& loaded) {
    if (!loaded.root || !loaded.root->is_map()) return {};
    Diagnostics silent;
    return SweepReader(silent, loaded).read();
}

Diagnostics check_sweep(const Loaded& loaded) {
    auto result = loaded.diagnostics;
    if (loaded.root && loaded.root->is_map()) (void)SweepReader(result, loaded).read();
    return result;
}

Diagnostics check(const Loaded& loaded) {
    const bool draws = sweep_of(loaded).draws;
    auto base = instance_of(loaded, "", draws);
    const bool valid = base.scenario.has_value();
    auto result = checked(std::move(base), "");
    if (!loaded.root || !loaded.root->is_map()) return result;
    (void)SweepReader(result, loaded).read();
    if (draws && valid) check_draws(result, loaded);
    // Each variant, and each value of the matrix once: the product would say nothing new.
    auto names = variant_names(loaded);
    if (names.size() > variants_max) names.resize(variants_max);
    for (const auto& name : names)
        result.merge(checked(instance_of(loaded, name, draws), name));
    std::set<std::pair<std::string, std::size_t>> seen;
    const auto first = names.empty() ? std::string() : names.front();
    for (const auto& cell : cells(loaded, first)) {
        if (seen.size() > 4 * axis_max) break;  // a matrix this wide has been refused
        bool fresh = false;
        for (const auto& value : cell.matrix) fresh = seen.insert(value).second || fresh;
        if (!fresh || cell.matrix.empty()) continue;
        result.merge(
            instantiate(loaded,
                        {.cell = {"", cell.matrix}, .overrides = {}, .seed = {}, .drawn = {}})
                .diagnostics);
    }
    return result;
}

}  // namespace eos::scenarios
