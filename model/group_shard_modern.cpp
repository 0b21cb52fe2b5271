// KIP-848 groups at a shard: a heartbeat is answered when what it changed is replicated (G2); how a
// group with members changes its protocol; and an operator's words to groups of either kind.

#include <algorithm>

#include "model/group_shard.hpp"

namespace eos::model {
namespace {

[[nodiscard]] bool may_upgrade(const ClassicGroup& group, const ClusterConfig& config) {
    const auto policy = config.group_migration;
    return group.state() != GroupState::dead &&
           (policy == GroupMigration::upgrade || policy == GroupMigration::bidirectional) &&
           group.members().size() <= static_cast<std::size_t>(config.consumer_group_max_size);
}

}  // namespace

void GroupShard::on(ShardStep& step, const ReplyTo& to,
                    const ConsumerGroupHeartbeatRequest& request) {
    const auto refuse_with = [&](ErrorCode error) {
        step.out.replies.push_back({to, refuse_group_request(request, error)});
    };
    if (const auto error = ModernGroup::malformed(request); error != ErrorCode::none)
        return refuse_with(error);
    const bool joins = request.member_epoch == 0;
    const auto* classic = group(request.group);
    const bool occupied = classic && classic->state() != GroupState::empty;
    // A classic group that nobody is in makes room, its offsets stay; another one is upgraded.
    if (classic && (!joins || (occupied && !may_upgrade(*classic, step.config))))
        return refuse_with(ErrorCode::group_id_not_found);
    if (!joins && !modern(request.group)) return refuse_with(ErrorCode::group_id_not_found);

    auto after = occupied                ? ModernGroup::upgraded(*classic)
                 : modern(request.group) ? *modern(request.group)
                                         : ModernGroup(request.group);
    const auto before = after;
    auto inner = step.modern();
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
    std::optional<ClassicGroup> former;
    with_group(step, request.group, [](ClassicGroup& g, GroupStep& s) { g.step_aside(s); });
    if (occupied) {
        former = *classic;
        after.resume(inner);
        after.tell(inner, Mile::group_upgraded, answer.member);
    }
    groups_.erase(request.group);
    modern_.insert_or_assign(request.group, std::move(after));
    commit(step, before, Waiting{to, std::move(answer)}, std::move(former));
}

// --- a group changes its protocol
// -----------------------------------------------------------------

void GroupShard::join_modern(ShardStep& step, const ReplyTo& to, const JoinGroupRequest& request) {
    const auto refuse_with = [&](ErrorCode error, std::optional<MemberId> member) {
        auto answer = std::get<JoinGroupResponse>(refuse_group_request(request, error));
        answer.member = member;
        step.out.replies.push_back({to, std::move(answer)});
    };
    auto after = *modern(request.group);
    const auto before = after;
    const auto id = request.member ? *request.member : MemberId{step.member_ids.next()};
    if (!after.find(id) &&
        after.members().size() >= static_cast<std::size_t>(step.config.consumer_group_max_size))
        return refuse_with(ErrorCode::group_max_size_reached, request.member);
    if (!after.supports(request.protocols))
        return refuse_with(ErrorCode::inconsistent_group_protocol, request.member);
    // KIP-394 (G9); nobody remembers the id: whoever comes back with one is taken.
    if (!request.member && !request.instance) return refuse_with(ErrorCode::member_id_required, id);
    auto inner = step.modern();
    if (const auto error = after.admit(inner, request, id, to.client); error != ErrorCode::none)
        return refuse_with(error, request.member);
    if (after.needs_target())
        after.set_target(assign(after.assignor(), after.contenders(), step.topology));
    auto answer = after.advance(inner, request, id);
    if (answer.error != ErrorCode::none) return refuse_with(answer.error, request.member);
    modern_.insert_or_assign(request.group, std::move(after));
    commit(step, before, Waiting{to, std::move(answer)});
}

// The last member of the consumer protocol left, was expelled, or made room for a static member of
// the classic one.
bool GroupShard::downgrades(const ShardStep& step, const ModernGroup& before) const {
    const auto& now = modern_.at(before.id());
    const auto policy = step.config.group_migration;
    const bool allowed =
        policy == GroupMigration::downgrade || policy == GroupMigration::bidirectional;
    const bool anybody_gone =
        std::any_of(before.members().begin(), before.members().end(),
                    [&](const ModernMember& m) { return !now.find(m.member); });
    return allowed && anybody_gone && now.only_classic() &&
           now.members().size() <= static_cast<std::size_t>(step.config.group_max_size);
}

void GroupShard::downgrade(ShardStep& step, ModernGroup before, std::optional<Waiting> waiting) {
    const auto id = before.id();
    auto inner = step.modern();
    auto& last = modern_.at(id);
    // Simplified: where a static member was replaced and nothing else changed, Kafka does without a
    // rebalance even if somebody still waits for partitions.
    const bool settled = last.epoch() == before.epoch() && last.state() == ModernGroupState::stable;
    if (settled) last.tell_changes(inner, before);
    before.tell(inner, Mile::group_downgraded, std::nullopt);
    auto classic = last.downgraded(inner, before.epoch());
    modern_.erase(id);

    ModernGroupRecord gone;
    gone.group = id;
    gone.tombstone = true;
    Write next;
    next.records = {gone, classic.record()};
    next.waiting = std::move(waiting);
    next.before = std::move(before);
    groups_.insert_or_assign(id, std::move(classic));
    write(step, std::move(next));
    with_group(step, id, [&](ClassicGroup& g, GroupStep& s) {
        g.resume(s);
        if (!settled) g.force_rebalance(s);
    });
}

// What a write was to make of a group, it has not become (G2).
void GroupShard::roll_back(ShardStep& step, AnyGroup before) {
    const auto id = std::visit([](const auto& g) { return g.id(); }, before);
    // A later write of the group holds what this one held, and may yet succeed (G4).
    if (rewritten(id)) return;
    auto inner = step.modern();
    auto* former = std::get_if<ModernGroup>(&before);
    if (const auto known = modern_.find(id); known != modern_.end()) {
        if (former) return known->second.roll_back(inner, std::move(*former));
        known->second.unload(inner);
        modern_.erase(known);
    }
    with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.step_aside(s); });
    groups_.erase(id);
    if (former) {
        auto& group = modern_.emplace(id, std::move(*former)).first->second;
        group.resume(inner);
        group.declare_owners(inner);
    } else {
        groups_.emplace(id, std::get<ClassicGroup>(std::move(before)));
        with_group(step, id, [](ClassicGroup& g, GroupStep& s) { g.come_back(s); });
    }
}

void GroupShard::commit(ShardStep& step, ModernGroup before, std::optional<Waiting> waiting,
                        std::optional<ClassicGroup> former) {
    if (downgrades(step, before)) return downgrade(step, std::move(before), std::move(waiting));
    auto& group = modern_.at(before.id());
    if (group.record() == before.record()) {
        if (!waiting) return;
        wait_for_writes(step, {.before = next_token_,
                               .deadline = {},
                               .to = waiting->to,
                               .what = std::move(waiting->answer)});
        return;
    }
    auto inner = step.modern();
    group.tell_changes(inner, before);
    Write next;
    if (former) {
        GroupMetadataRecord gone;
        gone.group = group.id();
        gone.tombstone = true;
        next.records.push_back(gone);
    }
    next.records.push_back(group.record());
    next.waiting = std::move(waiting);
    if (former)
        next.before = std::move(*former);
    else
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
        if (what == Tick::modern_join || what == Tick::modern_sync) g.on_classic_timer(s, timer.b);
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
