// What a broker hears from the controller, and what it makes of it: metadata is applied in a
// hand-off, one pull after the other, so that a fault can hold a broker in the past.

#include <algorithm>
#include <utility>

#include "model/broker.hpp"

namespace eos::model {
namespace {

constexpr sim::Duration alter_retry = sim::milliseconds(50);
constexpr sim::Duration apply_retry = sim::milliseconds(100);
constexpr sim::Duration producer_id_retry = sim::milliseconds(100);

}  // namespace

/// A broker that was there when the cluster was formed: it knows the first records, leads or
/// follows at once, and reaches no milestone by it, for nothing has happened.
void Broker::form(const Context& ctx, Fx& fx) {
    Fx quiet;
    const auto records = formation(*setup_.topology);
    apply(step(ctx, quiet), records, true);
    applied_ = static_cast<std::int64_t>(records.size());
    serving_ = true;
    channel_.join(ctx, image_.broker(setup_.self).epoch, applied_, quiet);
    const auto now = step(ctx, quiet);
    fetchers_.pump(now, replicas_, channel_.epoch());
    ask_for_ids(now);
    settle(now);
    for (auto& effect : quiet.list())
        if (!std::holds_alternative<sim::effect::Reach>(effect))
            fx.list().push_back(std::move(effect));
}

void Broker::hear(const BrokerStep& step, NewsList&& list) {
    for (auto& item : list) std::visit([&](auto& news) { on(step, std::move(news)); }, item);
}

void Broker::on(const BrokerStep& step, news::Registered&&) { ask_for_ids(step); }

void Broker::on(const BrokerStep& step, news::MayShutDown&&) { shut_down(step); }

void Broker::on(const BrokerStep& step, news::Records&& news) {
    to_apply_.push_back({news.end, std::move(news.records)});
    if (to_apply_.size() == 1) apply_next(step);
}

void Broker::on(const BrokerStep& step, news::Altered&& news) {
    const auto log = news.sent.log;
    auto* replica = replicas_.find(log);
    if (!replica) return;
    if (replica->proposal == news.sent) replica->proposal.reset();
    const auto outcome = replica->leading.on_alter_result(
        news.sent, news.answer, replica->log, step.image.brokers(), step.ctx.now, step.guard);
    switch (outcome) {
        case AlterOutcome::ignored:
        case AlterOutcome::committed:
        case AlterOutcome::reverted:
        case AlterOutcome::given_up:
            replicas_.touch(log);
            return;
        case AlterOutcome::retry:
            step.fx.arm(key(Tick::alter_partition_retry, static_cast<std::uint32_t>(log.value)),
                        alter_retry);
            return;
    }
}

void Broker::on(const BrokerStep& step, news::ProducerIds&& news) {
    if (news.count == 0) {
        ids_.asked_in_vain();
        step.fx.arm(key(Tick::producer_id_retry), producer_id_retry);
        return;
    }
    ids_.refill(news.first, news.count);
    for (const auto& to : ids_.take_waiting()) init_producer_id(step, to);
}

void Broker::apply_next(const BrokerStep& step) {
    HandOff next;
    next.task = Task::apply;
    next.token = to_apply_.front().end;
    next.records = to_apply_.front().records;
    step.fx.hand_off(std::move(next));
}

void Broker::on_apply(const BrokerStep& step, HandOff&& handoff) {
    if (to_apply_.empty() || to_apply_.front().end != handoff.token) return;
    if (handoff.error != ErrorCode::none) {
        // Simplified: a step that failed is tried again; Kafka logs a metadata fault and goes on.
        handoff.error = ErrorCode::none;
        step.fx.hand_off(std::move(handoff), apply_retry);
        return;
    }
    to_apply_.pop_front();
    applied_ = handoff.token;
    apply(step, handoff.records, false);
    step.fx.reach(number(Mile::controller_metadata_applied),
                  told({{Fact::broker, step.self.value},
                        {Fact::epoch, channel_.epoch().value_or(BrokerEpoch{-1}).value}}));
    serving_ = true;
    channel_.applied(step.ctx, applied_, step.fx);
    if (!to_apply_.empty()) apply_next(step);
    fetchers_.retire(step, replicas_);
    fetchers_.pump(step, replicas_, channel_.epoch());
    transactions_.on_metadata(step);
}

void Broker::apply(const BrokerStep& step, const std::vector<MetadataRecord>& records,
                   bool at_once) {
    std::vector<LogId> changed;
    for (const auto& record : records) {
        image_.apply(record);
        const auto* state = std::get_if<PartitionState>(&record);
        if (!state) continue;
        if (std::find(changed.begin(), changed.end(), state->log) == changed.end())
            changed.push_back(state->log);
    }
    // Of several states of one partition only the last counts, as in one delta of Kafka.
    for (const auto log : changed) {
        const auto turn = replicas_.apply(step, image_.partition(log));
        if (step.topology.offsets_topic &&
            step.topology.logs[static_cast<std::size_t>(log.value)].topic ==
                *step.topology.offsets_topic)
            groups_.on_turn(step, replicas_, log, turn, at_once);
        if (is_transaction_log(step.topology, log))
            transactions_.on_turn(step, replicas_, ids_, log, turn, at_once);
    }
}

/// The clean end of a process (DUR-3).
void Broker::shut_down(const BrokerStep& step) {
    replicas_.close();
    clean_epoch_ = channel_.epoch();
    step.fx.exit(false);
}

}  // namespace eos::model
