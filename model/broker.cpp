#include "model/broker.hpp"

#include <utility>

#include "model/spared.hpp"

namespace eos::model {
namespace {

/// A broker's streams are named by its id, and by its life where a restart must not repeat itself.
std::uint64_t actor(BrokerId self) { return static_cast<std::uint64_t>(self.value); }

}  // namespace

Broker::Broker(Setup setup)
    : Broker(setup,
             Durable{.replicas = Replicas(setup.self, *setup.config, *setup.topology),
                     .clean_epoch = {},
                     .groups = {},
                     .transactions = {}},
             std::nullopt, 0) {}

Broker::Broker(Setup setup, Durable durable, std::optional<sim::Loss> loss, std::int32_t life)
    : setup_(std::move(setup)),
      life_(life),
      replicas_(std::move(durable.replicas)),
      clean_epoch_(durable.clean_epoch),
      loss_(loss),
      image_(*setup_.topology),
      channel_(setup_.self, setup_.config,
               sim::Rng::stream(setup_.seed, "controller-channel", actor(setup_.self))),
      fetchers_(*setup_.config,
                sim::Rng::stream(setup_.seed, "replica-fetcher", actor(setup_.self))),
      verification_(*setup_.config,
                    sim::Rng::stream(setup_.seed, "verification", actor(setup_.self))),
      groups_(setup_.topology, setup_.config,
              sim::Rng::stream(setup_.seed, "member-ids", actor(setup_.self),
                               static_cast<std::uint64_t>(life)),
              std::move(durable.groups)),
      transactions_(setup_.topology, setup_.config,
                    sim::Rng::stream(setup_.seed, "marker-sender", actor(setup_.self)),
                    std::move(durable.transactions)) {
    guard_.set = setup_.config->safeguards;
}

Broker Broker::reborn(const sim::Loss& loss) && {
    if (loss.wipe) clean_epoch_.reset();
    const auto next_life = life_ + 1;
    return Broker(std::move(setup_),
                  Durable{.replicas = std::move(replicas_),
                          .clean_epoch = clean_epoch_,
                          .groups = groups_.memo(),
                          .transactions = transactions_.memo()},
                  loss, next_life);
}

BrokerStep Broker::step(const Context& ctx, Fx& fx) {
    replicas_.set_disk_lies(ctx.fsync_lies);
    return {.ctx = ctx,
            .self = setup_.self,
            .config = *setup_.config,
            .topology = *setup_.topology,
            .image = image_,
            .guard = guard_,
            .fx = fx};
}

void Broker::on_start(const Context& ctx, Fx& fx) {
    const auto now = step(ctx, fx);
    arm_timers(now);
    if (!loss_) return form(ctx, fx);
    replicas_.recover(*loss_, ctx, setup_.self, *setup_.config, *setup_.topology);
    loss_.reset();
    // The marker of a clean end is gone once the next life has begun (DUR-3).
    channel_.enlist(ctx, std::exchange(clean_epoch_, std::nullopt), fx);
}

void Broker::arm_timers(const BrokerStep& step) {
    step.fx.arm(key(Tick::isr_check), step.config.replica_lag_max / 2);  // ISR-1
    step.fx.arm(key(Tick::hw_checkpoint), step.config.hw_checkpoint);
    step.fx.arm(key(Tick::producer_expiry), step.config.producer_expiration_check);
    if (step.config.flush_interval > sim::Duration{})
        step.fx.arm(key(Tick::flush), step.config.flush_interval);
}

void Broker::on_request(const Context& ctx, const sim::ReplyTo& to, Message&& message, Fx& fx) {
    // Simplified: until it knows the cluster a broker listens and hangs up; Kafka opens its
    // listeners only then.
    if (!serving_) return fx.hang_up(to);
    const auto now = step(ctx, fx);
    if (auto* produce = std::get_if<ProduceRequest>(&message))
        produces_.on_request(now, replicas_, verification_, to, std::move(*produce));
    else if (auto* fetch = std::get_if<FetchRequest>(&message))
        fetches_.on_request(now, replicas_, to, std::move(*fetch));
    else if (const auto* offsets = std::get_if<ListOffsetsRequest>(&message))
        fx.reply(to, list_offsets(now, replicas_, *offsets));
    else if (const auto* epochs = std::get_if<OffsetForLeaderEpochRequest>(&message))
        fx.reply(to, ends_of_epochs(replicas_, *epochs));
    else if (const auto* topics = std::get_if<MetadataRequest>(&message))
        fx.reply(to, metadata(*topics));
    else if (const auto* group = std::get_if<FindCoordinatorRequest>(&message))
        fx.reply(to, coordinator(*group));
    else if (TransactionCoordinator::handles(message))
        coordinate_transaction(now, to, message);
    else if (std::holds_alternative<InitProducerIdRequest>(message))
        init_producer_id(now, to);
    else if (const auto* commit = std::get_if<TxnOffsetCommitRequest>(&message))
        groups_.on_request(now, replicas_, verification_, to, *commit);
    else if (const auto* markers = std::get_if<WriteTxnMarkersRequest>(&message))
        markers_.on_request(now, replicas_, groups_, to, *markers);
    else if (GroupCoordinator::handles(message))
        groups_.on_request(now, to, message);
    else
        fx.hang_up(to);  // a controller's request: nobody sends one
    settle(now);
}

void Broker::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                      Message&& message, Fx& fx) {
    const auto now = step(ctx, fx);
    if (ControllerChannel::owns(from)) {
        hear(now, channel_.on_reply(ctx, from, correlation, std::move(message), fx));
    } else if (TransactionHost::owns(from)) {
        transactions_.on_reply(now, from, correlation, std::move(message));
    } else if (VerificationDesk::owns(from)) {
        verification_.on_reply(now, from, correlation, message);
    } else {
        fetchers_.on_reply(now, replicas_, from, correlation, std::move(message));
        fetchers_.pump(now, replicas_, channel_.epoch(), from.node);
    }
    settle(now);
}

