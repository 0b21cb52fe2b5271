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
    return batch;
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
            HandOff later;
            later.task = Task::load;
            later.log = log;
            later.token = epoch.value;
            step.fx.hand_off(std::move(later));
            return;
        }
        case Replicas::Turn::follows:
        case Replicas::Turn::idle: {
            writing_.erase(log);
            if (!coordinator_.leads(log)) return;
            GroupOutput out;
            coordinator_.resign(step.ctx, log, out, step.fx);
            return carry_out(step, out);
        }
    }
}

void GroupHost::load(const BrokerStep& step, Replicas& replicas, LogId log) {
    const auto& source = replicas.find(log)->log;
    for (const auto& batch : source.batches())
        coordinator_.replay(log, batch, source.high_watermark());
    GroupOutput out;
    coordinator_.loaded(step.ctx, log, out, step.fx);
    carry_out(step, out);
}

void GroupHost::on_request(const BrokerStep& step, const sim::ReplyTo& to, const Message& message) {
    GroupOutput out;
    coordinator_.on_request(step.ctx, to, message, out, step.fx);
    carry_out(step, out);
}

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
    if (handoff.task != Task::load) return write(step, replicas, handoff);
    const auto* shard = coordinator_.shard(handoff.log);
    if (!shard || !shard->loading() || shard->epoch().value != handoff.token) return;
    if (handoff.error == ErrorCode::none) return load(step, replicas, handoff.log);
    // Simplified: Kafka leaves a shard whose load failed unusable until leadership moves.
    handoff.error = ErrorCode::none;
    step.fx.hand_off(std::move(handoff), load_retry);
}

/// Queues the appends, each behind the earlier ones of its log, and sends the replies.
void GroupHost::carry_out(const BrokerStep& step, GroupOutput& out) {
    for (auto& append : out.appends) {
        auto& queue = writing_[append.shard];
        queue.push_back(std::move(append));
        if (queue.size() == 1) queue_write(step, queue.front());
    }
    for (auto& reply : out.replies) step.fx.reply(reply.to, std::move(reply.message));
}

void GroupHost::queue_write(const BrokerStep& step, const GroupOutput::Append& append) const {
    HandOff later;
    const bool metadata = std::holds_alternative<GroupMetadataRecord>(append.records.front());
    later.task = metadata ? Task::complete_rebalance : Task::write_offsets;
    later.log = append.shard;
    later.group = group_of(append.records.front());
    later.token = append.token;
    step.fx.hand_off(std::move(later));
}

void GroupHost::write(const BrokerStep& step, Replicas& replicas, const HandOff& handoff) {
    const auto found = writing_.find(handoff.log);
    if (found == writing_.end() || found->second.front().token != handoff.token) return;
    const auto append = std::move(found->second.front());
    found->second.pop_front();
    if (found->second.empty())
        writing_.erase(found);
    else
        queue_write(step, found->second.front());

    GroupOutput out;
    auto error = handoff.error;
    Offset base;
    if (error == ErrorCode::none && !replicas.leading(handoff.log))
        error = ErrorCode::not_leader_or_follower;
    if (error == ErrorCode::none) {
        const auto result = replicas.append(step, handoff.log, batch_of(append, step.ctx.wall),
                                            Acks::all, AppendOrigin::coordinator);
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
