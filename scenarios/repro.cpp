#include "scenarios/repro.hpp"

#include <array>
#include <limits>

#include <fmt/format.h>

#include "scenarios/language/form.hpp"
#include "scenarios/language/reader.hpp"
#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

// A long run takes many decisions: more values than a person would write.
constexpr Budgets budgets{
    .bytes = 16 * 1024 * 1024, .nodes = 1'000'000, .aliases = 100, .depth = 34};
constexpr std::int64_t huge = std::numeric_limits<std::int64_t>::max();

const Section draw_section{"draw", "in a drawn value", {}};
constexpr std::array repro_fields{
    Field{.name = "eosim-repro",
          .type = Type::integer,
          .help = "format version",
          .example = "1",
          .min = 1,
          .max = 1,
          .required = true},
    Field{
        .name = "engine", .type = Type::text, .help = "version that recorded it", .required = true},
    Field{.name = "variant", .type = Type::text, .help = "variant it came from"},
    Field{.name = "cell", .type = Type::text, .help = "matrix cell it came from"},
    Field{.name = "seed", .type = Type::seed, .help = "seed of the run", .required = true},
    Field{.name = "verdict", .type = Type::text, .help = "what the judges said", .required = true},
    Field{.name = "anomalies", .type = Type::text_list, .help = "classes that must appear again"},
    Field{.name = "digest", .type = Type::text, .help = "of the trace", .required = true},
    Field{.name = "drawn", .type = Type::paths, .help = "values of sweep.draw"},
    Field{.name = "decisions",
          .type = Type::sections,
          .help = "what chance decided",
          .section = &draw_section},
    Field{.name = "scenario",
          .type = Type::custom,
          .help = "the scenario with overlays laid in",
          .required = true},
};
constexpr std::array decision_fields{
    Field{.name = "fault", .type = Type::text, .help = "its name", .required = true},
    Field{.name = "occurrence",
          .type = Type::integer,
          .help = "from 1",
          .max = huge,
          .required = true},
    Field{.name = "step",
          .type = Type::integer,
          .fallback = "0",
          .help = "of a rule or swizzle",
          .max = huge},
    Field{.name = "at",
          .type = Type::integer,
          .help = "nanoseconds of the trigger",
          .max = huge,
          .required = true},
    Field{.name = "drawn", .type = Type::text_list, .help = "kind:value, in the order of drawing"},
    Field{.name = "nodes", .type = Type::text_list, .help = "whom it hit"},
};
const Section repro_section{"repro", "in a repro file", repro_fields};
const Section decision_section{"decision", "in a decision", decision_fields};

Node text_node(std::string text, bool quoted = false) {
    return Node::scalar(std::move(text), {}, quoted);
}
Node number_node(std::int64_t value) { return text_node(fmt::format("{}", value)); }

/// Names of faults in a tree, as the reading numbers them.
std::vector<std::string> fault_names(const Node& scenario) {
    std::vector<std::string> result;
    const auto* faults = scenario.find("faults");
    for (std::size_t i = 0; faults != nullptr && i < faults->items.size(); ++i) {
        const auto* name = faults->items[i].find("name");
        result.push_back(name ? name->text : fmt::format("fault-{}", i + 1));
    }
    return result;
}

Node decision_node(const faults::Decision& decision, const std::vector<std::string>& names) {
    Node node = Node::map();
    const auto index = static_cast<std::size_t>(decision.fault.value);
    node.put({"fault", {}}, text_node(index < names.size() ? names[index] : "?"));
    node.put({"occurrence", {}}, number_node(decision.occurrence));
    if (decision.step != 0) node.put({"step", {}}, number_node(decision.step));
    node.put({"at", {}}, number_node(decision.at.time_since_epoch().count()));
    if (!decision.drawn.empty()) {
        Node drawn = Node::sequence();
        for (const auto& row : decision.drawn)
            drawn.items.push_back(
                text_node(fmt::format("{}:{}", faults::name(row.kind), row.value)));
        node.put({"drawn", {}}, std::move(drawn));
    }
    if (!decision.nodes.empty()) {
        Node nodes = Node::sequence();
        for (const auto id : decision.nodes) nodes.items.push_back(number_node(id.value));
        node.put({"nodes", {}}, std::move(nodes));
    }
    return node;
}

std::optional<faults::Drawn> drawn_of(Diagnostics& diagnostics, const Node& node) {
    const std::string_view text = node.text;
    const auto colon = text.find(':');
    const auto kind = faults::drawn_named(text.substr(0, colon));
    const auto value =
        colon == text.npos ? Parsed<std::int64_t>{} : parse_integer(text.substr(colon + 1));
    if (kind && value) return faults::Drawn{*kind, *value.value};
    diagnostics.error(node.mark, fmt::format("{} is not a drawn value", shape(node)),
                      "kind:number, as recorded, e.g. by:5000000");
    return std::nullopt;
}

