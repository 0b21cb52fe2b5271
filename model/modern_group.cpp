// A modern group's heartbeats: who may speak, what a heartbeat changes, and the member's way to its
// target (G33-G37). Timers, loading and what the world is told are in modern_group_events.cpp.

#include "model/modern_group.hpp"

#include <algorithm>
#include <array>
#include <iterator>

#include "model/modern_group_reconcile.hpp"

namespace eos::model {
namespace {

[[nodiscard]] bool reconciled_to(const ModernMember& m, Generation epoch) {
    return !m.away && m.state == ModernState::stable && m.epoch == epoch;
}

[[nodiscard]] bool within(const std::optional<std::vector<LogId>>& owned,
                          const std::vector<LogId>& assigned) {
    return owned && std::all_of(owned->begin(), owned->end(), [&](LogId log) {
               return std::binary_search(assigned.begin(), assigned.end(), log);
           });
}

// G33. A smaller epoch is accepted if the answer with the present one may have been lost.
[[nodiscard]] bool epoch_accepted(const ModernMember& m,
                                  const ConsumerGroupHeartbeatRequest& request) {
    if (request.member_epoch == told_epoch(m)) return true;
    return request.member_epoch < told_epoch(m) && request.member_epoch == m.previous_epoch.value &&
           within(request.owned, m.assigned);
}

/// What a member is told whose epoch is not the present one, in its own protocol's words.
[[nodiscard]] ErrorCode stale(const ModernMember& m) {
    return m.classic ? ErrorCode::illegal_generation : ErrorCode::stale_member_epoch;
}

template <class T>
[[nodiscard]] std::vector<T> sorted(std::vector<T> values) {
    std::sort(values.begin(), values.end());
    return values;
}

}  // namespace

std::string_view name(ModernGroupState state) {
    switch (state) {
        case ModernGroupState::empty:
            return "Empty";
        case ModernGroupState::assigning:
            return "Assigning";
        case ModernGroupState::reconciling:
            return "Reconciling";
        case ModernGroupState::stable:
            return "Stable";
    }
    return "";
}

std::int32_t told_epoch(const ModernMember& member) {
    return member.away ? leave_for_now_epoch : member.epoch.value;
}

// --- queries
// --------------------------------------------------------------------------------------

ModernGroupState ModernGroup::state() const {
    if (record_.members.empty()) return ModernGroupState::empty;
    if (needs_target()) return ModernGroupState::assigning;
    const bool all =
        std::all_of(record_.members.begin(), record_.members.end(),
                    [&](const ModernMember& m) { return reconciled_to(m, record_.target_epoch); });
    return all ? ModernGroupState::stable : ModernGroupState::reconciling;
}

const ModernMember* ModernGroup::find(MemberId id) const {
    const auto found = std::find_if(record_.members.begin(), record_.members.end(),
                                    [&](const ModernMember& m) { return m.member == id; });
    return found == record_.members.end() ? nullptr : &*found;
}

ModernMember* ModernGroup::member(MemberId id) {
    const auto found = std::find_if(record_.members.begin(), record_.members.end(),
                                    [&](const ModernMember& m) { return m.member == id; });
    return found == record_.members.end() ? nullptr : &*found;
}

ModernMember* ModernGroup::with_instance(GroupInstanceId instance) {
    const auto found = std::find_if(record_.members.begin(), record_.members.end(),
                                    [&](const ModernMember& m) { return m.instance == instance; });
    return found == record_.members.end() ? nullptr : &*found;
}

std::optional<Generation> ModernGroup::owner_epoch(LogId log) const {
    for (const auto& m : record_.members)
        if (std::binary_search(m.assigned.begin(), m.assigned.end(), log) ||
            std::binary_search(m.revoking.begin(), m.revoking.end(), log))
            return Generation{told_epoch(m)};
    return std::nullopt;
}

bool ModernGroup::subscribed(TopicId topic) const {
    return std::any_of(record_.members.begin(), record_.members.end(), [&](const auto& m) {
        return std::binary_search(m.subscription.begin(), m.subscription.end(), topic);
    });
}

// --- a heartbeat
// ----------------------------------------------------------------------------------

ErrorCode ModernGroup::malformed(const ConsumerGroupHeartbeatRequest& request) {
    const auto epoch = request.member_epoch;
    // An empty name is interned as a negative number.
    if (request.instance && request.instance->value < 0) return ErrorCode::invalid_request;
    if (epoch < leave_for_now_epoch) return ErrorCode::invalid_request;
    if (epoch != 0 && !request.member) return ErrorCode::invalid_request;
    if (epoch == leave_for_now_epoch && !request.instance) return ErrorCode::invalid_request;
    if (epoch == 0) {
        if (!request.rebalance_timeout) return ErrorCode::invalid_request;
        if (!request.owned || !request.owned->empty()) return ErrorCode::invalid_request;
        if (!request.subscription || request.subscription->empty())
            return ErrorCode::invalid_request;
    }
    if (request.assignor && *request.assignor != ServerAssignor::uniform &&
        *request.assignor != ServerAssignor::range)
        return ErrorCode::unsupported_assignor;
    return ErrorCode::none;
}

ErrorCode ModernGroup::check(ModernStep& step, const ConsumerGroupHeartbeatRequest& request,
                             MemberId speaker) {
    const bool joins = request.member_epoch == 0;
    const auto* known = find(speaker);
    if (!known &&
        record_.members.size() >= static_cast<std::size_t>(step.config.consumer_group_max_size))
        return ErrorCode::group_max_size_reached;
    if (request.instance) {
        const auto* holder = with_instance(*request.instance);
        // Unlike in a classic group the newcomer yields (K7).
        if (joins)
            return holder && !holder->away && !holder->classic ? ErrorCode::unreleased_instance_id
                                                               : ErrorCode::none;
        if (!holder) return ErrorCode::unknown_member_id;
        if (holder->member != speaker) return ErrorCode::fenced_instance_id;
        known = holder;
    }
    if (!known) return joins ? ErrorCode::none : ErrorCode::unknown_member_id;
    if (epoch_accepted(*known, request)) return ErrorCode::none;
    // A member that was told to start over may do so (KAFKA-19233; before 4.2 it waited for the end
    // of its own session, which a refused heartbeat does not prolong).
    if (joins && step.guard.trips(Safeguard::fenced_member_rejoins, true)) return ErrorCode::none;
    return ErrorCode::fenced_member_epoch;
}

ErrorCode ModernGroup::admit(ModernStep& step, const ConsumerGroupHeartbeatRequest& request,
                             MemberId speaker, NodeId from) {
    if (const auto error = check(step, request, speaker); error != ErrorCode::none) {
        if (error != ErrorCode::group_max_size_reached)
            tell(step, Mile::group_member_fenced, speaker);
        return error;
    }
    auto* known = request.instance ? with_instance(*request.instance) : member(speaker);
    const bool returns = known && request.instance && request.member_epoch == 0;
    if (returns) {  // a static member is back, under a new id: what was its own still is (G37)
        take_seat_of(step, *known, speaker);
    } else if (!known) {
        ModernMember fresh;
        fresh.member = speaker;
        fresh.instance = request.instance;
        record_.members.push_back(std::move(fresh));
        known = &record_.members.back();
    }
    seat(speaker).node = from;
    known->classic.reset();
    if (request.rebalance_timeout) known->rebalance_timeout = *request.rebalance_timeout;
    if (request.assignor) known->assignor = static_cast<std::uint8_t>(*request.assignor);
    if (request.subscription) subscribe(*known, *request.subscription);
    arm_session(step, speaker);
    return ErrorCode::none;
}

// A static member is back under a new id (G37).
void ModernGroup::take_seat_of(ModernStep& step, ModernMember& holder, MemberId fresh) {
    leave_seat(step, holder.member);
    holder.member = fresh;
    holder.away = false;
    holder.epoch = Generation{0};
    holder.previous_epoch = Generation{0};
}

void ModernGroup::subscribe(ModernMember& m, const std::vector<TopicId>& topics) {
    auto wanted = sorted(topics);
    if (wanted == m.subscription) return;
    m.subscription = std::move(wanted);
    record_.epoch = record_.epoch.next();  // G34
}

ServerAssignor ModernGroup::assignor() const {
    std::array<std::int32_t, 2> votes{};
    for (const auto& m : record_.members)
        if (m.assignor) ++votes[*m.assignor];
    return votes[1] > votes[0] ? ServerAssignor::range : ServerAssignor::uniform;
}

std::vector<ServerMember> ModernGroup::contenders() const {
    std::vector<ServerMember> result;
    for (const auto& m : record_.members)
        result.push_back({m.member, m.instance, m.subscription, m.target});
    return result;
}

void ModernGroup::set_target(const std::vector<MemberAssignment>& target) {
    for (auto& m : record_.members) {
        m.target.clear();
        for (const auto& given : target)
            if (given.member == m.member) m.target = sorted(given.logs);
    }
    record_.target_epoch = record_.epoch;
}

ConsumerGroupHeartbeatResponse ModernGroup::advance(ModernStep& step,
                                                    const ConsumerGroupHeartbeatRequest& request,
                                                    MemberId speaker) {
    ConsumerGroupHeartbeatResponse answer;
    answer.group = id();
    answer.member = speaker;
    auto& m = *member(speaker);
    const auto assigned_before = m.assigned;
    if (!reconcile(step, m, request.owned)) {
        answer.error = ErrorCode::fenced_member_epoch;
        return answer;
    }
    answer.member_epoch = m.epoch.value;
    answer.heartbeat_interval = step.config.consumer_group_heartbeat;
    // K3: a full heartbeat comes from a member that may have missed something.
    const bool full = request.rebalance_timeout && request.subscription && request.owned;
    if (request.member_epoch == 0 || full || m.assigned != assigned_before)
        answer.assignment = m.assigned;
    return answer;
}

/// Logs that somebody owns or has yet to give up.
std::vector<LogId> ModernGroup::busy() const {
    std::vector<LogId> result;
    for (const auto& m : record_.members) {
        result.insert(result.end(), m.assigned.begin(), m.assigned.end());
        result.insert(result.end(), m.revoking.begin(), m.revoking.end());
    }
    std::erase_if(result, [&](LogId log) {
        return std::find(unguarded_.begin(), unguarded_.end(), log) != unguarded_.end();
    });
    return result;
}

// KAFKA-16147. Before 3.8 a new target began the walk anew: what a member was to give up and has
// got back in the target was its own again. But the epochs of its revoked partitions were removed
// after those of its assigned ones had been added, so that the coordinator took such a partition
// for free.
void ModernGroup::give_back(ModernStep& step, ModernMember& m) {
    if (m.state != ModernState::unrevoked) return;
    std::vector<LogId> back;
    std::set_intersection(m.revoking.begin(), m.revoking.end(), m.target.begin(), m.target.end(),
                          std::back_inserter(back));
    if (back.empty() || step.guard.trips(Safeguard::revoking_keeps_owner, true)) return;
    for (const auto log : back) std::erase(m.revoking, log);
    m.assigned.insert(m.assigned.end(), back.begin(), back.end());
    std::sort(m.assigned.begin(), m.assigned.end());
    unguarded_.insert(unguarded_.end(), back.begin(), back.end());
    if (m.revoking.empty()) m.state = ModernState::unreleased;  // what else is in the target
}

bool ModernGroup::reconcile(ModernStep& step, ModernMember& m,
                            const std::optional<std::vector<LogId>>& owned) {
    if (reconciled_to(m, record_.target_epoch)) return true;
    give_back(step, m);
    auto next = reconciled(m, record_.target_epoch, busy(), owned);
    if (!next) return false;
    if (*next != m) {
        // Whoever is given a log is its owner from then on.
        for (const auto log : next->assigned)
            if (!std::binary_search(m.assigned.begin(), m.assigned.end(), log))
                std::erase(unguarded_, log);
        m = std::move(*next);
        arm_rebalance(step, m);
    }
    return true;
}

ConsumerGroupHeartbeatResponse ModernGroup::leave(ModernStep& step,
                                                  const ConsumerGroupHeartbeatRequest& request) {
    ConsumerGroupHeartbeatResponse answer;
    answer.group = id();
    answer.member = request.member;
    answer.member_epoch = request.member_epoch;
    auto* leaving = request.instance ? with_instance(*request.instance) : member(*request.member);
    if (!leaving)
        answer.error = ErrorCode::unknown_member_id;
    else if (leaving->member != *request.member)
        answer.error = ErrorCode::fenced_instance_id;
    if (answer.error != ErrorCode::none) {
        tell(step, Mile::group_member_fenced, request.member);
        return answer;
    }
    tell(step, Mile::group_left, request.member);
    if (request.member_epoch == leave_for_now_epoch) {
        leaving->away = true;
        leaving->revoking.clear();
        step.fx.disarm(key(Tick::modern_rebalance, static_cast<std::uint32_t>(id().value),
                           seat(leaving->member).slot));
    } else {
        remove(step, *request.member);
    }
    return answer;
}

// --- offsets
// --------------------------------------------------------------------------------------

ErrorCode ModernGroup::validate_commit(const MemberRef& ref,
                                       std::optional<std::int16_t> version) const {
    // An administrator, or a consumer with manual assignment.
    if (!ref.generation && record_.members.empty()) return ErrorCode::none;
    const auto* m = ref.member ? find(*ref.member) : nullptr;
    if (!m) return ErrorCode::unknown_member_id;
    if (!m->classic && version && *version < 9) return ErrorCode::unsupported_version;
    if (!ref.generation || ref.generation->value != told_epoch(*m)) return stale(*m);
    return ErrorCode::none;
}

ErrorCode ModernGroup::validate_fetch(const OffsetFetchRequest& request) const {
    if (!request.member && !request.member_epoch) return ErrorCode::none;
    const auto* m = request.member ? find(*request.member) : nullptr;
    if (!m) return ErrorCode::unknown_member_id;
    return request.member_epoch == told_epoch(*m) ? ErrorCode::none : stale(*m);
}

}  // namespace eos::model
