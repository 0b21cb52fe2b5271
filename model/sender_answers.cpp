// The judge of the sender: what each answer to a Produce request means for its batches (table 1.5,
// P15-P21, I6-I12), and the reports of every ending.

#include <algorithm>
#include <utility>

#include "model/sender.hpp"
#include "sim/ensure.hpp"

namespace eos::model {
void Sender::on_produced(const Context& ctx, const Outcome& outcome,
                         const ProduceResponse* response, Fx& fx) {
    const auto found = std::find_if(requests_.begin(), requests_.end(), [&](const Produce& p) {
        return p.correlation == outcome.correlation;
    });
    sim::ensure(found != requests_.end(), "an answer belongs to a request");
    const Produce request = std::move(*found);
    requests_.erase(found);
    for (const BatchId id : request.batches) {
        Answer answer;
        answer.log = batches_[id].log;
        answer.log_start = Offset{-1};
        answer.error = outcome.error();
        if (response) {
            const auto part =
                std::find_if(response->parts.begin(), response->parts.end(),
                             [&](const Answer& told) { return told.log == answer.log; });
            if (part != response->parts.end())
                answer = *part;
            else
                answer.error = ErrorCode::unknown_server_error;
        }
        judge(ctx, id, answer, fx);
    }
}

void Sender::judge(const Context& ctx, BatchId id, const Answer& answer, Fx& fx) {
    accumulator_.answered(batches_, id);
    ProducerBatch& batch = batches_[id];
    const ErrorCode error = answer.error;
    if (certainty(error) == Certainty::ambiguous) batch.maybe_appended = true;
    if (answer.hint) metadata_.hint(answer.log, *answer.hint);  // N11
    if (invalid_metadata(error)) metadata_.request_refresh();   // P22

    const bool done = error == ErrorCode::none || error == ErrorCode::duplicate_sequence_number;
    if (batch.is_final()) {
        // P15: the caller has been told; a late success still moves the numbering (I12). A late
        // error of an expired batch tells nothing that its expiry did not.
        if (done && idempotent())
            sequences_.succeeded(batch, id, answer.base);
        else if (ProducerTransactions::ends_producer(error) && idempotent() && !txn_)
            become_fatal(error, fx);
    } else if (error == ErrorCode::message_too_large && batch.count() > 1) {
        split(id);
    } else if (error == ErrorCode::none) {
        succeed(id, answer.base, fx);
    } else if (may_retry(ctx, id, answer)) {
        requeue(ctx, id, error, fx);
    } else if (done) {
        reach(Mile::producer_deduplicated, &batch, error, fx);
        succeed(id, std::nullopt, fx);
    } else {
        // After the last retry nobody knows whether an earlier one was accepted: no bump then.
        const bool certain = batch.attempts < config_->retries;
        if (txn_) batch_failed(error, fx);
        if (idempotent() && ProducerTransactions::ends_producer(error)) {
            sequences_.forget(batch, id);
            if (!txn_) become_fatal(error, fx);
        } else if (idempotent()) {
            sequences_.failed(batches_, id, error, certain);
        }
        fail(id, error, ProducerBatch::State::failed, fx);
    }
    dispose(id);
}

bool Sender::may_retry(const Context& ctx, BatchId id, const Answer& answer) {
    const ProducerBatch& batch = batches_[id];
    // P16; the sequences are asked last, for their answer may request an epoch bump.
    if (ctx.now - batch.created >= config_->delivery_timeout) return false;
    if (batch.attempts >= config_->retries) return false;
    if (!idempotent()) return retriable(answer.error);
    const auto log_start =
        answer.log_start.value < 0 ? std::nullopt : std::optional(answer.log_start);
    return sequences_.retry(batches_, id, answer.error, log_start);
}

void Sender::requeue(const Context& ctx, BatchId id, ErrorCode error, Fx& fx) {
    ProducerBatch& batch = batches_[id];
    const auto& client = config_->client;
    const Duration pause =
        backoff(rng_, client.retry_backoff, client.retry_backoff_max, batch.attempts);
    ++batch.attempts;
    batch.retry_at = ctx.now + pause;
    reach(Mile::producer_retried, &batch, error, fx);
    put_back(id);
}

void Sender::put_back(BatchId id) {
    if (idempotent())
        accumulator_.put_in_order(batches_, id, sequences_, guard_);
    else
        accumulator_.put_front(batches_, id);  // P18
}

void Sender::split(BatchId id) {
    // P21: the pieces stand where the whole stood, in time and in the numbering. Their memory is
    // not of the pool (as in Kafka); the whole gives its share back.
    std::vector<ProducerBatch> pieces;
    const ProducerBatch& whole = batches_[id];
    std::vector<Record> records;
    const auto finish_piece = [&] {
        pieces.back().payload = Payload(std::move(records));
        records.clear();
    };
    for (std::size_t i = 0; i < whole.sends.size(); ++i) {
        const auto& send = whole.sends[i];
        if (pieces.empty() || pieces.back().bytes + send.bytes > config_->batch_size) {
            if (!pieces.empty()) finish_piece();
            ProducerBatch piece;
            piece.log = whole.log;
            piece.txn = whole.txn;
            piece.created = whole.created;
            piece.timestamp = whole.timestamp;
            piece.maybe_appended = whole.maybe_appended;
            piece.leader_epoch = whole.leader_epoch;
            piece.closed = true;
            pieces.push_back(std::move(piece));
        }
        pieces.back().bytes += send.bytes;
        pieces.back().sends.push_back(send);
        records.push_back(whole.records()[i]);
    }
    finish_piece();
    std::vector<BatchId> ids;
    for (auto& piece : pieces) ids.push_back(batches_.insert(std::move(piece)));
    if (idempotent()) sequences_.split(batches_, id, ids);
    for (auto piece = ids.rbegin(); piece != ids.rend(); ++piece) put_back(*piece);
    batches_[id].state = ProducerBatch::State::aborted;  // its records live on in the pieces
}

// --- endings -------------------------------------------------------------------------------------

void Sender::report(const ProducerBatch& batch, ErrorCode error, Certainty certainty,
                    std::optional<Offset> base, Fx& fx) {
    const auto& records = batch.records();
    for (std::size_t i = 0; i < batch.sends.size(); ++i) {
        const auto& send = batch.sends[i];
        const auto offset =
            base ? std::optional(*base + static_cast<std::int64_t>(i)) : std::nullopt;
        fx.observe(SendDone{.process = owner_.process,
                            .session = owner_.session,
                            .order = send.order,
                            .log = batch.log,
                            .record = records[i],
                            .error = error,
                            .certainty = certainty,
                            .offset = offset,
                            .invoked_at = send.invoked_at,
                            .txn = batch.txn});
        events_.push_back({.kind = error == ErrorCode::none ? ProducerEvent::Kind::acked
                                                            : ProducerEvent::Kind::failed,
                           .error = error,
                           .certainty = certainty,
                           .log = batch.log,
                           .order = send.order,
                           .record = records[i],
                           .offset = offset});
    }
    open_ -= batch.count();
}

void Sender::succeed(BatchId id, std::optional<Offset> base, Fx& fx) {
    ProducerBatch& batch = batches_[id];
    sim::ensure(!batch.is_final(), "a batch ends once");
    if (idempotent()) sequences_.succeeded(batch, id, base);
    batch.state = ProducerBatch::State::succeeded;
    report(batch, ErrorCode::none, Certainty::done, base, fx);
    reach(Mile::producer_acked, &batch, ErrorCode::none, fx);
}

void Sender::fail(BatchId id, ErrorCode error, ProducerBatch::State state, Fx& fx) {
    ProducerBatch& batch = batches_[id];
    sim::ensure(!batch.is_final(), "a batch ends once");
    batch.state = state;
    // INV-12: not done only if every sending was answered by an error that excludes an append.
    const bool unknown = batch.maybe_appended || batch.on_wire;
    report(batch, error, unknown ? Certainty::ambiguous : Certainty::not_done, std::nullopt, fx);
    reach(Mile::producer_send_failed, &batch, error, fx);
}

void Sender::abort_all(ErrorCode error, Fx& fx) {
    const auto end = [&](BatchId id) {
        if (batches_[id].is_final()) return;
        if (idempotent()) sequences_.forget(batches_[id], id);
        fail(id, error, ProducerBatch::State::aborted, fx);
    };
    for (const auto& partition : accumulator_.partitions()) {
        for (const BatchId id : partition.wire) end(id);
        while (!partition.queue.empty()) {
            const BatchId id = partition.queue.front();
            accumulator_.remove(batches_, id);
            end(id);
            dispose(id);
        }
    }
}

void Sender::become_fatal(ErrorCode error, Fx& fx) {
    if (state_ == State::fatal_error) return;
    state_ = State::fatal_error;
    last_error_ = error;
    tell_fatal(fx);
}

void Sender::tell_fatal(Fx& fx) {
    const ErrorCode error = last_error();
    fatal_told_ = true;
    ProducerEvent event;
    event.kind = ProducerEvent::Kind::fatal;
    event.error = error;
    events_.push_back(event);
    if (error == ErrorCode::producer_fenced) reach(Mile::producer_fenced, nullptr, error, fx);
}

/// Forgets a batch that is final and that no queue or request holds.
void Sender::dispose(BatchId id) {
    const ProducerBatch& batch = batches_[id];
    if (!batch.is_final() || batch.queued || batch.on_wire) return;
    accumulator_.release(batch.capacity);
    exhausted_ = false;
    batches_.erase(id);
}

void Sender::reach(Mile mile, const ProducerBatch* batch, ErrorCode error, Fx& fx) const {
    sim::Facts facts =
        told({{Fact::app, owner_.process.app.value}, {Fact::instance, owner_.process.instance}});
    if (config_->txid) facts.add(number(Fact::txid), config_->txid->value);
    if (batch) {
        const Log& log = topology_->logs[static_cast<std::size_t>(batch->log.value)];
        facts.add(number(Fact::topic), log.topic.value);
        facts.add(number(Fact::partition), log.partition.value);
        facts.add(number(Fact::log), batch->log.value);
        if (!batch->records().empty())
            facts.add(number(Fact::record),
                      static_cast<std::int64_t>(batch->records().front().id.value));
    }
    if (batch && batch->number) {
        facts.add(number(Fact::pid), batch->number->producer_id.value);
        facts.add(number(Fact::epoch), batch->number->epoch.value);
    } else if (const auto& identity = sequences_.identity(); !batch && identity) {
        facts.add(number(Fact::pid), identity->producer_id.value);
        facts.add(number(Fact::epoch), identity->epoch.value);
    }
    if (error != ErrorCode::none) facts.add(number(Fact::error), static_cast<std::int64_t>(error));
    fx.reach(number(mile), facts);
}

}  // namespace eos::model
