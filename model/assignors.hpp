#pragma once
// How the leader of a classic group shares partitions out among the members (section 8, Z1-Z6).
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

/// "range", "cooperative-sticky": as partition.assignment.strategy and JoinGroup name it.
[[nodiscard]] std::string_view name(AssignorKind kind);

/// One entry per member, in the order of `members`; logs ascending. A subscribed topic is shared
/// among exactly the members that subscribe to it; cooperative-sticky leaves out logs that have to
/// be given up first (Z6). Source: AbstractPartitionAssignor, RangeAssignor, RoundRobinAssignor,
/// AbstractStickyAssignor.
[[nodiscard]] std::vector<MemberAssignment> assign(
    AssignorKind kind, std::span<const JoinGroupResponse::Member> members,
    const Topology& topology);

}  // namespace eos::model
