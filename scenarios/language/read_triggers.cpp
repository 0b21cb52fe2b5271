// Milestones, and what they must carry.

#include <algorithm>
#include <array>
#include <functional>

#include <fmt/format.h>

#include "model/error_codes.hpp"
#include "model/messages.hpp"
#include "model/milestones.hpp"
#include "model/store_messages.hpp"
#include "scenarios/language/read_faults.hpp"

namespace eos::scenarios {
namespace {

using faults::Match;
using faults::Matches;
using model::Fact;
using model::Mile;

/// The spellings of interface.md stay readable (language.md, section 10).
struct OldName {
    std::string_view old;
    std::string_view now;
    Fact fact;
    std::int64_t value;
};
constexpr std::array old_names{
    OldName{"app.polled", "app.step_done", Fact::step,
            static_cast<std::int64_t>(model::StepKind::poll)},
    OldName{"app.batch_processed", "app.step_done", Fact::step,
            static_cast<std::int64_t>(model::StepKind::process)},
    OldName{"app.batch_produced", "app.step_done", Fact::step,
            static_cast<std::int64_t>(model::StepKind::produce)},
    OldName{"app.crashed", "node.crashed", Fact::kind,
            static_cast<std::int64_t>(model::NodeKind::app)},
    OldName{"app.restarted", "node.started", Fact::kind,
            static_cast<std::int64_t>(model::NodeKind::app)},
};

std::optional<Milestone> fault_milestone(Reading& reading, const Node& node) {
    auto name = std::string_view(node.text).substr(6);
    const bool ended = name.ends_with(".ended");
    if (ended) name.remove_suffix(6);
    const auto& names = reading.fault_names;
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) {
        reading.error(node.mark, fmt::format("there is no fault '{}'", name),
                      suggestion(name, names));
        return std::nullopt;
    }
    const auto number = static_cast<std::uint16_t>(Mile::fault_first) +
                        2 * (found - names.begin()) + (ended ? 1 : 0);
    return Milestone{.kind = {static_cast<std::uint16_t>(number)},
                     .name = node.text,
                     .facts = {},
                     .rpc = false,
                     .implied = {}};
}

std::optional<Milestone> safeguard_milestone(Reading& reading, const Node& node) {
    const auto name = std::string_view(node.text).substr(10);
    const auto found = model::safeguard(name);
    if (!found) {
        std::vector<std::string> names;
        for (const auto& row : model::safeguards()) names.emplace_back(row.name);
        reading.error(node.mark, fmt::format("unknown safeguard '{}'", name),
                      suggestion(name, names));
        return std::nullopt;
    }
    const auto number =
        static_cast<std::uint16_t>(Mile::safeguard_first) + static_cast<std::uint16_t>(*found);
    return Milestone{.kind = {static_cast<std::uint16_t>(number)},
                     .name = node.text,
                     .facts = {},
                     .rpc = false,
                     .implied = {}};
}

/// One value of one fact; what it may be depends on the fact.
class ValueReader {
  public:
    ValueReader(Reading& reading, const Milestone& milestone)
        : reading_(reading), milestone_(milestone) {}

    void read(Fact fact, const Node& node) {
        switch (fact) {
            case Fact::api:
                return api(node);
            case Fact::side:
                return word<model::FrameSide>(fact, node, 2);
            case Fact::from:
            case Fact::to:
            case Fact::node:
                return target(fact, node);
            case Fact::broker:
            case Fact::leader:
                return broker(fact, node);
            case Fact::error:
                return error(node);
            case Fact::kind:
                return kind(node);
            case Fact::clean:
            case Fact::unclean:
                return flag(fact, node);
            case Fact::topic:
                return topic(node);
            case Fact::log:
                return log(node);
            case Fact::group:
                return group(node);
            case Fact::app:
                return app(node);
            case Fact::step:
                return step(node);
            case Fact::error_class:
                return error_class(node);
            case Fact::task:
                return task(node);
            case Fact::acks:
                if (node.text == "all") return add(fact, -1);
                return number(fact, node);
            case Fact::entry:
                return word<model::TxnState>(fact, node, 8);
            case Fact::txid:
                return transactional_id(node);
            case Fact::result:
                return word<model::TxnResult>(fact, node,
                                              milestone_.name == "txn.reported" ? 3 : 2);
            case Fact::cause:
                return word<model::TxnCause>(fact, node, 3);
            case Fact::store:
                return store(node);
            case Fact::statement:
                return word<model::Statement>(fact, node, model::statement_count);
            case Fact::member:
                reading_.error(node.mark,
                               fmt::format("'{}' cannot be matched: its values are drawn "
                                           "by the simulation",
                                           name_of(fact)),
                               "match group and app instead");
                return;
            case Fact::attempt:
            case Fact::partition:
            case Fact::offset:
            case Fact::size:
            case Fact::instance:
            case Fact::record:
            case Fact::pid:
            case Fact::epoch:
            case Fact::generation:
            case Fact::loop:
            case Fact::count:
            case Fact::txn:
            case Fact::record_key:
            case Fact::checkpoint:
            case Fact::subtask:
                return number(fact, node);
        }
    }

