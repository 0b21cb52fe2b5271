#include "model/sender.hpp"

#include <algorithm>
#include <utility>

#include "model/spared.hpp"
#include "sim/ensure.hpp"

namespace eos::model {
namespace {

/// One stream per purpose and client object (architecture.md 5).
sim::Rng stream(std::uint64_t seed, std::string_view purpose, const Sender::Owner& owner) {
    const auto process = (static_cast<std::uint64_t>(owner.process.app.value) << 32) |
                         static_cast<std::uint32_t>(owner.process.instance);
    return sim::Rng::stream(seed, purpose, process, static_cast<std::uint64_t>(owner.session));
}

}  // namespace

Sender::Sender(std::shared_ptr<const Topology> topology,
               std::shared_ptr<const ProducerConfig> config, const Owner& owner, std::uint8_t lane,
               std::uint64_t seed, std::int32_t transactions_begun)
    : topology_(std::move(topology)),
      config_(std::move(config)),
      owner_(owner),
      lane_(lane),
      net_(config_->client, config_->max_in_flight, lane, stream(seed, "producer.network", owner)),
      metadata_(topology_, config_->client, lane, lane, stream(seed, "producer.metadata", owner)),
      accumulator_(config_->buffer_memory),
      sequences_({.epoch = {config_->max_producer_epoch}, .sequence = config_->max_sequence},
                 config_->txid.has_value()),
      rng_(stream(seed, "producer.retry", owner)),
      guard_{.set = config_->safeguards},
      // Safeguard idempotence_by_default: without it the default stays on paper (KAFKA-13598).
      idempotent_(config_->idempotence &&
                  (!config_->idempotence_unset ||
                   guard_.trips(Safeguard::idempotence_by_default, true))) {
    if (!config_->txid) return;
    idempotent_ = true;  // I1
    txn_.emplace(*config_, owner_.process, transactions_begun);
}

// --- taking records ------------------------------------------------------------------------------

bool Sender::append(const Context& ctx, LogId log, const Record& record, std::int64_t order,
                    std::int32_t bytes) {
    const auto txn = txn_ ? txn_->current() : std::nullopt;
    if (!accumulator_.append(batches_, ctx, log, record, order, bytes, config_->batch_size, txn))
        return false;
    if (txn_) txn_->wrote(log);
    ++open_;
    return true;
}

void Sender::append_batch(const Context& ctx, LogId log, std::vector<Record> records,
                          std::int64_t first_order, std::int32_t bytes_each) {
    ProducerBatch batch;
    batch.log = log;
    if (txn_) batch.txn = txn_->current();
    batch.created = ctx.now;
    batch.timestamp = ctx.wall;
    for (std::size_t i = 0; i < records.size(); ++i) {
        batch.sends.push_back({.order = first_order + static_cast<std::int64_t>(i),
                               .invoked_at = ctx.now,
                               .bytes = bytes_each});
        batch.bytes += bytes_each;
    }
    batch.capacity = batch.bytes;
    batch.filling = std::move(records);
    open_ += batch.count();
    accumulator_.append_batch(batches_, std::move(batch));
    if (txn_) txn_->wrote(log);
}

// --- the loop ------------------------------------------------------------------------------------

void Sender::run(const Context& ctx, Fx& fx) {
    Instant next = sim::time_never;
    if (txn_) txn_->expire_calls(ctx.now);
    while (run_once(ctx, next, fx)) {
    }
    if (txn_) {
        return_calls(ctx, fx);
        next = std::min(next, txn_->deadline());
    }
    metadata_.refresh(ctx, net_, fx);
    wake(ctx, next, fx);
    reach_spared(guard_, fx);
}

bool Sender::run_once(const Context& ctx, Instant& next, Fx& fx) {
    bool progress = false;
    next = sim::time_never;
    if (idempotent() && keep_identity(ctx, progress, next, fx)) return progress;
    return produce(ctx, next, fx) || progress;
}

bool Sender::keep_identity(const Context& ctx, bool& progress, Instant& next, Fx& fx) {
    progress = sequences_.resolve(guard_);
    if (txn_ && sequences_.take_gap()) txn_->gap_found();
    if (state() == State::fatal_error) {
        if (open_ > 0) abort_all(last_error(), fx);
        return true;
    }
    if (txn_) return keep_transaction(ctx, progress, next, fx);
    if (sequences_.bump_required()) {
        progress = true;
        sequences_.bump(batches_);
        if (sequences_.identity())
            reach(Mile::producer_epoch_bumped, nullptr, ErrorCode::none, fx);
        else
            state_ = State::uninitialized;
    }
    if (sequences_.identity()) return false;
    if (state_ == State::uninitialized) {
        state_ = State::initializing;
        init_not_before_ = ctx.now;
    }
    // While the request is out, or cannot go out, nothing is drained and nothing expires: Kafka's
    // thread does not get as far as producing.
    if (!init_) {
        if (ctx.now >= init_not_before_)
            send_init(ctx, fx);
        else
            next = init_not_before_;
    }
    return true;
}

void Sender::send_init(const Context& ctx, Fx& fx) {
    const auto node = metadata_.least_loaded(ctx, net_);
    if (!node) return;
    if (!net_.ready(*node)) {
        net_.want(ctx, *node, fx);
        return;
    }
    ++init_attempt_;
    init_ = net_.send(ctx, *node, InitProducerIdRequest{.attempt = init_attempt_},
                      config_->client.request_timeout, 0, fx);
}

bool Sender::produce(const Context& ctx, Instant& next, Fx& fx) {
    const bool one_in_flight = config_->max_in_flight == 1;
    const auto found = accumulator_.ready(batches_, metadata_, ctx.now, config_->linger,
                                          hurry_ || exhausted_ || (txn_ && txn_->completing()),
                                          one_in_flight, guard_.set);
    if (found.unknown_leader) metadata_.request_refresh();
    next = found.next;

    struct Load {
        Peer peer;
        RecordAccumulator::Drained batches;
    };
    boost::container::small_vector<Load, 4> loads;
    for (const BrokerId node : found.nodes) {
        const Peer peer{node, lane_};
        if (!net_.ready(peer)) {  // P10: nothing is drained, nothing numbered, before it is
            net_.want(ctx, peer, fx);
            continue;
        }
        auto drained =
            accumulator_.drain(batches_, metadata_, node, ctx.now, config_->max_request_size,
                               {.sequences = idempotent() ? &sequences_ : nullptr,
                                .enrolled = txn_ ? &txn_->enrolled() : nullptr,
                                .one_in_flight = one_in_flight,
                                .guard = guard_});
        if (drained.empty()) continue;
        for (const BatchId id : drained) {
            ProducerBatch& batch = batches_[id];
            if (idempotent() && !batch.number) sequences_.number(batches_, id);
            batch.closed = true;
            batch.renumbered = false;
            if (!batch.filling.empty()) {
                batch.payload = Payload(std::move(batch.filling));
                batch.filling.clear();
            }
            if (++batch.sendings == 1)
                reach(Mile::producer_batch_closed, &batch, ErrorCode::none, fx);
            accumulator_.sent(batches_, id);
        }
        loads.push_back({.peer = peer, .batches = std::move(drained)});
    }
    const bool expired = expire(ctx, fx);
    for (const auto& load : loads) send_produce(ctx, load.peer, load.batches, fx);
    next = std::min(next, next_expiry());
    return expired || !loads.empty();
}

void Sender::send_produce(const Context& ctx, Peer peer, const RecordAccumulator::Drained& drained,
                          Fx& fx) {
    ProduceRequest request{.acks = config_->acks,
                           .timeout = config_->client.request_timeout,
                           .attempt = 1 + batches_[drained.front()].attempts,
                           .txid = config_->txid,
                           .parts = {}};
    if (txn_) request.version = txn_->version();
    request.parts.reserve(drained.size());
    for (const BatchId id : drained) {
        const ProducerBatch& batch = batches_[id];
        Batch wire;
        wire.count = batch.count();
        wire.timestamp = batch.timestamp;
        wire.bytes = batch.bytes;
        wire.payload = batch.payload;
        if (batch.number) {
            wire.producer_id = batch.number->producer_id;
            wire.producer_epoch = batch.number->epoch;
            wire.base_sequence = batch.number->base;
        }
        wire.transactional = txn_.has_value();
        wire.txid = config_->txid;
        wire.txn = batch.txn;
        request.parts.push_back({.log = batch.log, .batch = std::move(wire)});
    }
    if (config_->acks == Acks::none) {  // P11: done when handed over, whatever becomes of it
        net_.send_unanswered(peer, std::move(request), fx);
        for (const BatchId id : drained) {
            accumulator_.answered(batches_, id);
            if (!batches_[id].is_final()) succeed(id, std::nullopt, fx);
            dispose(id);
        }
        return;
    }
    const Correlation correlation =
        net_.send(ctx, peer, std::move(request), config_->client.request_timeout, 0, fx);
    requests_.push_back({.correlation = correlation, .batches = drained});
}

// --- delivery timeout ----------------------------------------------------------------------------

void Sender::expire_one(BatchId id, Fx& fx) {
    const bool in_retry = batches_[id].in_retry();
    if (in_retry) sequences_.unresolved(batches_[id]);  // I13
    if (txn_) batch_failed(ErrorCode::request_timed_out, fx);
    fail(id, ErrorCode::request_timed_out, ProducerBatch::State::failed, fx);
    if (idempotent())
        sequences_.failed(batches_, id, ErrorCode::request_timed_out, /*certain=*/false);
    dispose(id);
}

bool Sender::expire(const Context& ctx, Fx& fx) {
    const auto due = [&](BatchId id) {
        const ProducerBatch& batch = batches_[id];
        return !batch.is_final() && ctx.now - batch.created >= config_->delivery_timeout;
    };
    bool any = false;
    const auto& partitions = accumulator_.partitions();
    for (const auto& partition : partitions) {
        for (const BatchId id : partition.wire) {
            if (!due(id)) continue;
            any = true;
            expire_one(id, fx);
        }
    }
    for (const auto& partition : partitions) {
        while (!partition.queue.empty() && due(partition.queue.front())) {
            any = true;
            const BatchId id = partition.queue.front();
            accumulator_.remove(batches_, id);
            expire_one(id, fx);
        }
    }
    return any;
}

Instant Sender::next_expiry() const {
    Instant oldest = sim::time_never;
    for (const auto& partition : accumulator_.partitions()) {
        for (const BatchId id : partition.wire)
            if (!batches_[id].is_final()) oldest = std::min(oldest, batches_[id].created);
        if (!partition.queue.empty())
            oldest = std::min(oldest, batches_[partition.queue.front()].created);
    }
    if (oldest == sim::time_never) return oldest;
    return oldest + config_->delivery_timeout;
}

void Sender::wake(const Context& ctx, Instant at, Fx& fx) {
    if (at == sim::time_never || (ctx.now < wake_at_ && wake_at_ <= at)) return;
    wake_at_ = at;
    fx.arm(key(Tick::producer_wake, 0, lane_), at - ctx.now);
}

// --- being told ----------------------------------------------------------------------------------

void Sender::on_reply(const Context& ctx, Peer peer, Correlation correlation,
                      const Message& message, Fx& fx) {
    if (const auto answered = net_.on_reply(peer, correlation))
        finish(ctx, *answered, &message, fx);
}

void Sender::on_link(const Context& ctx, Peer peer, sim::LinkEvent event, Fx& fx) {
    for (const Outcome& lost : net_.on_link(ctx, peer, event, fx)) finish(ctx, lost, nullptr, fx);
}

bool Sender::on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx) {
    if (tick(key) == Tick::producer_wake) {
        if (key.b != lane_) return false;
        wake_at_ = sim::time_never;
        return true;
    }
    if (metadata_.owns(key)) return true;
    if (!net_.owns(key)) return false;
    for (const Outcome& lost : net_.on_timer(ctx, key, fx)) finish(ctx, lost, nullptr, fx);
    return true;
}

