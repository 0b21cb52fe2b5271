// The order of a typed reading, and what its parts share.

#include <algorithm>

#include <fmt/format.h>

#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

void read_head(Reading& reading) {
    const auto& top = reading.top;
    const auto* version = reading.root.find("eosim");
    if (version != nullptr && version->is_scalar() && version->text != "1" &&
        parse_unsigned(version->text))
        reading.error(version->mark,
                      fmt::format("language version {} is not known",
                                  std::string_view(version->text).substr(0, 20)),
                      "this program reads version 1; a newer one may read this file");
    const auto& keys = reading.root.keys;
    const auto first = std::find_if(keys.begin(), keys.end(),
                                    [](const Key& k) { return !k.text.starts_with("x-"); });
    if (version != nullptr && first != keys.end() && first->text != "eosim")
        reading.error(first->mark, fmt::format("'{}' stands before 'eosim'", first->text),
                      "the language version is the first key");
    auto& scenario = reading.scenario;
    scenario.name = top.text("name");
    scenario.about = top.text("about");
    scenario.tags = top.texts("tags");
    scenario.refs = top.texts("refs");
    scenario.seed = top.seed("seed");
    scenario.duration = top.duration("duration");
    scenario.settle = top.duration("settle");
    if (scenario.duration <= sim::Duration{})
        reading.error(top.mark("duration"), "duration: nothing can happen in no time",
                      "for example duration: 10s");
}

/// What a run would certainly not finish.
void check_sizes(Reading& reading) {
    const auto& scenario = reading.scenario;
    std::int64_t total = 0;
    for (const auto& app : scenario.apps)
        total += app.config.records.value_or(0) * app.config.instances;
    for (const auto& topic : reading.topology.topics) total += topic.preload * topic.partitions;
    if (total > static_cast<std::int64_t>(scenario.limits.records))
        reading.error(
            reading.top.mark("apps"),
            fmt::format("{} records are above limits.records ({})", total, scenario.limits.records),
            "write fewer, or raise limits: { records: N }");
}

}  // namespace

std::optional<model::AppId> Reading::app(std::string_view name) const {
    const auto found = std::find(app_names.begin(), app_names.end(), name);
    if (found == app_names.end()) return std::nullopt;
    return model::AppId{static_cast<std::int32_t>(found - app_names.begin())};
}

std::optional<model::GroupId> Reading::group(std::string_view name) const {
    const auto found = std::find(topology.groups.begin(), topology.groups.end(), name);
    if (found == topology.groups.end()) return std::nullopt;
    return model::GroupId{static_cast<std::int32_t>(found - topology.groups.begin())};
}

std::optional<model::TopicId> Reading::need_topic(const Node& node) {
    if (node.is_scalar()) {
        if (const auto found = topic(node.text);
            found &&
            std::find(topic_names.begin(), topic_names.end(), node.text) != topic_names.end())
            return found;
        const auto* topics = root.find("topics");
        if (topics != nullptr && topics->find(node.text) != nullptr && !node.text.starts_with("__"))
            return std::nullopt;  // it is there, and its own problem has been said
    }
    if (!top.has("topics")) return std::nullopt;  // said already, and once is enough
    error(node.mark,
          node.is_scalar() ? fmt::format("there is no topic {}", shape(node))
                           : fmt::format("a topic is needed, not {}", shape(node)),
          suggestion(node.text, topic_names));
    return std::nullopt;
}

std::optional<Scenario> read_scenario(Diagnostics& diagnostics, const Node& root,
                                      std::uint64_t* seed_of_file) {
    if (!root.is_map()) {
        diagnostics.error(root.mark,
                          fmt::format("a scenario is a map of fields, not {}", shape(root)),
                          "start with eosim: 1");
        return std::nullopt;
    }
    const auto before = diagnostics.reported();
    Reading reading(diagnostics, root);
    read_head(reading);
    if (seed_of_file != nullptr) *seed_of_file = reading.scenario.seed;
    read_cluster(reading);
    // With a broken broker count nothing that follows would be true.
    if (reading.topology.brokers < 1) return std::nullopt;
    read_topics(reading);
    read_stores(reading);
    read_apps(reading);
    add_transaction_topic(reading);
    if (reading.topology.app_first_node.size() != reading.scenario.apps.size()) return std::nullopt;
    read_network(reading);
    read_faults(reading);
    read_expect(reading);
    check_sizes(reading);
    if (diagnostics.reported() > before) return std::nullopt;
    add_warnings(reading);
    reading.scenario.topology =
        std::make_shared<const model::Topology>(std::move(reading.topology));
    return std::move(reading.scenario);
}

}  // namespace eos::scenarios
