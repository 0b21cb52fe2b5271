#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "scenarios/language/read_faults.hpp"

namespace eos::scenarios {
namespace {

using faults::LogPick;
using faults::Target;

/// Selectors of parts that are not built yet.
struct Missing {
    std::string_view start, part;
};
constexpr std::array missing{
    Missing{"controllers", "a quorum of controllers"},
    Missing{"metadata", "the metadata log as a target"},
};

struct Simple {
    std::string_view word;
    Target::Kind kind;
};
constexpr std::array simple{
    Simple{"brokers", Target::Kind::brokers},
    Simple{"random-broker", Target::Kind::random_broker},
    Simple{"controller", Target::Kind::controller},
    Simple{"random-app", Target::Kind::random_app},
    Simple{"apps", Target::Kind::apps},
    Simple{"everyone", Target::Kind::everyone},
    Simple{"stores", Target::Kind::stores},
};
constexpr std::array<Simple, 3> events{Simple{"event", Target::Kind::event},
                                       Simple{"event.from", Target::Kind::event_from},
                                       Simple{"event.to", Target::Kind::event_to}};
constexpr std::array<Simple, 4> of_partition{
    Simple{"leader:", Target::Kind::leader}, Simple{"follower:", Target::Kind::follower},
    Simple{"followers:", Target::Kind::followers}, Simple{"replicas:", Target::Kind::replicas}};

constexpr std::string_view usage =
    "broker:N, brokers, random-broker, controller, leader:T/P, follower:T/P, followers:T/P, "
    "replicas:T/P, group-coordinator:G, txn-coordinator:TXID, app:NAME/I, random-app, apps, "
    "owner:G/T/P, holder:TXID, zombie:TXID, store:NAME, stores, event";

class SelectorReader {
  public:
    SelectorReader(Reading& reading, const Node& node, const SelectorUse& use)
        : reading_(reading), node_(node), use_(use) {}

    std::optional<Target> read() {
        const std::string_view text = node_.text;
        if (!node_.is_scalar()) return unknown();
        for (const auto& row : missing)
            if (row.start.ends_with(':') ? text.starts_with(row.start) : text == row.start) {
                refuse_unmodelled(reading_.diagnostics, node_.mark,
                                  fmt::format("target '{}'", text), row.part);
                return std::nullopt;
            }
        for (const auto& row : simple)
            if (row.word == text) return of(row.kind);
        for (const auto& row : events)
            if (row.word == text) return event(row.kind);
        if (text == "others") {
            if (use_.others) return of(Target::Kind::others);
            reading_.error(node_.mark,
                           "'others' means something only in the groups of a partition");
            return std::nullopt;
        }
        for (const auto& row : of_partition)
            if (text.starts_with(row.word)) return with_log(row.kind, text.substr(row.word.size()));
        if (text.starts_with("broker:")) return broker(text.substr(7));
        if (text.starts_with("app:")) return app(text.substr(4));
        if (text.starts_with("store:")) return store(text.substr(6));
        if (text.starts_with("jobmanager:")) return job_manager(text.substr(11));
        if (text.starts_with("group-coordinator:")) return coordinator(text.substr(18));
        if (text.starts_with("txn-coordinator:"))  // who leads the log that holds the id
            return with_log(Target::Kind::leader, fmt::format("txn-log:{}", text.substr(16)));
        if (text.starts_with("owner:")) return owner(text.substr(6));
        if (text.starts_with("holder:")) return of_txid(Target::Kind::holder, text.substr(7));
        if (text.starts_with("zombie:")) return of_txid(Target::Kind::zombie, text.substr(7));
        if (use_.partition && (text.find('/') != text.npos || text.starts_with("group-log:") ||
                               text.starts_with("txn-log:")))
            return with_log(Target::Kind::log, text);
        if (use_.group) {
            Target target = of(Target::Kind::group);
            if (text == "*") return target;
            if (const auto found = reading_.group(text)) {
                target.number = found->value;
                return target;
            }
        }
        if (use_.txid) {
            Target target = of(Target::Kind::txid);
            if (text == "*") return target;
            if (const auto found = reading_.topology.transactional_id_named(text)) {
                target.number = found->value;
                return target;
            }
        }
        return unknown();
    }

  private:
    static Target of(Target::Kind kind) {
        Target target;
        target.kind = kind;
        return target;
    }

