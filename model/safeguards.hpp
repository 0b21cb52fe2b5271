#pragma once
// What protects a delivery guarantee. A protocol version, a historical bug and a deliberate mutation
// are one kind of value: a set of safeguards. Removing one from the set switches a bug on; a removed
// safeguard whose condition held leaves the milestone safeguard.NAME (architecture.md 7).

#include <bitset>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <tuple>

namespace eos::model {

enum class Safeguard : std::uint8_t {
    // Cluster: replication and logs
    truncate_by_leader_epoch,      // KIP-101
    epoch_end_offset_with_epoch,   // KIP-279
    dedup_window,                  // KAFKA-5494
    sequence_check,                // KIP-98
    producer_epoch_fencing,        // KIP-98
    hw_needs_min_isr,              // KAFKA-15583 / KIP-966 part 1
    clean_election,                // unclean.leader.election.enable=false
    offset_not_available,          // KIP-207
    broker_epoch_in_isr,           // KIP-903
    watermark_bounds_fetch,        // consumers read below the high watermark only
    eligible_leader_replicas,      // KIP-966 part 2
    duplicate_answered,            // PST-14, REDPANDA-3039
    dedup_after_append,            // APP-11, PULSAR-5218
    // Cluster: transactions
    partition_verification,        // KIP-890 part 1, KAFKA-14402
    offsets_verification,          // KAFKA-15449
    verification_guard,            // KAFKA-14884
    coordinator_epoch_fencing,     // MRK-11, PST-20
    marker_epoch_above,            // KIP-1228, PSD-9
    marker_retry_accepted,         // KAFKA-19999
    stable_offset_bounds_fetch,    // FET-1, KOP-1283
    replicas_trust_the_leader,     // KAFKA-6003
    unknown_sequence_after_marker, // KAFKA-7298
    end_txn_epoch_equality,        // KAFKA-9600
    fence_on_timeout,              // KAFKA-6119
    fence_on_takeover,             // KAFKA-5231
    single_bump_on_fence,          // KAFKA-19367
    remembers_failed_fence,        // KAFKA-9666
    clears_pending_on_failure,     // KAFKA-7519
    pending_before_epoch,          // KAFKA-18464, PSD-4/5
    rotated_id_in_answer,          // KAFKA-18660
    resumes_prepared,              // KAFKA-5131
    retries_marker_storage_error,  // KAFKA-9749
    partition_logged_before_answer, // ADD-6, REDPANDA-6018
    replicated_tail_before_serving, // in no release: txn/uncommitted-tail
    // Cluster: groups
    txn_offset_generation_check,   // KIP-447, KAFKA-9365
    unstable_offset_commit,        // KIP-447, KAFKA-9346
    generation_fencing,            // G14
    offsets_load_before_serving,   // G6, KAFKA-8069 and kin
    load_folds_whole_log,          // KAFKA-5600
    pending_only_for_appended,     // KAFKA-16371
    pending_until_marker,          // OFF-7, REDPANDA-10669
    no_expiry_while_unstable,      // KAFKA-13636
    static_member_replaced,        // KAFKA-8500
    revoking_keeps_owner,          // KAFKA-16147
    fenced_member_rejoins,         // KAFKA-19233
    // Client: producer
    mute_partition_in_flight,      // KAFKA-3197
    idempotence_by_default,        // KAFKA-13598
    requeue_by_sequence,           // P19
    bump_after_expiry,             // KIP-360, I13/I14
    failed_batch_aborts,           // KAFKA-5385
    flush_before_end,              // T7
    // Client: consumer
    aborted_filter,                // C15, KIP-98
    position_validation,           // KIP-320, KAFKA-7747
    errors_of_own_generation,      // KAFKA-9823
    reconcile_full_target,         // KAFKA-16198
};
inline constexpr std::size_t safeguard_count = 55;

/// A value: no globals, no build flags; one binary runs the right and the wrong system.
class SafeguardSet {
  public:
    [[nodiscard]] static SafeguardSet all() {
        SafeguardSet result;
        result.bits_.set();
        return result;
    }
    [[nodiscard]] bool has(Safeguard s) const { return bits_.test(static_cast<std::size_t>(s)); }
    void add(Safeguard s) { bits_.set(static_cast<std::size_t>(s)); }
    void remove(Safeguard s) { bits_.reset(static_cast<std::size_t>(s)); }
    [[nodiscard]] std::uint64_t bits() const { return bits_.to_ullong(); }
    friend bool operator==(const SafeguardSet&, const SafeguardSet&) = default;
    [[nodiscard]] auto fields() const { return std::tie(bits_); }

  private:
    std::bitset<safeguard_count> bits_;
};

enum class Side : std::uint8_t { cluster, client };

struct SafeguardEntry {
    Safeguard safeguard;
    std::string_view name;    ///< as scenarios write it: "truncate-by-leader-epoch"
    Side side;                ///< cluster.without or apps.NAME.without
    std::string_view claim;   ///< one sentence: what it prevents
    std::string_view source;  ///< KIP, ticket or rule
};

[[nodiscard]] std::span<const SafeguardEntry> safeguards();
[[nodiscard]] const SafeguardEntry& entry(Safeguard s);
[[nodiscard]] std::optional<Safeguard> safeguard(std::string_view name);

/// Asks whether a safeguard acts. The condition is always evaluated; if the safeguard was removed
/// and its condition held, `spared` counts it so that the role can reach safeguard.NAME.
struct Guard {
    SafeguardSet set = SafeguardSet::all();
    SafeguardSet spared = {};  ///< removed safeguards whose condition held since the last take()

    [[nodiscard]] bool trips(Safeguard s, bool condition) {
        if (!condition) return false;
        if (set.has(s)) return true;
        spared.add(s);
        return false;
    }
    friend bool operator==(const Guard&, const Guard&) = default;
};

}  // namespace eos::model