void Broker::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    const auto now = step(ctx, fx);
    if (ControllerChannel::owns(peer)) {
        hear(now, channel_.on_link(ctx, peer, event, fx));
    } else if (TransactionHost::owns(peer)) {
        transactions_.on_link(now, ids_, peer, event);
    } else if (VerificationDesk::owns(peer)) {
        verification_.on_link(now, peer, event);
    } else {
        fetchers_.on_link(now, replicas_, peer, event);
        fetchers_.pump(now, replicas_, channel_.epoch(), peer.node);
    }
    settle(now);
}

void Broker::on_timer(const Context& ctx, sim::TimerKey timer, Fx& fx) {
    const auto now = step(ctx, fx);
    const auto what = tick(timer);
    if (what == Tick::broker_heartbeat && timer.a == shutdown_timer) {
        shut_down(now);
    } else if (channel_.owns(timer)) {
        hear(now, channel_.on_timer(ctx, timer, fx));
    } else if (fetchers_.owns(timer)) {
        fetchers_.on_timer(now, replicas_, timer);
        fetchers_.pump(now, replicas_, channel_.epoch());
    } else if (verification_.owns(timer)) {
        verification_.on_timer(now, timer);
    } else if (transactions_.owns(timer)) {
        transactions_.on_timer(now, ids_, timer);
        ask_for_ids(now);
    } else if (GroupCoordinator::owns(timer)) {
        groups_.on_timer(now, timer);
    } else if (what == Tick::delayed_produce) {
        produces_.on_timeout(now, {timer.a});
    } else if (what == Tick::verify_retry) {
        produces_.on_retry(now, replicas_, verification_, timer.a);
    } else if (what == Tick::delayed_markers) {
        markers_.on_timeout(now, {timer.a});
    } else if (what == Tick::delayed_fetch) {
        fetches_.on_timeout(now, replicas_, {timer.a});
    } else if (what == Tick::alter_partition_retry) {
        replicas_.touch({static_cast<std::int32_t>(timer.a)});
    } else if (what == Tick::producer_id_retry) {
        ask_for_ids(now);
    } else if (what == Tick::isr_check) {
        replicas_.propose_shrinks(now);
        fx.arm(timer, now.config.replica_lag_max / 2);
    } else if (what == Tick::hw_checkpoint) {
        replicas_.checkpoint();
        fx.arm(timer, now.config.hw_checkpoint);
    } else if (what == Tick::flush) {
        replicas_.flush(now);
        fx.arm(timer, now.config.flush_interval);
    } else if (what == Tick::producer_expiry) {
        replicas_.expire_producers(now, ctx.wall);
        fx.arm(timer, now.config.producer_expiration_check);
    }
    settle(now);
}

