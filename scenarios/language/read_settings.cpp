// `config:`, safeguards and bugs: what may be said of several roles and must land in the right one.

#include <algorithm>

#include <fmt/format.h>

#include "model/bugs.hpp"
#include "scenarios/language/reading.hpp"

namespace eos::scenarios {
namespace {

std::string who_has(const std::vector<const Setting*>& rows) {
    std::vector<std::string_view> roles;
    for (const auto* row : rows) {
        if (row->broker != nullptr) roles.emplace_back("brokers");
        if (row->producer != nullptr) roles.emplace_back("producers");
        if (row->consumer != nullptr) roles.emplace_back("consumers");
        if (row->job != nullptr) roles.emplace_back("Flink jobs");
        if (row->topic) roles.emplace_back("topics");
    }
    return fmt::format("{}", fmt::join(roles, " and "));
}

bool applies(const Setting& row, const SettingTargets& targets) {
    return (row.broker != nullptr && targets.cluster != nullptr) ||
           (row.producer != nullptr && targets.producer != nullptr) ||
           (row.consumer != nullptr && targets.consumer != nullptr) ||
           (row.job != nullptr && targets.job != nullptr) || (row.topic && targets.topic);
}

void set_one(Reading& reading, const Setting& row, const Node& value, const SettingTargets& targets,
             std::set<std::string, std::less<>>& set) {
    if (row.name == "group.instance.id") {
        if (value.text != "per-instance")
            reading.error(
                value.mark,
                fmt::format("group.instance.id must be per-instance, not {}", shape(value)),
                "instances that differ are two apps with one group");
        set.emplace(row.name);
        return;
    }
    // Interned by the reader of applications.
    if (row.name == "transactional.id" || row.name == "sink.transactional-id-prefix") {
        set.emplace(row.name);
        return;
    }
    const auto parsed = parse_setting(row, value.text, value.quoted);
    if (!parsed.value) {
        reading.error(value.mark, parsed.problem, parsed.hint);
        return;
    }
    if (row.broker != nullptr && targets.cluster != nullptr)
        assign(row.broker(*targets.cluster), row, *parsed.value);
    if (row.producer != nullptr && targets.producer != nullptr)
        assign(row.producer(*targets.producer), row, *parsed.value);
    if (row.consumer != nullptr && targets.consumer != nullptr)
        assign(row.consumer(*targets.consumer), row, *parsed.value);
    if (row.job != nullptr && targets.job != nullptr)
        assign(row.job(*targets.job), row, *parsed.value);
    set.emplace(row.name);
}

}  // namespace

std::set<std::string, std::less<>> apply_settings(Reading& reading, const Node* config,
                                                  const SettingTargets& targets,
                                                  std::string_view where) {
    std::set<std::string, std::less<>> set;
    if (config == nullptr) return set;
    for (std::size_t i = 0; i < config->items.size(); ++i) {
        const auto& key = config->keys[i];
        const auto& value = config->items[i];
        const auto rows = settings_named(key.text);
        const auto found = std::find_if(rows.begin(), rows.end(),
                                        [&](const Setting* row) { return applies(*row, targets); });
        if (rows.empty()) {
            std::vector<std::string> names;
            for (const auto& row : settings())
                if (applies(row, targets) || !row.missing.empty()) names.emplace_back(row.name);
            reading.error(key.mark,
                          fmt::format("unknown setting '{}' {}",
                                      std::string_view(key.text).substr(0, 80), where),
                          suggestion(key.text, names));
        } else if (!rows.front()->missing.empty()) {
            refuse_unmodelled(reading.diagnostics, key.mark,
                              fmt::format("setting '{}' {}", key.text, where),
                              rows.front()->missing);
        } else if (found == rows.end()) {
            reading.error(key.mark, fmt::format("'{}' means nothing {}", key.text, where),
                          fmt::format("it is a setting of {}", who_has(rows)));
        } else if (!value.is_scalar()) {
            reading.error(
                value.mark,
                fmt::format("'{}' must be a single value, not {}", key.text, shape(value)),
                fmt::format("for example {}: {}", key.text, (*found)->fallback));
        } else {
            set_one(reading, **found, value, targets, set);
        }
    }
    return set;
}

namespace {

const model::SafeguardEntry* known_safeguard(Reading& reading, const Node& node, model::Side side) {
    std::vector<std::string> names;
    for (const auto& row : model::safeguards()) {
        if (row.name == node.text) {
            if (row.side == side) return &row;
            reading.error(node.mark,
                          fmt::format("safeguard '{}' is not the {}'s", node.text,
                                      side == model::Side::cluster ? "cluster" : "client"),
                          row.side == model::Side::client ? "write it in apps.NAME.without"
                                                          : "write it in cluster.without");
            return nullptr;
        }
        if (row.side == side) names.emplace_back(row.name);
    }
    auto hint = suggestion(node.text, names);
    if (hint.empty()) hint = "'eosim list safeguards' prints them";
    reading.error(node.mark, fmt::format("unknown safeguard {}", shape(node)), hint);
    return nullptr;
}

const model::BugEntry* known_bug(Reading& reading, const Node& node, model::Side side) {
    std::vector<std::string> names;
    for (const auto& row : model::bugs()) {
        names.emplace_back(row.name);
        if (row.name != node.text) continue;
        if (row.side == side) return &row;
        reading.error(node.mark,
                      fmt::format("bug '{}' is not the {}'s", node.text,
                                  side == model::Side::cluster ? "cluster" : "client"),
                      row.side == model::Side::client ? "write it in apps.NAME.bugs"
                                                      : "write it in cluster.bugs");
        return nullptr;
    }
    auto hint = suggestion(node.text, names);
    if (hint.empty()) hint = "'eosim list bugs' prints those this version knows";
    reading.error(node.mark, fmt::format("unknown bug {}, or one not modelled yet", shape(node)),
                  hint);
    return nullptr;
}

}  // namespace

std::vector<const model::BugEntry*> apply_safeguards(Reading& reading, const Form& form,
                                                     model::Side side, model::SafeguardSet& set) {
    std::vector<const model::BugEntry*> bugs;
    for (const auto* node : form.list("with"))
        if (const auto* row = known_safeguard(reading, *node, side)) set.add(row->safeguard);
    for (const auto* node : form.list("without"))
        if (const auto* row = known_safeguard(reading, *node, side)) set.remove(row->safeguard);
    for (const auto* node : form.list("bugs"))
        if (const auto* row = known_bug(reading, *node, side)) {
            for (const auto removed : row->removes) set.remove(removed);
            bugs.push_back(row);
        }
    return bugs;
}

}  // namespace eos::scenarios
