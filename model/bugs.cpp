#include "model/bugs.hpp"

#include <algorithm>
#include <array>

namespace eos::model {
namespace {

using enum Safeguard;

constexpr std::array kafka_1211{truncate_by_leader_epoch, epoch_end_offset_with_epoch};
constexpr std::array kafka_6361{epoch_end_offset_with_epoch};
constexpr std::array kafka_15583{hw_needs_min_isr, eligible_leader_replicas};
constexpr std::array aphyr_08{hw_needs_min_isr, clean_election};
constexpr std::array kafka_2334{offset_not_available};
constexpr std::array kafka_5494{dedup_window};
constexpr std::array kafka_6003{replicas_trust_the_leader};
constexpr std::array kafka_7298{unknown_sequence_after_marker};
constexpr std::array kafka_14402{partition_verification};
constexpr std::array kafka_14884{verification_guard};
constexpr std::array kafka_15449{offsets_verification};
constexpr std::array kafka_19999{marker_retry_accepted};
constexpr std::array kafka_18660{rotated_id_in_answer};
constexpr std::array kafka_19367{single_bump_on_fence};
constexpr std::array kafka_6119{fence_on_timeout};
constexpr std::array kafka_5231{fence_on_takeover};
constexpr std::array kafka_5131{resumes_prepared};
constexpr std::array kafka_9600{end_txn_epoch_equality};
constexpr std::array kafka_9666{remembers_failed_fence};
constexpr std::array kafka_7519{clears_pending_on_failure};
constexpr std::array kafka_9749{retries_marker_storage_error};
constexpr std::array kafka_9365{txn_offset_generation_check};
constexpr std::array kafka_9346{unstable_offset_commit};
constexpr std::array kafka_5600{load_folds_whole_log};
constexpr std::array kafka_13636{no_expiry_while_unstable};
constexpr std::array kafka_16371{pending_only_for_appended};
constexpr std::array kafka_16147{revoking_keeps_owner};
constexpr std::array kafka_19233{fenced_member_rejoins};
constexpr std::array kafka_8500{static_member_replaced};
constexpr std::array kafka_3197{mute_partition_in_flight};
constexpr std::array kafka_13598{idempotence_by_default};
constexpr std::array kafka_5385{failed_batch_aborts};
constexpr std::array kafka_7747{position_validation};
constexpr std::array kafka_9823{errors_of_own_generation};
constexpr std::array kafka_16198{reconcile_full_target};
constexpr std::array redpanda_3039{duplicate_answered};
constexpr std::array pulsar_5218{dedup_after_append};
constexpr std::array kop_1283{stable_offset_bounds_fetch};
constexpr std::array redpanda_6018{partition_logged_before_answer};
constexpr std::array redpanda_10669{pending_until_marker};

constexpr std::array bug_rows{
    // Replication and logs.
    BugEntry{
        .name = "KAFKA-1211",
        .side = Side::cluster,
        .removes = kafka_1211,
        .claim = "a restarted follower truncates to its own watermark, then becomes leader",
        .versions = "before 0.11.0.0",
        .window =
            "a follower restarts behind the watermark and is elected before it has fetched again",
        .scenario = "bugs/kafka-1211.yaml"},
    BugEntry{.name = "KAFKA-6361",
             .side = Side::cluster,
             .removes = kafka_6361,
             .claim = "after two fast leader changes the replicas' logs diverge",
             .versions = "0.11.0 to 1.1",
             .window = "two elections follow each other before the replicas have exchanged a batch",
             .scenario = "bugs/kafka-6361.yaml"},
    BugEntry{
        .name = "KAFKA-15583",
        .side = Side::cluster,
        .removes = kafka_15583,
        .claim = "the last in-sync replica loses its unflushed tail and leads again",
        .versions = "before 3.7.0",
        .window =
            "the in-sync set has shrunk below min.insync.replicas and its last member loses power",
        .scenario = "bugs/kafka-15583.yaml"},
    BugEntry{.name = "APHYR-KAFKA-0.8",
             .side = Side::cluster,
             .removes = aphyr_08,
             .claim = "the leader acknowledges alone, then an out-of-sync replica is elected",
             .versions = "0.8, by configuration later",
             .window = "the leader is cut off with its client, then dies",
             .scenario = "bugs/aphyr-kafka-0.8.yaml"},
    BugEntry{.name = "KAFKA-2334",
             .side = Side::cluster,
             .removes = kafka_2334,
             .claim = "after an election the end offset told to clients goes backwards",
             .versions = "before 2.2.0",
             .window = "the end is asked between an election and the first fetch of a follower",
             .scenario = "bugs/kafka-2334.yaml"},
    BugEntry{.name = "KAFKA-5494",
             .side = Side::cluster,
             .removes = kafka_5494,
             .claim = "a dedup memory of one batch is not enough with five requests in flight",
             .versions = "0.11.0.x",
             .window = "several requests in flight are appended and all their answers are lost",
             .scenario = "bugs/kafka-5494.yaml"},
    BugEntry{.name = "KAFKA-6003",
             .side = Side::cluster,
             .removes = kafka_6003,
             .claim = "a follower checks sequences like a leader and stops replicating",
             .versions = "0.11.0.0, 0.11.0.1",
             .window = "a follower has expired a producer that the leader still knows",
             .scenario = "bugs/kafka-6003.yaml"},
    BugEntry{.name = "KAFKA-7298",
             .side = Side::cluster,
             .removes = kafka_7298,
             .claim = "when only a marker is left in the log the next append fails",
             .versions = "before 2.0.1",
             .window = "all records of a producer are deleted, its marker stays",
             .scenario = "bugs/kafka-7298.yaml"},
    // Transactions.
    BugEntry{.name = "KAFKA-17754",
             .side = Side::cluster,
             .removes = {},
             .claim = "a late EndTxn ends the next transaction of the same producer",
             .versions = "before 4.0, transaction.version 0 and 1",
             .window = "an EndTxn that was given up arrives inside the next transaction",
             .scenario = "txn/held-endtxn.yaml",
             .newest = TransactionVersion::tv1},
    BugEntry{.name = "KAFKA-14402-hang",
             .side = Side::cluster,
             .removes = kafka_14402,
             .claim = "a late produce opens a transaction again that nobody will end",
             .versions = "before 3.5.0",
             .window = "a produce request arrives after the marker of its transaction",
             .scenario = "txn/late-produce-hangs.yaml",
             .newest = TransactionVersion::tv1},
    BugEntry{
        .name = "KAFKA-14884",
        .side = Side::cluster,
        .removes = kafka_14884,
        .claim =
            "a marker comes between verification and append, the late write hangs all the same",
        .versions = "3.5.x",
        .window =
            "the transaction is ended while its first, verified batch waits for the request thread",
        .scenario = "bugs/kafka-14884.yaml",
        .newest = TransactionVersion::tv1},
    BugEntry{
        .name = "KAFKA-15449",
        .side = Side::cluster,
        .removes = kafka_15449,
        .claim =
            "a late offset commit opens a transaction on the offsets topic that nobody will end",
        .versions = "3.5, 3.6",
        .window = "a TxnOffsetCommit arrives after the marker of its transaction",
        .scenario = "bugs/kafka-15449.yaml"},
    BugEntry{.name = "KAFKA-19999",
             .side = Side::cluster,
             .removes = kafka_19999,
             .claim = "a marker sent again is refused, the transaction never completes",
             .versions = "4.2 development",
             .window = "the answer to a marker is lost, or the coordinator is replaced before it",
             .scenario = "bugs/kafka-19999.yaml"},
    BugEntry{.name = "KAFKA-18660",
             .side = Side::cluster,
             .removes = kafka_18660,
             .claim = "when epochs are used up the client is told the wrong producer id",
             .versions = "4.0 development",
             .window = "the epochs of a producer id are used up at the end of a transaction",
             .scenario = "bugs/kafka-18660.yaml"},
    BugEntry{.name = "KAFKA-19367",
             .side = Side::cluster,
             .removes = kafka_19367,
             .claim = "a fence raises the epoch twice and overflows",
             .versions = "4.0.0",
             .window = "a takeover at the last epoch but one",
             .scenario = "bugs/kafka-19367.yaml"},
    BugEntry{.name = "KAFKA-6119",
             .side = Side::cluster,
             .removes = kafka_6119,
             .claim = "a timed-out transaction is aborted under its own epoch and written to again",
             .versions = "0.11.0.0, 0.11.0.1",
             .window = "a transaction outlives its timeout between two writes",
             .scenario = "txn/slow-clerk.yaml"},
    BugEntry{.name = "KAFKA-5231",
             .side = Side::cluster,
             .removes = kafka_5231,
             .claim = "a takeover aborts under the old epoch and leaves the zombie unfenced",
             .versions = "0.11.0.0 development",
             .window = "a second holder initialises while the first has a request on its way",
             .scenario = "bugs/kafka-5231.yaml"},
    BugEntry{.name = "KAFKA-5131",
             .side = Side::cluster,
             .removes = kafka_5131,
             .claim = "a new coordinator does not finish what it finds decided",
             .versions = "0.11.0.0 development",
             .window = "the coordinator dies between decision and markers",
             .scenario = "txn/failover-between-markers.yaml"},
    BugEntry{.name = "KAFKA-9600",
             .side = Side::cluster,
             .removes = kafka_9600,
             .claim = "EndTxn with a higher epoch than the coordinator's is accepted",
             .versions = "before 2.6.0",
             .window = "a client ends a transaction under an epoch it was never given",
             .scenario = "bugs/kafka-9600.yaml"},
    BugEntry{.name = "KAFKA-9666",
             .side = Side::cluster,
             .removes = kafka_9666,
             .claim = "failed fences use the epochs up",
             .versions = "before 2.6.0",
             .window = "the transaction log refuses the writes of several takeovers",
             .scenario = "bugs/kafka-9666.yaml"},
    BugEntry{.name = "KAFKA-7519",
             .side = Side::cluster,
             .removes = kafka_7519,
             .claim = "after a failed write the id answers CONCURRENT_TRANSACTIONS for ever",
             .versions = "before 2.0.1",
             .window = "the transaction log refuses one write",
             .scenario = "bugs/kafka-7519.yaml"},
    BugEntry{.name = "KAFKA-9749",
             .side = Side::cluster,
             .removes = kafka_9749,
             .claim = "a marker that met a storage error is never sent again",
             .versions = "before 2.5.0",
             .window = "a partition answers a marker with a storage error",
             .scenario = "bugs/kafka-9749.yaml"},
    // Groups.
    BugEntry{.name = "KAFKA-9365",
             .side = Side::cluster,
             .removes = kafka_9365,
             .claim = "a zombie commits offsets of partitions it no longer owns",
             .versions = "before 2.5.0",
             .window = "a rebalance while the old owner stands between its output and its commit",
             .scenario = "txn/zombie-processor.yaml"},
    BugEntry{
        .name = "KAFKA-9346",
        .side = Side::cluster,
        .removes = kafka_9346,
        .claim = "a new owner starts at an offset that a pending transaction is about to change",
        .versions = "before 2.5.0",
        .window = "a rebalance between TxnOffsetCommit and the marker",
        .scenario = "bugs/kafka-9346.yaml"},
    BugEntry{.name = "KAFKA-5600",
             .side = Side::cluster,
             .removes = kafka_5600,
             .claim = "loading a group's offsets puts older ones over newer ones",
             .versions = "0.11.0.0",
             .window = "a coordinator is replaced when its log has several reads of offsets",
             .scenario = "bugs/kafka-5600.yaml"},
    BugEntry{.name = "KAFKA-13636",
             .side = Side::cluster,
             .removes = kafka_13636,
             .claim = "offsets expire while their group rebalances",
             .versions = "before 2.8.2 and 3.0.1",
             .window = "the expiry check runs while a group older than the retention rebalances",
             .scenario = "bugs/kafka-13636.yaml"},
    BugEntry{.name = "KAFKA-16371",
             .side = Side::cluster,
             .removes = kafka_16371,
             .claim = "an offset that was refused stays pending, nobody can read it any more",
             .versions = "before 3.7.1",
             .window = "one partition of a transactional commit has too much metadata",
             .scenario = "bugs/kafka-16371.yaml"},
    BugEntry{.name = "KAFKA-16147",
             .side = Side::cluster,
             .removes = kafka_16147,
             .claim = "a partition is assigned to two members at once (KIP-848)",
             .versions = "before 3.8.0",
             .window = "a partition is given back to the member that has not yet given it up",
             .scenario = "bugs/kafka-16147.yaml"},
    BugEntry{.name = "KAFKA-19233",
             .side = Side::cluster,
             .removes = kafka_19233,
             .claim = "a member that is to start over is refused until its session ends (KIP-848)",
             .versions = "before 4.2.0",
             .window = "the answers that carried two new member epochs are lost",
             .scenario = "bugs/kafka-19233.yaml"},
    BugEntry{.name = "KAFKA-8500",
             .side = Side::cluster,
             .removes = kafka_8500,
             .claim = "two instances with one static id both stay in the group",
             .versions = "2.3 development",
             .window = "a second process joins with the static id of a live one",
             .scenario = "bugs/kafka-8500.yaml"},
    // Clients.
    BugEntry{.name = "KAFKA-3197",
             .side = Side::client,
             .removes = kafka_3197,
             .claim = "a retry reorders a partition although max.in.flight is 1",
             .versions = "0.8.2 to 0.9",
             .window = "the leader changes while a batch waits for its retry",
             .scenario = "bugs/kafka-3197.yaml"},
    BugEntry{.name = "KAFKA-13598",
             .side = Side::client,
             .removes = kafka_13598,
             .claim = "idempotence is documented as default but not applied",
             .versions = "3.0.0, 3.1.0",
             .window = "an answer is lost and the producer relies on the default",
             .scenario = "bugs/kafka-13598.yaml"},
    BugEntry{.name = "KAFKA-13574",
             .side = Side::client,
             .removes = {},
             .claim = "an error of send() is taken for \"not written\", the record is sent again",
             .versions = "applications of any version",
             .window = "the answer is lost and no retry reaches a leader",
             .scenario = "bugs/kafka-13574.yaml",
             .mistake = "resend-unknown"},
    BugEntry{
        .name = "KAFKA-5385",
        .side = Side::client,
        .removes = kafka_5385,
        .claim = "an expired batch does not fail its transaction, the commit succeeds without it",
        .versions = "0.11.0.0 development",
        .window = "a batch expires in the accumulator, then the application commits",
        .scenario = "bugs/kafka-5385.yaml"},
    BugEntry{.name = "KAFKA-7747",
             .side = Side::client,
             .removes = kafka_7747,
             .claim = "a consumer does not notice that the log below its position was replaced",
             .versions = "before 2.3.0",
             .window = "an unclean election cuts below a position, then the log grows past it",
             .scenario = "bugs/kafka-7747.yaml"},
    BugEntry{.name = "KAFKA-9823",
             .side = Side::client,
             .removes = kafka_9823,
             .claim = "a late error about an old membership resets the member that has joined anew",
             .versions = "before 2.6.0",
             .window = "two requests of an expelled member are refused, the second answer comes "
                       "during the rejoin",
             .scenario = "bugs/kafka-9823.yaml"},
    BugEntry{
        .name = "KAFKA-16198",
        .side = Side::client,
        .removes = kafka_16198,
        .claim = "metadata that comes late drops the part of an assignment that was there first",
        .versions = "before 3.8.0, group.protocol=consumer",
        .window = "a member is assigned partitions of a topic its client has not heard of",
        .scenario = "bugs/kafka-16198.yaml"},
    // Other brokers that speak the protocol, retold on Kafka's roles.
    BugEntry{.name = "REDPANDA-3039",
             .side = Side::cluster,
             .removes = redpanda_3039,
             .claim = "a retried batch is refused as out of order, the client writes it again "
                      "under a new epoch",
             .versions = "Redpanda before 21.10.3",
             .window = "a batch is appended and its answer is lost",
             .scenario = "bugs/redpanda-3039.yaml"},
    BugEntry{.name = "PULSAR-5218",
             .side = Side::cluster,
             .removes = pulsar_5218,
             .claim = "a batch counts as known before it is stored, its retry is dropped",
             .versions = "Pulsar before the fix of 2019",
             .window = "the storage refuses a batch that it takes a moment later",
             .scenario = "bugs/pulsar-5218.yaml"},
    BugEntry{.name = "KOP-1283",
             .side = Side::cluster,
             .removes = kop_1283,
             .claim = "a read_committed consumer is given records of an open transaction",
             .versions = "Kafka-on-Pulsar 2.9.2",
             .window = "a consumer polls while a transaction is open",
             .scenario = "bugs/kop-1283.yaml"},
    BugEntry{.name = "REDPANDA-6018",
             .side = Side::cluster,
             .removes = redpanda_6018,
             .claim = "a coordinator forgets the start of a transaction, the rest of it commits",
             .versions = "Redpanda 22.1, 22.2",
             .window = "the coordinator dies between two enrolments of a transaction",
             .scenario = "bugs/redpanda-6018.yaml",
             .newest = TransactionVersion::tv1},
    BugEntry{
        .name = "REDPANDA-10669",
        .side = Side::cluster,
        .removes = redpanda_10669,
        .claim = "a group coordinator gives up pending offsets whose transaction then commits",
        .versions = "Redpanda development, May 2023",
        .window =
            "the group coordinator is replaced while offsets are pending, the commit comes later",
        .scenario = "bugs/redpanda-10669.yaml"},
};

}  // namespace

std::span<const BugEntry> bugs() { return bug_rows; }

const BugEntry* bug(std::string_view name) {
    const auto* found = std::find_if(bug_rows.begin(), bug_rows.end(),
                                     [&](const BugEntry& row) { return row.name == name; });
    return found == bug_rows.end() ? nullptr : found;
}

}  // namespace eos::model
