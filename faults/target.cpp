#include "faults/target.hpp"

#include <algorithm>

namespace eos::faults {
namespace {

using Kind = Target::Kind;
using Nodes = std::vector<sim::NodeId>;

std::int64_t count_of(std::size_t n) { return static_cast<std::int64_t>(n); }

template <class T>
void add_once(std::vector<T>& list, const T& value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

template <class Wanted>
Nodes nodes_where(const Plan& plan, Wanted wanted) {
    Nodes result;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i)
        if (wanted(plan.nodes[i])) result.push_back({static_cast<std::int32_t>(i)});
    return result;
}

Nodes nodes_of_kind(const Plan& plan, NodeKind kind) {
    return nodes_where(plan, [&](const NodeEntry& e) { return e.kind == kind; });
}

Nodes holders(const Site& site, std::uint16_t role, std::int64_t subject) {
    const auto found = site.around.holders({role, subject});
    return {found.begin(), found.end()};
}

Nodes replicas(const Site& site, std::int32_t log) {
    Nodes result = holders(site, site.plan.words.roles.leader, log);
    for (const auto node : holders(site, site.plan.words.roles.followers, log))
        add_once(result, node);
    return result;
}

std::vector<std::int32_t> groups_of(const Target& target, const Plan& plan) {
    if (target.number) return {*target.number};
    std::vector<std::int32_t> result;
    for (std::size_t i = 0; i < plan.groups.size(); ++i)
        result.push_back(static_cast<std::int32_t>(i));
    return result;
}

std::vector<std::int32_t> txids_of(const Target& target, const Plan& plan) {
    if (target.number) return {*target.number};
    std::vector<std::int32_t> result;
    for (std::size_t i = 0; i < plan.txn_logs.size(); ++i)
        result.push_back(static_cast<std::int32_t>(i));
    return result;
}

std::int64_t owner_subject(std::int32_t group, std::int32_t log) {
    return (static_cast<std::int64_t>(group) << 32) | static_cast<std::int64_t>(log);
}

/// Whether a target of this kind means one of its candidate nodes, not all of them.
bool draws_one_node(Kind kind) {
    switch (kind) {
        case Kind::random_broker:
        case Kind::follower:
        case Kind::app_any:
        case Kind::random_app:
            return true;
        case Kind::event:
        case Kind::event_from:
        case Kind::event_to:
        case Kind::broker:
        case Kind::brokers:
        case Kind::controller:
        case Kind::leader:
        case Kind::followers:
        case Kind::replicas:
        case Kind::group_coordinator:
        case Kind::app_instance:
        case Kind::app_all:
        case Kind::apps:
        case Kind::owner:
        case Kind::everyone:
        case Kind::others:
        case Kind::log:
        case Kind::group:
        case Kind::txid:
        case Kind::holder:
        case Kind::zombie:
        case Kind::store:
        case Kind::stores:
        case Kind::job_manager:
            return false;
    }
    return false;
}

bool names_a_log(Kind kind) {
    return kind == Kind::leader || kind == Kind::follower || kind == Kind::followers ||
           kind == Kind::replicas || kind == Kind::owner || kind == Kind::log;
}

bool names_a_group(Kind kind) {
    return kind == Kind::group_coordinator || kind == Kind::owner || kind == Kind::group;
}

bool names_a_txid(Kind kind) {
    return kind == Kind::txid || kind == Kind::holder || kind == Kind::zombie;
}

/// What a target leaves to be drawn.
struct Settled {
    std::int32_t log = 0;
    std::int32_t group = 0;
    std::int32_t txid = 0;
};

/// The nodes a target could mean, once its log, its group and its id are settled.
Nodes candidates(const Target& target, const Settled& settled, const Site& site) {
    const auto [log, group, txid] = settled;
    const Plan& plan = site.plan;
    const Roles& roles = plan.words.roles;
    const auto only = [](const std::optional<sim::NodeId>& node) {
        return node ? Nodes{*node} : Nodes{};
    };
    const auto of_app = [&](const NodeEntry& e) {
        return e.kind == NodeKind::app && e.app == target.number.value_or(-1);
    };
    switch (target.kind) {
        case Kind::event:
            return site.scene ? Nodes{site.scene->node} : Nodes{};
        case Kind::event_from:
            return site.scene ? only(site.scene->from) : Nodes{};
        case Kind::event_to:
            return site.scene ? only(site.scene->to) : Nodes{};
        case Kind::broker:
            return {sim::NodeId{target.number.value_or(0)}};
        case Kind::brokers:
        case Kind::random_broker:
            return nodes_of_kind(plan, NodeKind::broker);
        case Kind::controller: {
            Nodes active = holders(site, roles.controller, 0);
            return active.empty() ? nodes_of_kind(plan, NodeKind::controller) : active;
        }
        case Kind::leader:
            return holders(site, roles.leader, log);
        case Kind::follower:
        case Kind::followers:
            return holders(site, roles.followers, log);
        case Kind::replicas:
            return replicas(site, log);
        case Kind::group_coordinator:
            return holders(site, roles.group_coordinator, group);
        case Kind::app_instance:
            return nodes_where(plan, [&](const NodeEntry& e) {
                return of_app(e) && e.instance == target.instance;
            });
        case Kind::app_any:
        case Kind::app_all:
            return nodes_where(plan, of_app);
        case Kind::random_app:
        case Kind::apps:
            return nodes_of_kind(plan, NodeKind::app);
        case Kind::owner:
            return holders(site, roles.owner, owner_subject(group, log));
        case Kind::holder:
            return holders(site, roles.holder, txid);
        case Kind::zombie:
            return holders(site, roles.zombie, txid);
        case Kind::store:
            return {sim::NodeId{target.number.value_or(0)}};
        case Kind::stores:
            return nodes_of_kind(plan, NodeKind::store);
        case Kind::job_manager:
            return nodes_where(plan, [&](const NodeEntry& e) {
                return e.kind == NodeKind::job_manager && e.app == target.number;
            });
        case Kind::everyone:
            return nodes_where(plan, [](const NodeEntry&) { return true; });
        case Kind::others:
        case Kind::log:
        case Kind::group:
        case Kind::txid:
            return {};
    }
    return {};
}

template <class List>
std::optional<std::int32_t> pick(Drawn::Kind kind, const List& list, Rolls& rolls) {
    if (list.empty()) return std::nullopt;
    const std::vector<std::int64_t> values(list.begin(), list.end());
    return static_cast<std::int32_t>(rolls.pick(kind, Purpose::target, values));
}

std::optional<std::int32_t> pick_log(const Target& target, const Site& site, Rolls& rolls) {
    return pick(Drawn::Kind::log, logs_of(target.log, site.plan), rolls);
}

std::optional<std::int32_t> pick_group(const Target& target, const Site& site, Rolls& rolls) {
    return pick(Drawn::Kind::group, groups_of(target, site.plan), rolls);
}

std::optional<std::int32_t> pick_txid(const Target& target, const Site& site, Rolls& rolls) {
    return pick(Drawn::Kind::txid, txids_of(target, site.plan), rolls);
}

Nodes resolve(const Target& target, const Site& site, Rolls& rolls) {
    Settled settled;
    if (names_a_log(target.kind)) {
        const auto picked = pick_log(target, site, rolls);
        if (!picked) return {};
        settled.log = *picked;
    }
    if (names_a_group(target.kind)) {
        const auto picked = pick_group(target, site, rolls);
        if (!picked) return {};
        settled.group = *picked;
    }
    if (target.kind == Kind::holder || target.kind == Kind::zombie) {
        const auto picked = pick_txid(target, site, rolls);
        if (!picked) return {};
        settled.txid = *picked;
    }
    Nodes all = candidates(target, settled, site);
    if (!draws_one_node(target.kind) || all.size() < 2) return all;
    std::vector<std::int64_t> numbers;
    for (const auto node : all) numbers.push_back(node.value);
    const auto drawn = rolls.pick(Drawn::Kind::node, Purpose::target, numbers);
    return {sim::NodeId{static_cast<std::int32_t>(drawn)}};
}

/// Whether a target could mean this node now.
bool could_mean(const Target& target, sim::NodeId node, const Site& site) {
    const auto logs =
        names_a_log(target.kind) ? logs_of(target.log, site.plan) : std::vector<std::int32_t>{0};
    const auto groups =
        names_a_group(target.kind) ? groups_of(target, site.plan) : std::vector<std::int32_t>{0};
    const auto txids =
        names_a_txid(target.kind) ? txids_of(target, site.plan) : std::vector<std::int32_t>{0};
    for (const auto log : logs) {
        for (const auto group : groups) {
            for (const auto txid : txids) {
                const Nodes all = candidates(target, {log, group, txid}, site);
                if (std::find(all.begin(), all.end(), node) != all.end()) return true;
            }
        }
    }
    return false;
}

bool allows(const Match& match, std::int64_t value, const Site& site) {
    for (const auto& allowed : match.any_of) {
        if (const auto* number = std::get_if<std::int64_t>(&allowed)) {
            if (*number == value) return true;
        } else if (could_mean(std::get<Target>(allowed),
                              sim::NodeId{static_cast<std::int32_t>(value)}, site)) {
            return true;
        }
    }
    return false;
}

}  // namespace

std::vector<std::int32_t> logs_of(const LogPick& pick, const Plan& plan) {
    std::vector<std::int32_t> result;
    switch (pick.kind) {
        case LogPick::Kind::one:
            return {pick.index};
        case LogPick::Kind::topic:
            for (std::size_t i = 0; i < plan.logs.size(); ++i)
                if (plan.logs[i].topic == pick.index)
                    result.push_back(static_cast<std::int32_t>(i));
            return result;
        case LogPick::Kind::any:
            for (std::size_t i = 0; i < plan.logs.size(); ++i)
                if (!plan.logs[i].internal) result.push_back(static_cast<std::int32_t>(i));
            return result;
        case LogPick::Kind::any_group:
            for (const auto& group : plan.groups)
                if (group.log >= 0) add_once(result, group.log);
            return result;
        case LogPick::Kind::any_txn:
            for (const auto log : plan.txn_logs) add_once(result, log);
            for (const auto log : plan.more_txn_logs) add_once(result, log);
            return result;
    }
    return result;
}

std::vector<sim::NodeId> resolve_nodes(const Targets& targets, const Site& site, Rolls& rolls) {
    Nodes result;
    for (const auto& target : targets)
        for (const auto node : resolve(target, site, rolls)) add_once(result, node);
    const auto unknown = [&](sim::NodeId node) {
        return node.value < 0 || node.value >= count_of(site.plan.nodes.size());
    };
    result.erase(std::remove_if(result.begin(), result.end(), unknown), result.end());
    return result;
}

std::vector<std::int32_t> resolve_logs(const Targets& targets, const Site& site, Rolls& rolls) {
    std::vector<std::int32_t> result;
    for (const auto& target : targets) {
        if (target.kind == Kind::event) {
            if (site.scene && site.scene->log) add_once(result, *site.scene->log);
        } else if (names_a_log(target.kind)) {
            if (const auto log = pick_log(target, site, rolls)) add_once(result, *log);
        } else if (target.kind == Kind::group_coordinator) {
            // A coordinator stands for the log that makes it one.
            const auto group = pick_group(target, site, rolls);
            if (!group || *group >= count_of(site.plan.groups.size())) continue;
            const auto log = site.plan.groups[static_cast<std::size_t>(*group)].log;
            if (log >= 0) add_once(result, log);
        }
    }
    return result;
}

std::vector<std::int32_t> resolve_groups(const Targets& targets, const Site& site, Rolls& rolls) {
    std::vector<std::int32_t> result;
    for (const auto& target : targets) {
        if (names_a_group(target.kind)) {
            if (const auto group = pick_group(target, site, rolls)) add_once(result, *group);
            continue;
        }
        if (target.kind == Kind::event && site.scene && site.scene->group) {
            add_once(result, *site.scene->group);
            continue;
        }
        for (const auto node : resolve(target, site, rolls)) {
            const auto i = static_cast<std::size_t>(node.value);
            if (i < site.plan.nodes.size() && site.plan.nodes[i].group)
                add_once(result, *site.plan.nodes[i].group);
        }
    }
    return result;
}

std::vector<std::int32_t> resolve_txids(const Targets& targets, const Site& site, Rolls& rolls) {
    std::vector<std::int32_t> result;
    for (const auto& target : targets) {
        if (target.kind == Kind::event) {
            if (site.scene && site.scene->txid) add_once(result, *site.scene->txid);
        } else if (target.kind == Kind::txid) {
            if (const auto txid = pick_txid(target, site, rolls)) add_once(result, *txid);
        }
    }
    return result;
}

std::vector<sim::NodeId> remaining_nodes(const Plan& plan, const std::vector<sim::NodeId>& named) {
    Nodes result;
    for (std::size_t i = 0; i < plan.nodes.size(); ++i) {
        const sim::NodeId node{static_cast<std::int32_t>(i)};
        if (std::find(named.begin(), named.end(), node) == named.end()) result.push_back(node);
    }
    return result;
}

bool satisfied(const Matches& matches, const Happening& happening, const Plan& plan,
               const sim::Surroundings& around) {
    static const std::optional<Scene> no_scene;
    const Site site{plan, around, no_scene};
    return std::all_of(matches.begin(), matches.end(), [&](const Match& match) {
        const auto value = happening.fact(plan.words.facts, match.fact);
        return value && allows(match, *value, site);
    });
}

}  // namespace eos::faults
