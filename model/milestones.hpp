#pragma once
// The words of the vocabulary that cross the fault boundary as numbers: milestones (named protocol
// moments), facts (what a milestone or message carries), orders (what can be asked of a role), roles
// (what the directory answers). One table each: triggers, coverage, breakpoints, the printed story,
// `list events`, validation and the JSON Schema all read these rows (language.md 5.2).

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "model/records.hpp"
#include "sim/facts.hpp"

namespace eos::model {

enum class Fact : std::uint8_t {
    api, side, from, to, attempt, acks, error, kind, node, clean,
    topic, partition, log, offset, size, leader, entry,
    app, instance, record, pid, epoch, group, member, generation, step, loop, error_class,
    task, broker, unclean, count, txid, txn, result, cause, store, record_key,
    statement, checkpoint, subtask,
};
inline constexpr std::size_t fact_count = 41;

enum class Mile : std::uint16_t {
    rpc_sent, rpc_delivered, rpc_failed, link_opened, link_closed,
    handoff_queued,
    producer_initialised, producer_batch_closed, producer_acked, producer_retried,
    producer_deduplicated, producer_send_failed, producer_epoch_bumped, producer_fenced,
    partition_appended, partition_refused, partition_deduplicated, partition_replicated,
    partition_high_watermark_moved, partition_flushed, partition_truncated,
    partition_segment_rolled, partition_snapshot_written, partition_producer_expired,
    partition_isr_changed, partition_leader_changed, partition_went_offline,
    coordinator_loading, coordinator_loaded, coordinator_unloaded,
    controller_elected, controller_broker_fenced, controller_broker_registered,
    controller_metadata_applied,
    group_joined, group_left, group_member_expired, group_member_fenced, group_rebalance_started,
    group_rebalanced, group_assigned, group_revoked,
    offsets_committed, offsets_refused, offsets_fetched, offsets_expired, offsets_reset,
    node_crashed, node_lost_power, node_stopped, node_started, node_paused, node_resumed,
    app_step_started, app_step_done, app_failed, app_finished,
    txn_begun, txn_partition_added, txn_offsets_added, txn_prepare_commit_written,
    txn_prepare_abort_written, txn_marker_sent, txn_marker_written, txn_marker_refused,
    txn_completed, txn_timed_out, txn_reported, txn_id_rotated, txn_id_expired,
    partition_verified, partition_stable_offset_moved, offsets_pending,
    group_upgraded, group_downgraded, group_deleted,
    store_executed, store_prepared, store_committed, store_rolled_back, store_duplicate_seen,
    store_key_expired,
    checkpoint_triggered, checkpoint_barrier_passed, checkpoint_snapshotted, checkpoint_acked,
    checkpoint_decided, checkpoint_notified, checkpoint_failed, committable_committed,
    committable_refused, job_restored,
    /// First of the numbers for fault.NAME (2 per fault: fired, ended), after these.
    fault_first = 1000,
    /// First of the numbers for safeguard.NAME.
    safeguard_first = 900,
};

struct MileEntry {
    Mile mile;
    std::string_view name;             ///< "partition.appended"
    std::string_view help;
    std::span<const Fact> facts;       ///< what `match` may name, besides `node`
};
struct FactEntry {
    Fact fact;
    std::string_view name;             ///< as `match` writes it
    std::string_view help;
};

[[nodiscard]] std::span<const MileEntry> milestones();
[[nodiscard]] std::span<const FactEntry> facts();
[[nodiscard]] const MileEntry* milestone_named(std::string_view name);
[[nodiscard]] std::optional<Fact> fact_named(std::string_view name);
/// Names of language.md 5.2 that belong to parts not modelled yet ("txn.begun", ...).
[[nodiscard]] std::span<const std::string_view> milestones_not_modelled();

[[nodiscard]] constexpr sim::MilestoneKind number(Mile m) {
    return {static_cast<std::uint16_t>(m)};
}
[[nodiscard]] constexpr sim::FactName number(Fact f) { return {static_cast<std::uint8_t>(f)}; }

/// Values of Fact::side, Fact::kind (by milestone) and Fact::clean.
enum class FrameSide : std::int64_t { request, response };
enum class AppendKind : std::int64_t {
    data, marker, offsets, group_metadata, tombstone, txn_state,
};
enum class FailKind : std::int64_t { timeout, disconnect };
enum class NodeKind : std::int64_t { broker, controller, app, store };
enum class CoordinatorKind : std::int64_t { txn, group };
/// Values of Fact::result; `unknown`: a call that timed out (txn.reported).
enum class TxnResult : std::int64_t { commit, abort, unknown };
/// Values of Fact::cause: who ended a transaction.
enum class TxnCause : std::int64_t { client, timeout, fence };
[[nodiscard]] std::string_view name(FrameSide side);
[[nodiscard]] std::string_view name(AppendKind kind);
[[nodiscard]] std::string_view name(FailKind kind);
[[nodiscard]] std::string_view name(NodeKind kind);
[[nodiscard]] std::string_view name(CoordinatorKind kind);
[[nodiscard]] std::string_view name(TxnResult result);
[[nodiscard]] constexpr TxnResult result_of(ControlType type) {
    return type == ControlType::commit ? TxnResult::commit : TxnResult::abort;
}
[[nodiscard]] std::string_view name(TxnCause cause);

/// What can be asked of a role from outside (sim::Order).
enum class Ask : std::uint16_t {
    stop,               ///< end gracefully: brokers hand over leadership, clients close
    stall, unstall,     ///< freeze the application thread only (M2)
    elect,              ///< controller: log, to (optional), unclean
    rebalance, kick,    ///< group coordinator: group, member (optional)
    expire_producers,   ///< broker: log
    expire_offsets,     ///< group coordinator: group
    roll_segment,       ///< broker: log
    reset_offsets,      ///< group coordinator: group, log, offset
    delete_records,     ///< broker: log, offset
    expire_transactional_ids,  ///< transaction coordinator: txid
    abort_txn,          ///< broker: log; the operator aborts its oldest open transaction (HNG-6)
    fence_producer,     ///< transaction coordinator: txid; an administrator's InitProducerId
    signal,             ///< application: count (number of the wait_for trigger that fired)
    delete_offsets,     ///< group coordinator: group, log (optional; OffsetDelete, KIP-496)
    delete_group,       ///< group coordinator: group (DeleteGroups, KIP-229)
    stale_metadata,     ///< broker: topic (optional); Metadata is answered from now's image
    fresh_metadata,     ///< broker: topic (optional: only that one is shown again); takes it back
};
[[nodiscard]] constexpr sim::OrderKind number(Ask a) { return {static_cast<std::uint16_t>(a)}; }

/// Roles of the directory; `subject` in brackets.
enum class Role : std::uint16_t {
    leader,             ///< [log]
    followers,          ///< [log] every other replica
    in_sync,            ///< [log]
    controller,         ///< [0]
    group_coordinator,  ///< [group]
    owner,              ///< [group << 32 | log]
    txn_coordinator,    ///< [transactional id]
    holder, zombie,     ///< [transactional id] last to initialise it, and the one before
};
[[nodiscard]] constexpr sim::RoleKey role(Role r, std::int64_t subject) {
    return {static_cast<std::uint16_t>(r), subject};
}

/// A small builder: `Facts f = told({Fact::log, log.value}, ...)` reads well at the call site.
struct Told {
    Fact fact;
    std::int64_t value;
};
[[nodiscard]] inline sim::Facts told(std::initializer_list<Told> list) {
    sim::Facts result;
    for (const auto& t : list) result.add(number(t.fact), t.value);
    return result;
}

}  // namespace eos::model