    [[nodiscard]] Matches take() { return std::move(result_); }

  private:
    static std::string_view name_of(Fact fact) {
        return model::facts()[static_cast<std::size_t>(fact)].name;
    }
    Match& match(Fact fact) {
        for (auto& m : result_)
            if (m.fact == model::number(fact)) return m;
        result_.push_back({.fact = model::number(fact), .any_of = {}});
        return result_.back();
    }
    void add(Fact fact, std::int64_t value) { match(fact).any_of.emplace_back(value); }

    void refuse(Fact fact, const Node& node, std::string_view wanted,
                const std::vector<std::string>& candidates = {}) {
        auto hint = suggestion(node.text, candidates);
        if (hint.empty() && !candidates.empty() && candidates.size() <= 12)
            hint = fmt::format("one of {}", fmt::join(candidates, ", "));
        reading_.error(node.mark,
                       fmt::format("{}: {} is not {}", name_of(fact), shape(node), wanted), hint);
    }

    void number(Fact fact, const Node& node) {
        const auto value = parse_integer(node.text);
        if (node.is_scalar() && value && !node.quoted) return add(fact, *value.value);
        refuse(fact, node,
               node.text.find("..") != node.text.npos ? "a number; ranges are not allowed in match"
                                                      : "a number");
    }
    void flag(Fact fact, const Node& node) {
        if (!node.quoted && (node.text == "true" || node.text == "false"))
            return add(fact, node.text == "true" ? 1 : 0);
        refuse(fact, node, "true or false");
    }
    template <class E>
    void word(Fact fact, const Node& node, std::size_t total) {
        std::vector<std::string> names;
        for (std::size_t i = 0; i < total; ++i) {
            names.emplace_back(model::name(static_cast<E>(i)));
            if (names.back() == node.text) return add(fact, static_cast<std::int64_t>(i));
        }
        refuse(fact, node, "a value it can have", names);
    }
    void target(Fact fact, const Node& node) {
        const SelectorUse use{.event = false, .others = false, .partition = false, .group = false};
        if (const auto found = read_selector(reading_, node, use))
            match(fact).any_of.emplace_back(*found);
    }
    void broker(Fact fact, const Node& node) {
        const std::string_view text = node.text;
        const auto id = parse_unsigned(text.starts_with("broker:") ? text.substr(7) : text);
        if (node.is_scalar() && id && *id.value >= 1 &&
            *id.value <= static_cast<std::uint64_t>(reading_.topology.brokers))
            return add(fact, static_cast<std::int64_t>(*id.value));
        refuse(fact, node, fmt::format("a broker (1 to {})", reading_.topology.brokers));
    }
    void api(const Node& node) {
        using Later = std::pair<std::string_view, std::string_view>;
        constexpr std::string_view pushed = "a controller that pushes metadata";
        constexpr std::array later{
            Later{"LeaderAndIsr", pushed},
            Later{"StopReplica", pushed},
            Later{"UpdateMetadata", pushed}};
        for (const auto& [name, part] : later)
            if (name == node.text) {
                refuse_unmodelled(reading_.diagnostics, node.mark, fmt::format("api '{}'", name),
                                  part);
                return;
            }
        const auto found = model::api(node.text);
        if (found && *found != model::Api::handoff)
            return add(Fact::api, static_cast<std::int64_t>(*found));
        std::vector<std::string> names;
        for (std::size_t i = 0; i < model::api_count; ++i)
            if (static_cast<model::Api>(i) != model::Api::handoff)
                names.emplace_back(model::name(static_cast<model::Api>(i)));
        refuse(Fact::api, node, "a Kafka API", names);
    }
    void error(const Node& node) {
        if (const auto code = model::error_code(node.text))
            return add(Fact::error, static_cast<std::int64_t>(*code));
        std::vector<std::string> names;
        for (const auto code : model::all_error_codes()) names.emplace_back(model::name(code));
        refuse(Fact::error, node, "a Kafka error", names);
    }
    void kind(const Node& node) {
        const std::string_view name = milestone_.name;
        if (name.starts_with("partition.")) {
            return word<model::AppendKind>(Fact::kind, node, 6);
        }
        if (name.starts_with("node.")) return word<model::NodeKind>(Fact::kind, node, 4);
        if (name.starts_with("coordinator.")) {
            return word<model::CoordinatorKind>(Fact::kind, node, 2);
        }
        word<model::FailKind>(Fact::kind, node, 2);
    }
    void topic(const Node& node) {
        if (const auto found = reading_.need_topic(node)) add(Fact::topic, found->value);
    }
    void log(const Node& node) {
        const auto pick = read_log(reading_, node.text, node.mark);
        if (!pick) return;
        const auto& topology = reading_.topology;
        for (std::size_t i = 0; i < topology.logs.size(); ++i) {
            const auto index = static_cast<std::int32_t>(i);
            const auto topic_index = topology.logs[i].topic.value;
            const bool internal = topology.topics[static_cast<std::size_t>(topic_index)].internal;
            bool meant = false;
            switch (pick->kind) {
                case faults::LogPick::Kind::one:
                    meant = index == pick->index;
                    break;
                case faults::LogPick::Kind::topic:
                    meant = topic_index == pick->index;
                    break;
                case faults::LogPick::Kind::any:
                    meant = !internal;
                    break;
                case faults::LogPick::Kind::any_group:
                    meant = internal && topology.offsets_topic->value == topic_index;
                    break;
                case faults::LogPick::Kind::any_txn:
                    meant = topology.transaction_topic &&
                            topology.transaction_topic->value == topic_index;
                    break;
            }
            if (meant) add(Fact::log, index);
        }
    }
    void store(const Node& node) {
        if (const auto found = reading_.topology.store_named(node.text))
            return add(Fact::store, found->value);
        refuse(Fact::store, node, "a store", reading_.store_names);
    }
    void group(const Node& node) {
        if (const auto found = reading_.group(node.text)) return add(Fact::group, found->value);
        refuse(Fact::group, node, "a consumer group", reading_.topology.groups);
    }
    void transactional_id(const Node& node) {
        const auto& ids = reading_.topology.transactional_ids;
        if (const auto found = reading_.topology.transactional_id_named(node.text))
            return add(Fact::txid, found->value);
        refuse(Fact::txid, node, "a transactional id of this scenario", ids);
    }
    void app(const Node& node) {
        std::string_view text = node.text;
        if (text.starts_with("app:")) text.remove_prefix(4);
        const auto slash = text.find('/');
        const auto found = reading_.app(text.substr(0, slash));
        if (!found) return refuse(Fact::app, node, "an app", reading_.app_names);
        const auto& known = match(Fact::app).any_of;
        const bool same = known.empty() ||
                          (known.size() == 1 && std::get<std::int64_t>(known[0]) == found->value);
        if (slash == text.npos || text.substr(slash + 1) == "*") {
            if (!same || known.empty()) add(Fact::app, found->value);
            return;
        }
        const auto instance = parse_unsigned(text.substr(slash + 1));
        const auto instances =
            reading_.scenario.apps[static_cast<std::size_t>(found->value)].config.processes();
        if (!instance || *instance.value >= static_cast<std::uint64_t>(instances))
            return refuse(Fact::app, node, fmt::format("an instance (0 to {})", instances - 1));
        if (!same) {
            reading_.error(node.mark, "instances of two apps cannot be matched together",
                           "write two faults");
            return;
        }
        if (known.empty()) add(Fact::app, found->value);
        add(Fact::instance, static_cast<std::int64_t>(*instance.value));
    }
    void step(const Node& node) {
        if (!check_word(reading_.diagnostics, steps, node, "in match")) return;
        for (std::size_t i = 0; i < model::step_kind_count; ++i)
            if (model::name(static_cast<model::StepKind>(i)) == node.text)
                add(Fact::step, static_cast<std::int64_t>(i));
    }
    void error_class(const Node& node) {
        if (!check_word(reading_.diagnostics, error_classes, node, "in match")) return;
        for (int i = 0; i < static_cast<int>(model::error_class_count); ++i)
            if (model::name(static_cast<model::ErrorClass>(i)) == node.text)
                add(Fact::error_class, i);
    }
    void task(const Node& node) {
        if (const auto found = model::task(node.text))
            return add(Fact::task, static_cast<std::int64_t>(*found));
        std::vector<std::string> names;
        for (int i = 0; i < static_cast<int>(model::task_count); ++i)
            names.emplace_back(model::name(static_cast<model::Task>(i)));
        refuse(Fact::task, node, "a hand-off of this model", names);
    }