std::optional<faults::Decision> decision_of(Diagnostics& diagnostics, const Node& node,
                                            const std::vector<std::string>& names,
                                            std::size_t total_nodes) {
    const auto before = diagnostics.reported();
    const Form form(diagnostics, &node, decision_section, "in a decision");
    faults::Decision result;
    const auto name = form.text("fault");
    std::size_t index = 0;
    while (index < names.size() && names[index] != name) ++index;
    if (form.has("fault") && index == names.size())
        diagnostics.error(form.mark("fault"), fmt::format("there is no fault '{}'", name),
                          suggestion(name, names));
    result.fault = {static_cast<std::int32_t>(index)};
    result.occurrence = form.integer("occurrence");
    result.step = form.integer("step");
    result.at = sim::time_zero + sim::nanoseconds(form.integer("at"));
    for (const auto* row : form.list("drawn"))
        if (const auto drawn = drawn_of(diagnostics, *row)) result.drawn.push_back(*drawn);
    for (const auto* row : form.list("nodes")) {
        const auto id = parse_unsigned(row->text);
        if (!id || *id.value >= total_nodes)
            diagnostics.error(row->mark, fmt::format("there is no node {}", shape(*row)));
        else
            result.nodes.push_back({static_cast<std::int32_t>(*id.value)});
    }
    if (diagnostics.reported() > before) return std::nullopt;
    return result;
}

}  // namespace

std::string write_repro(const Repro& repro) {
    Node root = Node::map();
    root.put({"eosim-repro", {}}, number_node(1));
    root.put({"engine", {}}, text_node(repro.engine, true));
    if (!repro.variant.empty()) root.put({"variant", {}}, text_node(repro.variant));
    if (!repro.cell.empty()) root.put({"cell", {}}, text_node(repro.cell));
    root.put({"seed", {}}, text_node(fmt::format("{}", repro.seed)));
    root.put({"verdict", {}}, text_node(repro.verdict));
    Node anomalies = Node::sequence();
    for (const auto& anomaly : repro.anomalies) anomalies.items.push_back(text_node(anomaly));
    root.put({"anomalies", {}}, std::move(anomalies));
    root.put({"digest", {}}, text_node(repro.digest, true));
    if (!repro.drawn.empty()) {
        Node drawn = Node::map();
        for (const auto& row : repro.drawn) drawn.put({row.path, {}}, text_node(row.value, true));
        root.put({"drawn", {}}, std::move(drawn));
    }
    if (!repro.decisions.empty()) {
        Node decisions = Node::sequence();
        const auto names = fault_names(repro.scenario);
        for (const auto& decision : repro.decisions)
            decisions.items.push_back(decision_node(decision, names));
        root.put({"decisions", {}}, std::move(decisions));
    }
    root.put({"scenario", {}}, repro.scenario);
    return write_yaml(root);
}

bool is_repro(const Loaded& loaded) {
    return loaded.root && loaded.root->find("eosim-repro") != nullptr;
}

LoadedRepro load_repro_text(std::string name, std::string_view text) {
    LoadedRepro result;
    auto& diagnostics = result.diagnostics;
    const auto source = diagnostics.add_source(std::move(name), text);
    const auto root = read_yaml(diagnostics, source, budgets);
    if (!root || diagnostics.failed()) return result;
    if (root->find("eosim-repro") == nullptr && root->find("eosim") != nullptr) {
        diagnostics.error(root->mark, "this is a scenario, not a repro file",
                          "eosim run runs it; a failing run is saved as a repro file");
        return result;
    }
    const Form form(diagnostics, &*root, repro_section, "in a repro file");
    const auto* scenario = form.get("scenario");
    if (scenario == nullptr || !scenario->is_map()) {
        if (scenario != nullptr)
            diagnostics.error(scenario->mark,
                              fmt::format("'scenario' must be a map, not {}", shape(*scenario)));
        return result;
    }
    auto typed = read_scenario(diagnostics, *scenario);
    if (!typed) return result;
    Repro repro;
    repro.engine = form.text("engine");
    repro.variant = form.text("variant");
    repro.cell = form.text("cell");
    repro.seed = form.seed("seed");
    repro.verdict = form.text("verdict");
    repro.anomalies = form.texts("anomalies");
    repro.digest = form.text("digest");
    if (form.has("digest") &&
        (repro.digest.size() != 16 ||
         repro.digest.find_first_not_of("0123456789abcdef") != std::string::npos))
        diagnostics.error(form.mark("digest"), "a digest is 16 hexadecimal digits");
    if (const auto* drawn = form.get("drawn"))
        for (std::size_t i = 0; i < drawn->items.size(); ++i)
            repro.drawn.push_back({drawn->keys[i].text, drawn->items[i].text});
    for (const auto* node : form.list("decisions"))
        if (auto decision =
                decision_of(diagnostics, *node, fault_names(*scenario), typed->faults.nodes.size()))
            repro.decisions.push_back(std::move(*decision));
    if (diagnostics.failed()) return result;
    repro.scenario = *scenario;
    typed->seed = repro.seed;
    typed->faults.seed = repro.seed;
    typed->variant = repro.variant;
    typed->cell = repro.cell;
    typed->drawn = repro.drawn;
    result.repro = std::move(repro);
    result.scenario = std::move(typed);
    return result;
}

LoadedRepro load_repro_file(const std::string& path) {
    auto file = read_file(path, budgets);
    if (file.problem.empty()) return load_repro_text(path, file.bytes);
    LoadedRepro result;
    const auto source = result.diagnostics.add_source(path, "");
    result.diagnostics.error({source, 1, 1, 1}, file.problem, "name a repro file");
    return result;
}

}  // namespace eos::scenarios
