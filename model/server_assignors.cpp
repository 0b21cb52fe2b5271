#include "model/server_assignors.hpp"

#include <algorithm>
#include <tuple>
#include <utility>

#include "model/assignment_order.hpp"
#include "model/sticky_assignor.hpp"

namespace eos::model {
namespace {

using ServerTargets = std::vector<MemberAssignment>;

[[nodiscard]] bool wants(const ServerMember& member, TopicId topic) {
    return std::find(member.subscription.begin(), member.subscription.end(), topic) !=
           member.subscription.end();
}

[[nodiscard]] TopicId topic_of_log(const Topology& topology, LogId log) {
    return topology.logs[static_cast<std::size_t>(log.value)].topic;
}

[[nodiscard]] std::vector<LogId> logs_of_topic(const Topology& topology, TopicId topic) {
    std::vector<LogId> logs;
    const auto& entry = topology.topics[static_cast<std::size_t>(topic.value)];
    for (std::int32_t p = 0; p < entry.partitions; ++p) logs.push_back(topology.log(topic, {p}));
    return logs;
}

/// What is left of `logs` without `taken`.
[[nodiscard]] std::vector<LogId> without(std::vector<LogId> logs, const std::vector<LogId>& taken) {
    std::erase_if(
        logs, [&](LogId log) { return std::find(taken.begin(), taken.end(), log) != taken.end(); });
    return logs;
}

/// Per topic: every subscriber keeps up to its share of what it had, lowest partitions first; the
/// rest is dealt in ranges. Topics with equal partitions and subscribers end up alike.
void server_range(std::span<const ServerMember> members, const Topology& topology,
                  ServerTargets& result) {
    struct Unfilled {
        std::size_t member;
        std::size_t missing;  ///< to its minimum share
    };
    const auto order = in_order(members);
    for (const auto topic : subscribed_topics(members)) {
        std::vector<std::size_t> sharing;
        for (const auto i : order)
            if (wants(members[i], topic)) sharing.push_back(i);
        const auto logs = logs_of_topic(topology, topic);
        const std::size_t share = logs.size() / sharing.size();
        std::size_t extra = logs.size() % sharing.size();

        std::vector<LogId> kept;
        std::vector<Unfilled> unfilled;
        for (const auto i : sharing) {
            std::vector<LogId> had;
            for (const auto log : members[i].target)
                if (topic_of_log(topology, log) == topic) had.push_back(log);
            std::sort(had.begin(), had.end());
            std::size_t keeps = std::min(had.size(), share);
            if (had.size() > share && extra > 0) {
                --extra;
                ++keeps;
            } else {
                unfilled.push_back({i, share - keeps});
            }
            had.resize(keeps);
            kept.insert(kept.end(), had.begin(), had.end());
            result[i].logs.insert(result[i].logs.end(), had.begin(), had.end());
        }
        const auto free = without(logs, kept);
        std::size_t next = 0;
        for (auto [member, missing] : unfilled) {
            if (extra > 0) {
                --extra;
                ++missing;
            }
            for (; missing > 0; --missing) result[member].logs.push_back(free[next++]);
        }
    }
}

/// All subscribe alike: each keeps up to its share of what it had and is filled up with the rest,
/// first what nobody had, then what was taken from others.
void uniform_alike(std::span<const ServerMember> members, const Topology& topology,
                   ServerTargets& result) {
    std::vector<LogId> all;
    for (const auto topic : subscribed_topics(members)) {
        const auto logs = logs_of_topic(topology, topic);
        all.insert(all.end(), logs.begin(), logs.end());
    }
    std::vector<LogId> had;
    for (const auto& m : members) had.insert(had.end(), m.target.begin(), m.target.end());
    auto free = without(all, had);

    const auto order = in_order(members);
    std::size_t extra = all.size() % members.size();
    std::vector<std::pair<std::size_t, std::size_t>> unfilled;
    for (const auto i : order) {
        std::size_t room = all.size() / members.size();
        // As in Kafka the first members get one more, whoever had more before.
        if (extra > 0) {
            --extra;
            ++room;
        }
        auto mine = members[i].target;
        std::sort(mine.begin(), mine.end());
        for (const auto log : mine) {
            if (!wants(members[i], topic_of_log(topology, log))) continue;
            if (room > 0) {
                --room;
                result[i].logs.push_back(log);
            } else {
                free.push_back(log);
            }
        }
        if (room > 0) unfilled.emplace_back(i, room);
    }
    std::size_t next = 0;
    for (auto [member, room] : unfilled)
        for (; room > 0 && next < free.size(); --room) result[member].logs.push_back(free[next++]);
}

[[nodiscard]] bool subscriptions_alike(std::span<const ServerMember> members) {
    const auto topics = subscribed_topics(members);
    return std::all_of(members.begin(), members.end(), [&](const ServerMember& m) {
        return std::all_of(topics.begin(), topics.end(), [&](TopicId t) { return wants(m, t); });
    });
}

/// Subscriptions differ. Simplified: the balancing of the sticky assignor with previous targets as
/// claims; Kafka's UniformHeterogeneousAssignmentBuilder orders its moves differently.
void uniform_mixed(std::span<const ServerMember> members, const Topology& topology,
                   ServerTargets& result) {
    std::vector<StickyMember> claims;
    for (const auto& m : members)
        claims.push_back({m.member, m.subscription, m.target, Generation{0}});
    result = assign_sticky(claims, topology).members;
}

}  // namespace

std::string_view name(ServerAssignor assignor) {
    switch (assignor) {
        case ServerAssignor::uniform:
            return "uniform";
        case ServerAssignor::range:
            return "range";
    }
    return "";
}

std::vector<MemberAssignment> assign(ServerAssignor assignor, std::span<const ServerMember> members,
                                     const Topology& topology) {
    ServerTargets result;
    for (const auto& m : members) result.push_back({m.member, {}});
    if (members.empty()) return result;
    switch (assignor) {
        case ServerAssignor::uniform:
            if (subscriptions_alike(members))
                uniform_alike(members, topology, result);
            else
                uniform_mixed(members, topology, result);
            break;
        case ServerAssignor::range:
            server_range(members, topology, result);
            break;
    }
    for (auto& entry : result) std::sort(entry.logs.begin(), entry.logs.end());
    return result;
}

}  // namespace eos::model