    Reading& reading_;
    const Milestone& milestone_;
    Matches result_;
};

}  // namespace

std::optional<Milestone> read_milestone(Reading& reading, const Node& node) {
    if (!node.is_scalar()) {
        reading.error(node.mark, fmt::format("a milestone is needed, not {}", shape(node)),
                      "for example partition.appended");
        return std::nullopt;
    }
    if (node.text.starts_with("fault.")) return fault_milestone(reading, node);
    if (node.text.starts_with("safeguard.")) return safeguard_milestone(reading, node);
    Matches implied;
    std::string_view name = node.text;
    for (const auto& row : old_names)
        if (row.old == node.text) {
            name = row.now;
            implied.push_back({.fact = model::number(row.fact), .any_of = {row.value}});
        }
    if (const auto* row = model::milestone_named(name))
        return Milestone{.kind = model::number(row->mile),
                         .name = std::string(row->name),
                         .facts = row->facts,
                         .rpc = row->mile == Mile::rpc_sent || row->mile == Mile::rpc_delivered,
                         .implied = std::move(implied)};
    const auto later = model::milestones_not_modelled();
    if (std::find(later.begin(), later.end(), name) != later.end()) {
        refuse_unmodelled(reading.diagnostics, node.mark, fmt::format("milestone '{}'", name),
                          "a part not built yet");
        return std::nullopt;
    }
    std::vector<std::string> names;
    for (const auto& row : model::milestones()) names.emplace_back(row.name);
    auto hint = suggestion(name, names);
    if (hint.empty()) hint = "'eosim list events' prints them";
    reading.error(node.mark, fmt::format("'{}' is not a milestone", name.substr(0, 80)), hint);
    return std::nullopt;
}

