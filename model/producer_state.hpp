#pragma once
// What one partition knows of its producers (Kafka: ProducerStateManager): per producer id epoch,
// the newest batches (for deduplication) and the open transaction, and the snapshots of all that.
// A value owned by PartitionLog. Rules PST, PSX, VER of the broker document.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/records.hpp"
#include "model/safeguards.hpp"
#include "sim/time.hpp"

namespace eos::model {

/// Who appends (Kafka: AppendOrigin). Followers replicate and check nothing (PST-23).
enum class AppendOrigin : std::uint8_t { client, coordinator, replication };

/// Identity of one verification of one transaction (VER-2): equal means "the same one".
using VerificationGuard = sim::Ordinal<struct VerificationGuardTag, std::int64_t>;

/// How a batch is presented to the leader's log.
struct AppendAs {
    AppendOrigin origin = AppendOrigin::client;
    std::optional<VerificationGuard> verified = {};  ///< what verification handed out (VER-9)
    bool transaction_v2 = false;                     ///< the producer speaks KIP-890 part 2
};

/// Settings of the table; the same for all partitions of a cluster.
struct ProducerRules {
    std::int32_t dedup_batches = 5;                              ///< PST-1
    std::int32_t max_sequence = Sequence::greatest;              ///< the number after it is 0
    sim::Duration expiration = sim::milliseconds(86'400'000);    ///< producer.id.expiration.ms
    sim::Duration max_txn_timeout = sim::milliseconds(900'000);  ///< transaction.max.timeout.ms
    sim::Duration late_buffer = sim::milliseconds(300'000);      ///< PST-26
    bool verification = false;          ///< VER-9: no append without open or verified transaction
    bool strict_first_sequence = false; ///< PSD-12, KAFKA-18202: a v2 producer starts at 0
    bool strict_marker_epoch = false;   ///< PSD-9, KAFKA-19446: a v2 marker has a newer epoch
    friend bool operator==(const ProducerRules&, const ProducerRules&) = default;
};

/// One of the newest batches of a producer (PST-1).
struct BatchMetadata {
    std::optional<Sequence> last_sequence;  ///< none: a coordinator's record
    Offset last_offset;
    std::int32_t offset_delta = 0;
    sim::Instant timestamp{};
    [[nodiscard]] Offset first_offset() const { return last_offset - offset_delta; }
    [[nodiscard]] std::optional<Sequence> first_sequence() const;
    friend bool operator==(const BatchMetadata&, const BatchMetadata&) = default;
};

struct ProducerEntry {
    ProducerEpoch epoch{-1};                  ///< -1: created empty, nothing known (PST-7)
    CoordinatorEpoch coordinator_epoch{-1};
    sim::Instant last_timestamp{sim::milliseconds(-1)};
    std::optional<Offset> txn_first;          ///< first offset of the open transaction
    std::vector<BatchMetadata> batches;       ///< oldest first
    [[nodiscard]] std::optional<Sequence> last_sequence() const;
    friend bool operator==(const ProducerEntry&, const ProducerEntry&) = default;
};

/// A transaction that a marker has ended (PST-21).
struct CompletedTxn {
    ProducerId producer_id;
    Offset first;
    Offset last;  ///< offset of the marker
    bool aborted = false;
    friend bool operator==(const CompletedTxn&, const CompletedTxn&) = default;
};

/// A verification under way or done, not yet used by an append (VER-2).
struct VerificationEntry {
    VerificationGuard guard;
    Sequence lowest;
    ProducerEpoch epoch;
    sim::Instant created{};
    friend bool operator==(const VerificationEntry&, const VerificationEntry&) = default;
};

/// A batch checked against a copy of its producer's entry (Kafka: ProducerAppendInfo, APP-11). Made
/// by ProducerState::prepare, put in force by ProducerState::update once the bytes are in the log.
class ProducerAppend {
  public:
    /// Checks and applies a batch of this producer to the copy, data or marker; on an error the
    /// copy must be thrown away. Raises INVALID_PRODUCER_EPOCH, OUT_OF_ORDER_SEQUENCE_NUMBER,
    /// INVALID_TXN_STATE, TRANSACTION_COORDINATOR_FENCED (PST-8..15, PST-19..27).
    [[nodiscard]] ErrorCode append(const Batch& batch, const AppendAs& as, Guard& guard);
    /// The transaction ended by the marker just applied, if one was open.
    [[nodiscard]] const std::optional<CompletedTxn>& completed() const { return completed_; }

  private:
    friend class ProducerState;
    [[nodiscard]] ErrorCode append_data(const Batch& batch, const AppendAs& as, Guard& guard);
    [[nodiscard]] ErrorCode append_marker(const Batch& batch, const AppendAs& as, Guard& guard);
    [[nodiscard]] ErrorCode check_marker_epoch(const Batch& batch, const AppendAs& as,
                                               Guard& guard) const;
    [[nodiscard]] ErrorCode check_sequence(const Batch& batch, const AppendAs& as) const;
    void take_epoch(ProducerEpoch epoch);

    ProducerId producer_id_;
    ProducerRules rules_;
    ProducerEntry before_;                            // as stored
    ProducerEntry entry_;                             // as it will be
    std::optional<VerificationEntry> verification_;
    std::vector<Offset> opened_;                      // transactions begun by this append
    std::optional<CompletedTxn> completed_;
};

class ProducerState {
  public:
    /// What a snapshot file keeps of a producer: only its newest batch (PSX-5).
    struct SnapshotEntry {
        ProducerId producer_id;
        ProducerEntry entry;
        friend bool operator==(const SnapshotEntry&, const SnapshotEntry&) = default;
    };
    struct Snapshot {
        Offset offset;         ///< map end when it was taken; its file name
        bool flushed = true;   ///< survives a power loss
        bool corrupt = false;  ///< found out, and deleted, when loaded
        std::vector<SnapshotEntry> entries;
        friend bool operator==(const Snapshot&, const Snapshot&) = default;
    };

    explicit ProducerState(ProducerRules rules = {}, Offset log_start = {})
        : rules_(rules), map_end_(log_start), last_snapshot_(log_start) {}
    /// What a restart finds: the snapshot files, nothing loaded (PSX-13).
    [[nodiscard]] ProducerState reopened(Offset log_start) const;
    /// Knows what `other` knows of producers and transactions; the snapshots stay.
    void take_over(const ProducerState& other);

    // --- appends ---
    /// The cached batch this one repeats, if any (PST-14); safeguards duplicate_answered: without
    /// it nothing is recognised; dedup_window: without it only the newest batch is remembered.
    [[nodiscard]] const BatchMetadata* find_duplicate(const Batch& batch, Guard& guard) const;
    [[nodiscard]] ProducerAppend prepare(ProducerId producer_id) const;
    void update(const ProducerAppend& append);
    /// Moves a transaction from ongoing to unreplicated (LSO-4).
    void complete(const CompletedTxn& txn);
    /// The last stable offset once `txn` is complete, for the aborted index (LSO-11).
    [[nodiscard]] Offset last_stable_offset(const CompletedTxn& txn) const;
    void set_map_end(Offset offset) { map_end_ = offset; }

    // --- verification (VER) ---
    VerificationEntry start_verification(ProducerId producer_id, ProducerEpoch epoch,
                                         Sequence sequence, sim::Instant now);
    void clear_verification(ProducerId producer_id) { verifications_.erase(producer_id); }
    [[nodiscard]] const VerificationEntry* verification(ProducerId producer_id) const;

    // --- time and watermark ---
    /// Drops idle producers without an open transaction and old verifications (PSX-1); returns
    /// the dropped producer ids.
    std::vector<ProducerId> expire(sim::Instant wall);
    void on_high_watermark(Offset high_watermark);
    void on_log_start(Offset log_start);
    /// Producers whose every record lies below `log_start` (before KIP-360 they were forgotten).
    [[nodiscard]] bool knows_below(Offset log_start) const;
    void forget_below(Offset log_start);
    /// Whether the oldest open transaction is overdue (PST-26, a metric).
    [[nodiscard]] bool has_late_transaction(sim::Instant wall) const;

    // --- snapshots (PSX-5..12) ---
    /// Writes a snapshot at the map end unless one is there; true if written. `synced` false: as at
    /// a segment roll, written first and flushed in the background (DUR-5).
    bool take_snapshot(bool synced = true);
    /// Back to the newest usable snapshot at or below `log_end`; the caller replays on (PSX-7).
    void truncate_and_reload(Offset log_start, Offset log_end, sim::Instant wall);
    void truncate_fully(Offset start);
    void delete_snapshots_before(Offset offset);
    void remove_stray_snapshots(std::span<const Offset> segment_bases);
    void corrupt_snapshot(Offset offset);
    /// Snapshots at or below `offset` have reached the platter.
    void mark_snapshots_flushed(Offset offset);
    /// A power loss: snapshots that have not reached the platter are gone.
    void drop_unflushed_snapshots();
    void drop_all_snapshots() { snapshots_.clear(); }

    // --- what is known ---
    [[nodiscard]] const ProducerEntry* find(ProducerId producer_id) const;
    [[nodiscard]] const std::map<ProducerId, ProducerEntry>& producers() const {
        return producers_;
    }
    /// A transaction of this very epoch: a bumped producer enrols again (PSD-1).
    [[nodiscard]] bool has_ongoing_transaction(ProducerId producer_id, ProducerEpoch epoch) const;
    [[nodiscard]] std::int32_t open_transactions() const {
        return static_cast<std::int32_t>(ongoing_.size());
    }
    /// Whose transaction has been open for longest.
    [[nodiscard]] std::optional<ProducerId> oldest_in_transaction() const;
    /// First offset that is not decided or whose decision is not replicated (LSO-1).
    [[nodiscard]] std::optional<Offset> first_unstable() const;
    /// First offset of the oldest open transaction.
    [[nodiscard]] std::optional<Offset> first_undecided() const;
    [[nodiscard]] Offset map_end() const { return map_end_; }
    [[nodiscard]] bool empty() const { return producers_.empty() && unreplicated_.empty(); }
    [[nodiscard]] const std::vector<Snapshot>& snapshots() const { return snapshots_; }
    [[nodiscard]] const ProducerRules& rules() const { return rules_; }
    void set_rules(const ProducerRules& rules) { rules_ = rules; }

    friend bool operator==(const ProducerState&, const ProducerState&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(producers_, ongoing_, unreplicated_, verifications_, snapshots_, map_end_,
                        last_snapshot_, next_guard_);
    }

  private:
    void load_snapshot(Offset log_start, sim::Instant wall);
    [[nodiscard]] bool expired(const ProducerEntry& entry, sim::Instant wall) const;

    ProducerRules rules_;
    std::map<ProducerId, ProducerEntry> producers_;
    std::map<Offset, ProducerId> ongoing_;         // open transactions by first offset
    std::map<Offset, CompletedTxn> unreplicated_;  // ended, the marker not yet below the watermark
    std::map<ProducerId, VerificationEntry> verifications_;
    std::vector<Snapshot> snapshots_;              // by offset
    Offset map_end_;
    Offset last_snapshot_;
    VerificationGuard next_guard_{1};
};

}  // namespace eos::model
