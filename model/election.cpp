#include "model/election.hpp"

#include <algorithm>
#include <set>

namespace eos::model {

namespace {

using Brokers = std::vector<BrokerId>;

[[nodiscard]] bool holds(const Brokers& list, BrokerId id) {
    return std::find(list.begin(), list.end(), id) != list.end();
}

/// The targets of one change while it is worked out (PartitionChangeBuilder).
struct Targets {
    Brokers replicas;
    Brokers isr;
    Brokers elr;
    Brokers last_known;
    bool elr_enabled = false;
};

[[nodiscard]] Targets begin(const PartitionState& state, const ElectionOrder& order,
                            Guard& guard) {
    Targets targets{.replicas = order.replicas.value_or(state.replicas),
                    .isr = order.isr.value_or(state.isr),
                    .elr = state.elr,
                    .last_known = state.last_known_elr};
    // ELE-7: eligible replicas matter only while the in-sync set is too small, or was.
    const bool matters = std::cmp_less(targets.isr.size(), order.min_insync) ||
                         !state.elr.empty() || !state.last_known_elr.empty();
    targets.elr_enabled = guard.trips(Safeguard::eligible_leader_replicas, matters);
    return targets;
}

void populate_elr(Targets& targets, const PartitionState& state, const ElectionOrder& order) {
    if (!targets.elr_enabled) return;
    if (std::cmp_greater_equal(targets.isr.size(), order.min_insync)) {
        targets.elr.clear();
        targets.last_known.clear();
        return;
    }
    std::set<BrokerId> candidates(targets.elr.begin(), targets.elr.end());
    candidates.insert(state.isr.begin(), state.isr.end());
    Brokers elr;
    for (const BrokerId id : candidates)
        if (!holds(targets.isr, id) && !holds(order.unclean_shutdown, id)) elr.push_back(id);
    targets.elr = elr;
    candidates.insert(targets.last_known.begin(), targets.last_known.end());
    targets.last_known.clear();
    for (const BrokerId id : candidates)
        if (!holds(targets.isr, id) && !holds(elr, id)) targets.last_known.push_back(id);
}

[[nodiscard]] Elected elect(const Targets& targets, const PartitionState& state,
                            const ElectionOrder& order, Guard& guard) {
    const auto alive = [&](BrokerId id) { return holds(order.alive, id); };
    const auto valid = [&](BrokerId id) {
        const bool eligible = targets.isr.empty() && holds(targets.elr, id);
        return (eligible || holds(targets.isr, id)) && alive(id);
    };
    const auto& replicas = targets.replicas;
    if (order.type == ElectionType::preferred && !replicas.empty() && valid(replicas.front()))
        return {.leader = replicas.front()};
    if (state.leader && valid(*state.leader)) return {.leader = state.leader};
    const auto clean = std::find_if(replicas.begin(), replicas.end(), valid);
    if (clean != replicas.end()) return {.leader = *clean};
    // ELE-2 (3). Simplified: the candidate must be alive, which Kafka forgets to check (ELE-10).
    const bool last_known = targets.elr_enabled && order.last_known_recovery &&
                            targets.isr.empty() && targets.elr.empty() &&
                            state.last_known_elr.size() == 1 &&
                            alive(state.last_known_elr.front());
    if (last_known) return {.leader = state.last_known_elr.front(), .unclean = true};
    if (order.type == ElectionType::preferred) return {};
    const auto unclean = std::find_if(replicas.begin(), replicas.end(), alive);
    if (unclean == replicas.end()) return {};
    const bool allowed = order.type == ElectionType::unclean ||
                         !guard.trips(Safeguard::clean_election, true);
    return allowed ? Elected{.leader = *unclean, .unclean = true} : Elected{};
}

/// What is remembered of a partition's last leader (maybeUpdateRecordElr, maybeUpdateLastKnown...).
[[nodiscard]] Brokers last_known_after(const PartitionState& before, const PartitionState& after,
                                       const Targets& targets, const ElectionOrder& order) {
    if (!order.last_known_recovery) return targets.last_known;
    if (!targets.elr_enabled) return before.last_known_elr;
    const bool emptied = after.isr.empty() && !before.isr.empty();
    if (emptied && before.leader) return {*before.leader};
    return after.leader ? Brokers{} : before.last_known_elr;
}

}  // namespace

Elected elect(const PartitionState& state, const ElectionOrder& order, Guard& guard) {
    return elect(begin(state, order, guard), state, order, guard);
}

std::optional<PartitionChange> change(const PartitionState& state, const ElectionOrder& order,
                                      Guard& guard) {
    Targets targets = begin(state, order, guard);
    populate_elr(targets, state, order);
    const Elected elected = elect(targets, state, order, guard);
    PartitionChange result{.state = state, .unclean = false};
    PartitionState& after = result.state;
    after.recovery = order.recovery.value_or(state.recovery);
    after.replicas = targets.replicas;
    after.leader = elected.leader;
    if (elected.leader != state.leader) {
        result.unclean = elected.unclean;
        if (elected.leader && holds(targets.elr, *elected.leader)) {
            targets.isr = {*elected.leader};
            std::erase(targets.elr, *elected.leader);
        }
    }
    if (result.unclean) {  // ELE-4
        targets.isr = {*elected.leader};
        targets.elr.clear();
        targets.last_known.clear();
        after.recovery = RecoveryState::recovering;
    } else if (!targets.elr_enabled) {
        targets.elr.clear();
        targets.last_known.clear();
    }
    // ELE-6: without ELR the last member never leaves the in-sync set.
    if (!targets.isr.empty() || targets.elr_enabled) after.isr = targets.isr;
    after.elr = targets.elr;
    after.last_known_elr = last_known_after(state, after, targets, order);
    if (after == state) return std::nullopt;

    // ELE-5; a reassignment that drops a replica also begins a new reign.
    const bool dropped = std::any_of(state.replicas.begin(), state.replicas.end(),
                                     [&](BrokerId id) { return !holds(after.replicas, id); });
    if (after.leader != state.leader || dropped) after.leader_epoch = state.leader_epoch.next();
    after.partition_epoch = state.partition_epoch.next();
    return result;
}

ErrorCode validate_alter_partition(const PartitionState& state,
                                   const AlterPartitionRequest& request,
                                   std::span<const BrokerRegistration> brokers, Guard& guard) {
    const auto registration = [&](BrokerId id) -> const BrokerRegistration* {
        const auto found = std::find_if(brokers.begin(), brokers.end(),
                                        [&](const auto& b) { return b.broker == id; });
        return found == brokers.end() ? nullptr : &*found;
    };
    const BrokerRegistration* sender = registration(request.broker);
    if (!sender || sender->epoch != request.broker_epoch) return ErrorCode::stale_broker_epoch;
    if (request.log != state.log) return ErrorCode::unknown_topic_or_partition;
    // The sender has heard of a newer controller.
    if (request.leader_epoch > state.leader_epoch ||
        request.partition_epoch > state.partition_epoch)
        return ErrorCode::not_controller;
    if (request.leader_epoch < state.leader_epoch) return ErrorCode::fenced_leader_epoch;
    if (state.leader != request.broker) return ErrorCode::invalid_request;
    if (request.partition_epoch < state.partition_epoch) return ErrorCode::invalid_update_version;
    Brokers isr;
    for (const auto& member : request.isr) isr.push_back(member.broker);
    const bool subset =
        std::all_of(isr.begin(), isr.end(), [&](BrokerId id) { return holds(state.replicas, id); });
    if (isr.empty() || !subset || !holds(isr, request.broker)) return ErrorCode::invalid_request;
    if (request.recovery == RecoveryState::recovering &&
        (isr.size() > 1 || state.recovery == RecoveryState::recovered))
        return ErrorCode::invalid_request;
    for (const auto& member : request.isr) {
        const BrokerRegistration* broker = registration(member.broker);
        if (!broker || broker->fenced || broker->in_controlled_shutdown)
            return ErrorCode::ineligible_replica;
        const bool reborn = member.epoch.value != -1 && member.epoch != broker->epoch;
        if (guard.trips(Safeguard::broker_epoch_in_isr, reborn))  // KIP-903
            return ErrorCode::ineligible_replica;
    }
    return ErrorCode::none;
}

std::optional<PartitionChange> apply_alter_partition(const PartitionState& state,
                                                     const AlterPartitionRequest& request,
                                                     ElectionOrder order, Guard& guard) {
    Brokers isr;
    for (const auto& member : request.isr) isr.push_back(member.broker);
    order.isr = std::move(isr);
    order.recovery = request.recovery;
    return change(state, order, guard);
}

}  // namespace eos::model
