// What must hold: counts, what was reached, invariants, bounds; and the promise each mode makes
// without being asked (language.md, section 6).

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "model/error_codes.hpp"
#include "scenarios/language/read_faults.hpp"

namespace eos::scenarios {
namespace {

/// The counts a mode promises to be none, without being asked.
std::vector<Count> promise_of(const model::AppConfig& app) {
    std::vector<Count> result{Count::illegal, Count::diverged, Count::stuck};
    const auto mode = app.mode;
    // F21: a sink with guarantee NONE loses, and what it replays it writes again.
    if (app.is_job() && mode == model::Mode::at_most_once) return result;
    switch (mode) {
        case model::Mode::client_defaults:
            break;
        case model::Mode::at_most_once:
            result.push_back(Count::duplicates);
            break;
        case model::Mode::at_least_once:
            result.push_back(Count::lost);
            break;
        case model::Mode::idempotent:
            result.push_back(Count::lost);
            result.push_back(Count::reordered);
            break;
        case model::Mode::exactly_once:  // every count up to `illegal`
            for (std::size_t i = 0; i < static_cast<std::size_t>(Count::illegal); ++i)
                if (const auto count = static_cast<Count>(i); count != Count::diverged)
                    result.push_back(count);
            break;
    }
    return result;
}

Counts read_counts(const Form& form) {
    Counts result;
    for (std::size_t i = 0; i < model::count_kinds; ++i) {
        const auto count = static_cast<Count>(i);
        if (auto bounds = form.count(model::name(count))) result[count] = std::move(*bounds);
    }
    return result;
}

/// Fields of `expect` that exist once, not per app.
void read_apps(Reading& reading, const Form& form, Expect& expect) {
    const auto* node = form.get("apps");
    if (node == nullptr) return;
    if (!node->is_map()) {
        reading.error(node->mark, fmt::format("'apps' must be a map, not {}", shape(*node)),
                      "for example apps: { audit: { duplicates: none } }");
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const auto& key = node->keys[i];
        const auto app = reading.app(key.text);
        if (!app) {
            reading.error(key.mark, fmt::format("there is no app '{}'", key.text),
                          suggestion(key.text, reading.app_names));
            continue;
        }
        const auto where = fmt::format("in expect.apps.{}", key.text);
        const Form counts(reading.diagnostics, &node->items[i], expect_section, where);
        for (const auto& field : expect_section.fields)
            if (field.type != Type::count && counts.has(field.name))
                refuse_unmodelled(reading.diagnostics, counts.key_mark(field.name),
                                  fmt::format("'{}' {}", field.name, where), "counts per app only");
        for (auto& [count, bounds] : read_counts(counts))
            expect.per_app[static_cast<std::size_t>(app->value)][count] = bounds;
    }
}

void add_promises(Reading& reading, Expect& expect) {
    for (std::size_t i = 0; i < reading.scenario.apps.size(); ++i)
        for (const auto count : promise_of(reading.scenario.apps[i].config))
            if (!expect.total.contains(count) && !expect.per_app[i].contains(count))
                expect.per_app[i][count] = Bounds{0, 0, "none"};
}

void reach(Reading& reading, const Node& name, Bounds bounds, Expect& expect) {
    Reached reached{.name = name.text, .fault = {}, .milestone = {}, .bounds = std::move(bounds)};
    const auto& faults = reading.fault_names;
    std::string_view text = name.text;
    if (text.starts_with("fault.") && !text.ends_with(".ended")) text.remove_prefix(6);
    const auto found = std::find(faults.begin(), faults.end(), text);
    if (found != faults.end()) {
        reached.fault = faults::FaultIndex{static_cast<std::int32_t>(found - faults.begin())};
    } else if (text.find('.') == text.npos) {
        std::vector<std::string> names = faults;
        for (const auto& row : model::milestones()) names.emplace_back(row.name);
        reading.error(name.mark, fmt::format("{} is neither a fault nor a milestone", shape(name)),
                      suggestion(text, names));
        return;
    } else {
        const auto milestone = read_milestone(reading, name);
        if (!milestone) return;
        reached.milestone = milestone->kind;
        reached.name = milestone->name;
    }
    expect.reached.push_back(std::move(reached));
}

void read_reached(Reading& reading, const Form& form, Expect& expect) {
    const auto* node = form.get("reached");
    if (node == nullptr) return;
    if (node->is_map()) {
        for (std::size_t i = 0; i < node->items.size(); ++i) {
            const Node name = Node::scalar(node->keys[i].text, node->keys[i].mark);
            auto bounds = read_bounds(reading.diagnostics, node->items[i], name.text);
            if (bounds) reach(reading, name, std::move(*bounds), expect);
        }
        return;
    }
    if (!node->is_sequence())
        reading.error(node->mark,
                      fmt::format("'reached' must be a list or a map, not {}", shape(*node)),
                      "for example reached: [ack-lost]");
    for (const auto& item : node->items) {
        if (!item.is_scalar())
            reading.error(item.mark, fmt::format("a name is needed, not {}", shape(item)));
        else
            reach(reading, item, Bounds{1, std::nullopt, "some"}, expect);
    }
}

std::optional<Fold> read_fold(Reading& reading, const Form& form) {
    Fold fold;
    int given = 0;
    for (std::size_t i = 0; i < fold_kinds.rows.size(); ++i) {
        const auto name = fold_kinds.rows[i].name;
        if (!form.has(name)) continue;
        ++given;
        fold.kind = static_cast<Fold::Kind>(i);
        for (std::size_t f = 0; f < fold_fields.rows.size(); ++f)
            if (fold_fields.rows[f].name == form.text(name))
                fold.field = static_cast<Fold::Field>(f);
    }
    if (given != 1) {
        reading.error(form.mark(),
                      fmt::format("{} {}", given == 0 ? "nothing is folded" : "two folds are given",
                                  form.where()),
                      "give exactly one of count, set, sum and min");
        return std::nullopt;
    }
    for (const auto* node : form.list("over"))
        if (const auto store = reading.topology.store_named(node->text))
            fold.stores.push_back(*store);
        else if (const auto topic = reading.need_topic(*node)) fold.over.push_back(*topic);
    if (form.has("by"))
        for (std::size_t f = 0; f < fold_fields.rows.size(); ++f)
            if (fold_fields.rows[f].name == form.text("by")) fold.by = static_cast<Fold::Field>(f);
    return fold;
}

void read_invariants(Reading& reading, const Form& form, Expect& expect) {
    for (const auto* node : form.list("invariants")) {
        const Form row(reading.diagnostics, node, invariant_section, "in an invariant");
        auto fold = read_fold(reading, row);
        if (!fold) continue;
        Invariant invariant{.name = row.text("name"),
                            .fold = std::move(*fold),
                            .equals_number = {},
                            .equals_fold = {}};
        if (const auto* equals = row.get("equals")) {
            if (equals->is_map()) {
                const Form other(reading.diagnostics, equals, fold_section, "in equals");
                invariant.equals_fold = read_fold(reading, other);
            } else if (const auto value = parse_integer(equals->text);
                       equals->is_scalar() && value) {
                invariant.equals_number = *value.value;
            } else {
                reading.error(equals->mark, fmt::format("equals: {} is neither a number nor a fold",
                                                        shape(*equals)));
            }
        } else {
            reading.error(node->mark, fmt::format("invariant '{}' says nothing", invariant.name),
                          "add equals: a number, or a map like { set: id, over: [orders] }");
        }
        const auto sum_of_sets = invariant.fold.kind == Fold::Kind::set && invariant.equals_number;
        if (sum_of_sets)
            reading.error(row.mark("equals"), "a set cannot equal a number",
                          "compare it with a set");
        expect.invariants.push_back(std::move(invariant));
    }
}

/// A bound of a metric: a number, or a duration in microseconds; both in thousandths.
std::optional<std::int64_t> milli(Reading& reading, const Node& node, std::string_view what) {
    if (const auto number = parse_milli(node.text); node.is_scalar() && number) return number.value;
    if (const auto time = parse_duration(node.text); node.is_scalar() && time)
        return time.value->count();  // nanoseconds are thousandths of microseconds
    reading.error(node.mark,
                  fmt::format("{}: {} is neither a number nor a duration", what, shape(node)));
    return std::nullopt;
}

void read_metrics(Reading& reading, const Form& form, Expect& expect) {
    const auto* node = form.get("metrics");
    if (node == nullptr) return;
    if (!node->is_map()) {
        reading.error(node->mark, fmt::format("'metrics' must be a map, not {}", shape(*node)),
                      "for example metrics: { requests_per_record: { max: 2 } }");
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const auto& key = node->keys[i];
        const auto& value = node->items[i];
        const auto measure = read_measure(reading.diagnostics, Node::scalar(key.text, key.mark),
                                          "in metrics");
        if (!measure) continue;
        const Form bounds(reading.diagnostics, &value, metric_section,
                          fmt::format("in metric '{}'", key.text));
        MetricBound bound{.metric = *measure, .min_milli = {}, .max_milli = {}, .text = {}};
        if (const auto* min = bounds.get("min")) bound.min_milli = milli(reading, *min, key.text);
        if (const auto* max = bounds.get("max")) bound.max_milli = milli(reading, *max, key.text);
        if (bounds.has("min")) bound.text = fmt::format(">= {}", bounds.text("min"));
        if (bounds.has("max"))
            bound.text +=
                fmt::format("{}<= {}", bound.text.empty() ? "" : ", ", bounds.text("max"));
        if (value.is_map() && value.items.empty())
            reading.error(value.mark, fmt::format("metric '{}' has no bound", key.text),
                          "give it min, max or both");
        expect.metrics.push_back(std::move(bound));
    }
}

void read_named_counts(Reading& reading, const Form& form, std::string_view field,
                       std::map<std::string, Bounds>& into) {
    const auto* node = form.get(field);
    if (node == nullptr) return;
    if (!node->is_map()) {
        reading.error(node->mark, fmt::format("'{}' must be a map, not {}", field, shape(*node)));
        return;
    }
    for (std::size_t i = 0; i < node->items.size(); ++i) {
        const auto& key = node->keys[i];
        const bool of_client = key.text == model::name(model::ErrorCode::illegal_state) ||
                               key.text == model::name(model::ErrorCode::transaction_aborted);
        if (field == "errors" && key.text.ends_with("Exception") && !of_client) {
            refuse_unmodelled(reading.diagnostics, key.mark, fmt::format("'{}'", key.text),
                              "exceptions of the client library");
            continue;
        }
        if (field == "errors" && !of_client && !model::error_code(key.text)) {
            std::vector<std::string> names;
            for (const auto code : model::all_error_codes()) names.emplace_back(model::name(code));
            reading.error(key.mark, fmt::format("'{}' is not a Kafka error", key.text),
                          suggestion(key.text, names));
            continue;
        }
        if (field == "jepsen" && !check_word(reading.diagnostics, jepsen_names,
                                             Node::scalar(key.text, key.mark), "in jepsen"))
            continue;
        if (auto bounds = read_bounds(reading.diagnostics, node->items[i], key.text))
            into[key.text] = std::move(*bounds);
    }
}

}  // namespace

std::optional<Measure> read_measure(Diagnostics& diagnostics, const Node& name,
                                    std::string_view where) {
    if (const auto measure = measure_named(name.text)) return measure;
    std::vector<std::string> names;  // counts are meant as often as metrics
    for (const auto& count : model::count_entries) names.emplace_back(count.name);
    for (const auto& word : metrics.rows) names.emplace_back(word.name);
    const auto hint = suggestion(name.text, names);
    if (!hint.empty() && word_named(metrics, name.text) == nullptr) {
        diagnostics.error(name.mark,
                          fmt::format("'{}' is neither a metric nor a count {}", name.text, where),
                          hint);
        return std::nullopt;
    }
    (void)check_word(diagnostics, metrics, name, where);  // says what is wrong with it
    return std::nullopt;
}

void read_expect(Reading& reading) {
    auto& expect = reading.scenario.expect;
    const Form form(reading.diagnostics, reading.top.get("expect"), expect_section, "in expect");
    expect.per_app.resize(reading.scenario.apps.size());
    expect.total = read_counts(form);
    read_apps(reading, form, expect);
    add_promises(reading, expect);
    read_reached(reading, form, expect);
    read_invariants(reading, form, expect);
    read_metrics(reading, form, expect);
    expect.unavailable = form.optional_duration("unavailable");
    expect.latency_p99 = form.optional_duration("latency_p99");
    read_named_counts(reading, form, "errors", expect.errors);
    read_named_counts(reading, form, "jepsen", expect.jepsen);
    expect.lints = form.texts("lints");
}

}  // namespace eos::scenarios
