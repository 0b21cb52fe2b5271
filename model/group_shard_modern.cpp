// KIP-848 groups at a shard: a heartbeat is answered when what it changed is replicated (G2), and
// an operator's words to groups of either kind.

#include <algorithm>

#include "model/group_shard.hpp"

namespace eos::model {

void GroupShard::on(ShardStep& step, const ReplyTo& to,
                    const ConsumerGroupHeartbeatRequest& request) {
    const auto refuse_with = [&](ErrorCode error) {
        step.out.replies.push_back({to, refuse_group_request(request, error)});
    };
    if (const auto error = ModernGroup::malformed(request); error != ErrorCode::none)
        return refuse_with(error);
    const bool joins = request.member_epoch == 0;
    const auto* classic = group(request.group);
    // A classic group that nobody is in makes room, its offsets stay.
    if (classic && (!joins || classic->state() != GroupState::empty || !classic->pending().empty()))
        return refuse_with(ErrorCode::group_id_not_found);
    if (!joins && !modern(request.group)) return refuse_with(ErrorCode::group_id_not_found);

    auto after = modern(request.group) ? *modern(request.group) : ModernGroup(request.group);
    const auto before = after;
    ModernStep inner{step.ctx, step.config, step.topology, step.guard, step.fx};
    ConsumerGroupHeartbeatResponse answer;
    if (request.member_epoch < 0) {
        answer = after.leave(inner, request);
    } else {
        // Version 0 clients have their id from the coordinator.
        const auto id = request.member ? *request.member : MemberId{step.member_ids.next()};
        answer.error = after.admit(inner, request, id, to.client);
        if (answer.error == ErrorCode::none) {
            if (after.needs_target())
                after.set_target(assign(after.assignor(), after.contenders(), step.topology));
            answer = after.advance(inner, request, id);
        }
    }
    if (answer.error != ErrorCode::none) return refuse_with(answer.error);
    groups_.erase(request.group);
    modern_.insert_or_assign(request.group, std::move(after));
    commit(step, before, Waiting{to, std::move(answer)});
}

void GroupShard::commit(ShardStep& step, ModernGroup before, std::optional<Waiting> waiting) {
    auto& group = modern_.at(before.id());
    if (group.record() == before.record()) {
        if (!waiting) return;
        auto& answer = std::get<ConsumerGroupHeartbeatResponse>(waiting->answer);
        wait_for_writes(
            step,
            {.before = next_token_, .deadline = {}, .to = waiting->to, .what = std::move(answer)});
        return;
    }
    ModernStep inner{step.ctx, step.config, step.topology, step.guard, step.fx};
    group.tell_changes(inner, before);
    Write next;
    next.records.push_back(group.record());
    next.waiting = std::move(waiting);
    next.before = std::move(before);
    write(step, std::move(next));
}

void GroupShard::on_group_timer(ShardStep& step, const sim::TimerKey& timer) {
    const GroupId id{static_cast<std::int32_t>(timer.a)};
    const auto what = tick(timer);
    with_group(step, id, [&](ClassicGroup& g, GroupStep& s) {
        if (what == Tick::group_join) g.on_join_timer(s);
        if (what == Tick::group_sync) g.on_sync_timer(s);
        if (what == Tick::group_session) g.on_session_timer(s, timer.b);
        if (what == Tick::group_pending_member) g.on_pending_timer(s, timer.b);
    });
    with_modern(step, id, [&](ModernGroup& g, ModernStep& s) {
        if (what == Tick::modern_session) g.on_session_timer(s, timer.b);
        if (what == Tick::modern_rebalance) g.on_rebalance_timer(s, timer.b);
    });
}

// --- an operator
// ----------------------------------------------------------------------------------

void GroupShard::rebalance(ShardStep& step, GroupId id) {
    with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.force_rebalance(s); });
    with_modern(step, id, [](ModernGroup& g, ModernStep& s) { g.force_rebalance(s); });
}

void GroupShard::expel(ShardStep& step, GroupId id, std::optional<std::int64_t> node,
                       std::optional<std::int64_t> member) {
    struct Candidate {
        MemberId id;
        std::optional<NodeId> node;
    };
    std::vector<Candidate> candidates;
    if (const auto* known = group(id))
        for (const auto& m : known->members()) candidates.push_back({m.id, m.node});
    if (const auto* known = modern(id))
        for (const auto& m : known->members())
            candidates.push_back({m.member, known->node_of(m.member)});
    if (candidates.empty()) return;
    std::optional<MemberId> victim;
    if (!node && !member) {
        victim = candidates[step.member_ids.below(candidates.size())].id;
    } else {
        for (const auto& m : candidates)
            if ((node && m.node && m.node->value == *node) ||
                (member && m.id.value == static_cast<std::uint64_t>(*member)))
                victim = m.id;
    }
    if (!victim) return;
    with_group(step, id, [&](ClassicGroup& g, GroupStep& s) { g.expel(s, *victim); });
    with_modern(step, id, [&](ModernGroup& g, ModernStep& s) { g.expel(s, *victim); });
}

void GroupShard::audit(const Context& ctx, Fx& fx) const {
    if (loading_) return;
    const auto tell = [&](GroupId id, bool stable, std::size_t members) {
        GroupAudit result;
        result.broker = ctx.self;
        result.group = id;
        result.stable = stable;
        result.members = static_cast<std::int32_t>(members);
        for (const auto& [log, entry] : offsets_.of(id))
            result.offsets.push_back({log, entry.offset});
        fx.observe(std::move(result));
    };
    // Nobody in it and nobody on the way counts as settled.
    for (const auto& [id, group] : groups_)
        tell(id, group.state() == GroupState::stable || group.state() == GroupState::empty,
             group.members().size());
    for (const auto& [id, group] : modern_)
        tell(id,
             group.state() == ModernGroupState::stable || group.state() == ModernGroupState::empty,
             group.members().size());
}

}  // namespace eos::model
