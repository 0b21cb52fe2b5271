#pragma once
// How the leader of a classic group shares partitions out among the members (section 8, Z1-Z4).
// Pure functions of the members' subscriptions and the topology; the group's leader calls `assign`
// between its JoinGroup answer and its SyncGroup request.

#include <span>
#include <string_view>
#include <vector>

#include "model/config.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/topology.hpp"

namespace eos::model {

/// "range", "roundrobin": as partition.assignment.strategy and JoinGroup name it.
[[nodiscard]] std::string_view name(AssignorKind kind);

/// One entry per member, in the order of `members`; logs ascending. A subscribed topic is shared
/// among exactly the members that subscribe to it. Source: AbstractPartitionAssignor,
/// RangeAssignor, RoundRobinAssignor.
[[nodiscard]] std::vector<MemberAssignment> assign(
    AssignorKind kind, std::span<const JoinGroupResponse::Member> members,
    const Topology& topology);

}  // namespace eos::model
