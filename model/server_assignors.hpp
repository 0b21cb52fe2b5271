#pragma once
// How the coordinator of a KIP-848 group shares partitions out (Z8): `range` and `uniform`,
// computed whenever the group epoch rises. Pure functions of the members, their previous targets
// and the topology. Source: the coordinator's RangeAssignor and
// UniformHomogeneousAssignmentBuilder.

#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "model/config.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/topology.hpp"

namespace eos::model {

struct ServerMember {
    MemberId member;
    std::optional<GroupInstanceId> instance;
    std::vector<TopicId> subscription;
    std::vector<LogId> target;  ///< the member's previous target assignment
    friend bool operator==(const ServerMember&, const ServerMember&) = default;
};

/// "uniform", "range": as group.remote.assignor names it.
[[nodiscard]] std::string_view name(ServerAssignor assignor);

/// The new targets: one entry per member, in the order of `members`; logs ascending. Every log of a
/// topic somebody subscribes to belongs to exactly one subscriber. Static members come first, by
/// instance id, then dynamic ones by member id.
[[nodiscard]] std::vector<MemberAssignment> assign(ServerAssignor assignor,
                                                   std::span<const ServerMember> members,
                                                   const Topology& topology);

}  // namespace eos::model
