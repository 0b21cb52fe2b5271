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
    SafeguardEntry{generation_fencing, "generation-fencing", Side::cluster,
                   "offset commits of an older member generation are refused", "G14, G20"},
    SafeguardEntry{offsets_load_before_serving, "offsets-load-before-serving", Side::cluster,
                   "a group coordinator answers only after it has replayed its log", "G6"},
    SafeguardEntry{mute_partition_in_flight, "mute-partition-in-flight", Side::client,
                   "with one request in flight a partition has at most one batch on the wire",
                   "KAFKA-3197, P20"},
    SafeguardEntry{idempotence_by_default, "idempotence-by-default", Side::client,
                   "enable.idempotence is on unless switched off", "KAFKA-13598, I1"},
    SafeguardEntry{requeue_by_sequence, "requeue-by-sequence", Side::client,
                   "retried idempotent batches go back in order of their sequence", "P19"},
    SafeguardEntry{bump_after_expiry, "bump-after-expiry", Side::client,
                   "after an expired batch the producer takes a new epoch", "KIP-360, I14"},
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