    std::optional<Target> unknown() {
        std::vector<std::string> words;
        for (const auto& row : simple) words.emplace_back(row.word);
        for (const auto& name : reading_.app_names) words.push_back("app:" + name);
        for (const auto& name : reading_.store_names) words.push_back("store:" + name);
        if (use_.group)
            for (const auto& name : reading_.topology.groups) words.push_back(name);
        if (use_.txid)
            for (const auto& name : reading_.topology.transactional_ids) words.push_back(name);
        auto hint = suggestion(node_.text, words);
        if (hint.empty()) hint = fmt::format("one of {}", usage);
        reading_.error(node_.mark, fmt::format("{} is not a target", shape(node_)), hint);
        return std::nullopt;
    }

    std::optional<Target> event(Target::Kind kind) {
        if (use_.event) return of(kind);
        reading_.error(node_.mark,
                       fmt::format("'{}' means nothing here: there is no event", node_.text),
                       "a fault with 'at' or 'every' needs a target of its own");
        return std::nullopt;
    }

    std::optional<Target> with_log(Target::Kind kind, std::string_view text) {
        const auto log = read_log(reading_, text, node_.mark);
        if (!log) return std::nullopt;
        Target target = of(kind);
        target.log = *log;
        return target;
    }

    std::optional<Target> broker(std::string_view text) {
        const auto id = parse_unsigned(text);
        const auto brokers = reading_.topology.brokers;
        if (!id || *id.value < 1 || *id.value > static_cast<std::uint64_t>(brokers)) {
            reading_.error(node_.mark, fmt::format("there is no broker '{}'", text),
                           fmt::format("brokers are 1 to {}", brokers));
            return std::nullopt;
        }
        Target target = of(Target::Kind::broker);
        target.number = static_cast<std::int32_t>(*id.value);
        return target;
    }

    std::optional<Target> store(std::string_view name) {
        const auto found = reading_.topology.store_named(name);
        if (!found) {
            reading_.error(node_.mark, fmt::format("there is no store '{}'", name),
                           suggestion(name, reading_.store_names));
            return std::nullopt;
        }
        Target target = of(Target::Kind::store);
        target.number = reading_.topology.node_of(*found).value;
        return target;
    }

    std::optional<Target> app(std::string_view text) {
        const auto slash = text.find('/');
        const auto name = text.substr(0, slash);
        const auto found = reading_.app(name);
        if (!found) {
            reading_.error(node_.mark, fmt::format("there is no app '{}'", name),
                           suggestion(name, reading_.app_names));
            return std::nullopt;
        }
        Target target = of(Target::Kind::app_any);
        target.number = found->value;
        if (slash == text.npos) return target;
        const auto instance = text.substr(slash + 1);
        if (instance == "*") {
            target.kind = Target::Kind::app_all;
            return target;
        }
        const auto& config = reading_.scenario.apps[static_cast<std::size_t>(found->value)].config;
        const auto number = parse_unsigned(instance);
        if (!number || *number.value >= static_cast<std::uint64_t>(config.processes())) {
            reading_.error(node_.mark, fmt::format("app '{}' has no instance '{}'", name, instance),
                           config.processes() == 1
                               ? "its only instance is 0"
                               : fmt::format("instances are 0 to {}", config.processes() - 1));
            return std::nullopt;
        }
        target.kind = Target::Kind::app_instance;
        target.instance = static_cast<std::int32_t>(*number.value);
        return target;
    }

    std::optional<Target> job_manager(std::string_view name) {
        const auto found = reading_.app(name);
        const auto& apps = reading_.scenario.apps;
        if (!found || !apps[static_cast<std::size_t>(found->value)].config.is_job()) {
            reading_.error(node_.mark, fmt::format("there is no Flink job '{}'", name),
                           suggestion(name, reading_.app_names));
            return std::nullopt;
        }
        Target target = of(Target::Kind::job_manager);
        target.number = found->value;
        return target;
    }

    std::optional<model::GroupId> group(std::string_view name) {
        const auto found = reading_.group(name);
        if (!found)
            reading_.error(node_.mark, fmt::format("there is no group '{}'", name),
                           suggestion(name, reading_.topology.groups));
        return found;
    }

    std::optional<Target> coordinator(std::string_view name) {
        Target target = of(Target::Kind::group_coordinator);
        if (name == "*") return target;
        const auto found = group(name);
        if (!found) return std::nullopt;
        target.number = found->value;
        return target;
    }

