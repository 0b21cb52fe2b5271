#include "model/record_accumulator.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

/// Notes a newer leader epoch (P9: it ends the backoff of the retry that was under way).
void note_leader_epoch(ProducerBatch& batch, const ClientMetadata& metadata) {
    const auto epoch = metadata.leader_epoch(batch.log);
    if (!epoch || (batch.leader_epoch && *batch.leader_epoch >= *epoch)) return;
    batch.leader_changed_at = batch.attempts;
    batch.leader_epoch = epoch;
}

bool backing_off(const ProducerBatch& batch, Instant now) {
    if (batch.attempts == 0 || batch.leader_changed_at == batch.attempts) return false;
    return now < batch.retry_at;
}

}  // namespace

// --- partitions ----------------------------------------------------------------------------------

const RecordAccumulator::Partition* RecordAccumulator::find(LogId log) const {
    const auto found = std::lower_bound(partitions_.begin(), partitions_.end(), log,
                                        [](const Partition& p, LogId id) { return p.log < id; });
    return found == partitions_.end() || found->log != log ? nullptr : &*found;
}

RecordAccumulator::Partition& RecordAccumulator::at(LogId log) {
    const auto place = std::lower_bound(partitions_.begin(), partitions_.end(), log,
                                        [](const Partition& p, LogId id) { return p.log < id; });
    if (place != partitions_.end() && place->log == log) return *place;
    return *partitions_.insert(place, Partition{.log = log, .queue = {}, .wire = {}});
}

// --- filling -------------------------------------------------------------------------------------

bool RecordAccumulator::append(BatchStore& batches, const Context& ctx, LogId log,
                               const Record& record, std::int64_t order, std::int32_t bytes,
                               std::int32_t batch_size, std::optional<TxnRef> txn) {
    Partition& partition = at(log);
    ProducerBatch* tail = nullptr;
    if (!partition.queue.empty()) {
        tail = &batches[partition.queue.back()];
        if (tail->closed || tail->txn != txn || tail->bytes + bytes > tail->capacity) {
            tail->closed = true;
            tail = nullptr;
        }
    }
    if (!tail) {
        const std::int32_t capacity = std::max(batch_size, batch_header_bytes + bytes);
        if (capacity > memory_free_) return false;
        memory_free_ -= capacity;
        ProducerBatch fresh;
        fresh.log = log;
        fresh.txn = txn;
        fresh.created = ctx.now;
        fresh.capacity = capacity;
        fresh.queued = true;
        const BatchId id = batches.insert(std::move(fresh));
        partition.queue.push_back(id);
        tail = &batches[id];
    }
    tail->timestamp = std::max(tail->timestamp, ctx.wall);
    tail->bytes += bytes;
    tail->filling.push_back(record);
    tail->sends.push_back({.order = order, .invoked_at = ctx.now, .bytes = bytes});
    return true;
}

void RecordAccumulator::append_batch(BatchStore& batches, ProducerBatch batch) {
    Partition& partition = at(batch.log);
    if (!partition.queue.empty()) batches[partition.queue.back()].closed = true;
    memory_free_ -= batch.capacity;
    batch.closed = true;
    batch.queued = true;
    partition.queue.push_back(batches.insert(std::move(batch)));
}

bool RecordAccumulator::last_batch_full(const BatchStore& batches, LogId log) const {
    const auto* partition = find(log);
    return !partition || partition->queue.empty() || batches[partition->queue.back()].full();
}

// --- draining ------------------------------------------------------------------------------------

RecordAccumulator::Readiness RecordAccumulator::ready(BatchStore& batches,
                                                      const ClientMetadata& metadata, Instant now,
                                                      Duration linger, bool hurry,
                                                      bool one_in_flight,
                                                      const SafeguardSet& safeguards) const {
    const bool muting = one_in_flight && safeguards.has(Safeguard::mute_partition_in_flight);
    Readiness found;
    for (const auto& partition : partitions_) {
        if (partition.queue.empty()) continue;
        const auto leader = metadata.leader(partition.log);
        if (!leader) {
            found.unknown_leader = true;
            continue;
        }
        const auto place = std::lower_bound(found.nodes.begin(), found.nodes.end(), *leader);
        if (place != found.nodes.end() && *place == *leader) continue;
        if (muting && !partition.wire.empty()) continue;
        ProducerBatch& head = batches[partition.queue.front()];
        note_leader_epoch(head, metadata);
        if (backing_off(head, now)) {
            found.next = std::min(found.next, head.retry_at);
            continue;
        }
        const bool full = partition.queue.size() > 1 || head.full();
        if (full || hurry || now - head.created >= linger)
            found.nodes.insert(place, *leader);
        else
            found.next = std::min(found.next, head.created + linger);
    }
    return found;
}