void Sender::finish(const Context& ctx, const Outcome& outcome, const Message* message, Fx& fx) {
    if (metadata_.owns(outcome)) {
        metadata_.on_outcome(ctx, outcome,
                             message ? std::get_if<MetadataResponse>(message) : nullptr);
    } else if (exchange_ && exchange_->correlation == outcome.correlation) {
        on_exchanged(ctx, message, fx);
    } else if (init_ == outcome.correlation) {
        on_initialised(ctx, outcome,
                       message ? std::get_if<InitProducerIdResponse>(message) : nullptr, fx);
    } else {
        on_produced(ctx, outcome, message ? std::get_if<ProduceResponse>(message) : nullptr, fx);
    }
}

void Sender::on_initialised(const Context& ctx, const Outcome& outcome,
                            const InitProducerIdResponse* response, Fx& fx) {
    init_.reset();
    const ErrorCode error = response ? response->error : outcome.error();
    if (error == ErrorCode::none) {
        ProducerEvent event;
        event.kind = ProducerEvent::Kind::initialised;
        events_.push_back(event);
        sequences_.set_identity(
            batches_, {.producer_id = response->producer_id, .epoch = response->producer_epoch});
        state_ = State::ready;
        last_error_ = ErrorCode::none;
        init_attempt_ = 0;
        reach(Mile::producer_initialised, nullptr, error, fx);
        return;
    }
    if (!response || retriable(error)) {
        init_not_before_ = ctx.now + config_->client.retry_backoff;  // flat, see N7
        return;
    }
    if (error == ErrorCode::cluster_authorization_failed ||
        error == ErrorCode::transactional_id_authorization_failed) {
        abort_all(error, fx);
        state_ = State::uninitialized;
        return;
    }
    become_fatal(error, fx);
}

// --- leaving -------------------------------------------------------------------------------------

void Sender::shut_down(Fx& fx) {
    net_.close_all(fx);
    if (wake_at_ != sim::time_never) fx.disarm(key(Tick::producer_wake, 0, lane_));
    wake_at_ = sim::time_never;
}

}  // namespace eos::model
