#pragma once
// Holds a JSON document against one of our schemas, more strictly than a validator would: what a
// document says and its schema does not is a fault too. Knows the words our schemas use.

#include <regex>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace eos::tests {

using Json = nlohmann::json;

inline bool has_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "boolean") return value.is_boolean();
    return type == "integer" && value.is_number_integer();
}

/// Where the document departs from the schema: "/transactions/0/epoch: not an integer".
inline std::vector<std::string> departures(const Json& value, const Json& schema,
                                           const std::string& at = "") {
    std::vector<std::string> found;
    const auto say = [&](const std::string& what) { found.push_back(at + ": " + what); };
    const auto descend = [&](const Json& part, const Json& rule, const std::string& step) {
        for (auto& more : departures(part, rule, at + "/" + step)) found.push_back(std::move(more));
    };
    if (schema.contains("const") && value != schema["const"]) say("another constant");
    if (schema.contains("enum")) {
        bool any = false;
        for (const auto& word : schema["enum"]) any = any || word == value;
        if (!any) say("not one of the words");
    }
    if (schema.contains("type")) {
        const auto& type = schema["type"];
        bool any = type.is_string() && has_type(value, type);
        if (type.is_array())
            for (const auto& one : type) any = any || has_type(value, one);
        if (!any) say("not of type " + type.dump());
    }
    if (schema.contains("minimum") && value.is_number() && value < schema["minimum"])
        say("below the minimum");
    if (schema.contains("pattern") && value.is_string() &&
        !std::regex_search(value.get<std::string>(),
                           std::regex(schema["pattern"].get<std::string>())))
        say("not of the pattern");
    if (value.is_array() && schema.contains("items"))
        for (std::size_t i = 0; i < value.size(); ++i)
            descend(value[i], schema["items"], std::to_string(i));
    if (!value.is_object()) return found;
    for (const auto& key : schema.value("required", Json::array()))
        if (!value.contains(key.get<std::string>())) say("no " + key.get<std::string>());
    for (const auto& [key, part] : value.items()) {
        if (schema.contains("properties") && schema["properties"].contains(key))
            descend(part, schema["properties"][key], key);
        else if (schema.contains("additionalProperties"))
            descend(part, schema["additionalProperties"], key);
        else
            say("says " + key + ", which the schema does not know");
    }
    return found;
}

}  // namespace eos::tests
