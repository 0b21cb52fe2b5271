#include "model/assignors.hpp"

#include <algorithm>
#include <tuple>

#include "model/assignment_order.hpp"
#include "model/sticky_assignor.hpp"

namespace eos::model {
namespace {

using Member = JoinGroupResponse::Member;
using Assignments = std::vector<MemberAssignment>;

[[nodiscard]] bool subscribes(const Member& member, TopicId topic) {
    return std::find(member.subscription.begin(), member.subscription.end(), topic) !=
           member.subscription.end();
}

[[nodiscard]] std::int32_t partitions_of(const Topology& topology, TopicId topic) {
    return topology.topics[static_cast<std::size_t>(topic.value)].partitions;
}

// Z3: per topic, consecutive partitions; the first n mod m members get one more.
void range(std::span<const Member> members, const Topology& topology, Assignments& result) {
    const auto order = in_order(members);
    for (const auto topic : subscribed_topics(members)) {
        std::vector<std::size_t> sharing;
        for (const auto i : order)
            if (subscribes(members[i], topic)) sharing.push_back(i);
        const auto partitions = partitions_of(topology, topic);
        const auto count = static_cast<std::int32_t>(sharing.size());
        std::int32_t next = 0;
        for (std::int32_t rank = 0; rank < count; ++rank) {
            const auto share = partitions / count + (rank < partitions % count ? 1 : 0);
            auto& logs = result[sharing[static_cast<std::size_t>(rank)]].logs;
            for (std::int32_t i = 0; i < share; ++i) logs.push_back(topology.log(topic, {next++}));
        }
    }
}

// Z4: all partitions in order, dealt in a circle, skipping members without the topic.
void round_robin(std::span<const Member> members, const Topology& topology, Assignments& result) {
    const auto order = in_order(members);
    std::size_t turn = 0;
    for (const auto topic : subscribed_topics(members)) {
        for (std::int32_t p = 0; p < partitions_of(topology, topic); ++p) {
            while (!subscribes(members[order[turn]], topic)) turn = (turn + 1) % order.size();
            result[order[turn]].logs.push_back(topology.log(topic, {p}));
            turn = (turn + 1) % order.size();
        }
    }
}

[[nodiscard]] std::vector<StickyMember> with_claims(std::span<const Member> members) {
    std::vector<StickyMember> result;
    for (const auto& m : members)
        result.push_back({m.member, m.subscription, m.owned, m.owned_since});
    return result;
}

}  // namespace

std::string_view name(AssignorKind kind) {
    switch (kind) {
        case AssignorKind::range:
            return "range";
        case AssignorKind::round_robin:
            return "roundrobin";
        case AssignorKind::sticky:
            return "sticky";
        case AssignorKind::cooperative_sticky:
            return "cooperative-sticky";
    }
    return "";
}

std::vector<MemberAssignment> assign(AssignorKind kind, std::span<const Member> members,
                                     const Topology& topology) {
    Assignments result;
    for (const auto& m : members) result.push_back({m.member, {}});
    switch (kind) {
        case AssignorKind::range:
            range(members, topology, result);
            break;
        case AssignorKind::round_robin:
            round_robin(members, topology, result);
            break;
        case AssignorKind::sticky:
            return assign_sticky(with_claims(members), topology).members;
        case AssignorKind::cooperative_sticky:
            return assign_cooperative(with_claims(members), topology).members;
    }
    for (auto& entry : result) std::sort(entry.logs.begin(), entry.logs.end());
    return result;
}

}  // namespace eos::model
