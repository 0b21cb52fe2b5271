#pragma once
// The sticky and cooperative-sticky assignors (Z5, Z6): balance first, then keep what members own.
// Pure functions. Ownership is a claim of each member and carries the generation it comes from.

#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/topology.hpp"

namespace eos::model {

struct StickyMember {
    MemberId member;
    std::vector<TopicId> subscription;
    std::vector<LogId> owned;
    std::optional<Generation> generation;  ///< of the claim; none counts as older than any
    friend bool operator==(const StickyMember&, const StickyMember&) = default;
};

struct StickyAssignment {
    std::vector<MemberAssignment> members;                 ///< in the order of the input
    std::vector<std::pair<LogId, MemberId>> transferring;  ///< logs that change owner, and to whom
    friend bool operator==(const StickyAssignment&, const StickyAssignment&) = default;
};

/// Eager: a log that changes owner is in its new owner's assignment at once.
/// Source: AbstractStickyAssignor (ConstrainedAssignmentBuilder where all subscribe alike).
[[nodiscard]] StickyAssignment assign_sticky(std::span<const StickyMember> members,
                                             const Topology& topology);
/// Cooperative (KIP-429): a log that changes owner is assigned to nobody in this generation; its
/// owner gives it up and rejoins, and the next generation hands it out (Z6).
[[nodiscard]] StickyAssignment assign_cooperative(std::span<const StickyMember> members,
                                                  const Topology& topology);

}  // namespace eos::model
