#include "model/milestones.hpp"

#include <algorithm>
#include <array>

namespace eos::model {
namespace {

using enum Fact;

constexpr std::array rpc_facts{api, side, from, to, attempt, acks, topic, partition, log, pid,
                               epoch, group, member, generation, error, txid, txn, result, statement,
                               checkpoint, subtask};
constexpr std::array failed_facts{api, from, to, attempt, topic, partition, log, pid,
                                  epoch, group, error, kind, txid, txn, result};
constexpr std::array link_facts{from, to, kind};
constexpr std::array handoff_facts{task, log, group, checkpoint};
constexpr std::array producer_facts{app, instance, pid, epoch, topic, partition, log, record,
                                    error, txid};
constexpr std::array txn_facts{txid, txn, pid, epoch, result, log, topic, partition, cause, error,
                               group, app, instance};
constexpr std::array partition_facts{log, topic, partition, kind, pid, epoch, offset, size,
                                     leader, error, count, entry, txid, txn, result};
constexpr std::array coordination_facts{kind, log, broker, epoch};
constexpr std::array control_facts{broker, epoch};
constexpr std::array group_facts{group, member, app, generation, topic, partition, log};
constexpr std::array offsets_facts{group, topic, partition, log, offset, error, member, txid, txn};
constexpr std::array node_facts{kind, clean};
constexpr std::array store_facts{store, app, instance, from, statement, record_key, record, count, error};
constexpr std::array checkpoint_facts{app, instance, checkpoint, subtask, txid, txn, error};
constexpr std::array app_facts{app, instance, step, loop, error, error_class, txn};

constexpr std::array mile_rows{
    MileEntry{Mile::rpc_sent, "rpc.sent", "a request or answer leaves its node", rpc_facts},
    MileEntry{Mile::rpc_delivered, "rpc.delivered", "it reached the other node", rpc_facts},
    MileEntry{Mile::rpc_failed, "rpc.failed", "a caller gave up on a request", failed_facts},
    MileEntry{Mile::link_opened, "link.opened", "a connection was opened", link_facts},
    MileEntry{Mile::link_closed, "link.closed", "a connection was closed", link_facts},
    MileEntry{Mile::handoff_queued, "handoff.queued", "a node hands a step on to itself",
              handoff_facts},
    MileEntry{Mile::producer_initialised, "producer.initialised", "a producer has its id",
              producer_facts},
    MileEntry{Mile::producer_batch_closed, "producer.batch_closed",
              "a batch was drained for the first time", producer_facts},
    MileEntry{Mile::producer_acked, "producer.acked", "a batch was acknowledged", producer_facts},
    MileEntry{Mile::producer_retried, "producer.retried", "a batch will be sent again",
              producer_facts},
    MileEntry{Mile::producer_deduplicated, "producer.deduplicated",
              "the answer showed that a retry had already been appended", producer_facts},
    MileEntry{Mile::producer_send_failed, "producer.send_failed", "a send failed for good",
              producer_facts},
    MileEntry{Mile::producer_epoch_bumped, "producer.epoch_bumped", "a producer took a new epoch",
              producer_facts},
    MileEntry{Mile::producer_fenced, "producer.fenced", "a producer was told it is superseded",
              producer_facts},
    MileEntry{Mile::partition_appended, "partition.appended", "a leader appended a batch",
              partition_facts},
    MileEntry{Mile::partition_refused, "partition.refused", "a leader refused a batch",
              partition_facts},
    MileEntry{Mile::partition_deduplicated, "partition.deduplicated",
              "a leader recognised a repeated batch", partition_facts},
    MileEntry{Mile::partition_replicated, "partition.replicated", "a follower appended a batch",
              partition_facts},
    MileEntry{Mile::partition_high_watermark_moved, "partition.high_watermark_moved",
              "a leader's high watermark rose", partition_facts},
    MileEntry{Mile::partition_flushed, "partition.flushed", "a log reached the platter",
              partition_facts},
    MileEntry{Mile::partition_truncated, "partition.truncated", "a follower cut its log",
              partition_facts},
    MileEntry{Mile::partition_segment_rolled, "partition.segment_rolled", "a new segment began",
              partition_facts},
    MileEntry{Mile::partition_snapshot_written, "partition.snapshot_written",
              "producer state was saved", partition_facts},
    MileEntry{Mile::partition_producer_expired, "partition.producer_expired",
              "a partition forgot a producer", partition_facts},
    MileEntry{Mile::partition_isr_changed, "partition.isr_changed",
              "the in-sync set was changed by the controller", partition_facts},
    MileEntry{Mile::partition_leader_changed, "partition.leader_changed",
              "a broker took over leadership", partition_facts},
    MileEntry{Mile::partition_went_offline, "partition.went_offline", "a partition has no leader",
              partition_facts},
    MileEntry{Mile::coordinator_loading, "coordinator.loading", "a coordinator replays its log",
              coordination_facts},
    MileEntry{Mile::coordinator_loaded, "coordinator.loaded", "a coordinator is ready",
              coordination_facts},
    MileEntry{Mile::coordinator_unloaded, "coordinator.unloaded", "a coordinator gave up its log",
              coordination_facts},
    MileEntry{Mile::controller_elected, "controller.elected", "a controller became active",
              control_facts},
    MileEntry{Mile::controller_broker_fenced, "controller.broker_fenced",
              "a broker's session expired or it shut down", control_facts},
    MileEntry{Mile::controller_broker_registered, "controller.broker_registered",
              "a broker registered", control_facts},
    MileEntry{Mile::controller_metadata_applied, "controller.metadata_applied",
              "a broker applied metadata records", control_facts},
    MileEntry{Mile::group_joined, "group.joined", "a member joined a group", group_facts},
    MileEntry{Mile::group_left, "group.left", "a member left a group", group_facts},
    MileEntry{Mile::group_member_expired, "group.member_expired", "a member's session expired",
              group_facts},
    MileEntry{Mile::group_member_fenced, "group.member_fenced",
              "a member with an old generation or id was refused", group_facts},
    MileEntry{Mile::group_rebalance_started, "group.rebalance_started", "a rebalance began",
              group_facts},
    MileEntry{Mile::group_rebalanced, "group.rebalanced", "a new generation is stable",
              group_facts},
    MileEntry{Mile::group_assigned, "group.assigned", "a member got its partitions", group_facts},
    MileEntry{Mile::group_revoked, "group.revoked", "a member gave partitions up", group_facts},
    MileEntry{Mile::offsets_committed, "offsets.committed", "a group offset became effective",
              offsets_facts},
    MileEntry{Mile::offsets_refused, "offsets.refused",
              "an offset commit, or an administrator's change of offsets, was refused",
              offsets_facts},
    MileEntry{Mile::offsets_fetched, "offsets.fetched", "a committed offset was read",
              offsets_facts},
    MileEntry{Mile::offsets_expired, "offsets.expired", "a committed offset was forgotten",
              offsets_facts},
    MileEntry{Mile::offsets_reset, "offsets.reset", "a consumer reset its position by policy",
              offsets_facts},
    MileEntry{Mile::node_crashed, "node.crashed", "a process died", node_facts},
    MileEntry{Mile::node_lost_power, "node.lost_power", "a machine lost power", node_facts},
    MileEntry{Mile::node_stopped, "node.stopped", "a process ended by itself", node_facts},
    MileEntry{Mile::node_started, "node.started", "a process started", node_facts},
    MileEntry{Mile::node_paused, "node.paused", "a process was frozen", node_facts},
    MileEntry{Mile::node_resumed, "node.resumed", "a frozen process went on", node_facts},
    MileEntry{Mile::app_step_started, "app.step_started", "an application begins a step",
              app_facts},
    MileEntry{Mile::app_step_done, "app.step_done", "an application finished a step", app_facts},
    MileEntry{Mile::app_failed, "app.failed", "an application met an error", app_facts},
    MileEntry{Mile::app_finished, "app.finished", "an application's program ended", app_facts},
    MileEntry{Mile::txn_begun, "txn.begun", "a producer began a transaction", txn_facts},
    MileEntry{Mile::txn_partition_added, "txn.partition_added",
              "a partition is durably part of a transaction", txn_facts},
    MileEntry{Mile::txn_offsets_added, "txn.offsets_added",
              "the partition of a group's offsets is durably part of a transaction", txn_facts},
    MileEntry{Mile::txn_prepare_commit_written, "txn.prepare_commit_written",
              "the decision to commit is durable", txn_facts},
    MileEntry{Mile::txn_prepare_abort_written, "txn.prepare_abort_written",
              "the decision to abort is durable", txn_facts},
    MileEntry{Mile::txn_marker_sent, "txn.marker_sent", "a coordinator sends a marker to a partition",
              txn_facts},
    MileEntry{Mile::txn_marker_written, "txn.marker_written",
              "the coordinator learnt that a partition holds the marker", txn_facts},
    MileEntry{Mile::txn_marker_refused, "txn.marker_refused", "a partition refused a marker",
              txn_facts},
    MileEntry{Mile::txn_completed, "txn.completed", "all markers are written and that is durable",
              txn_facts},
    MileEntry{Mile::txn_timed_out, "txn.timed_out",
              "the coordinator aborts a transaction that took too long", txn_facts},
    MileEntry{Mile::txn_reported, "txn.reported", "the application learnt how a transaction ended",
              txn_facts},
    MileEntry{Mile::txn_id_rotated, "txn.id_rotated",
              "a transactional id got a new producer id, its epochs were used up", txn_facts},
    MileEntry{Mile::txn_id_expired, "txn.id_expired", "a transactional id was forgotten", txn_facts},
    MileEntry{Mile::partition_verified, "partition.verified",
              "a leader knows that a partition is part of a transaction", partition_facts},
    MileEntry{Mile::partition_stable_offset_moved, "partition.stable_offset_moved",
              "a leader's last stable offset rose", partition_facts},
    MileEntry{Mile::offsets_pending, "offsets.pending",
              "a group offset waits for the end of its transaction", offsets_facts},
    MileEntry{Mile::group_upgraded, "group.upgraded",
              "a group with members went over to the consumer protocol", group_facts},
    MileEntry{Mile::group_downgraded, "group.downgraded",
              "a group with members went back to the classic protocol", group_facts},
    MileEntry{Mile::group_deleted, "group.deleted", "an administrator deleted a group",
              group_facts},
    MileEntry{Mile::store_executed, "store.executed", "a store carried a statement or call out",
              store_facts},
    MileEntry{Mile::store_prepared, "store.prepared",
              "a transaction of a store is durable and undecided", store_facts},
    MileEntry{Mile::store_committed, "store.committed",
              "effects are durable at a store, its answer is not sent yet", store_facts},
    MileEntry{Mile::store_rolled_back, "store.rolled_back", "a store gave a transaction up",
              store_facts},
    MileEntry{Mile::store_duplicate_seen, "store.duplicate_seen",
              "a store knew the identity of an effect and did not do it again", store_facts},
    MileEntry{Mile::store_key_expired, "store.key_expired",
              "a store had forgotten an identity that came again", store_facts},
    MileEntry{Mile::checkpoint_triggered, "checkpoint.triggered",
              "a JobManager asks the sources for a checkpoint", checkpoint_facts},
    MileEntry{Mile::checkpoint_barrier_passed, "checkpoint.barrier_passed",
              "a subtask has flushed its sink and noted the positions of its source",
              checkpoint_facts},
    MileEntry{Mile::checkpoint_snapshotted, "checkpoint.snapshotted",
              "a subtask has its part of a checkpoint and goes on", checkpoint_facts},
    MileEntry{Mile::checkpoint_acked, "checkpoint.acked",
              "a subtask's part is stored, and it has said so", checkpoint_facts},
    MileEntry{Mile::checkpoint_decided, "checkpoint.decided",
              "a checkpoint is in the store of completed ones", checkpoint_facts},
    MileEntry{Mile::checkpoint_notified, "checkpoint.notified",
              "a subtask learnt that a checkpoint is complete", checkpoint_facts},
    MileEntry{Mile::checkpoint_failed, "checkpoint.failed", "a checkpoint came to nothing",
              checkpoint_facts},
    MileEntry{Mile::committable_committed, "committable.committed",
              "the transaction of a completed checkpoint is committed", checkpoint_facts},
    MileEntry{Mile::committable_refused, "committable.refused",
              "it cannot be committed any more; the job drops it and goes on", checkpoint_facts},
    MileEntry{Mile::job_restored, "job.restored",
              "a job begins at its newest completed checkpoint, or from scratch", checkpoint_facts},
};

constexpr std::array fact_rows{
    FactEntry{api, "api", "Kafka's API name"},
    FactEntry{side, "side", "request or response"},
    FactEntry{from, "from", "the sending node"},
    FactEntry{to, "to", "the receiving node"},
    FactEntry{attempt, "attempt", "1: the first sending of that request"},
    FactEntry{acks, "acks", "-1 (all), 0 or 1"},
    FactEntry{error, "error", "Kafka's error name"},
    FactEntry{kind, "kind", "what kind, by milestone"},
    FactEntry{node, "node", "where it happened"},
    FactEntry{clean, "clean", "whether it ended cleanly"},
    FactEntry{topic, "topic", "a topic"},
    FactEntry{partition, "partition", "a partition number"},
    FactEntry{log, "log", "a partition, as orders/0"},
    FactEntry{offset, "offset", "an offset"},
    FactEntry{size, "size", "size of the in-sync set"},
    FactEntry{leader, "leader", "the leading broker"},
    FactEntry{entry, "entry", "the state a log entry records"},
    FactEntry{app, "app", "an application, or one instance as shop/0"},
    FactEntry{instance, "instance", "an instance number"},
    FactEntry{record, "record", "a ledger id"},
    FactEntry{pid, "pid", "a producer id"},
    FactEntry{epoch, "epoch", "a producer, leader or broker epoch"},
    FactEntry{group, "group", "a consumer group"},
    FactEntry{member, "member", "a group member"},
    FactEntry{generation, "generation", "a group generation"},
    FactEntry{step, "step", "a step of the program"},
    FactEntry{loop, "loop", "how many times the program has begun, from 1"},
    FactEntry{error_class, "class", "an error class"},
    FactEntry{task, "task", "a hand-off"},
    FactEntry{broker, "broker", "a broker"},
    FactEntry{unclean, "unclean", "whether the election was unclean"},
    FactEntry{count, "count", "number of records"},
    FactEntry{txid, "txid", "a transactional id"},
    FactEntry{txn, "txn", "which transaction of that producer, from 1"},
    FactEntry{result, "result", "commit or abort"},
    FactEntry{cause, "cause", "who ended it: client, timeout or fence"},
    FactEntry{store, "store", "a store"},
    FactEntry{record_key, "key", "a record's key"},
    FactEntry{statement, "statement", "a statement at a store"},
    FactEntry{checkpoint, "checkpoint", "a checkpoint's number"},
    FactEntry{subtask, "subtask", "a subtask's number"},
};
static_assert(fact_rows.size() == fact_count);

constexpr std::array<std::string_view, 12> not_modelled{
    "partition.log_start_moved", "partition.compacted", "store.redelivered", "store.dead_lettered",
    "task.assigned", "task.restored", "task.running",
    "task.suspended", "task.closed", "task.checkpoint_written", "task.migrated", "task.corrupted",
};

}  // namespace

std::span<const MileEntry> milestones() { return mile_rows; }
std::span<const FactEntry> facts() { return fact_rows; }
std::span<const std::string_view> milestones_not_modelled() {
    return not_modelled;
}

const MileEntry* milestone_named(std::string_view name) {
    const auto* found =
        std::find_if(mile_rows.begin(), mile_rows.end(), [&](const MileEntry& e) { return e.name == name; });
    return found == mile_rows.end() ? nullptr : found;
}

std::optional<Fact> fact_named(std::string_view name) {
    const auto* found = std::find_if(fact_rows.begin(), fact_rows.end(),
                                     [&](const FactEntry& e) { return e.name == name; });
    if (found == fact_rows.end()) return std::nullopt;
    return found->fact;
}

std::string_view name(FrameSide side) {
    return side == FrameSide::request ? "request" : "response";
}
std::string_view name(AppendKind kind) {
    switch (kind) {
        case AppendKind::data: return "data";
        case AppendKind::marker: return "marker";
        case AppendKind::offsets: return "offsets";
        case AppendKind::group_metadata: return "group-metadata";
        case AppendKind::tombstone: return "tombstone";
        case AppendKind::txn_state: return "txn-state";
    }
    return "";
}
std::string_view name(FailKind kind) {
    return kind == FailKind::timeout ? "timeout" : "disconnect";
}
std::string_view name(CoordinatorKind kind) {
    return kind == CoordinatorKind::txn ? "txn" : "group";
}
std::string_view name(TxnResult result) {
    switch (result) {
        case TxnResult::commit: return "commit";
        case TxnResult::abort: return "abort";
        case TxnResult::unknown: return "unknown";
    }
    return "";
}
std::string_view name(TxnCause cause) {
    switch (cause) {
        case TxnCause::client: return "client";
        case TxnCause::timeout: return "timeout";
        case TxnCause::fence: return "fence";
    }
    return "";
}
std::string_view name(NodeKind kind) {
    switch (kind) {
        case NodeKind::broker: return "broker";
        case NodeKind::controller: return "controller";
        case NodeKind::app: return "app";
        case NodeKind::store: return "store";
    }
    return "";
}

}  // namespace eos::model
