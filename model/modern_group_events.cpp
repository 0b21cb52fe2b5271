// What happens to a modern group besides heartbeats: loading, failed writes, timers (G36, G39), an
// operator; and what milestones, history and directory are told of it.

#include <algorithm>

#include "model/modern_group.hpp"

namespace eos::model {
namespace {

[[nodiscard]] std::uint32_t timer_group(GroupId id) { return static_cast<std::uint32_t>(id.value); }

}  // namespace

ModernGroup ModernGroup::restored(ModernGroupRecord record) {
    ModernGroup result(record.group);
    result.record_ = std::move(record);
    for (const auto& m : result.record_.members) {
        result.owned_.insert(result.owned_.end(), m.assigned.begin(), m.assigned.end());
        result.owned_.insert(result.owned_.end(), m.revoking.begin(), m.revoking.end());
        result.seats_.push_back({m.member, result.next_slot_++, std::nullopt});
    }
    std::sort(result.owned_.begin(), result.owned_.end());
    return result;
}

std::optional<LogId> ModernGroup::owned_twice(const ModernGroupRecord& record) {
    std::vector<LogId> owned;
    for (const auto& m : record.members) {
        owned.insert(owned.end(), m.assigned.begin(), m.assigned.end());
        owned.insert(owned.end(), m.revoking.begin(), m.revoking.end());
    }
    std::sort(owned.begin(), owned.end());
    const auto twice = std::adjacent_find(owned.begin(), owned.end());
    return twice == owned.end() ? std::nullopt : std::optional(*twice);
}

void ModernGroup::resume(ModernStep& step) {
    for (const auto& m : record_.members) {
        arm_session(step, m.member);
        if (!m.away) arm_rebalance(step, m);
    }
}

void ModernGroup::unload(ModernStep& step) {
    while (!seats_.empty()) leave_seat(step, seats_.back().member);
}

// Simplified: the timers start anew; Kafka leaves those of members that stay as they were.
void ModernGroup::roll_back(ModernStep& step, ModernGroup before) {
    const auto now = *this;
    unload(step);
    before.next_slot_ = std::max(before.next_slot_, now.next_slot_);
    before.owned_ = now.owned_;  // what the directory knows
    *this = std::move(before);
    resume(step);
    tell_changes(step, now);
}

// --- seats and timers
// -----------------------------------------------------------------------------

ModernGroup::Seat& ModernGroup::seat(MemberId id) {
    const auto found =
        std::find_if(seats_.begin(), seats_.end(), [&](const Seat& s) { return s.member == id; });
    if (found != seats_.end()) return *found;
    seats_.push_back({id, next_slot_++, std::nullopt});
    return seats_.back();
}

std::optional<MemberId> ModernGroup::at_slot(std::uint32_t slot) const {
    for (const auto& s : seats_)
        if (s.slot == slot) return s.member;
    return std::nullopt;
}

std::optional<NodeId> ModernGroup::node_of(MemberId id) const {
    for (const auto& s : seats_)
        if (s.member == id) return s.node;
    return std::nullopt;
}

void ModernGroup::leave_seat(ModernStep& step, MemberId id) {
    const auto slot = seat(id).slot;
    step.fx.disarm(key(Tick::modern_session, timer_group(this->id()), slot));
    step.fx.disarm(key(Tick::modern_rebalance, timer_group(this->id()), slot));
    step.fx.disarm(key(Tick::modern_join, timer_group(this->id()), slot));
    step.fx.disarm(key(Tick::modern_sync, timer_group(this->id()), slot));
    std::erase_if(seats_, [&](const Seat& s) { return s.member == id; });
}

void ModernGroup::arm_session(ModernStep& step, MemberId id) {
    const auto* m = find(id);
    step.fx.arm(key(Tick::modern_session, timer_group(this->id()), seat(id).slot),
                m && m->classic ? m->classic->session_timeout : step.config.consumer_group_session);
}

// G35: giving up partitions takes at most the member's rebalance timeout. Of a classic member its
// joins are timed instead.
void ModernGroup::arm_rebalance(ModernStep& step, const ModernMember& m) {
    const auto timer = key(Tick::modern_rebalance, timer_group(id()), seat(m.member).slot);
    if (m.state == ModernState::unrevoked && !m.classic)
        step.fx.arm(timer, m.rebalance_timeout);
    else
        step.fx.disarm(timer);
}

void ModernGroup::remove(ModernStep& step, MemberId id) {
    leave_seat(step, id);
    std::erase_if(record_.members, [&](const ModernMember& m) { return m.member == id; });
    record_.epoch = record_.epoch.next();  // G34
}

void ModernGroup::expire(ModernStep& step, MemberId id) {
    tell(step, Mile::group_member_expired, id);
    remove(step, id);
}

void ModernGroup::on_session_timer(ModernStep& step, std::uint32_t slot) {
    if (const auto id = at_slot(slot)) expire(step, *id);
}

void ModernGroup::on_rebalance_timer(ModernStep& step, std::uint32_t slot) {
    const auto id = at_slot(slot);
    const auto* m = id ? find(*id) : nullptr;
    if (m && m->state == ModernState::unrevoked) expire(step, *id);
}

void ModernGroup::on_classic_timer(ModernStep& step, std::uint32_t slot) {
    const auto id = at_slot(slot);
    const auto* m = id ? find(*id) : nullptr;
    if (m && m->classic) expire(step, *id);
}

void ModernGroup::expel(ModernStep& step, MemberId id) {
    if (!find(id)) return;
    tell(step, Mile::group_left, id);
    remove(step, id);
}

// Simplified: KIP-848 knows no such request; it is as if the topics had changed (G34).
void ModernGroup::force_rebalance(ModernStep&) {
    if (!record_.members.empty()) record_.epoch = record_.epoch.next();
}

// --- what is told
// ---------------------------------------------------------------------------------

void ModernGroup::tell_changes(ModernStep& step, const ModernGroup& before) {
    for (const auto& m : record_.members)
        if (!before.find(m.member)) tell(step, Mile::group_joined, m.member);
    if (record_.epoch > before.record_.epoch)
        tell(step, Mile::group_rebalance_started, std::nullopt);
    const bool stable = state() == ModernGroupState::stable;
    const bool moved = record_.epoch != before.record_.epoch || state() != before.state() ||
                       record_.members.size() != before.record_.members.size();
    if (moved)
        step.fx.observe(GroupChanged{step.ctx.self, id(), record_.epoch,
                                     static_cast<std::int32_t>(record_.members.size()), stable});
    declare_owners(step);
    if (moved && stable) tell(step, Mile::group_rebalanced, std::nullopt);
}

void ModernGroup::declare_owners(ModernStep& step) {
    const auto subject = [&](LogId log) {
        return (std::int64_t{id().value} << 32) | std::int64_t{log.value};
    };
    std::vector<LogId> owned;
    for (const auto& m : record_.members) {
        const auto node = node_of(m.member);
        const auto first = owned.size();
        owned.insert(owned.end(), m.assigned.begin(), m.assigned.end());
        owned.insert(owned.end(), m.revoking.begin(), m.revoking.end());
        for (auto i = first; node && i < owned.size(); ++i)
            step.fx.declare(role(Role::owner, subject(owned[i])), {*node});
    }
    std::sort(owned.begin(), owned.end());
    for (const auto log : owned_)
        if (!std::binary_search(owned.begin(), owned.end(), log))
            step.fx.declare(role(Role::owner, subject(log)), {});
    owned_ = std::move(owned);
}

void ModernGroup::tell(ModernStep& step, Mile mile, std::optional<MemberId> id) const {
    auto facts = told({{Fact::group, this->id().value}, {Fact::generation, record_.epoch.value}});
    if (id) {
        facts.add(number(Fact::member), static_cast<std::int64_t>(id->value));
        const auto node = node_of(*id);
        const auto process = node ? step.topology.process_of(*node) : std::nullopt;
        if (process) facts.add(number(Fact::app), process->app.value);
    }
    step.fx.reach(number(mile), facts);
}

}  // namespace eos::model
