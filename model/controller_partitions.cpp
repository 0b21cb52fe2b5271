// The controller and its partitions: when leaders are elected and in-sync sets change. Who is
// elected is decided in election.hpp; here is when it is asked, and what is told about the answer.

#include <algorithm>
#include <utility>

#include "model/controller.hpp"

namespace eos::model {
namespace {

bool contains(const std::vector<BrokerId>& list, BrokerId broker) {
    return std::find(list.begin(), list.end(), broker) != list.end();
}

std::vector<BrokerId> without(std::vector<BrokerId> list, std::optional<BrokerId> gone) {
    if (gone) std::erase(list, *gone);
    return list;
}

}  // namespace

ElectionType Controller::ordinary() const {
    return config_->unclean_election ? ElectionType::unclean : ElectionType::online;
}

ElectionOrder Controller::order(LogId log, ElectionType type) const {
    ElectionOrder result;
    result.type = type;
    result.alive = image().active_brokers();
    result.min_insync = topology_->topic_of(log).min_insync;
    return result;
}

/// Looks again at every partition that a broker's end or return concerns (ELE-8).
void Controller::reconsider(const Context& ctx, const Cause& cause, Fx& fx) {
    const auto gone = cause.removed ? cause.removed : cause.unclean;
    for (std::size_t i = 0; i < image().partitions().size(); ++i) {
        const auto& state = image().partitions()[i];
        const bool concerned = contains(state.isr, *gone) || state.leader == gone ||
                               (cause.unclean && contains(state.elr, *gone));
        if (!concerned) continue;
        // Only with eligible leader replicas does an unclean restart cost a place in the ISR.
        if (cause.unclean && !guard_.trips(Safeguard::eligible_leader_replicas, true)) continue;
        auto asked = order(state.log, ordinary());
        asked.isr = without(state.isr, gone);
        if (cause.unclean) asked.unclean_shutdown = {*cause.unclean};
        if (auto result = change(state, asked, guard_)) decide(ctx, std::move(result->state), fx);
    }
}

void Controller::elect_leaderless(const Context& ctx, Fx& fx) {
    for (std::size_t i = 0; i < image().partitions().size(); ++i) {
        const auto& state = image().partitions()[i];
        if (state.leader) continue;
        if (auto result = change(state, order(state.log, ordinary()), guard_))
            decide(ctx, std::move(result->state), fx);
    }
}

/// Simplified: every partition not led by its preferred replica moves back, not only those of a
/// broker above leader.imbalance.per.broker.percentage.
void Controller::balance_leaders(const Context& ctx, Fx& fx) {
    for (std::size_t i = 0; i < image().partitions().size(); ++i) {
        const auto& state = image().partitions()[i];
        const auto preferred = state.replicas.front();
        if (state.leader == preferred || !image().active(preferred)) continue;
        if (!contains(state.isr, preferred)) continue;
        if (auto result = change(state, order(state.log, ElectionType::preferred), guard_))
            decide(ctx, std::move(result->state), fx);
    }
}

/// Ask::elect: leadership moves to `to`, or else to the first other replica that may lead. A
/// replica that is not in sync leads only if the order says unclean.
void Controller::elect_on_order(const Context& ctx, const sim::Order& order, Fx& fx) {
    const auto log = order.facts.find(number(Fact::log));
    if (!log) return;
    auto state = image().partition({static_cast<std::int32_t>(*log)});
    const bool unclean = order.facts.find(number(Fact::unclean)).value_or(0) != 0;
    std::optional<BrokerId> to;
    if (const auto named = order.facts.find(number(Fact::to))) {
        to = BrokerId{static_cast<std::int32_t>(*named)};
        if (!contains(state.replicas, *to) || !image().active(*to)) return;
    } else {
        for (const bool in_sync : {true, false})
            for (const auto replica : state.replicas)
                if (!to && replica != state.leader && image().active(replica) &&
                    contains(state.isr, replica) == in_sync)
                    to = replica;
    }
    if (!to || to == state.leader) return;
    if (!contains(state.isr, *to)) {
        if (!unclean && guard_.trips(Safeguard::clean_election, true)) return;
        state.isr = {*to};  // ELE-4
        state.recovery = RecoveryState::recovering;
        state.elr.clear();
        state.last_known_elr.clear();
    }
    state.leader = to;
    state.leader_epoch = state.leader_epoch.next();  // ELE-5
    state.partition_epoch = state.partition_epoch.next();
    decide(ctx, std::move(state), fx);
}

AlterPartitionResponse Controller::alter(const Context& ctx, const AlterPartitionRequest& request,
                                         Fx& fx) {
    AlterPartitionResponse answer{.log = request.log, .error = ErrorCode::none, .state = {}};
    if (!current(request.broker, request.broker_epoch)) {
        answer.error = ErrorCode::stale_broker_epoch;
        return answer;
    }
    const auto state = image().partition(request.log);
    answer.error = validate_alter_partition(state, request, image().brokers(), guard_);
    if (answer.error != ErrorCode::none) return answer;
    auto result = apply_alter_partition(state, request, order(request.log, ordinary()), guard_);
    if (result) decide(ctx, std::move(result->state), fx);
    answer.state = image().partition(request.log);
    return answer;
}

/// Writes what was decided about a partition, and tells what changed. Elections become known after
/// the election delay: together in KRaft, one after the other in the ZooKeeper era.
void Controller::decide(const Context& ctx, PartitionState state, Fx& fx) {
    const auto before = image().partition(state.log);
    auto visible = ctx.now;
    if (state.leader_epoch != before.leader_epoch) {
        switch (config_->metadata) {
            case MetadataMode::kraft:
                visible = ctx.now + config_->election_delay;
                break;
            case MetadataMode::zookeeper:
                visible = std::max(ctx.now, durable_.log.last_visible()) + config_->election_delay;
                break;
        }
    }
    write(ctx, state, visible, fx);
    declare(state, fx);
    const auto& entry = topology_->logs[static_cast<std::size_t>(state.log.value)];
    auto facts = told({{Fact::log, state.log.value},
                       {Fact::topic, entry.topic.value},
                       {Fact::partition, entry.partition.value},
                       {Fact::size, static_cast<std::int64_t>(state.isr.size())},
                       {Fact::epoch, state.leader_epoch.value}});
    if (state.leader) facts.add(number(Fact::leader), state.leader->value);
    if (state.isr != before.isr) fx.reach(number(Mile::partition_isr_changed), facts);
    if (before.leader && !state.leader) fx.reach(number(Mile::partition_went_offline), facts);
}

void Controller::declare(const PartitionState& state, Fx& fx) const {
    fx.declare(role(Role::in_sync, state.log.value), state.isr);
    fx.declare(role(Role::followers, state.log.value), without(state.replicas, state.leader));
    if (!state.leader) fx.declare(role(Role::leader, state.log.value), {});
}

}  // namespace eos::model
