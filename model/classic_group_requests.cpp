// The requests of a classic group's members: JoinGroup, SyncGroup, Heartbeat, LeaveGroup (the rows
// of the table in section 9.2). The rebalance that they drive is in classic_group.cpp.

#include <algorithm>

#include "model/classic_group.hpp"

namespace eos::model {
namespace {

[[nodiscard]] bool matches(const GroupMember& member, const JoinGroupRequest& request) {
    return member.protocols == request.protocols && member.subscription == request.subscription &&
           member.owned == request.owned && member.owned_since == request.owned_since;
}

}  // namespace

// --- JoinGroup
// ------------------------------------------------------------------------------------

void ClassicGroup::join(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request,
                        MemberId fresh, bool require_known_id) {
    if (state_ == GroupState::dead) {
        refuse_join(step, to, request, ErrorCode::coordinator_not_available, request.member);
    } else if (!accepts(request, step.config)) {
        if (request.member) drop_pending(step, *request.member);
        refuse_join(step, to, request, ErrorCode::group_max_size_reached, std::nullopt);
    } else if (!supports(request.protocols)) {
        refuse_join(step, to, request, ErrorCode::inconsistent_group_protocol, request.member);
    } else if (!request.member) {
        join_newcomer(step, to, request, fresh, require_known_id);
    } else {
        join_known(step, to, request);
    }
}

// group.max.size: while members gather, those who have arrived count.
bool ClassicGroup::accepts(const JoinGroupRequest& request, const ClusterConfig& config) const {
    const auto* known = request.member ? find(*request.member) : nullptr;
    const auto greatest = static_cast<std::size_t>(config.group_max_size);
    switch (state_) {
        case GroupState::empty:
        case GroupState::dead:
            return true;
        case GroupState::preparing_rebalance: {
            const auto waiting = std::count_if(members_.begin(), members_.end(),
                                               [](const GroupMember& m) { return m.join; });
            return (known && known->join) || static_cast<std::size_t>(waiting) < greatest;
        }
        case GroupState::completing_rebalance:
        case GroupState::stable:
            return known || members_.size() < greatest;
    }
    return true;
}

void ClassicGroup::join_newcomer(GroupStep& step, const ReplyTo& to,
                                 const JoinGroupRequest& request, MemberId fresh,
                                 bool require_known_id) {
    if (request.instance) {
        const auto* holder = with_instance(*request.instance);
        // KAFKA-8500: not only while the group is Stable.
        if (holder && (state_ == GroupState::stable ||
                       step.guard.trips(Safeguard::static_member_replaced, true)))
            replace_static(step, to, request, holder->id, fresh);
        else
            add(step, to, request, fresh);
        return;
    }
    if (!require_known_id) {
        add(step, to, request, fresh);
        return;
    }
    // KIP-394 (G9): the id is handed out first, so that a client that gives up and asks again does
    // not leave a member behind.
    pending_.push_back({fresh, next_slot_++});
    step.fx.arm(key(Tick::group_pending_member, static_cast<std::uint32_t>(id_.value),
                    pending_.back().slot),
                request.session_timeout);
    refuse_join(step, to, request, ErrorCode::member_id_required, fresh);
}

void ClassicGroup::join_known(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request) {
    const auto id = *request.member;
    if (std::any_of(pending_.begin(), pending_.end(),
                    [&](const PendingMember& p) { return p.id == id; })) {
        add(step, to, request, id);
        return;
    }
    if (const auto error = validate_member({{}, id, request.instance}); error != ErrorCode::none) {
        tell_fenced(step, error, id);
        refuse_join(step, to, request, error, id);
        return;
    }
    auto& m = *member(id);
    const bool same = matches(m, request);
    bool answer_now = false;
    switch (state_) {
        case GroupState::completing_rebalance:
            answer_now = same;
            break;  // it lost the answer
        case GroupState::stable:
            answer_now = same && leader_ != id;
            break;
        case GroupState::preparing_rebalance:
            break;
        case GroupState::empty:
        case GroupState::dead:
            refuse_join(step, to, request, ErrorCode::unknown_member_id, id);
            return;
    }
    if (answer_now) {
        m.node = to.client;
        step.replies.push_back({to, current_answer(m)});
        return;
    }
    update(m, to, request);
    rebalance_or_complete(step);
}

void ClassicGroup::add(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request,
                       MemberId id) {
    drop_pending(step, id);
    if (state_ == GroupState::preparing_rebalance && empty_before_) new_member_added_ = true;
    GroupMember m;
    m.id = id;
    m.instance = request.instance;
    m.is_new = true;
    m.slot = next_slot_++;
    update(m, to, request);
    members_.push_back(std::move(m));
    if (!leader_) leader_ = id;
    // G15: it cannot send heartbeats yet.
    arm_session(step, members_.back(), step.config.group_new_member_timeout);
    tell(step, Mile::group_joined, id);
    rebalance_or_complete(step);
}

void ClassicGroup::update(GroupMember& m, const ReplyTo& to, const JoinGroupRequest& request) {
    m.session_timeout = request.session_timeout;
    m.rebalance_timeout = request.rebalance_timeout;
    m.protocols = request.protocols;
    m.subscription = request.subscription;
    m.owned = request.owned;
    m.owned_since = request.owned_since;
    m.node = to.client;
    // A join sent again over a new connection takes the place of the parked one, whose connection
    // is gone.
    m.join = to;
}

// G17: a restarted process takes its instance's place under a new member id.
void ClassicGroup::replace_static(GroupStep& step, const ReplyTo& to,
                                  const JoinGroupRequest& request, MemberId old, MemberId fresh) {
    auto& m = *member(old);
    tell(step, Mile::group_member_fenced, old);
    if (m.join)
        answer_join(step, m,
                    {.group = id_,
                     .error = ErrorCode::fenced_instance_id,
                     .generation = {},
                     .protocol = {},
                     .leader = {},
                     .member = old,
                     .skip_assignment = false,
                     .members = {}});
    if (m.sync) {
        step.replies.push_back(
            {*m.sync, SyncGroupResponse{id_, ErrorCode::fenced_instance_id, {}}});
        m.sync = std::nullopt;
    }
    const GroupMember before = m;
    step.fx.disarm(key(Tick::group_session, static_cast<std::uint32_t>(id_.value), m.slot));
    m.id = fresh;
    m.is_new = false;
    m.slot = next_slot_++;
    if (leader_ == old) leader_ = fresh;
    arm_session(step, m, m.session_timeout);
    update(m, to, request);
    tell(step, Mile::group_joined, fresh);
    switch (state_) {
        case GroupState::stable:
            if (select_protocol() != protocol_) {
                prepare_rebalance(step);
                return;
            }
            step.writes.push_back({record(),
                                   {.why = GroupPersist::Why::static_member,
                                    .generation = generation_,
                                    .member = fresh,
                                    .before = before}});
            return;
        // The leader may already compute an assignment for the old id.
        case GroupState::completing_rebalance:
            prepare_rebalance(step);
            return;
        case GroupState::preparing_rebalance:
            complete_if_joined(step);
            return;
        case GroupState::empty:
        case GroupState::dead:
            return;
    }
}

void ClassicGroup::refuse_join(GroupStep& step, const ReplyTo& to, const JoinGroupRequest& request,
                               ErrorCode error, std::optional<MemberId> id) {
    step.replies.push_back({to, JoinGroupResponse{.group = request.group,
                                                  .error = error,
                                                  .generation = {},
                                                  .protocol = {},
                                                  .leader = {},
                                                  .member = id,
                                                  .skip_assignment = false,
                                                  .members = {}}});
}

// --- SyncGroup
// ------------------------------------------------------------------------------------

void ClassicGroup::sync(GroupStep& step, const ReplyTo& to, const SyncGroupRequest& request) {
    auto error = validate(request.member);
    tell_fenced(step, error, request.member.member);
    if (error == ErrorCode::none && request.protocol && request.protocol != protocol_)
        error = ErrorCode::inconsistent_group_protocol;
    if (error == ErrorCode::none) {
        switch (state_) {
            case GroupState::completing_rebalance:
                sync_completing(step, to, request);
                return;
            case GroupState::stable: {
                auto& m = *member(*request.member.member);
                m.pending_sync = false;
                m.node = to.client;
                step.replies.push_back({to, SyncGroupResponse{id_, error, m.assignment}});
                return;
            }
            case GroupState::preparing_rebalance:
                error = ErrorCode::rebalance_in_progress;
                break;
            case GroupState::empty:
            case GroupState::dead:
                error = ErrorCode::unknown_member_id;
                break;
        }
    }
    step.replies.push_back({to, SyncGroupResponse{id_, error, {}}});
}

void ClassicGroup::sync_completing(GroupStep& step, const ReplyTo& to,
                                   const SyncGroupRequest& request) {
    auto& m = *member(*request.member.member);
    m.pending_sync = false;
    m.node = to.client;
    m.sync = to;
    if (leader_ != m.id) return;
    // The members learn their partitions when the record is replicated (persisted()).
    auto stored = record();
    for (auto& entry : stored.members) {
        entry.assignment.clear();
        for (const auto& given : request.assignments)
            if (given.member == entry.member) entry.assignment = given.logs;
    }
    step.writes.push_back({std::move(stored),
                           {.why = GroupPersist::Why::assignment,
                            .generation = generation_,
                            .member = m.id,
                            .before = {}}});
}

// --- Heartbeat, LeaveGroup
// ------------------------------------------------------------------------

ErrorCode ClassicGroup::heartbeat(GroupStep& step, const MemberRef& ref, NodeId from) {
    if (const auto error = validate(ref); error != ErrorCode::none) {
        tell_fenced(step, error, ref.member);
        return error;
    }
    auto& m = *member(*ref.member);
    m.node = from;
    switch (state_) {
        case GroupState::empty:
        case GroupState::dead:
            return ErrorCode::unknown_member_id;
        case GroupState::preparing_rebalance:
            arm_session(step, m, m.session_timeout);
            return ErrorCode::rebalance_in_progress;
        case GroupState::completing_rebalance:
        case GroupState::stable:
            arm_session(step, m, m.session_timeout);
            break;
    }
    return ErrorCode::none;
}

LeaveGroupResponse ClassicGroup::leave(GroupStep& step, const LeaveGroupRequest& request) {
    if (state_ == GroupState::dead)
        return {.group = id_, .error = ErrorCode::coordinator_not_available, .members = {}};
    LeaveGroupResponse answer{.group = id_, .error = ErrorCode::none, .members = {}};
    bool changed = false;
    for (const auto& ref : request.members) {
        auto leaving = ref.member;
        if (!leaving && ref.instance) {  // an administrator names the instance only
            if (const auto* holder = with_instance(*ref.instance)) leaving = holder->id;
        }
        const bool pending =
            leaving && std::any_of(pending_.begin(), pending_.end(),
                                   [&](const PendingMember& p) { return p.id == *leaving; });
        const auto error = pending ? ErrorCode::none : validate_member({{}, leaving, ref.instance});
        answer.members.push_back(error);
        tell_fenced(step, error, leaving);
        if (error != ErrorCode::none) continue;
        tell(step, Mile::group_left, leaving);
        if (pending) {
            drop_pending(step, *leaving);
        } else {
            changed = true;
            remove(step, *leaving);
        }
    }
    if (changed)
        rebalance_or_complete(step);
    else
        complete_if_joined(step);
    return answer;
}

}  // namespace eos::model
