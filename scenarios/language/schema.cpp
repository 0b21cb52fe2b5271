// The JSON Schema of a scenario file, draft-07, for editors: made from the field tables. Fields
// that are not modelled yet are left out, so that an editor marks what `check` refuses.

#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "faults/catalogue.hpp"
#include "model/milestones.hpp"
#include "scenarios/catalogue.hpp"
#include "scenarios/language/protocols.hpp"
#include "scenarios/language/settings.hpp"
#include "scenarios/language/tables.hpp"
#include "scenarios/language/values.hpp"

namespace eos::scenarios {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view number = "(0|[1-9][0-9]*)(\\.[0-9]+)?";
constexpr std::string_view time_unit = "(us|ms|s|m|h|d)";

Json text(std::string pattern) { return {{"type", "string"}, {"pattern", std::move(pattern)}}; }
Json refer_to(std::string_view name) { return {{"$ref", fmt::format("#/definitions/{}", name)}}; }

Json word_list(const Words& words) {
    auto list = Json::array();
    for (const auto& word : words.rows)
        if (word.missing.empty()) list.push_back(word.name);
    return list;
}

Json one_or_list(Json item) {
    Json list{{"type", "array"}, {"minItems", 1}, {"items", item}};
    return {{"anyOf", Json::array({std::move(item), std::move(list)})}};
}

Json definitions() {
    Json result;
    const auto duration = fmt::format("{}{}", number, time_unit);
    result["duration"] = text(fmt::format("^{}$", duration));
    result["spread"] = text(fmt::format("^{0}(\\.\\.{0})?$", duration));
    result["lasting"] = text(fmt::format(
        "^({0}(\\.\\.{0})?|{1}x(\\.\\.{1}x)? +[a-z][a-z.]*|forever)$", duration, number));
    result["chance"] = text(fmt::format("^{}%$", number));
    result["rate"] = text(fmt::format("^{}/(ms|s|m)$", number));
    result["size"] = text(fmt::format("^{}(B|KB|MB)$", number));
    result["bandwidth"] = text(fmt::format("^{}(B|KB|MB)/s$", number));
    result["seeds"] = text("^[0-9]+(\\.\\.[0-9]+)?$");
    result["slug"] = text("^[a-z0-9][a-z0-9-]{0,63}$");
    result["name"] = {{"type", "string"}, {"minLength", 1}};
    result["names"] = one_or_list(refer_to("name"));
    result["scalar"] = {{"type", Json::array({"string", "number", "boolean"})}};
    result["integers"] = {
        {"anyOf", Json::array({Json{{"type", "integer"}}, text("^[0-9]+\\.\\.[0-9]+$")})}};
    result["tail"] = {{"anyOf", Json::array({refer_to("spread"), refer_to("section-tail")})}};
    result["bounds"] = {{"anyOf", Json::array({Json{{"enum", Json::array({"none", "some", "any"})}},
                                               Json{{"type", "integer"}, {"minimum", 0}},
                                               refer_to("section-count")})}};
    auto events = Json::array();
    for (const auto& row : model::milestones()) events.push_back(row.name);
    result["milestone"] = {{"type", "string"}, {"examples", events}};
    Json facts = Json::object();
    for (const auto& row : model::facts())
        facts[std::string(row.name)] = {{"description", row.help}};
    result["match"] = {{"type", "object"}, {"additionalProperties", false}, {"properties", facts}};
    auto acts = Json::array();
    for (const auto& row : faults::actions())
        if (row.modelled) acts.push_back(row.word);
    result["action"] = {{"enum", acts}};
    Json options = Json::object();
    for (const auto& row : steps.rows)
        if (row.missing.empty()) options[std::string(row.name)] = {{"description", row.help}};
    result["step"] = {{"anyOf", Json::array({Json{{"enum", word_list(steps)}},
                                             Json{{"type", "object"},
                                                  {"minProperties", 1},
                                                  {"maxProperties", 1},
                                                  {"additionalProperties", false},
                                                  {"properties", options}}})}};
    Json known = Json::object();
    for (const auto& row : settings())
        if (row.missing.empty()) known[std::string(row.name)] = {{"description", row.help}};
    result["settings"] = {
        {"type", "object"}, {"additionalProperties", false}, {"properties", known}};
    return result;
}

/// Types whose shape depends on the field.
Json custom(const Field& field) {
    const auto name = field.name;
    if (name == "match") return refer_to("match");
    if (name == "do") return refer_to("action");
    if (name == "until")
        return {{"anyOf", Json::array({refer_to("milestone"), refer_to("section-until")})}};
    if (name == "placement")
        return {{"type", "array"},
                {"items",
                 {{"type", "array"},
                  {"minItems", 1},
                  {"items", {{"type", "integer"}, {"minimum", 1}}}}}};
    if (name == "groups") return {{"type", "array"}, {"minItems", 2}, {"items", refer_to("names")}};
    if (name == "target" || name == "from") return refer_to("names");
    if (name == "workload")
        return {{"anyOf", Json::array({Json{{"enum", word_list(workloads)}},
                                       Json{{"type", "object"}, {"maxProperties", 1}}})}};
    if (name == "on_error") {
        Json classes = Json::object();
        for (const auto& row : error_classes.rows)
            if (row.missing.empty())
                classes[std::string(row.name)] = {{"description", row.help},
                                                  {"enum", word_list(reactions)}};
        return {{"type", "object"}, {"additionalProperties", false}, {"properties", classes}};
    }
    if (name == "reached")
        return {{"anyOf", Json::array({Json{{"type", "array"}, {"items", refer_to("name")}},
                                       Json{{"type", "object"},
                                            {"additionalProperties", refer_to("bounds")}}})}};
    if (name == "errors" || name == "jepsen")
        return {{"type", "object"}, {"additionalProperties", refer_to("bounds")}};
    if (name == "metrics")
        return {{"type", "object"}, {"additionalProperties", refer_to("section-metric")}};
    if (name == "apps")
        return {{"type", "object"}, {"additionalProperties", refer_to("section-expect")}};
    if (name == "equals")
        return {{"anyOf", Json::array({Json{{"type", "integer"}}, refer_to("section-fold")})}};
    return refer_to("scalar");
}

Json shape_of(const Field& field) {
    switch (field.type) {
        case Type::text:
            return refer_to("scalar");
        case Type::slug:
            return refer_to("slug");
        case Type::name:
            return refer_to("name");
        case Type::names:
            return refer_to("names");
        case Type::flag:
            return {{"type", "boolean"}};
        case Type::integer: {
            Json integer{{"type", "integer"}, {"minimum", field.min}, {"maximum", field.max}};
            if (!field.nothing) return integer;
            return {{"anyOf", Json::array({std::move(integer), Json{{"const", "none"}}})}};
        }
        case Type::integer_range:
            return refer_to("integers");
        case Type::duration:
            if (field.name == "unavailable" || field.name == "latency_p99")
                return {{"anyOf", Json::array({refer_to("duration"), Json{{"const", "any"}}})}};
            return refer_to("duration");
        case Type::spread:
            if (field.name == "start")
                return {{"anyOf", Json::array({refer_to("spread"), Json{{"const", "manual"}}})}};
            if (field.name == "restart")
                return {{"anyOf", Json::array({refer_to("spread"), Json{{"const", "never"}}})}};
            return refer_to("spread");
        case Type::tail:
            return refer_to("tail");
        case Type::lasting:
            return refer_to("lasting");
        case Type::chance:
            return refer_to("chance");
        case Type::rate:
            return refer_to("rate");
        case Type::size:
            return refer_to("size");
        case Type::bandwidth:
            return refer_to("bandwidth");
        case Type::count:
            return refer_to("bounds");
        case Type::word: {
            Json words{{"enum", word_list(*field.words)}};
            if (field.name != "flush") return words;
            return {{"anyOf", Json::array({std::move(words), refer_to("duration")})}};
        }
        case Type::word_list:
            return {{"type", "array"},
                    {"uniqueItems", true},
                    {"items", {{"enum", word_list(*field.words)}}}};
        case Type::text_list:
            return {{"type", "array"}, {"items", refer_to("name")}};
        case Type::seed:
            return {{"type", "integer"},
                    {"minimum", 0},
                    {"maximum", std::numeric_limits<std::uint64_t>::max()}};
        case Type::seed_range:
            return refer_to("seeds");
        case Type::section:
            return refer_to(fmt::format("section-{}", field.section->name));
        case Type::sections:
            return {{"type", "array"},
                    {"items", refer_to(fmt::format("section-{}", field.section->name))}};
        case Type::named:
            return {
                {"type", "object"},
                {"minProperties", 1},
                {"additionalProperties", refer_to(fmt::format("section-{}", field.section->name))}};
        case Type::settings:
            return refer_to("settings");
        case Type::step_list:
            return {{"type", "array"}, {"items", refer_to("step")}};
        case Type::paths:
            return {{"type", "object"}};
        case Type::custom:
            return custom(field);
    }
    return {};
}

/// A default as JSON: a number or a truth value where the field takes one.
Json default_of(const Field& field) {
    if (field.type == Type::flag) return field.fallback == "true";
    if (field.type == Type::integer || field.type == Type::seed)
        if (const auto value = parse_integer(field.fallback)) return *value.value;
    return field.fallback;
}

Json section_schema(const Section& section) {
    Json result{{"type", "object"}, {"additionalProperties", false}};
    auto required = Json::array();
    Json properties = Json::object();
    for (const auto& field : section.fields) {
        if (!field.missing.empty()) continue;
        Json shape = shape_of(field);
        // Draft-07 ignores what stands beside a $ref.
        if (shape.contains("$ref")) shape = Json{{"allOf", Json::array({shape})}};
        shape["description"] = field.help;
        if (!field.fallback.empty()) shape["default"] = default_of(field);
        properties[std::string(field.name)] = std::move(shape);
        if (field.required) required.push_back(field.name);
    }
    if (section.name == "scenario") {
        properties["eosim"] = {{"const", 1}, {"description", "Language version; the first key."}};
        result["patternProperties"] = {
            {"^x-", {{"description", "Ignored; a place for anchors and notes."}}}};
    }
    if (!required.empty()) result["required"] = required;
    if (section.name == "fault")
        result["oneOf"] = Json::array({Json{{"required", {"at"}}}, Json{{"required", {"every"}}},
                                       Json{{"required", {"when"}}}});
    result["properties"] = std::move(properties);
    return result;
}

}  // namespace

std::string schema() {
    Json document;
    document["$schema"] = "http://json-schema.org/draft-07/schema#";
    document["$id"] = "https://example.invalid/eosim/schema/scenario.v1.json";
    document["title"] = "eosim scenario (version 1)";
    document["description"] =
        "One simulated cluster, its applications, the faults that hit it, and what must hold "
        "afterwards.";
    const auto top = section_schema(scenario_section);
    for (const auto& [key, value] : top.items()) document[key] = value;
    auto all = definitions();
    for (const auto* section : all_sections())
        if (section != &scenario_section)
            all[fmt::format("section-{}", section->name)] = section_schema(*section);
    document["definitions"] = std::move(all);
    return document.dump(2) + "\n";
}

}  // namespace eos::scenarios
