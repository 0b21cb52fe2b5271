#include "tests/conformance/compare.hpp"

#include <algorithm>

namespace eos::conformance {

namespace {

[[nodiscard]] bool absent(const YAML::Node& node) { return !node.IsDefined() || node.IsNull(); }

[[nodiscard]] bool same(const std::string& key, const YAML::Node& expected,
                        const YAML::Node& observed, const Harness& harness);

[[nodiscard]] bool same_scalar(const std::string& a, const std::string& b) {
    const auto plain = [](const std::string& text) {
        if (text == "True" || text == "TRUE") return std::string("true");
        if (text == "False" || text == "FALSE") return std::string("false");
        return text;
    };
    return plain(a) == plain(b);
}

[[nodiscard]] bool same_list(const std::string& key, const YAML::Node& expected,
                             const YAML::Node& observed, const Harness& harness) {
    if (expected.size() != observed.size()) return false;
    if (harness.sets.contains(key)) {
        // Nodes are handles: moving them about inside a container would write through them.
        std::vector<bool> taken(observed.size(), false);
        for (const YAML::Node& wanted : expected) {
            std::size_t i = 0;
            while (i < taken.size() && (taken[i] || !same({}, wanted, observed[i], harness))) ++i;
            if (i == taken.size()) return false;
            taken[i] = true;
        }
        return true;
    }
    for (std::size_t i = 0; i < expected.size(); ++i)
        if (!same(key + "[]", expected[i], observed[i], harness)) return false;
    return true;
}

[[nodiscard]] bool same_map(const std::string& key, const YAML::Node& expected,
                            const YAML::Node& observed, const Harness& harness) {
    if (harness.whole_maps.contains(key) && expected.size() != observed.size()) return false;
    for (const auto& entry : expected) {
        const auto name = entry.first.as<std::string>();
        if (!same(name, entry.second, observed[name], harness)) return false;
    }
    return true;
}

bool same(const std::string& key, const YAML::Node& expected, const YAML::Node& observed,
          const Harness& harness) {
    if (absent(expected) || absent(observed)) return absent(expected) && absent(observed);
    if (expected.Type() != observed.Type()) return false;
    switch (expected.Type()) {
        case YAML::NodeType::Scalar: return same_scalar(expected.Scalar(), observed.Scalar());
        case YAML::NodeType::Sequence: return same_list(key, expected, observed, harness);
        case YAML::NodeType::Map: return same_map(key, expected, observed, harness);
        case YAML::NodeType::Undefined:
        case YAML::NodeType::Null: return true;
    }
    return false;
}

[[nodiscard]] std::string error_of(const YAML::Node& node) {
    if (absent(node) || !node.IsMap()) return "NONE";
    const YAML::Node error = node["error"];
    return absent(error) ? "NONE" : error.as<std::string>();
}

}  // namespace

std::string flow(const YAML::Node& node) {
    if (absent(node)) return "null";
    YAML::Emitter out;
    out << YAML::Flow << node;
    std::string text = out.c_str();
    std::replace(text.begin(), text.end(), '\n', ' ');
    return text;
}

std::optional<std::string> difference(const YAML::Node& expected, const Observed& observed,
                                      const Harness& harness) {
    const auto report = [](const std::string& key, const std::string& want,
                           const std::string& got) {
        return key + ": expected " + want + ", observed " + got;
    };
    // The result of an earlier step: a failure whose error the case does not name.
    const bool any_error = !absent(expected) && !expected["error"] && expected["status"] &&
                           expected["status"].as<std::string>() == "FAILED";
    if (!any_error && error_of(expected) != error_of(observed))
        return report("error", error_of(expected), error_of(observed));
    if (absent(expected)) return std::nullopt;
    for (const auto& entry : expected) {
        const auto key = entry.first.as<std::string>();
        if (key == "error") continue;
        const YAML::Node seen = observed.IsMap() ? observed[key] : YAML::Node();
        if (!same(key, entry.second, seen, harness))
            return report(key, flow(entry.second), flow(seen));
    }
    return std::nullopt;
}

}  // namespace eos::conformance