void Broker::on_handoff(const Context& ctx, Message&& message, Fx& fx) {
    const auto now = step(ctx, fx);
    auto& handoff = std::get<HandOff>(message);
    switch (handoff.task) {
        case Task::apply:
            on_apply(now, std::move(handoff));
            break;
        case Task::delayed_answer:
            produces_.on_handoff(now, handoff);
            break;
        case Task::load:
            if (is_transaction_log(*setup_.topology, handoff.log))
                transactions_.on_handoff(now, replicas_, ids_, std::move(handoff));
            else
                groups_.on_handoff(now, replicas_, std::move(handoff));
            break;
        case Task::write_offsets:
        case Task::complete_rebalance:
        case Task::materialise_offsets:
            groups_.on_handoff(now, replicas_, std::move(handoff));
            break;
        case Task::append_after_verify:
            if (handoff.group.value >= 0)
                groups_.on_handoff(now, replicas_, std::move(handoff));
            else
                produces_.on_append(now, replicas_, handoff);
            break;
        case Task::write_txn_state:
        case Task::marker_answer:
        case Task::complete_txn:
            transactions_.on_handoff(now, replicas_, ids_, std::move(handoff));
            break;
        case Task::execute_call: break;  // a store's
        case Task::checkpoint_write:
        case Task::notify:
        case Task::commit:
            sim::ensure(false, "a broker takes no checkpoints");
            break;
    }
    settle(now);
}

void Broker::on_order(const Context& ctx, const sim::Order& order, Fx& fx) {
    const auto now = step(ctx, fx);
    std::optional<LogId> log;
    if (const auto named = order.facts.find(number(Fact::log)))
        log = LogId{static_cast<std::int32_t>(*named)};
    std::optional<TopicId> topic;
    if (const auto named = order.facts.find(number(Fact::topic)))
        topic = TopicId{static_cast<std::int32_t>(*named)};
    if (GroupCoordinator::understands(order)) {
        groups_.on_order(now, order);
    } else if (TransactionCoordinator::understands(order)) {
        transactions_.on_order(now, ids_, order);
        ask_for_ids(now);
    } else if (order.kind == number(Ask::stop)) {
        fx.arm(key(Tick::broker_heartbeat, shutdown_timer), shutdown_patience);
        if (channel_.epoch())
            channel_.shut_down(ctx, fx);
        else
            shut_down(now);  // nobody knows it yet
    } else if (order.kind == number(Ask::expire_producers)) {
        // As if the time were up (language.md 5.4).
        replicas_.expire_producers(now, ctx.wall + now.config.producer_expiration, log);
    } else if (order.kind == number(Ask::roll_segment) && log) {
        replicas_.roll(now, *log);
    } else if (order.kind == number(Ask::delete_records) && log) {
        std::optional<Offset> up_to;
        if (const auto offset = order.facts.find(number(Fact::offset))) up_to = Offset{*offset};
        replicas_.delete_records(now, *log, up_to);
    } else if (order.kind == number(Ask::abort_txn) && log) {
        MarkerDesk::abort_oldest(now, replicas_, groups_, *log);
    } else if (order.kind == number(Ask::stale_metadata)) {
        stale_metadata(topic);
    } else if (order.kind == number(Ask::fresh_metadata)) {
        fresh_metadata(topic);
    }
    settle(now);
}

