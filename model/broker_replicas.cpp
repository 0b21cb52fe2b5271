#include "model/broker_replicas.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

constexpr std::int64_t preload_batch = 100;

/// Ledger ids of preloaded records: the highest bit, the log, the number of the record.
RecordId preloaded_id(LogId log, std::int64_t index) {
    return {(std::uint64_t{1} << 63) | (static_cast<std::uint64_t>(log.value) << 40) |
            static_cast<std::uint64_t>(index)};
}

void preload(PartitionLog& log, LogId id, const Topic& topic) {
    Guard nobody;
    for (std::int64_t from = 0; from < topic.preload; from += preload_batch) {
        const auto count = std::min(preload_batch, topic.preload - from);
        std::vector<Record> records;
        for (std::int64_t i = from; i < from + count; ++i)
            records.push_back(
                {.id = preloaded_id(id, i), .key = static_cast<std::uint32_t>(i), .amount = 0});
        Batch batch;
        batch.base = {from};
        batch.count = static_cast<std::int32_t>(count);
        batch.bytes = static_cast<std::int32_t>(count) * topic.preload_bytes;
        batch.payload = Payload(std::move(records));
        (void)log.append_as_follower(batch, sim::time_zero, nobody);
    }
    log.set_high_watermark(log.log_end());
    log.flush();
    log.checkpoint_high_watermark();
    log.checkpoint_offsets();
}

}  // namespace

Replicas::Replicas(BrokerId self, const ClusterConfig& config, const Topology& topology) {
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        const LogId id{static_cast<std::int32_t>(i)};
        add(self, config, topology, id);
        auto* replica = find(id);
        if (!replica) continue;
        preload(replica->log, id, topology.topic_of(id));
        replica->told_watermark = replica->log.high_watermark();
        replica->told_end = replica->log.log_end();
    }
}

void Replicas::add(BrokerId self, const ClusterConfig& config, const Topology& topology,
                   LogId log) {
    const auto& assigned = topology.logs[static_cast<std::size_t>(log.value)].replicas;
    if (std::find(assigned.begin(), assigned.end(), self) == assigned.end()) return;
    Replica replica;
    replica.log = PartitionLog(log_rules(config));
    replica.log.set_disk_lies(disk_lies_);
    replica.leading = LeaderPartition({.self = self,
                                       .min_insync = topology.topic_of(log).min_insync,
                                       .replica_lag_max = config.replica_lag_max});
    replicas_.insert_or_assign(log, std::move(replica));
}

void Replicas::recover(const sim::Loss& loss, const Context& ctx, BrokerId self,
                       const ClusterConfig& config, const Topology& topology) {
    moved_.clear();
    for (auto& [id, replica] : replicas_) {
        auto log = std::move(replica.log);
        const bool transactional = replica.transactional;
        add(self, config, topology, id);  // a new Replica: nothing volatile survives
        if (loss.wipe) continue;
        replica.log = std::move(log).recover(loss, ctx.wall);
        replica.told_watermark = replica.log.high_watermark();
        replica.told_end = replica.log.log_end();
        replica.transactional = transactional;
    }
}

void Replicas::close() {
    for (auto& [id, replica] : replicas_) {
        replica.log.checkpoint_high_watermark();
        replica.log.close();
    }
}

Replica* Replicas::find(LogId log) {
    const auto found = replicas_.find(log);
    return found == replicas_.end() ? nullptr : &found->second;
}
const Replica* Replicas::find(LogId log) const {
    const auto found = replicas_.find(log);
    return found == replicas_.end() ? nullptr : &found->second;
}
Replica* Replicas::leading(LogId log) {
    auto* replica = find(log);
    return replica && replica->leading.leading() ? replica : nullptr;
}

void Replicas::touch(LogId log) {
    if (std::find(moved_.begin(), moved_.end(), log) == moved_.end()) moved_.push_back(log);
}

std::optional<LogId> Replicas::take_moved() {
    if (moved_.empty()) return std::nullopt;
    const auto log = moved_.front();
    moved_.erase(moved_.begin());
    return log;
}

// --- leadership ----------------------------------------------------------------------------------

