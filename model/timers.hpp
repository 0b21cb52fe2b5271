#pragma once
// Timer kinds of all roles: one enumeration, so that two parts of one node never share a key. What
// `a` and `b` of a key mean stands beside the kind.

#include <cstdint>

#include "sim/effects.hpp"

namespace eos::model {

enum class Tick : std::uint16_t {
    // network client (one per component; the component's slot is in b's high bits)
    request_timeout,       ///< a: connection index
    reconnect,             ///< a: connection index
    setup_timeout,         ///< a: connection index
    metadata_refresh,
    metadata_age,
    // producer
    producer_wake,         ///< the sender has something to do; b: lane
    // consumer
    consumer_poll, heartbeat, session, auto_commit, commit_retry, fetch_retry, coordinator_retry,
    offset_fetch_retry, api_timeout, validation_retry, reset_retry, join_retry,
    // application
    app_work, app_rate, app_wait, app_flush_timeout, app_retry,
    // broker
    broker_heartbeat, isr_check, hw_checkpoint, flush, producer_expiry, snapshot,
    delayed_produce,       ///< a, b: purgatory number
    delayed_fetch,         ///< a, b: purgatory number
    delayed_markers,       ///< a: request number
    fetch_backoff,         ///< a: leader broker
    alter_partition_retry, ///< a: log
    producer_id_retry,
    // group coordinator (hosted by a broker)
    group_join,            ///< a: group
    group_sync,            ///< a: group
    group_session,         ///< a: group, b: member slot
    group_commit_timeout,  ///< a: log
    offsets_expiry,
    group_pending_member,  ///< a: group, b: member slot
    // transaction coordinator and what partition leaders ask of it (hosted by a broker)
    txn_timeout_scan, txn_id_expiry,
    txn_append_timeout,    ///< a: transaction log
    txn_marker_retry,      ///< parked markers; b 1: Complete records, a: transaction log
    verify_retry,          ///< a: request number
    // KIP-848
    modern_session,        ///< a: group, b: member slot
    modern_rebalance,      ///< a: group, b: member slot
    // controller
    session_check, metadata_wait, election, leader_balance,
    // group coordinator again: late comers stand last, the numbers are in the digests of traces
    modern_join,           ///< of a member of the classic protocol; a: group, b: member slot
    modern_sync,
    group_pending_expiry,  ///< a: log
    // stores and their clients
    store_call,            ///< the application's call at a store takes too long to be sent
    app_store,             ///< the application makes a failed call at a store again
    store_idle,            ///< a: transaction without a statement
    store_lock,            ///< a: transaction whose statement waits for a lock
    store_in_doubt,        ///< a: number of a prepared transaction
    // Flink: task manager, then job manager
    task_work, committer_retry, job_manager_watch,
    heartbeat_round, checkpoint_trigger,
    checkpoint_timeout,    ///< a: checkpoint
    restart_delay,
};

[[nodiscard]] constexpr sim::TimerKey key(Tick tick, std::uint32_t a = 0, std::uint32_t b = 0) {
    return {static_cast<std::uint16_t>(tick), a, b};
}
[[nodiscard]] constexpr Tick tick(const sim::TimerKey& key) { return static_cast<Tick>(key.kind); }

}  // namespace eos::model
