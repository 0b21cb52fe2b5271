#include "model/broker_markers.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

constexpr std::int32_t marker_bytes = 78;  // batch header, key and value (REC-3)

sim::TimerKey markers_timer(WaitId id) { return key(Tick::delayed_markers, id.value); }

/// What is to be written, whoever asked for it.
struct MarkerOrder {
    TxnIdentity who;
    ControlType result = ControlType::abort;
    CoordinatorEpoch coordinator_epoch;
    TransactionVersion version = TransactionVersion::tv0;
};

struct Written {
    ErrorCode error = ErrorCode::none;
    Offset required;
};

Batch marker_batch(const MarkerOrder& marker, sim::Instant wall) {
    Batch batch;
    batch.producer_id = marker.who.producer_id;
    batch.producer_epoch = marker.who.producer_epoch;
    batch.transactional = true;
    batch.control = marker.result;
    batch.coordinator_epoch = marker.coordinator_epoch;
    batch.txid = marker.who.txid;
    batch.txn = marker.who.txn;
    batch.timestamp = wall;
    batch.bytes = marker_bytes;
    return batch;
}

Written write_marker(const BrokerStep& step, Replicas& replicas, GroupHost& groups, LogId log,
                     const MarkerOrder& marker) {
    if (!replicas.find(log)) return {ErrorCode::unknown_topic_or_partition, {}};
    if (!replicas.leading(log)) return {ErrorCode::not_leader_or_follower, {}};
    const bool offsets = GroupHost::holds_offsets(step.topology, log);
    // A coordinator that is loading would miss the marker: its errors become this one (MRK-4).
    if (offsets && !groups.serves(log)) return {ErrorCode::not_leader_or_follower, {}};
    const AppendAs as{.origin = AppendOrigin::coordinator,
                      .verified = {},
                      .transaction_v2 = marker.version == TransactionVersion::tv2};
    const auto result =
        replicas.append(step, log, marker_batch(marker, step.ctx.wall), Acks::all, as);
    if (result.append.error != ErrorCode::none) return {result.append.error, {}};
    if (offsets) {
        groups.on_marker(step, {.shard = log,
                                .producer_id = marker.who.producer_id,
                                .producer_epoch = marker.who.producer_epoch,
                                .result = marker.result,
                                .offset = result.append.base});
    }
    return {ErrorCode::none, result.required};
}

}  // namespace

void MarkerDesk::on_request(const BrokerStep& step, Replicas& replicas, GroupHost& groups,
                            const sim::ReplyTo& to, const WriteTxnMarkersRequest& request) {
    Delayed markers{.to = to, .answer = {}, .waiting = {}};
    for (const auto& entry : request.entries) {
        auto& answer = markers.answer.entries.emplace_back();
        answer.who = entry.who;
        answer.result = entry.result;
        answer.coordinator_epoch = entry.coordinator_epoch;
        const MarkerOrder marker{.who = entry.who,
                            .result = entry.result,
                            .coordinator_epoch = entry.coordinator_epoch,
                            .version = entry.version};
        for (const auto log : entry.logs) {
            const auto written = write_marker(step, replicas, groups, log, marker);
            answer.parts.push_back({.log = log, .error = written.error});
            if (written.error == ErrorCode::none)
                markers.waiting.push_back({.log = log,
                                           .entry = markers.answer.entries.size() - 1,
                                           .part = answer.parts.size() - 1,
                                           .required = written.required});
        }
    }
    if (markers.waiting.empty()) return step.fx.reply(to, std::move(markers.answer));
    std::vector<LogId> logs;
    for (const auto& waits : markers.waiting)
        if (std::find(logs.begin(), logs.end(), waits.log) == logs.end())
            logs.push_back(waits.log);
    const auto id = std::exchange(next_, next_.next());
    for (const auto log : logs) watchers_.watch(log, id);
    parked_.emplace(id, std::move(markers));
    step.fx.arm(markers_timer(id), step.config.request_timeout);
}

void MarkerDesk::on_moved(const BrokerStep& step, Replicas& replicas, LogId log) {
    for (const auto id : watchers_.of(log)) {
        auto& markers = parked_.at(id);
        const auto* replica = replicas.leading(log);
        std::erase_if(markers.waiting, [&](const Delayed::Waiting& waits) {
            if (waits.log != log) return false;
            const auto status =
                replica ? replica->leading.status(replica->log, waits.required)
                        : ProduceStatus{.done = true, .error = ErrorCode::not_leader_or_follower};
            if (status.done)
                markers.answer.entries[waits.entry].parts[waits.part].error = status.error;
            return status.done;
        });
        const bool still = std::any_of(markers.waiting.begin(), markers.waiting.end(),
                                       [&](const auto& waits) { return waits.log == log; });
        if (!still) watchers_.forget(log, id);
        if (!markers.waiting.empty()) continue;
        step.fx.disarm(markers_timer(id));
        settle(step, id);
    }
}

void MarkerDesk::on_timeout(const BrokerStep& step, WaitId id) {
    const auto late = parked_.find(id);
    if (late == parked_.end()) return;
    auto& markers = late->second;
    for (const auto& waits : markers.waiting) {
        markers.answer.entries[waits.entry].parts[waits.part].error = ErrorCode::request_timed_out;
        watchers_.forget(waits.log, id);
    }
    settle(step, id);
}

void MarkerDesk::settle(const BrokerStep& step, WaitId id) {
    const auto done = parked_.find(id);
    step.fx.reply(done->second.to, std::move(done->second.answer));
    parked_.erase(done);
}

void MarkerDesk::abort_oldest(const BrokerStep& step, Replicas& replicas, GroupHost& groups,
                              LogId log) {
    const auto* replica = replicas.leading(log);
    if (!replica) return;
    const auto& producers = replica->log.producers();
    const auto producer_id = producers.oldest_in_transaction();
    if (!producer_id) return;
    const auto& entry = *producers.find(*producer_id);
    MarkerOrder marker;
    marker.who.producer_id = *producer_id;
    marker.who.producer_epoch = entry.epoch;
    marker.coordinator_epoch = std::max(entry.coordinator_epoch, CoordinatorEpoch{0});
    const auto& batches = replica->log.batches();
    const auto first = std::find_if(batches.begin(), batches.end(), [&](const Batch& batch) {
        return batch.producer_id == *producer_id && batch.base >= *entry.txn_first;
    });
    std::optional<TransactionalId> txid;
    if (first != batches.end()) txid = (*first).txid;
    marker.who.txid = txid.value_or(TransactionalId{-1});
    static_cast<void>(write_marker(step, replicas, groups, log, marker));
}

}  // namespace eos::model