Replicas::Turn Replicas::apply(const BrokerStep& step, const PartitionState& state) {
    auto* replica = find(state.log);
    if (!replica) return Turn::same;
    if (state.leader == step.self) return lead(step, *replica, state);
    return follow(step, *replica, state);
}

Replicas::Turn Replicas::lead(const BrokerStep& step, Replica& replica,
                              const PartitionState& state) {
    const auto result =
        replica.leading.lead(state, replica.log, step.image.brokers(), step.ctx.now, step.guard);
    if (!result.applied) return Turn::same;
    replica.following.reset();
    replica.epoch = state.leader_epoch;
    // Who waits under the former epoch is looked at again.
    if (result.new_epoch) replica.told_end = {-1};
    if (result.new_leader) replica.told_stable = {-1};
    touch(state.log);
    if (!result.new_leader && !result.new_epoch) return Turn::same;
    step.fx.observe(LeadershipTaken{.broker = step.self,
                                    .log = state.log,
                                    .epoch = state.leader_epoch,
                                    .log_end = replica.log.log_end(),
                                    .high_watermark = replica.log.high_watermark()});
    step.fx.declare(role(Role::leader, state.log.value), {step.self});
    auto facts = about(step.topology, state.log);
    facts.add(number(Fact::leader), step.self.value);
    facts.add(number(Fact::epoch), state.leader_epoch.value);
    facts.add(number(Fact::size), static_cast<std::int64_t>(state.isr.size()));
    facts.add(number(Fact::offset), replica.log.log_end().value);
    step.fx.reach(number(Mile::partition_leader_changed), facts);
    return Turn::leads;
}

Replicas::Turn Replicas::follow(const BrokerStep& step, Replica& replica,
                                const PartitionState& state) {
    const bool same_reign = replica.epoch == state.leader_epoch && !replica.leading.leading() &&
                            replica.following.has_value() == state.leader.has_value();
    if (!replica.leading.follow(state) || same_reign) return Turn::same;
    replica.epoch = state.leader_epoch;
    replica.following.reset();
    touch(state.log);  // who waits here is told that it leads no more (ACK-7)
    if (!state.leader) return Turn::idle;
    replica.following.emplace();
    const auto handled = replica.following->follow(replica.log, state.log, *state.leader,
                                                   state.leader_epoch, step.ctx.wall, step.guard);
    told(step, state.log, replica, handled);
    return Turn::follows;
}

// --- appends -------------------------------------------------------------------------------------

LeaderAppendResult Replicas::append(const BrokerStep& step, LogId log, const Batch& batch,
                                    Acks acks, const AppendAs& as) {
    auto& replica = *leading(log);
    auto result = replica.leading.append(replica.log, batch, acks, as, step.image.brokers(),
                                         step.ctx.now, step.guard);
    if (result.append.rolled) told_roll(step, log, replica.log);
    if (result.append.error != ErrorCode::none) {
        refuse(step, log, batch, result.append.error);
        return result;
    }
    replica.transactional = replica.transactional || batch.transactional;
    if (result.append.duplicate) {
        step.fx.observe(Deduplicated{
            .broker = step.self, .log = log, .base = result.append.base, .count = batch.count});
        auto original = batch;
        original.base = result.append.base;
        step.fx.reach(number(Mile::partition_deduplicated), about(step.topology, log, original));
        replica.told_end = {-1};  // nothing moved, but what the retry waits for may be there
    } else {
        const auto& written = replica.log.batches().back();
        step.fx.observe(
            Appended{.broker = step.self, .log = log, .leader = true, .batch = written});
        auto facts = about(step.topology, log, written);
        facts.add(number(Fact::leader), step.self.value);
        step.fx.reach(number(Mile::partition_appended), facts);
        if (step.config.flush_every_write)
            step.fx.reach(number(Mile::partition_flushed), about(step.topology, log, written));
    }
    touch(log);
    return result;
}

void Replicas::refuse(const BrokerStep& step, LogId log, const Batch& batch, ErrorCode error) {
    auto facts = about(step.topology, log, batch);
    facts.add(number(Fact::error), static_cast<std::int64_t>(error));
    step.fx.reach(number(Mile::partition_refused), facts);
}

