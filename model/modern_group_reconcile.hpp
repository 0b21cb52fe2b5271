#pragma once
// How one member of a KIP-848 group comes closer to its target (G35; Kafka's
// CurrentAssignmentBuilder), as a pure function:
//
//                       nothing to give up, all free
//    stable ------------------------------------------------> stable at the target epoch
//      |  ^                                                      ^
//      |  '------------------------------.                       | what it waited for is free
//      | something to give up            | gave it up            |
//      '------------> unrevoked ---------'---------------> unreleased
//                                          others still own part of the target

#include <optional>
#include <span>
#include <vector>

#include "model/ids.hpp"
#include "model/records.hpp"

namespace eos::model {

/// The member after one heartbeat. `busy`: logs that somebody owns or has yet to give up, the
/// member itself included; `owned`: what the member says it owns, if it says so. None: the member
/// is fenced and must come back with nothing.
[[nodiscard]] std::optional<ModernMember> reconciled(
    const ModernMember& member, Generation target_epoch, std::span<const LogId> busy,
    const std::optional<std::vector<LogId>>& owned);

}  // namespace eos::model