    /// Ids drawn at every start have no name beforehand, so nothing can be aimed at them.
    std::optional<Target> of_txid(Target::Kind kind, std::string_view name) {
        Target target = of(kind);
        const auto& ids = reading_.topology.transactional_ids;
        if (name == "*" && !ids.empty()) return target;
        const auto found = reading_.topology.transactional_id_named(name);
        if (!found) {
            auto hint = suggestion(name, ids);
            if (hint.empty() && !ids.empty()) hint = fmt::format("for example {}", ids.front());
            if (ids.empty())
                hint = "no app of this file is transactional with an id known beforehand";
            reading_.error(node_.mark, fmt::format("there is no transactional id '{}'", name),
                           hint);
            return std::nullopt;
        }
        target.number = found->value;
        return target;
    }

    std::optional<Target> owner(std::string_view text) {
        const auto slash = text.find('/');
        if (slash == text.npos) return unknown();
        const auto found = group(text.substr(0, slash));
        const auto log = read_log(reading_, text.substr(slash + 1), node_.mark);
        if (!found || !log) return std::nullopt;
        Target target = of(Target::Kind::owner);
        target.number = found->value;
        target.log = *log;
        return target;
    }

    Reading& reading_;
    const Node& node_;
    const SelectorUse& use_;
};

}  // namespace

std::optional<LogPick> read_log(Reading& reading, std::string_view text, const Mark& mark) {
    if (text == "metadata") {
        refuse_unmodelled(reading.diagnostics, mark, "log 'metadata'",
                          "the metadata log as a target");
        return std::nullopt;
    }
    if (text.starts_with("txn-log:")) {
        const auto name = text.substr(8);
        if (name == "*") return LogPick{LogPick::Kind::any_txn, 0};
        const auto& ids = reading.topology.transactional_ids;
        const auto id = reading.topology.transactional_id_named(name);
        if (!id) {
            reading.error(mark, fmt::format("there is no transactional id '{}'", name),
                          suggestion(name, ids));
            return std::nullopt;
        }
        return LogPick{LogPick::Kind::one, reading.topology.transaction_log(*id)->value};
    }
    if (text == "*/*") return LogPick{LogPick::Kind::any, 0};
    if (text.starts_with("group-log:")) {
        const auto name = text.substr(10);
        if (name == "*") return LogPick{LogPick::Kind::any_group, 0};
        const auto group = reading.group(name);
        if (!group) {
            reading.error(mark, fmt::format("there is no group '{}'", name),
                          suggestion(name, reading.topology.groups));
            return std::nullopt;
        }
        return LogPick{LogPick::Kind::one, reading.topology.offsets_log(*group)->value};
    }
    const auto slash = text.rfind('/');
    if (slash == text.npos) {
        reading.error(mark, fmt::format("'{}' is not a partition", text),
                      "write TOPIC/NUMBER, TOPIC/*, */* or group-log:GROUP");
        return std::nullopt;
    }
    const auto name = text.substr(0, slash);
    const auto topic = reading.topic(name);
    if (!topic) {
        reading.error(mark, fmt::format("there is no topic '{}'", name),
                      suggestion(name, reading.topic_names));
        return std::nullopt;
    }
    const auto& entry = reading.topology.topics[static_cast<std::size_t>(topic->value)];
    if (text.substr(slash + 1) == "*") return LogPick{LogPick::Kind::topic, topic->value};
    const auto number = parse_unsigned(text.substr(slash + 1));
    if (!number || *number.value >= static_cast<std::uint64_t>(entry.partitions)) {
        reading.error(
            mark, fmt::format("topic '{}' has no partition '{}'", name, text.substr(slash + 1)),
            entry.partitions == 1 ? "its only partition is 0"
                                  : fmt::format("partitions are 0 to {}", entry.partitions - 1));
        return std::nullopt;
    }
    return LogPick{LogPick::Kind::one,
                   entry.first.value + static_cast<std::int32_t>(*number.value)};
}

std::optional<Target> read_selector(Reading& reading, const Node& node, const SelectorUse& use) {
    return SelectorReader(reading, node, use).read();
}

faults::Targets read_selectors(Reading& reading, const Node& node, const SelectorUse& use) {
    faults::Targets result;
    if (!node.is_sequence()) {
        if (const auto target = read_selector(reading, node, use)) result.push_back(*target);
        return result;
    }
    if (node.items.empty()) reading.error(node.mark, "an empty list hits nobody", "name a target");
    for (const auto& item : node.items)
        if (const auto target = read_selector(reading, item, use)) result.push_back(*target);
    return result;
}

}  // namespace eos::scenarios
