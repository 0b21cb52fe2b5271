#include "model/broker_transactions.hpp"

#include <utility>

namespace eos::model {
namespace {

constexpr std::int32_t transaction_batch_header_bytes = 61;
constexpr std::int32_t transaction_record_bytes = 60;
constexpr std::int32_t transaction_record_bytes_per_log = 20;
constexpr sim::Duration transaction_load_retry = sim::seconds(1);

Batch transaction_batch(const TransactionRecord& record, sim::Instant wall) {
    Batch batch;
    batch.txid = record.txid;
    batch.bytes = transaction_batch_header_bytes + transaction_record_bytes +
                  static_cast<std::int32_t>(record.logs.size()) * transaction_record_bytes_per_log;
    batch.timestamp = wall;
    batch.payload = Payload(std::vector{record});
    return batch;
}

}  // namespace

// --- leadership ----------------------------------------------------------------------------------

void TransactionHost::on_turn(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                              LogId log, Replicas::Turn turn, bool at_once) {
    TransactionOutput out;
    switch (turn) {
        case Replicas::Turn::same:
            return;
        case Replicas::Turn::leads: {
            const auto epoch = replicas.find(log)->leading.state().leader_epoch;
            const bool must_load = coordinator_.lead(step.ctx, log, epoch, out, step.fx);
            carry_out(step, out);
            if (!must_load) return;
            if (at_once) return load(step, replicas, ids, log);
            HandOff later;
            later.task = Task::load;
            later.log = log;
            later.token = epoch.value;
            step.fx.hand_off(std::move(later));
            return;
        }
        case Replicas::Turn::follows:
        case Replicas::Turn::idle:
            writing_.erase(log);
            tails_.erase(log);
            if (!coordinator_.leads(log)) return;
            coordinator_.resign(step.ctx, log, ids, out, step.fx);
            return carry_out(step, out);
    }
}

bool TransactionHost::may_serve(const BrokerStep& step, const Replicas& replicas, LogId log) const {
    if (!step.config.safeguards.has(Safeguard::replicated_tail_before_serving)) return true;
    const auto& held = replicas.find(log)->log;
    return held.high_watermark() >= held.log_end();
}

void TransactionHost::load(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                           LogId log) {
    if (!may_serve(step, replicas, log)) {
        tails_.insert(log);
        return;
    }
    tails_.erase(log);
    replay(replicas.find(log)->log, log);
    TransactionOutput out;
    coordinator_.loaded(step.ctx, log, ids, out, step.fx);
    carry_out(step, out);
}

void TransactionHost::replay(const PartitionLog& source, LogId log) {
    const auto& batches = source.batches();
    std::size_t i = 0;
    if (const auto* before = memo_.find(log, batches, source.log_end())) {
        coordinator_.resume(log, before->fold);
        i = before->batches.size();
    }
    for (; i < batches.size(); ++i) coordinator_.replay(log, batches[i]);
    if (const auto* shard = coordinator_.shard(log)) memo_.keep(log, batches, i, shard->folded());
}

void TransactionHost::on_load(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                              HandOff&& handoff) {
    const auto* shard = coordinator_.shard(handoff.log);
    if (!shard || !shard->loading() || shard->epoch().value != handoff.token) return;  // FOV-2
    if (handoff.error == ErrorCode::none) return load(step, replicas, ids, handoff.log);
    // Simplified: Kafka leaves a partition whose load failed unusable until leadership moves.
    handoff.error = ErrorCode::none;
    step.fx.hand_off(std::move(handoff), transaction_load_retry);
}

// --- what it is told -----------------------------------------------------------------------------

void TransactionHost::on_metadata(const BrokerStep& step) {
    sender_.unpark();
    sender_.pump(step);
}

void TransactionHost::on_request(const BrokerStep& step, ProducerIdPool& ids,
                                 const sim::ReplyTo& to, const Message& message) {
    TransactionOutput out;
    coordinator_.on_request(step.ctx, to, message, ids, out, step.fx);
    carry_out(step, out);
}

void TransactionHost::on_timer(const BrokerStep& step, ProducerIdPool& ids, sim::TimerKey timer) {
    if (!TransactionCoordinator::owns(timer)) {
        on_marker_results(step, ids, sender_.on_timer(step, timer));
        return sender_.pump(step);
    }
    TransactionOutput out;
    coordinator_.on_timer(step.ctx, timer, ids, out, step.fx);
    carry_out(step, out);
}

void TransactionHost::on_order(const BrokerStep& step, ProducerIdPool& ids,
                               const sim::Order& order) {
    TransactionOutput out;
    coordinator_.on_order(step.ctx, order, ids, out, step.fx);
    carry_out(step, out);
}

void TransactionHost::on_high_watermark(const BrokerStep& step, Replicas& replicas,
                                        ProducerIdPool& ids, LogId log) {
    if (!coordinator_.leads(log)) return;
    if (tails_.contains(log)) load(step, replicas, ids, log);
    TransactionOutput out;
    coordinator_.on_high_watermark(step.ctx, log, replicas.find(log)->log.high_watermark(), ids,
                                   out, step.fx);
    carry_out(step, out);
}

// --- markers -------------------------------------------------------------------------------------

void TransactionHost::on_reply(const BrokerStep& step, sim::Peer from, sim::Correlation correlation,
                               Message&& message) {
    auto* answer = std::get_if<WriteTxnMarkersResponse>(&message);
    if (!answer) return;
    const auto number = sender_.on_reply(from, correlation, std::move(*answer));
    if (!number) return;
    HandOff later;
    later.task = Task::marker_answer;
    later.token = *number;
    step.fx.hand_off(std::move(later));
    sender_.pump(step);
}

void TransactionHost::on_link(const BrokerStep& step, ProducerIdPool& ids, sim::Peer peer,
                              sim::LinkEvent event) {
    on_marker_results(step, ids, sender_.on_link(step, peer, event));
    sender_.pump(step);
}

void TransactionHost::on_marker_results(const BrokerStep& step, ProducerIdPool& ids,
                                        const MarkerResults& results) {
    if (results.empty()) return;
    TransactionOutput out;
    coordinator_.on_marker_results(step.ctx, results, ids, out, step.fx);
    carry_out(step, out);
}

// --- what it asks for ----------------------------------------------------------------------------

void TransactionHost::on_handoff(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                                 HandOff&& handoff) {
    if (handoff.task == Task::load) return on_load(step, replicas, ids, std::move(handoff));
    if (handoff.task != Task::marker_answer) return write(step, replicas, ids, handoff);
    auto results = sender_.take_answer(handoff.token);
    // A handler that fails has learnt this much of every marker.
    if (handoff.error != ErrorCode::none)
        for (auto& result : results) result.error = handoff.error;
    on_marker_results(step, ids, results);
}

/// Queues the appends, each behind the earlier ones of its log, sends the replies and the markers.
void TransactionHost::carry_out(const BrokerStep& step, TransactionOutput& out) {
    for (auto& append : out.appends) {
        auto& queue = writing_[append.log];
        queue.push_back(std::move(append));
        if (queue.size() == 1) queue_write(step, queue.front());
    }
    for (auto& reply : out.replies) step.fx.reply(reply.to, std::move(reply.message));
    for (const auto log : out.forget) sender_.forget(log);
    for (auto& marker : out.markers_again) sender_.retry(std::move(marker));
    for (auto& marker : out.markers) sender_.add(std::move(marker));
    if (!out.markers.empty() || !out.markers_again.empty()) sender_.pump(step);
}

void TransactionHost::queue_write(const BrokerStep& step,
                                  const TransactionOutput::Append& append) const {
    HandOff later;
    const auto state = append.record.state;
    const bool completes = state == TxnState::complete_commit || state == TxnState::complete_abort;
    later.task = completes ? Task::complete_txn : Task::write_txn_state;
    later.log = append.log;
    later.token = append.token;
    step.fx.hand_off(std::move(later));
}

void TransactionHost::write(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                            const HandOff& handoff) {
    const auto found = writing_.find(handoff.log);
    if (found == writing_.end() || found->second.front().token != handoff.token) return;
    const auto append = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty())
        writing_.erase(found);
    else
        queue_write(step, found->second.front());

    TransactionOutput out;
    auto error = handoff.error;
    Offset base;
    // A new leadership has begun since: the log is no longer this request's.
    if (error == ErrorCode::none &&
        (!replicas.leading(handoff.log) || !coordinator_.wants(handoff.log, append.token)))
        error = ErrorCode::not_leader_or_follower;
    if (error == ErrorCode::none) {
        const auto result =
            replicas.append(step, handoff.log, transaction_batch(append.record, step.ctx.wall),
                            Acks::all, AppendOrigin::coordinator);
        error = result.append.error;
        base = result.append.base;
    }
    if (error == ErrorCode::none)
        coordinator_.appended(step.ctx, handoff.log, append.token, base, ids, out, step.fx);
    else
        coordinator_.append_failed(step.ctx, handoff.log, append.token, error, ids, out, step.fx);
    carry_out(step, out);
}

}  // namespace eos::model