/// Tells those who wait for coordinators and for logs that moved, until nothing moves any more.
void Broker::settle(const BrokerStep& step) {
    while (const auto answer = verification_.take_answer()) {
        switch (answer->asker) {
            case Verification::Asker::produce:
                produces_.on_verified(step, *answer);
                break;
            case Verification::Asker::offsets:
                groups_.on_verified(step, *answer);
                break;
        }
    }
    while (const auto log = replicas_.take_moved()) settle(step, *log);
    reach_spared(guard_, step.fx);
}

void Broker::settle(const BrokerStep& step, LogId log) {
    auto* replica = replicas_.find(log);
    if (!replica) return;
    const auto watermark = replica->log.high_watermark();
    const auto end = replica->log.log_end();
    const bool leads = replica->leading.leading();
    const bool watermark_moved = watermark != replica->told_watermark;
    const bool stable_moved = leads && replica->transactional &&
                              replica->log.last_stable_offset() != replica->told_stable;
    const bool moved = watermark_moved || stable_moved || end != replica->told_end || !leads;
    replica->told_watermark = watermark;
    replica->told_end = end;
    if (leads && watermark_moved) {
        step.fx.observe(WatermarkMoved{
            .broker = step.self, .log = log, .leader = true, .high_watermark = watermark});
        auto facts = about(step.topology, log);
        facts.add(number(Fact::offset), watermark.value);
        step.fx.reach(number(Mile::partition_high_watermark_moved), facts);
        groups_.on_high_watermark(step, replicas_, log);
        transactions_.on_high_watermark(step, replicas_, ids_, log);
    }
    if (stable_moved) tell_stable_offset(step, *replica, log);
    if (moved) {
        produces_.on_moved(step, replicas_, log);
        fetches_.on_moved(step, replicas_, log);
        markers_.on_moved(step, replicas_, log);
    }
    if (!leads || replica->proposal || !channel_.epoch()) return;
    auto proposal = replica->leading.take_proposal(step.image.brokers(), step.guard);
    if (!proposal) return;
    proposal->broker_epoch = *channel_.epoch();
    replica->proposal = proposal;
    channel_.alter(step.ctx, std::move(*proposal), step.fx);
}

void Broker::tell_stable_offset(const BrokerStep& step, Replica& replica, LogId log) {
    const auto stable = replica.log.last_stable_offset();
    const bool rose = stable > replica.told_stable;
    replica.told_stable = stable;
    step.fx.observe(StableOffsetMoved{.broker = step.self, .log = log, .last_stable = stable});
    if (!rose) return;
    auto facts = about(step.topology, log);
    facts.add(number(Fact::offset), stable.value);
    step.fx.reach(number(Mile::partition_stable_offset_moved), facts);
}

void Broker::audit(const Context& ctx, Fx& fx) const {
    for (const auto& [id, replica] : replicas_.all()) {
        const auto& log = replica.log;
        fx.observe(ReplicaAudit{.broker = setup_.self,
                                .log = id,
                                .leader = replica.leading.leading(),
                                .log_start = log.log_start(),
                                .high_watermark = log.high_watermark(),
                                .log_end = log.log_end(),
                                .batches = {log.batches().begin(), log.batches().end()},
                                .last_stable = log.last_stable_offset(),
                                .open_transactions = log.producers().open_transactions()});
    }
    groups_.audit(ctx, fx);
    transactions_.audit(ctx, fx);
}

}  // namespace eos::model
