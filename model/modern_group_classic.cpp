// Members of a modern group that speak the classic protocol (KIP-848, online migration): a classic
// group becomes a modern one with the first member that asks for it, its members go on with
// JoinGroup, SyncGroup and Heartbeat, and it becomes classic again when the last member of the
// consumer protocol is gone. To such a member the group is one without barrier and without leader:
// each JoinGroup is answered at once with the member's epoch as its generation, each SyncGroup with
// what the coordinator has assigned. Kafka: GroupMetadataManager, classicGroupJoinToConsumerGroup
// and its neighbours, ConsumerGroup.fromClassicGroup, ClassicGroup.fromConsumerGroup.

#include <algorithm>
#include <utility>

#include "model/modern_group.hpp"

namespace eos::model {
namespace {

[[nodiscard]] std::uint32_t timer_of(GroupId id) { return static_cast<std::uint32_t>(id.value); }

template <class T>
[[nodiscard]] std::vector<T> in_order(std::vector<T> values) {
    std::sort(values.begin(), values.end());
    return values;
}

[[nodiscard]] std::vector<std::int32_t> numbers_of(const std::vector<AssignorKind>& kinds) {
    std::vector<std::int32_t> result;
    for (const auto kind : kinds) result.push_back(static_cast<std::int32_t>(kind));
    return result;
}

/// What a member speaks of as its protocol: the first on its list.
[[nodiscard]] std::optional<AssignorKind> protocol_of(const ModernMember& m) {
    if (!m.classic || m.classic->protocols.empty()) return std::nullopt;
    return static_cast<AssignorKind>(m.classic->protocols.front());
}

/// What a JoinGroup claims to own. Eager members have given everything up before; what a sticky one
/// remembers is told to its leader, not to the coordinator.
[[nodiscard]] std::vector<LogId> owned_by(const JoinGroupRequest& request) {
    const bool cooperative =
        std::all_of(request.protocols.begin(), request.protocols.end(),
                    [](AssignorKind kind) { return kind == AssignorKind::cooperative_sticky; });
    return cooperative ? request.owned : std::vector<LogId>{};
}

}  // namespace

// --- the group changes its protocol
// ---------------------------------------------------------------

ModernGroup ModernGroup::upgraded(const ClassicGroup& group) {
    ModernGroupRecord record;
    record.group = group.id();
    record.epoch = group.generation();
    record.target_epoch = group.generation();
    for (const auto& m : group.members()) {
        ModernMember member;
        member.member = m.id;
        member.instance = m.instance;
        member.rebalance_timeout = m.rebalance_timeout;
        member.subscription = in_order(m.subscription);
        member.epoch = group.generation();
        member.previous_epoch = group.generation();
        member.assigned = in_order(m.assignment);
        member.target = member.assigned;
        member.classic = ClassicSide{m.session_timeout, numbers_of(m.protocols)};
        record.members.push_back(std::move(member));
    }
    auto result = restored(std::move(record));
    for (const auto& m : group.members()) result.seat(m.id).node = m.node;
    return result;
}

ClassicGroup ModernGroup::downgraded(ModernStep& step, Generation generation) {
    std::vector<GroupMember> members;
    for (const auto& m : record_.members) {
        GroupMember member;
        member.id = m.member;
        member.instance = m.instance;
        member.session_timeout = m.classic->session_timeout;
        member.rebalance_timeout = m.rebalance_timeout;
        for (const auto kind : m.classic->protocols)
            member.protocols.push_back(static_cast<AssignorKind>(kind));
        member.subscription = m.subscription;
        member.assignment = m.assigned;
        member.node = node_of(m.member);
        members.push_back(std::move(member));
    }
    declare_owners(step);
    unload(step);
    const auto leader = members.front().id;
    ClassicGroup result(record_.group, GroupState::stable, generation, leader, std::nullopt,
                        std::move(members));
    result.choose_protocol();
    return result;
}

bool ModernGroup::only_classic() const {
    return !record_.members.empty() &&
           std::all_of(record_.members.begin(), record_.members.end(),
                       [](const ModernMember& m) { return m.classic.has_value(); });
}

bool ModernGroup::supports(const std::vector<AssignorKind>& protocols) const {
    return std::any_of(protocols.begin(), protocols.end(), [&](AssignorKind kind) {
        return std::all_of(
            record_.members.begin(), record_.members.end(), [&](const ModernMember& m) {
                if (!m.classic) return true;
                const auto& known = m.classic->protocols;
                return std::find(known.begin(), known.end(), static_cast<std::int32_t>(kind)) !=
                       known.end();
            });
    });
}

// --- JoinGroup
// ------------------------------------------------------------------------------------

ErrorCode ModernGroup::admit(ModernStep& step, const JoinGroupRequest& request, MemberId speaker,
                             NodeId from) {
    auto* known = request.instance ? with_instance(*request.instance) : member(speaker);
    if (request.instance && request.member) {
        if (!known || known->member != speaker) {
            tell(step, Mile::group_member_fenced, speaker);
            return known ? ErrorCode::fenced_instance_id : ErrorCode::unknown_member_id;
        }
    } else if (known && request.instance) {
        // As in a classic group, and unlike K7, the newcomer takes the seat at once.
        tell(step, Mile::group_member_fenced, known->member);
        take_seat_of(step, *known, speaker);
    }
    if (!known) {
        ModernMember fresh;
        fresh.member = speaker;
        fresh.instance = request.instance;
        record_.members.push_back(std::move(fresh));
        known = &record_.members.back();
    }
    known->rebalance_timeout = request.rebalance_timeout;
    known->classic = ClassicSide{request.session_timeout, numbers_of(request.protocols)};
    subscribe(*known, request.subscription);
    auto& here = seat(speaker);
    here.node = from;
    here.joining = false;
    step.fx.disarm(key(Tick::modern_join, timer_of(id()), here.slot));
    step.fx.arm(key(Tick::modern_sync, timer_of(id()), here.slot), request.rebalance_timeout);
    arm_session(step, speaker);
    return ErrorCode::none;
}

JoinGroupResponse ModernGroup::advance(ModernStep& step, const JoinGroupRequest& request,
                                       MemberId speaker) {
    auto& m = *member(speaker);
    JoinGroupResponse answer{.group = id(),
                             .error = ErrorCode::none,
                             .generation = {},
                             .protocol = protocol_of(m),
                             .leader = {},
                             .member = speaker,
                             .skip_assignment = false,
                             .members = {}};
    if (!reconcile(step, m, owned_by(request))) answer.error = ErrorCode::fenced_member_epoch;
    answer.generation = m.epoch;
    return answer;
}

// --- SyncGroup, Heartbeat, LeaveGroup
// -------------------------------------------------------------

ErrorCode ModernGroup::validate_classic(const MemberRef& ref) const {
    const ModernMember* m = nullptr;
    for (const auto& other : record_.members)
        if (ref.instance ? other.instance == ref.instance : other.member == ref.member) m = &other;
    if (!m) return ErrorCode::unknown_member_id;
    if (m->member != ref.member) return ErrorCode::fenced_instance_id;
    if (!m->classic) return ErrorCode::unknown_member_id;
    return ref.generation == m->epoch ? ErrorCode::none : ErrorCode::illegal_generation;
}

bool ModernGroup::waits_for_others(const ModernMember& m) const {
    return std::any_of(m.target.begin(), m.target.end(), [&](LogId log) {
        return !std::binary_search(m.assigned.begin(), m.assigned.end(), log) && owner_epoch(log);
    });
}

// Once told to join again a member has its rebalance timeout to do so, however often it is told.
void ModernGroup::await_join(ModernStep& step, const ModernMember& m) {
    auto& here = seat(m.member);
    if (!here.joining)
        step.fx.arm(key(Tick::modern_join, timer_of(id()), here.slot), m.rebalance_timeout);
    here.joining = true;
}

SyncGroupResponse ModernGroup::sync(ModernStep& step, const SyncGroupRequest& request,
                                    NodeId from) {
    SyncGroupResponse answer{id(), validate_classic(request.member), {}};
    if (answer.error != ErrorCode::none) {
        tell(step, Mile::group_member_fenced, request.member.member);
        return answer;
    }
    const auto& m = *member(*request.member.member);
    if (request.protocol && request.protocol != protocol_of(m)) {
        answer.error = ErrorCode::inconsistent_group_protocol;
        return answer;
    }
    auto& here = seat(m.member);
    here.node = from;
    // A member that has something to give up has joined already: it is told what to keep first.
    if (m.epoch < record_.epoch && m.state != ModernState::unrevoked) {
        await_join(step, m);
        answer.error = ErrorCode::rebalance_in_progress;
        return answer;
    }
    step.fx.disarm(key(Tick::modern_sync, timer_of(id()), here.slot));
    arm_session(step, m.member);
    answer.assignment = m.assigned;
    return answer;
}

ErrorCode ModernGroup::heartbeat(ModernStep& step, const MemberRef& ref, NodeId from) {
    if (const auto error = validate_classic(ref); error != ErrorCode::none) {
        tell(step, Mile::group_member_fenced, ref.member);
        return error;
    }
    const auto& m = *member(*ref.member);
    seat(m.member).node = from;
    arm_session(step, m.member);
    // It must join again to learn of a new epoch, to show what it gave up, to take what is free.
    const bool joins_again = m.epoch < record_.epoch || m.state == ModernState::unrevoked ||
                             (m.state == ModernState::unreleased && !waits_for_others(m));
    if (!joins_again) return ErrorCode::none;
    await_join(step, m);
    return ErrorCode::rebalance_in_progress;
}

LeaveGroupResponse ModernGroup::leave(ModernStep& step, const LeaveGroupRequest& request) {
    LeaveGroupResponse answer{.group = id(), .error = ErrorCode::none, .members = {}};
    const auto epoch = record_.epoch;
    for (const auto& ref : request.members) {
        const auto* leaving = ref.instance ? with_instance(*ref.instance)
                              : ref.member ? member(*ref.member)
                                           : nullptr;
        auto error = ErrorCode::none;
        if (!leaving)
            error = ErrorCode::unknown_member_id;
        else if (ref.member && leaving->member != *ref.member)
            error = ErrorCode::fenced_instance_id;
        else if (!leaving->classic && !ref.instance)
            error = ErrorCode::unknown_member_id;  // it leaves by a heartbeat
        answer.members.push_back(error);
        if (error != ErrorCode::none) {
            tell(step, Mile::group_member_fenced, ref.member);
            continue;
        }
        const auto gone = leaving->member;
        tell(step, Mile::group_left, gone);
        remove(step, gone);
    }
    if (record_.epoch > epoch) record_.epoch = epoch.next();  // G34: once, however many left
    return answer;
}

}  // namespace eos::model