void Replicas::told(const BrokerStep& step, LogId log, Replica& replica,
                    const ReplicaFetcher::Handled& handled) {
    if (handled.truncated_to) {
        step.fx.observe(Truncated{.broker = step.self, .log = log, .to = *handled.truncated_to});
        auto facts = about(step.topology, log);
        facts.add(number(Fact::offset), handled.truncated_to->value);
        step.fx.reach(number(Mile::partition_truncated), facts);
    }
    if (handled.rolled) told_roll(step, log, replica.log);
    const auto& batches = replica.log.batches();
    for (auto i = batches.size() - static_cast<std::size_t>(handled.batches); i < batches.size();
         ++i) {
        const auto& batch = batches[i];
        replica.transactional = replica.transactional || batch.transactional;
        step.fx.observe(Appended{.broker = step.self, .log = log, .leader = false, .batch = batch});
        step.fx.reach(number(Mile::partition_replicated), about(step.topology, log, batch));
    }
    if (handled.batches > 0 && step.config.flush_every_write)
        step.fx.reach(number(Mile::partition_flushed), about(step.topology, log));
    if (handled.high_watermark)
        step.fx.observe(WatermarkMoved{.broker = step.self,
                                       .log = log,
                                       .leader = false,
                                       .high_watermark = *handled.high_watermark});
    replica.told_watermark = replica.log.high_watermark();
    replica.told_end = replica.log.log_end();
}

void Replicas::told_roll(const BrokerStep& step, LogId log, const PartitionLog& on) {
    auto facts = about(step.topology, log);
    facts.add(number(Fact::offset), on.segments().back().base.value);
    step.fx.reach(number(Mile::partition_segment_rolled), facts);
    step.fx.reach(number(Mile::partition_snapshot_written), facts);
}

// --- timers and orders ---------------------------------------------------------------------------

void Replicas::propose_shrinks(const BrokerStep& step) {
    for (auto& [id, replica] : replicas_)
        if (replica.leading.leading() && replica.leading.propose_shrink(replica.log, step.ctx.now))
            touch(id);
}

/// Simplified: recovery point and log start are written with the watermark, every 5 s, not every
/// 60 s (DUR-2).
void Replicas::checkpoint() {
    for (auto& [id, replica] : replicas_) {
        replica.log.checkpoint_high_watermark();
        replica.log.checkpoint_offsets();
    }
}

void Replicas::flush(const BrokerStep& step) {
    for (auto& [id, replica] : replicas_) {
        if (replica.log.flushed() == replica.log.log_end()) continue;
        replica.log.flush();
        auto facts = about(step.topology, id);
        facts.add(number(Fact::offset), replica.log.log_end().value);
        step.fx.reach(number(Mile::partition_flushed), facts);
    }
}

void Replicas::set_disk_lies(bool lies) {
    if (lies == disk_lies_) return;
    disk_lies_ = lies;
    for (auto& [id, replica] : replicas_) replica.log.set_disk_lies(lies);
}

void Replicas::expire_producers(const BrokerStep& step, sim::Instant wall,
                                std::optional<LogId> only) {
    for (auto& [id, replica] : replicas_) {
        if (only && *only != id) continue;
        for (const auto producer : replica.log.expire_producers(wall)) {
            auto facts = about(step.topology, id);
            facts.add(number(Fact::pid), producer.value);
            step.fx.reach(number(Mile::partition_producer_expired), facts);
        }
    }
}

void Replicas::roll(const BrokerStep& step, LogId log) {
    auto* replica = find(log);
    if (replica && replica->log.roll()) told_roll(step, log, replica->log);
}

void Replicas::delete_records(const BrokerStep& step, LogId log, std::optional<Offset> up_to) {
    auto* replica = leading(log);
    if (!replica) return;
    const auto to = up_to.value_or(replica->log.high_watermark());
    const auto error = replica->log.delete_records(to, step.guard);
    if (error != ErrorCode::none) return;
    replica->log.delete_old_segments();
    touch(log);
}

}  // namespace eos::model
