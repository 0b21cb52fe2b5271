#include "model/broker_groups.hpp"

#include <utility>

namespace eos::model {
namespace {

constexpr std::int32_t offset_record_bytes = 90;  // costs.md K20: an offset commit is 118 bytes
constexpr std::int32_t group_batch_header_bytes = 61;
constexpr sim::Duration load_retry = sim::seconds(1);

/// The group a record is about.
GroupId group_of(const GroupRecord& record) {
    return std::visit([](const auto& r) { return r.group; }, record);
}

Batch batch_of(const GroupOutput::Append& append, sim::Instant wall) {
    Batch batch;
    batch.count = static_cast<std::int32_t>(append.records.size());
    batch.bytes = group_batch_header_bytes + batch.count * offset_record_bytes;
    batch.timestamp = wall;
    batch.payload = Payload(append.records);
    if (append.who) {  // OFF-2: with a producer id, without sequence
        batch.producer_id = append.who->producer_id;
        batch.producer_epoch = append.who->producer_epoch;
        batch.transactional = true;
        batch.txid = append.who->txid;
        batch.txn = append.who->txn;
    }
    return batch;
}

/// What a client is told of a verification that failed: an error it knows how to retry.
ErrorCode told_to_committer(ErrorCode error) {
    if (error == ErrorCode::network_exception) return ErrorCode::coordinator_load_in_progress;
    if (error == ErrorCode::not_leader_or_follower || error == ErrorCode::kafka_storage_error)
        return ErrorCode::not_coordinator;
    return error;
}

/// Hand-offs of one step are told apart by their tokens; those of the log they concern.
HandOff host_task(Task task, LogId log, std::int64_t token) {
    HandOff later;
    later.task = task;
    later.log = log;
    later.token = token;
    return later;
}

}  // namespace

void GroupHost::on_turn(const BrokerStep& step, Replicas& replicas, LogId log, Replicas::Turn turn,
                        bool at_once) {
    switch (turn) {
        case Replicas::Turn::same:
            return;
        case Replicas::Turn::leads: {
            const auto epoch = replicas.find(log)->leading.state().leader_epoch;
            if (!coordinator_.lead(step.ctx, log, epoch, step.fx)) return;
            if (at_once) return load(step, replicas, log);
            step.fx.hand_off(host_task(Task::load, log, epoch.value));
            return;
        }
        case Replicas::Turn::follows:
        case Replicas::Turn::idle: {
            writing_.erase(log);
            std::erase_if(marked_, [&](const auto& m) { return m.second.shard == log; });
            if (!coordinator_.leads(log)) return;
            GroupOutput out;
            coordinator_.resign(step.ctx, log, out, step.fx);
            return carry_out(step, out);
        }
    }
}

void GroupHost::load(const BrokerStep& step, Replicas& replicas, LogId log) {
    replay(step, replicas.find(log)->log, log);
    GroupOutput out;
    coordinator_.loaded(step.ctx, log, out, step.fx);
    carry_out(step, out);
}

void GroupHost::replay(const BrokerStep& step, const PartitionLog& source, LogId log) {
    const auto& batches = source.batches();
    const auto watermark = source.high_watermark();
    // KAFKA-5600: a load that goes wrong shall do so every time.
    const bool brief = step.config.safeguards.has(Safeguard::load_folds_whole_log);
    std::size_t i = 0;
    if (const auto* before = brief ? memo_.find(log, batches, watermark) : nullptr) {
        coordinator_.resume(log, before->fold);
        i = before->batches.size();
    }
    for (; i < batches.size() && batches[i].next_offset() <= watermark; ++i)
        coordinator_.replay(log, batches[i], watermark);
    if (const auto* shard = coordinator_.shard(log); shard && brief)
        memo_.keep(log, batches, i, shard->folded());
    for (; i < batches.size(); ++i) coordinator_.replay(log, batches[i], watermark);
}

void GroupHost::on_request(const BrokerStep& step, const sim::ReplyTo& to, const Message& message) {
    pass_on(step, to, message, std::nullopt);
}

void GroupHost::pass_on(const BrokerStep& step, const sim::ReplyTo& to, const Message& message,
                        std::optional<VerificationGuard> verified) {
    GroupOutput out;
    coordinator_.on_request(step.ctx, to, message, out, step.fx);
    carry_out(step, out, verified);
}

// --- offsets in a transaction --------------------------------------------------------------------

void GroupHost::on_request(const BrokerStep& step, Replicas& replicas, VerificationDesk& desk,
                           const sim::ReplyTo& to, const TxnOffsetCommitRequest& request) {
    const auto log = step.topology.offsets_log(request.group);
    auto* replica = log ? replicas.leading(*log) : nullptr;
    const auto [producer_id, epoch] =
        std::pair{request.who.producer_id, request.who.producer_epoch};
    const bool open =
        !replica || replica->log.producers().has_ongoing_transaction(producer_id, epoch);
    // As for a produce: a client of TV2 relies on it, the others are checked by it.
    const bool asks = !open && (request.version == TransactionVersion::tv2 ||
                                step.guard.trips(Safeguard::offsets_verification, true));
    if (!asks) return pass_on(step, to, request, std::nullopt);
    if (step.guard.trips(Safeguard::producer_epoch_fencing,
                         replica->log.fences(producer_id, epoch)))
        return step.fx.reply(to, refuse_group_request(request, ErrorCode::invalid_producer_epoch));
    const auto entry =
        replica->log.start_verification(producer_id, epoch, Sequence{-1}, step.ctx.wall);
    const auto token = next_token_++;
    verifying_.emplace(
        token, Verifying{.to = to, .request = request, .log = *log, .verified = entry->guard});
    desk.ask(step, {.asker = Verification::Asker::offsets,
                    .token = token,
                    .who = request.who,
                    .version = request.version,
                    .logs = {*log}});
}

void GroupHost::on_verified(const BrokerStep& step, const VerificationAnswer& answer) {
    const auto found = verifying_.find(answer.token);
    if (found == verifying_.end()) return;
    found->second.error = told_to_committer(answer.parts.front().error);
    auto later = host_task(Task::append_after_verify, found->second.log, answer.token);
    later.group = found->second.request.group;
    step.fx.hand_off(std::move(later));
}

void GroupHost::go_on(const BrokerStep& step, const HandOff& handoff) {
    const auto found = verifying_.find(handoff.token);
    if (found == verifying_.end()) return;
    const auto commit = std::move(found->second);
    verifying_.erase(found);
    const auto error = handoff.error != ErrorCode::none ? handoff.error : commit.error;
    if (error != ErrorCode::none)
        return step.fx.reply(commit.to, refuse_group_request(commit.request, error));
    pass_on(step, commit.to, commit.request, commit.verified);
}

void GroupHost::on_marker(const BrokerStep& step, const OffsetsMarker& marker) {
    const auto token = next_token_++;
    marked_.emplace(token, marker);
    step.fx.hand_off(host_task(Task::materialise_offsets, marker.shard, token));
}

void GroupHost::materialise(const BrokerStep& step, HandOff&& handoff) {
    const auto found = marked_.find(handoff.token);
    if (found == marked_.end()) return;
    if (handoff.error != ErrorCode::none) {
        // Simplified: a step that failed is tried again; in Kafka the offsets stay pending until
        // the log is loaded anew.
        handoff.error = ErrorCode::none;
        return step.fx.hand_off(std::move(handoff), load_retry);
    }
    const auto marker = found->second;
    marked_.erase(found);
    GroupOutput out;
    coordinator_.on_marker(step.ctx, marker.shard, marker.producer_id, marker.producer_epoch,
                           marker.result, marker.offset, out, step.fx);
    carry_out(step, out);
}

// --- what happens to it --------------------------------------------------------------------------

void GroupHost::on_timer(const BrokerStep& step, sim::TimerKey timer) {
    GroupOutput out;
    coordinator_.on_timer(step.ctx, timer, out, step.fx);
    carry_out(step, out);
}

void GroupHost::on_order(const BrokerStep& step, const sim::Order& order) {
    GroupOutput out;
    coordinator_.on_order(step.ctx, order, out, step.fx);
    carry_out(step, out);
}

void GroupHost::on_high_watermark(const BrokerStep& step, Replicas& replicas, LogId log) {
    if (!coordinator_.leads(log)) return;
    GroupOutput out;
    coordinator_.on_high_watermark(step.ctx, log, replicas.find(log)->log.high_watermark(), out,
                                   step.fx);
    carry_out(step, out);
}

void GroupHost::on_handoff(const BrokerStep& step, Replicas& replicas, HandOff&& handoff) {
    if (handoff.task == Task::append_after_verify) return go_on(step, handoff);
    if (handoff.task == Task::materialise_offsets) return materialise(step, std::move(handoff));
    if (handoff.task != Task::load) return write(step, replicas, handoff);
    const auto* shard = coordinator_.shard(handoff.log);
    if (!shard || !shard->loading() || shard->epoch().value != handoff.token) return;
    if (handoff.error == ErrorCode::none) return load(step, replicas, handoff.log);
    // Simplified: Kafka leaves a shard whose load failed unusable until leadership moves.
    handoff.error = ErrorCode::none;
    step.fx.hand_off(std::move(handoff), load_retry);
}

/// Queues the appends, each behind the earlier ones of its log, and sends the replies.
void GroupHost::carry_out(const BrokerStep& step, GroupOutput& out,
                          std::optional<VerificationGuard> verified) {
    for (auto& append : out.appends) {
        auto& queue = writing_[append.shard];
        const bool offered = append.who.has_value();
        queue.push_back({std::move(append), offered ? verified : std::nullopt});
        if (queue.size() == 1) queue_write(step, queue.front().append);
    }
    for (auto& reply : out.replies) step.fx.reply(reply.to, std::move(reply.message));
}

void GroupHost::queue_write(const BrokerStep& step, const GroupOutput::Append& append) const {
    const bool metadata = !std::holds_alternative<OffsetRecord>(append.records.front());
    auto later = host_task(metadata ? Task::complete_rebalance : Task::write_offsets, append.shard,
                           append.token);
    later.group = group_of(append.records.front());
    step.fx.hand_off(std::move(later));
}

void GroupHost::write(const BrokerStep& step, Replicas& replicas, const HandOff& handoff) {
    const auto found = writing_.find(handoff.log);
    if (found == writing_.end() || found->second.front().append.token != handoff.token) return;
    const auto [append, verified] = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty())
        writing_.erase(found);
    else
        queue_write(step, found->second.front().append);

    GroupOutput out;
    auto error = handoff.error;
    Offset base;
    if (error == ErrorCode::none && !replicas.leading(handoff.log))
        error = ErrorCode::not_leader_or_follower;
    if (error == ErrorCode::none) {
        const AppendAs as{.origin = AppendOrigin::coordinator, .verified = verified};
        const auto result =
            replicas.append(step, handoff.log, batch_of(append, step.ctx.wall), Acks::all, as);
        error = result.append.error;
        base = result.append.base;
    }
    if (error == ErrorCode::none)
        coordinator_.appended(step.ctx, handoff.log, append.token, base, out, step.fx);
    else
        coordinator_.append_failed(step.ctx, handoff.log, append.token, error, out, step.fx);
    carry_out(step, out);
}

}  // namespace eos::model