bool RecordAccumulator::may_take(const BatchStore& batches, const Partition& partition,
                                 const Rules& rules) const {
    if (rules.enrolled && !std::binary_search(rules.enrolled->begin(), rules.enrolled->end(),
                                              partition.log))
        return false;
    const BatchId head = partition.queue.front();
    if (rules.sequences && !rules.sequences->may_drain(batches[head], head)) return false;
    // P20; last, so that its absence is noted only when it would have mattered.
    return !rules.guard.trips(Safeguard::mute_partition_in_flight,
                              rules.one_in_flight && !partition.wire.empty());
}

RecordAccumulator::Drained RecordAccumulator::drain(BatchStore& batches,
                                                    const ClientMetadata& metadata, BrokerId node,
                                                    Instant now, std::int32_t max_request_size,
                                                    Rules rules) {
    DrainIndex& index = drain_from(node);
    const auto first = std::lower_bound(partitions_.begin(), partitions_.end(), index.last,
                                        [](const Partition& p, LogId id) { return p.log < id; });
    const auto start = static_cast<std::size_t>(first - partitions_.begin());
    Drained drained;
    std::int64_t size = 0;
    for (std::size_t i = 0; i < partitions_.size(); ++i) {
        Partition& partition = partitions_[(start + i) % partitions_.size()];
        if (metadata.leader(partition.log) != node) continue;
        index.last = partition.log;
        if (partition.queue.empty()) continue;
        const BatchId id = partition.queue.front();
        ProducerBatch& head = batches[id];
        note_leader_epoch(head, metadata);
        if (backing_off(head, now)) continue;
        if (size + head.bytes > max_request_size && !drained.empty()) break;
        if (!may_take(batches, partition, rules)) continue;
        partition.queue.erase(partition.queue.begin());
        head.queued = false;
        size += head.bytes;
        drained.push_back(id);
    }
    return drained;
}

RecordAccumulator::DrainIndex& RecordAccumulator::drain_from(BrokerId node) {
    const auto place =
        std::lower_bound(drain_from_.begin(), drain_from_.end(), node,
                         [](const DrainIndex& d, BrokerId id) { return d.node < id; });
    if (place != drain_from_.end() && place->node == node) return *place;
    return *drain_from_.insert(place, DrainIndex{.node = node, .last = {}});
}

// --- going back and leaving ----------------------------------------------------------------------

void RecordAccumulator::put_front(BatchStore& batches, BatchId id) {
    auto& queue = at(batches[id].log).queue;
    queue.insert(queue.begin(), id);
    batches[id].queued = true;
}

void RecordAccumulator::put_in_order(BatchStore& batches, BatchId id, const Sequences& sequences,
                                     Guard& guard) {
    const LogId log = batches[id].log;
    auto& queue = at(log).queue;
    auto place = queue.begin();
    while (place != queue.end() && sequences.before(log, *place, id)) ++place;
    if (!guard.trips(Safeguard::requeue_by_sequence, place != queue.begin())) place = queue.begin();
    queue.insert(place, id);
    batches[id].queued = true;
}

void RecordAccumulator::sent(BatchStore& batches, BatchId id) {
    at(batches[id].log).wire.push_back(id);
    batches[id].on_wire = true;
}

void RecordAccumulator::answered(BatchStore& batches, BatchId id) {
    std::erase(at(batches[id].log).wire, id);
    batches[id].on_wire = false;
}

void RecordAccumulator::remove(BatchStore& batches, BatchId id) {
    std::erase(at(batches[id].log).queue, id);
    batches[id].queued = false;
}

}  // namespace eos::model