namespace {

/// A message carries logs, not topics and partitions: the places that are meant, as logs.
void place_by_log(const model::Topology& topology, Matches& matches) {
    const auto values_of = [&](Fact fact) -> std::optional<std::vector<std::int64_t>> {
        const auto found = std::find_if(matches.begin(), matches.end(), [&](const auto& match) {
            return match.fact == model::number(fact);
        });
        if (found == matches.end()) return std::nullopt;
        std::vector<std::int64_t> values;
        for (const auto& value : found->any_of) values.push_back(std::get<std::int64_t>(value));
        return values;
    };
    const auto topics = values_of(Fact::topic);
    const auto partitions = values_of(Fact::partition);
    if (!topics && !partitions) return;
    const auto logs = values_of(Fact::log);
    const auto allows = [](const auto& values, std::int64_t value) {
        return !values || std::find(values->begin(), values->end(), value) != values->end();
    };
    faults::Match meant{.fact = model::number(Fact::log), .any_of = {}};
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const auto& log = topology.logs[i];
        const auto index = static_cast<std::int64_t>(i);
        if (allows(topics, log.topic.value) && allows(partitions, log.partition.value) &&
            allows(logs, index))
            meant.any_of.emplace_back(index);
    }
    std::erase_if(matches, [](const auto& match) {
        return match.fact == model::number(Fact::topic) ||
               match.fact == model::number(Fact::partition) ||
               match.fact == model::number(Fact::log);
    });
    matches.push_back(std::move(meant));
}

}  // namespace

Matches read_match(Reading& reading, const Node* node, const Milestone& milestone) {
    ValueReader values(reading, milestone);
    bool side = false;
    if (node != nullptr && !node->is_map())
        reading.error(node->mark, fmt::format("'match' must be a map, not {}", shape(*node)),
                      "for example match: { api: Produce }");
    for (std::size_t i = 0; node != nullptr && i < node->keys.size(); ++i) {
        const auto& key = node->keys[i];
        const auto& value = node->items[i];
        const auto fact = model::fact_named(key.text);
        std::vector<std::string> carried{"node"};
        for (const auto f : milestone.facts)
            carried.emplace_back(model::facts()[static_cast<std::size_t>(f)].name);
        if (!fact || std::find(carried.begin(), carried.end(), key.text) == carried.end()) {
            auto hint = suggestion(key.text, carried);
            if (hint.empty()) hint = fmt::format("it carries {}", fmt::join(carried, ", "));
            reading.error(key.mark,
                          fmt::format("'{}' does not carry '{}'", milestone.name,
                                      std::string_view(key.text).substr(0, 80)),
                          hint);
            continue;
        }
        side = side || *fact == Fact::side;
        if (value.is_sequence()) {
            if (value.items.empty())
                reading.error(value.mark,
                              fmt::format("{}: an empty list matches nothing", key.text));
            for (const auto& item : value.items) values.read(*fact, item);
        } else if (value.is_null()) {
            reading.error(value.mark, fmt::format("{}: there is no value", key.text));
        } else {
            values.read(*fact, value);
        }
    }
    Matches result = values.take();
    if (milestone.name.starts_with("rpc.")) place_by_log(reading.topology, result);
    for (const auto& implied : milestone.implied) result.push_back(implied);
    if (milestone.rpc && !side)
        result.push_back({.fact = model::number(Fact::side),
                          .any_of = {static_cast<std::int64_t>(model::FrameSide::request)}});
    return result;
}

}  // namespace eos::scenarios
