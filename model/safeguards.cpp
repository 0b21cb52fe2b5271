#include "model/safeguards.hpp"

#include <algorithm>
#include <array>

namespace eos::model {
namespace {

using enum Safeguard;

constexpr std::array entries{
    SafeguardEntry{truncate_by_leader_epoch, "truncate-by-leader-epoch", Side::cluster,
                   "a follower truncates to what the leader's epochs say, not to its own watermark",
                   "KIP-101"},
    SafeguardEntry{epoch_end_offset_with_epoch, "epoch-end-offset-with-epoch", Side::cluster,
                   "the leader names the epoch of the end offset, the follower walks back by epoch",
                   "KIP-279"},
    SafeguardEntry{dedup_window, "dedup-window", Side::cluster,
                   "a partition remembers the last five batches of a producer, not only one",
                   "KAFKA-5494"},
    SafeguardEntry{sequence_check, "sequence-check", Side::cluster,
                   "a batch out of sequence is refused", "KIP-98, PST-11"},
    SafeguardEntry{producer_epoch_fencing, "producer-epoch-fencing", Side::cluster,
                   "a batch of an older producer epoch is refused", "KIP-98, PST-8"},
    SafeguardEntry{hw_needs_min_isr, "hw-needs-min-isr", Side::cluster,
                   "the high watermark stands while the in-sync set is below min.insync.replicas",
                   "KIP-966 part 1, LSO-8"},
    SafeguardEntry{clean_election, "clean-election", Side::cluster,
                   "only an in-sync replica may lead", "ELE-2"},
    SafeguardEntry{offset_not_available, "offset-not-available", Side::cluster,
                   "a new leader names no end offset before its watermark reached its epoch",
                   "KIP-207, FET-11"},
    SafeguardEntry{broker_epoch_in_isr, "broker-epoch-in-isr", Side::cluster,
                   "a rebooted broker is not in sync because of what it fetched before",
                   "KIP-903, ISR-8"},
    SafeguardEntry{watermark_bounds_fetch, "watermark-bounds-fetch", Side::cluster,
                   "consumers are given nothing above the high watermark", "FET-1"},
    SafeguardEntry{eligible_leader_replicas, "eligible-leader-replicas", Side::cluster,
                   "former in-sync replicas stay electable, one that lost its tail does not",
                   "KIP-966 part 2, ELE-7"},
    SafeguardEntry{partition_verification, "partition-verification", Side::cluster,
                   "a leader asks the coordinator before a transaction's first append",
                   "KIP-890 part 1, VER-1"},
    SafeguardEntry{offsets_verification, "offsets-verification", Side::cluster,
                   "the same before a transaction's first offset commit", "KAFKA-15449, OFF-2"},
    SafeguardEntry{verification_guard, "verification-guard", Side::cluster,
                   "an append after a marker cannot use a verification from before it",
                   "KAFKA-14884, VER-9"},
    SafeguardEntry{coordinator_epoch_fencing, "coordinator-epoch-fencing", Side::cluster,
                   "a marker of a deposed coordinator is refused", "MRK-11, PST-20"},
    SafeguardEntry{marker_epoch_above, "marker-epoch-above", Side::cluster,
                   "under TV2 a marker's epoch must be above the partition's", "KIP-1228, PSD-9"},
    SafeguardEntry{marker_retry_accepted, "marker-retry-accepted", Side::cluster,
                   "a marker sent again with no transaction open is answered with success",
                   "KAFKA-19999"},
    SafeguardEntry{stable_offset_bounds_fetch, "stable-offset-bounds-fetch", Side::cluster,
                   "read_committed consumers are given nothing above the last stable offset",
                   "FET-1"},
    SafeguardEntry{replicas_trust_the_leader, "replicas-trust-the-leader", Side::cluster,
                   "a follower takes the leader's sequences as they are", "KAFKA-6003, PST-22"},
    SafeguardEntry{unknown_sequence_after_marker, "unknown-sequence-after-marker", Side::cluster,
                   "deleting a producer's records does not make the partition forget its sequence",
                   "KAFKA-7298, PSX-4"},
    SafeguardEntry{end_txn_epoch_equality, "end-txn-epoch-equality", Side::cluster,
                   "a client may end a transaction of its own epoch only", "KAFKA-9600, END-4"},
    SafeguardEntry{fence_on_timeout, "fence-on-timeout", Side::cluster,
                   "a transaction that timed out is aborted under a new epoch", "KAFKA-6119, TMO-1"},
    SafeguardEntry{fence_on_takeover, "fence-on-takeover", Side::cluster,
                   "a takeover aborts the open transaction under a new epoch", "KAFKA-5231, INI-10"},
    SafeguardEntry{single_bump_on_fence, "single-bump-on-fence", Side::cluster,
                   "under TV2 a fence raises the epoch once, not twice", "KAFKA-19367, PSD-8"},
    SafeguardEntry{remembers_failed_fence, "remembers-failed-fence", Side::cluster,
                   "a fence whose write failed is not given another epoch", "KAFKA-9666, INI-15"},
    SafeguardEntry{clears_pending_on_failure, "clears-pending-on-failure", Side::cluster,
                   "after a failed write a transactional id takes requests again", "KAFKA-7519"},
    SafeguardEntry{pending_before_epoch, "pending-before-epoch", Side::cluster,
                   "a request during a transition is told to wait, not that it is fenced",
                   "KAFKA-18464, PSD-4, PSD-5"},
    SafeguardEntry{rotated_id_in_answer, "rotated-id-in-answer", Side::cluster,
                   "when epochs are used up EndTxn answers with the new producer id",
                   "KAFKA-18660, PSD-5"},
    SafeguardEntry{resumes_prepared, "resumes-prepared", Side::cluster,
                   "a new coordinator finishes the transactions it finds decided",
                   "KAFKA-5131, FOV-3"},
    SafeguardEntry{retries_marker_storage_error, "retries-marker-storage-error", Side::cluster,
                   "a marker that met a storage error is sent again", "KAFKA-9749, MRK-5"},
    SafeguardEntry{replicated_tail_before_serving, "replicated-tail-before-serving", Side::cluster,
                   "a transaction coordinator serves only when all it loaded is replicated",
                   "in no release of Kafka, which loads to the log end (FOV-1); compare "
                   "REDPANDA-5090"},
    SafeguardEntry{txn_offset_generation_check, "txn-offset-generation-check", Side::cluster,
                   "offsets in a transaction are refused from an older member generation",
                   "KIP-447, KAFKA-9365"},
    SafeguardEntry{unstable_offset_commit, "unstable-offset-commit", Side::cluster,
                   "a committed offset is not given out while a transaction may change it",
                   "KIP-447, KAFKA-9346"},
    SafeguardEntry{generation_fencing, "generation-fencing", Side::cluster,
                   "offset commits of an older member generation are refused", "G14, G20"},
    SafeguardEntry{offsets_load_before_serving, "offsets-load-before-serving", Side::cluster,
                   "a group coordinator answers only after it has replayed its log", "G6"},
    SafeguardEntry{load_folds_whole_log, "load-folds-whole-log", Side::cluster,
                   "a load in several reads keeps the newest offset, not the first one read",
                   "KAFKA-5600"},
    SafeguardEntry{pending_only_for_appended, "pending-only-for-appended", Side::cluster,
                   "an offset that was not written does not make its partition unstable",
                   "KAFKA-16371"},
    SafeguardEntry{no_expiry_while_unstable, "no-expiry-while-unstable", Side::cluster,
                   "a rebalancing group's offsets do not expire", "KAFKA-13636, G31"},
    SafeguardEntry{static_member_replaced, "static-member-replaced", Side::cluster,
                   "a second process with an instance id takes the first one's place at any time",
                   "KAFKA-8500, G17"},
    SafeguardEntry{mute_partition_in_flight, "mute-partition-in-flight", Side::client,
                   "with one request in flight a partition has at most one batch on the wire",
                   "KAFKA-3197, P20"},
    SafeguardEntry{idempotence_by_default, "idempotence-by-default", Side::client,
                   "enable.idempotence is on unless switched off", "KAFKA-13598, I1"},
    SafeguardEntry{requeue_by_sequence, "requeue-by-sequence", Side::client,
                   "retried idempotent batches go back in order of their sequence", "P19"},
    SafeguardEntry{bump_after_expiry, "bump-after-expiry", Side::client,
                   "after an expired batch the producer takes a new epoch", "KIP-360, I14"},
    SafeguardEntry{failed_batch_aborts, "failed-batch-aborts", Side::client,
                   "a transaction with a failed batch can only abort", "KAFKA-5385, T12"},
    SafeguardEntry{flush_before_end, "flush-before-end", Side::client,
                   "EndTxn waits for every batch of the transaction", "T7"},
    SafeguardEntry{aborted_filter, "aborted-filter", Side::client,
                   "a read_committed consumer drops the records of aborted transactions", "C15"},
    SafeguardEntry{position_validation, "position-validation", Side::client,
                   "a consumer checks its position against the new leader's epochs", "KIP-320, C21"},
};
static_assert(entries.size() == safeguard_count);

constexpr std::array kafka_1211{truncate_by_leader_epoch, epoch_end_offset_with_epoch};
constexpr std::array kafka_6361{epoch_end_offset_with_epoch};
constexpr std::array kafka_5494{dedup_window};
constexpr std::array kafka_3197{mute_partition_in_flight};
constexpr std::array kafka_13598{idempotence_by_default};
constexpr std::array kafka_15583{hw_needs_min_isr, eligible_leader_replicas};
constexpr std::array aphyr_08{hw_needs_min_isr, clean_election};
constexpr std::array kafka_2334{offset_not_available};

constexpr std::array kafka_14402{partition_verification};
constexpr std::array kafka_15449{offsets_verification};
constexpr std::array kafka_19999{marker_retry_accepted};
constexpr std::array kafka_18660{rotated_id_in_answer};
constexpr std::array kafka_19367{single_bump_on_fence};
constexpr std::array kafka_9365{txn_offset_generation_check};
constexpr std::array kafka_9346{unstable_offset_commit};
constexpr std::array kafka_6119{fence_on_timeout};
constexpr std::array kafka_5231{fence_on_takeover};
constexpr std::array kafka_5131{resumes_prepared};
constexpr std::array kafka_9600{end_txn_epoch_equality};
constexpr std::array kafka_9666{remembers_failed_fence};
constexpr std::array kafka_7519{clears_pending_on_failure};
constexpr std::array kafka_9749{retries_marker_storage_error};
constexpr std::array kafka_6003{replicas_trust_the_leader};
constexpr std::array kafka_7298{unknown_sequence_after_marker};
constexpr std::array kafka_5385{failed_batch_aborts};
constexpr std::array kafka_5600{load_folds_whole_log};
constexpr std::array kafka_13636{no_expiry_while_unstable};
constexpr std::array kafka_8500{static_member_replaced};

constexpr std::array bug_entries{
    BugEntry{"KAFKA-1211", Side::cluster, kafka_1211,
             "a restarted follower truncates to its own watermark, then becomes leader",
             "bugs/kafka-1211.yaml"},
    BugEntry{"KAFKA-6361", Side::cluster, kafka_6361,
             "after two fast leader changes the replicas' logs diverge", "bugs/kafka-6361.yaml"},
    BugEntry{"KAFKA-5494", Side::cluster, kafka_5494,
             "a dedup memory of one batch is not enough with five requests in flight",
             "bugs/kafka-5494.yaml"},
    BugEntry{"KAFKA-3197", Side::client, kafka_3197,
             "a retry reorders a partition although max.in.flight is 1", "bugs/kafka-3197.yaml"},
    BugEntry{"KAFKA-13598", Side::client, kafka_13598,
             "idempotence is documented as default but not applied", "bugs/kafka-13598.yaml"},
    BugEntry{"KAFKA-15583", Side::cluster, kafka_15583,
             "the last in-sync replica loses its unflushed tail and leads again",
             "bugs/kafka-15583.yaml"},
    BugEntry{"APHYR-KAFKA-0.8", Side::cluster, aphyr_08,
             "the leader acknowledges alone, then an out-of-sync replica is elected",
             "bugs/aphyr-kafka-0.8.yaml"},
    BugEntry{"KAFKA-2334", Side::cluster, kafka_2334,
             "after an election the end offset told to clients goes backwards",
             "bugs/kafka-2334.yaml"},
    BugEntry{"KAFKA-14402", Side::cluster, kafka_14402,
             "a late produce opens a transaction again that nobody will end",
             "txn/late-produce-hangs.yaml"},
    BugEntry{"KAFKA-15449", Side::cluster, kafka_15449,
             "a late offset commit opens a transaction on the offsets topic that nobody will end",
             "bugs/kafka-15449.yaml"},
    BugEntry{"KAFKA-19999", Side::cluster, kafka_19999,
             "a marker sent again is refused, the transaction never completes",
             "bugs/kafka-19999.yaml"},
    BugEntry{"KAFKA-18660", Side::cluster, kafka_18660,
             "when epochs are used up the client is told the wrong producer id",
             "bugs/kafka-18660.yaml"},
    BugEntry{"KAFKA-19367", Side::cluster, kafka_19367,
             "a fence raises the epoch twice and overflows", "bugs/kafka-19367.yaml"},
    BugEntry{"KAFKA-9365", Side::cluster, kafka_9365,
             "a zombie commits offsets of partitions it no longer owns",
             "txn/zombie-processor.yaml"},
    BugEntry{"KAFKA-9346", Side::cluster, kafka_9346,
             "a new owner starts at an offset that a pending transaction is about to change",
             "bugs/kafka-9346.yaml"},
    BugEntry{"KAFKA-6119", Side::cluster, kafka_6119,
             "a timed-out transaction is aborted under its own epoch and written to again",
             "txn/slow-clerk.yaml"},
    BugEntry{"KAFKA-5231", Side::cluster, kafka_5231,
             "a takeover aborts under the old epoch and leaves the zombie unfenced",
             "bugs/kafka-5231.yaml"},
    BugEntry{"KAFKA-5131", Side::cluster, kafka_5131,
             "a new coordinator does not finish what it finds decided",
             "txn/failover-between-markers.yaml"},
    BugEntry{"KAFKA-9600", Side::cluster, kafka_9600,
             "EndTxn with a higher epoch than the coordinator's is accepted",
             "bugs/kafka-9600.yaml"},
    BugEntry{"KAFKA-9666", Side::cluster, kafka_9666,
             "failed fences use the epochs up", "bugs/kafka-9666.yaml"},
    BugEntry{"KAFKA-7519", Side::cluster, kafka_7519,
             "after a failed write the id answers CONCURRENT_TRANSACTIONS for ever",
             "bugs/kafka-7519.yaml"},
    BugEntry{"KAFKA-9749", Side::cluster, kafka_9749,
             "a marker that met a storage error is never sent again", "bugs/kafka-9749.yaml"},
    BugEntry{"KAFKA-6003", Side::cluster, kafka_6003,
             "a follower checks sequences like a leader and stops replicating",
             "bugs/kafka-6003.yaml"},
    BugEntry{"KAFKA-7298", Side::cluster, kafka_7298,
             "when only a marker is left in the log the next append fails",
             "bugs/kafka-7298.yaml"},
    BugEntry{"KAFKA-5385", Side::client, kafka_5385,
             "an expired batch does not fail its transaction, the commit succeeds without it",
             "bugs/kafka-5385.yaml"},
    BugEntry{"KAFKA-5600", Side::cluster, kafka_5600,
             "loading a group's offsets puts older ones over newer ones", "bugs/kafka-5600.yaml"},
    BugEntry{"KAFKA-13636", Side::cluster, kafka_13636,
             "offsets expire while their group rebalances", "bugs/kafka-13636.yaml"},
    BugEntry{"KAFKA-8500", Side::cluster, kafka_8500,
             "two instances with one static id both stay in the group", "bugs/kafka-8500.yaml"},
};

}  // namespace

std::span<const SafeguardEntry> safeguards() { return entries; }
std::span<const BugEntry> bugs() { return bug_entries; }

const SafeguardEntry& entry(Safeguard s) { return entries[static_cast<std::size_t>(s)]; }

std::optional<Safeguard> safeguard(std::string_view name) {
    const auto* found = std::find_if(entries.begin(), entries.end(),
                                     [&](const SafeguardEntry& e) { return e.name == name; });
    if (found == entries.end()) return std::nullopt;
    return found->safeguard;
}

}  // namespace eos::model
