#pragma once
// What the JSON Schemas of our documents are made of. Additive changes only: unknown keys are
// allowed, known ones are typed.

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace eos::reports {

using Schema = nlohmann::ordered_json;

[[nodiscard]] inline Schema typed(const char* type, const char* help = nullptr) {
    Schema schema{{"type", type}};
    if (help != nullptr) schema["description"] = help;
    return schema;
}
[[nodiscard]] inline Schema whole(const char* help = nullptr) {
    auto schema = typed("integer", help);
    schema["minimum"] = 0;
    return schema;
}
[[nodiscard]] inline Schema list_of(Schema items) {
    return Schema{{"type", "array"}, {"items", std::move(items)}};
}
[[nodiscard]] inline Schema map_of(Schema values) {
    return Schema{{"type", "object"}, {"additionalProperties", std::move(values)}};
}
[[nodiscard]] inline Schema object(Schema properties, std::vector<std::string> required) {
    return Schema{{"type", "object"},
                  {"required", std::move(required)},
                  {"properties", std::move(properties)}};
}
/// The document as printed.
[[nodiscard]] inline std::string document(const char* title, const Schema& schema) {
    Schema result{{"$schema", "http://json-schema.org/draft-07/schema#"}, {"title", title}};
    result.update(schema);
    return result.dump(2) + "\n";
}

}  // namespace eos::reports
