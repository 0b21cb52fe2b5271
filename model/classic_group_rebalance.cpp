// The rebalance of a classic group: its phases, its timers, what is persisted in between, and what
// an operator may force (G10-G13). The requests that set it off are in classic_group_requests.cpp.

#include <algorithm>

#include "model/classic_group.hpp"

namespace eos::model {
namespace {

[[nodiscard]] std::uint32_t group_number(GroupId id) {
    return static_cast<std::uint32_t>(id.value);
}

}  // namespace

// --- the rebalance
// --------------------------------------------------------------------------------

void ClassicGroup::rebalance_or_complete(GroupStep& step) {
    switch (state_) {
        case GroupState::empty:
        case GroupState::completing_rebalance:
        case GroupState::stable:
            prepare_rebalance(step);
            break;
        case GroupState::preparing_rebalance:
            complete_if_joined(step);
            break;
        case GroupState::dead:
            break;
    }
}

void ClassicGroup::prepare_rebalance(GroupStep& step) {
    if (state_ == GroupState::completing_rebalance) {
        for (auto& m : members_) m.assignment.clear();
        answer_syncs(step, ErrorCode::rebalance_in_progress);
    }
    step.fx.disarm(key(Tick::group_sync, group_number(id_)));
    empty_before_ = state_ == GroupState::empty;
    new_member_added_ = false;
    enter(step, GroupState::preparing_rebalance);
    tell(step, Mile::group_rebalance_started, std::nullopt);
    if (empty_before_) {
        // G10: the first members get time to gather.
        initial_delay_ = step.config.group_initial_rebalance_delay;
        initial_remaining_ = std::max(rebalance_timeout() - initial_delay_, Duration{});
        step.fx.arm(key(Tick::group_join, group_number(id_)), initial_delay_);
    } else if (all_joined()) {
        complete_join(step);
    } else {
        step.fx.arm(key(Tick::group_join, group_number(id_)), rebalance_timeout());
    }
}

void ClassicGroup::on_join_timer(GroupStep& step) {
    if (state_ != GroupState::preparing_rebalance) return;
    if (empty_before_ && new_member_added_ && initial_remaining_ > Duration{}) {
        const auto elapsed = initial_delay_;
        new_member_added_ = false;
        initial_delay_ = std::min(step.config.group_initial_rebalance_delay, initial_remaining_);
        initial_remaining_ = std::max(initial_remaining_ - elapsed, Duration{});
        step.fx.arm(key(Tick::group_join, group_number(id_)), initial_delay_);
        return;
    }
    complete_join(step);
}

void ClassicGroup::complete_if_joined(GroupStep& step) {
    if (state_ == GroupState::preparing_rebalance && !empty_before_ && all_joined())
        complete_join(step);
}

bool ClassicGroup::elect_joined_leader() {
    if (!leader_) return false;
    const auto* current = find(*leader_);
    if (current && current->join) return true;
    for (const auto& m : members_) {
        if (!m.join) continue;
        leader_ = m.id;
        return true;
    }
    return false;
}

void ClassicGroup::complete_join(GroupStep& step) {
    step.fx.disarm(key(Tick::group_join, group_number(id_)));
    initial_remaining_ = Duration{};
    std::vector<MemberId> gone;  // G11: static members may come back later
    for (const auto& m : members_)
        if (!m.join && !m.instance) gone.push_back(m.id);
    for (const auto id : gone) {
        tell(step, Mile::group_member_expired, id);
        remove(step, id);
    }
    if (!elect_joined_leader() && !members_.empty()) {
        step.fx.arm(key(Tick::group_join, group_number(id_)), rebalance_timeout());
        return;
    }
    generation_ = generation_.next();
    if (members_.empty()) {
        become_empty(step);
        return;
    }
    protocol_ = select_protocol();
    enter(step, GroupState::completing_rebalance);
    for (auto& m : members_) {
        m.is_new = false;
        m.pending_sync = true;
        if (m.join) answer_join(step, m, current_answer(m));
        arm_session(step, m, m.session_timeout);
    }
    step.fx.arm(key(Tick::group_sync, group_number(id_)), rebalance_timeout());
}

void ClassicGroup::become_empty(GroupStep& step) {
    protocol_ = std::nullopt;
    leader_ = std::nullopt;
    enter(step, GroupState::empty);
    declare_owners(step);
    step.writes.push_back({record(),
                           {.why = GroupPersist::Why::emptied,
                            .generation = generation_,
                            .member = {},
                            .before = {}}});
}

void ClassicGroup::become_stable(GroupStep& step) {
    enter(step, GroupState::stable);
    declare_owners(step);
    tell(step, Mile::group_rebalanced, std::nullopt);
    answer_syncs(step, ErrorCode::none);
}

void ClassicGroup::on_sync_timer(GroupStep& step) {
    if (state_ != GroupState::completing_rebalance && state_ != GroupState::stable) return;
    std::vector<MemberId> late;
    for (const auto& m : members_)
        if (m.pending_sync) late.push_back(m.id);
    if (late.empty()) return;
    for (const auto id : late) {
        tell(step, Mile::group_member_expired, id);
        remove(step, id);
    }
    prepare_rebalance(step);
}

void ClassicGroup::on_session_timer(GroupStep& step, std::uint32_t slot) {
    const auto found = std::find_if(members_.begin(), members_.end(),
                                    [&](const GroupMember& m) { return m.slot == slot; });
    if (found == members_.end() || state_ == GroupState::dead) return;
    // A parked member is alive; its session starts anew with the answer. A newcomer is not: its
    // client may be gone, and nothing else would notice (G15).
    if (!found->is_new && (found->join || found->sync)) return;
    const auto id = found->id;
    tell(step, Mile::group_member_expired, id);
    remove(step, id);
    rebalance_or_complete(step);
}

void ClassicGroup::on_pending_timer(GroupStep& step, std::uint32_t slot) {
    const auto found = std::find_if(pending_.begin(), pending_.end(),
                                    [&](const PendingMember& p) { return p.slot == slot; });
    if (found == pending_.end()) return;
    drop_pending(step, found->id);
    complete_if_joined(step);
}

// --- persistence
// ----------------------------------------------------------------------------------

void ClassicGroup::persisted(GroupStep& step, const GroupPersist& persist,
                             const GroupMetadataRecord& record) {
    switch (persist.why) {
        case GroupPersist::Why::assignment:
            // Somebody may have joined meanwhile: then this generation is already history.
            if (state_ != GroupState::completing_rebalance || generation_ != persist.generation)
                return;
            for (const auto& stored : record.members)
                if (auto* m = member(stored.member)) m->assignment = stored.assignment;
            become_stable(step);
            return;
        case GroupPersist::Why::static_member: {
            auto* m = member(persist.member);
            if (!m || !m->join || state_ != GroupState::stable) return;
            auto answer = current_answer(*m);
            answer.skip_assignment = leader_ == m->id;  // M11
            declare_owners(step);
            answer_join(step, *m, std::move(answer));
            return;
        }
        case GroupPersist::Why::emptied:
        case GroupPersist::Why::removed:
        case GroupPersist::Why::deleted:
            return;
    }
}

void ClassicGroup::persist_failed(GroupStep& step, const GroupPersist& persist, ErrorCode error) {
    switch (persist.why) {
        case GroupPersist::Why::assignment:  // G13
            if (state_ != GroupState::completing_rebalance || generation_ != persist.generation)
                return;
            for (auto& m : members_) m.assignment.clear();
            answer_syncs(step, error);
            prepare_rebalance(step);
            return;
        case GroupPersist::Why::static_member: {
            auto* m = member(persist.member);
            if (!m || !m->join || state_ != GroupState::stable) return;
            const auto to = *m->join;
            step.fx.disarm(key(Tick::group_session, group_number(id_), m->slot));
            auto former = *persist.before;
            former.slot = next_slot_++;
            const bool led = leader_ == m->id;
            *m = std::move(former);
            if (led) leader_ = m->id;
            arm_session(step, *m, m->session_timeout);
            JoinGroupResponse answer{.group = id_,
                                     .error = error,
                                     .generation = generation_,
                                     .protocol = protocol_,
                                     .leader = leader_,
                                     .member = {},
                                     .skip_assignment = false,
                                     .members = {}};
            step.replies.push_back({to, std::move(answer)});
            return;
        }
        case GroupPersist::Why::emptied:
        case GroupPersist::Why::removed:
        case GroupPersist::Why::deleted:
            return;
    }
}

void ClassicGroup::resume(GroupStep& step) {
    for (const auto& m : members_) arm_session(step, m, m.session_timeout);
}

void ClassicGroup::unload(GroupStep& step) {
    send_away(step, ErrorCode::not_coordinator);
    state_ = GroupState::dead;
}

void ClassicGroup::send_away(GroupStep& step, ErrorCode error) {
    for (auto& m : members_) {
        step.fx.disarm(key(Tick::group_session, group_number(id_), m.slot));
        if (m.join)
            step.replies.push_back({*m.join, JoinGroupResponse{.group = id_,
                                                               .error = error,
                                                               .generation = {},
                                                               .protocol = {},
                                                               .leader = {},
                                                               .member = m.id,
                                                               .skip_assignment = false,
                                                               .members = {}}});
        if (m.sync) step.replies.push_back({*m.sync, SyncGroupResponse{id_, error, {}}});
        m.join = std::nullopt;
        m.sync = std::nullopt;
    }
    for (const auto& p : pending_)
        step.fx.disarm(key(Tick::group_pending_member, group_number(id_), p.slot));
    step.fx.disarm(key(Tick::group_join, group_number(id_)));
    step.fx.disarm(key(Tick::group_sync, group_number(id_)));
}

void ClassicGroup::step_aside(GroupStep& step) {
    send_away(step, ErrorCode::rebalance_in_progress);
    pending_.clear();
}

void ClassicGroup::come_back(GroupStep& step) {
    resume(step);
    if (state_ == GroupState::completing_rebalance) prepare_rebalance(step);
    if (state_ == GroupState::preparing_rebalance) {
        empty_before_ = false;
        step.fx.arm(key(Tick::group_join, group_number(id_)), rebalance_timeout());
    }
}

void ClassicGroup::force_rebalance(GroupStep& step) {
    if (state_ == GroupState::stable || state_ == GroupState::completing_rebalance)
        prepare_rebalance(step);
}

void ClassicGroup::expel(GroupStep& step, MemberId id) {
    if (!find(id)) return;
    tell(step, Mile::group_left, id);
    remove(step, id);
    rebalance_or_complete(step);
}

}  // namespace eos::model
