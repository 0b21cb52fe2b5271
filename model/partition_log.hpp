#pragma once
// One replica's log of one partition (Kafka: UnifiedLog): batches, leader-epoch cache, producer
// state, watermarks, and what of it is on the platter. Owned by the broker as a value; leader or
// follower logic works on it from outside (leader_partition.hpp, replica_fetcher.hpp). It does not
// speak to the history or the world: callers observe what the results tell.

#include <cstdint>
#include <optional>
#include <span>
#include <tuple>
#include <vector>

#include "model/aborted_index.hpp"
#include "model/config.hpp"
#include "model/error_codes.hpp"
#include "model/leader_epochs.hpp"
#include "model/producer_state.hpp"
#include "model/records.hpp"
#include "model/safeguards.hpp"
#include "sim/effects.hpp"
#include "sim/memo.hpp"
#include "sim/persistent_vector.hpp"

namespace eos::model {

/// Bits of sim::Loss::files: which files of a broker lose what a power loss can take from them.
enum class DiskFiles : std::uint32_t {
    log = 1,          ///< batches that were not flushed
    snapshots = 2,    ///< producer snapshots that were not flushed (DUR-5)
    indexes = 4,      ///< transaction indexes; rebuilt from the log by recovery
    checkpoints = 8,  ///< lost only if named: watermark, recovery point, log start, leader epochs
};

/// Settings of a log; the same for all partitions of a cluster.
struct LogRules {
    ProducerRules producers;
    std::int32_t segment_batches = 0;  ///< batches per segment; 0: segments unbounded
    bool flush_every_write = false;
    friend bool operator==(const LogRules&, const LogRules&) = default;
};
[[nodiscard]] LogRules log_rules(const ClusterConfig& config);

/// Up to where a reader may see (FET-1).
enum class ReadBound : std::uint8_t { log_end, high_watermark, last_stable };

struct ReadResult {
    ErrorCode error = ErrorCode::none;                ///< OFFSET_OUT_OF_RANGE or none (FET-2)
    std::vector<Batch> batches;                       ///< whole batches of one segment (FET-3)
    std::optional<std::vector<AbortedTxn>> aborted;   ///< only with last_stable (FET-5)
};

struct AppendResult {
    ErrorCode error = ErrorCode::none;
    Offset base = {};                        ///< of the original if a duplicate (PST-14)
    Offset last = {};
    bool duplicate = false;                  ///< nothing was appended
    bool rolled = false;                     ///< a segment began, even if the append then failed
    std::optional<CompletedTxn> completed = {};  ///< by a marker
};

class PartitionLog {
  public:
    using Batches = sim::PersistentVector<Batch>;
    struct Segment {
        Offset base;
        AbortedIndex aborted;
        friend bool operator==(const Segment&, const Segment&) = default;
    };
    /// The checkpoint files of a broker, this partition's line in each (DUR-2).
    struct Checkpoint {
        Offset high_watermark;
        Offset recovery_point;
        Offset log_start;
        friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
    };

    explicit PartitionLog(LogRules rules = {}, Offset log_start = {});

    // --- append ---
    /// Appends one batch of a client or coordinator at the log end and stamps it with the leader's
    /// epoch (REC-8). Order of checks APP-8..12; a refused batch changes no producer state. Raises
    /// INVALID_RECORD, KAFKA_STORAGE_ERROR and what ProducerAppend::append raises.
    [[nodiscard]] AppendResult append_as_leader(Batch batch, LeaderEpoch epoch, const AppendAs& as,
                                                Guard& guard);
    /// PULSAR-5218: counts a batch that was refused as if it stood at the log end, so that its
    /// retry is taken for a duplicate. Only for a leader without the safeguard dedup_after_append.
    void count_unwritten(Batch batch, const AppendAs& as, Guard& guard);
    /// Appends a batch as fetched, at its own offset, which must be the log end (an empty log may
    /// start inside a batch); UNKNOWN_SERVER_ERROR otherwise, and the partition has failed (TRN-9).
    [[nodiscard]] AppendResult append_as_follower(const Batch& batch, sim::Instant wall,
                                                  Guard& guard);
    /// A leader's reign begins at the log end (LEP-4, ELE-1).
    void begin_epoch(LeaderEpoch epoch);

    // --- read ---
    [[nodiscard]] ReadResult read(Offset offset, ReadBound bound, std::int64_t max_bytes) const;
    /// As read with ReadBound::high_watermark and last_stable. Safeguards watermark_bounds_fetch and
    /// stable_offset_bounds_fetch: without them a consumer is given records above the bound.
    [[nodiscard]] ReadResult read_for_consumer(Offset offset, Isolation isolation,
                                               std::int64_t max_bytes, Guard& guard) const;
    /// LEP-2 with this log's end.
    [[nodiscard]] EpochEnd end_of_epoch(LeaderEpoch epoch) const;

    // --- watermark (LSO-6) ---
    /// Sets it, bounded to [log start, log end]; it may go down. Returns the new one.
    Offset set_high_watermark(Offset offset);
    /// A follower learns the leader's; returns the new watermark if it changed (LSO-10).
    std::optional<Offset> follow_high_watermark(Offset leader);
    /// A leader raises its own; it never goes down. True if it moved.
    bool raise_high_watermark(Offset candidate);

    // --- cut ---
    /// TRN-8. True if data was removed.
    bool truncate_to(Offset offset, sim::Instant wall);
    /// Drops everything; the log begins again at `offset` (PSX-10), its start may be lower.
    void truncate_fully(Offset offset, sim::Instant wall,
                        std::optional<Offset> log_start = std::nullopt);
    /// DeleteRecords: moves the log start up; OFFSET_OUT_OF_RANGE above the watermark (LSO-5).
    /// Producers are remembered (KIP-360); without safeguard unknown_sequence_after_marker those
    /// are forgotten whose records are all gone.
    [[nodiscard]] ErrorCode delete_records(Offset offset, Guard& guard);
    /// Drops segments that lie wholly below the log start, and their snapshots.
    void delete_old_segments();
    /// Begins a new segment at the log end and snapshots the producers; false if it is empty.
    bool roll();

    // --- producers ---
    /// Whether this producer is known here by a newer epoch.
    [[nodiscard]] bool fences(ProducerId producer_id, ProducerEpoch epoch) const;
    /// Begins or goes on verifying a transaction before its first append here; none if it is open
    /// already and needs no verification (VER-2, VER-3).
    std::optional<VerificationEntry> start_verification(ProducerId producer_id,
                                                        ProducerEpoch epoch, Sequence sequence,
                                                        sim::Instant wall);
    std::vector<ProducerId> expire_producers(sim::Instant wall) { return producers_.expire(wall); }
    /// Other settings of the producer table from now on (a dynamic broker configuration).
    void set_producer_rules(const ProducerRules& rules) {
        rules_.producers = rules;
        producers_.set_rules(rules);
    }
    /// Snapshots the producer state now; true if a file was written.
    bool take_snapshot() { return producers_.take_snapshot(!disk_lies_); }

    // --- disk (DUR) ---
    /// Everything below the log end reaches the platter, or so the disk says (set_disk_lies).
    void flush() { flush_to(log_end()); }
    /// From now on the disk says yes to every fsync and does nothing; false: it is honest again,
    /// and the next fsync brings up what it had kept to itself. Simplified: checkpoint and leader
    /// epoch files, and the controller's metadata, reach the platter all the same.
    void set_disk_lies(bool lies) { disk_lies_ = lies; }
    void flush_to(Offset offset);
    void checkpoint_high_watermark() { checkpoint_.high_watermark = high_watermark_; }
    /// Recovery point (what is flushed) and log start.
    void checkpoint_offsets();
    /// A graceful stop: flush, snapshot, recovery point and log start, clean marker (DUR-3). The
    /// watermark is checkpointed by its own call, as in Kafka.
    void close();
    /// What the disk of a stopped or crashed broker gives back: a process crash keeps all that was
    /// written, a power loss cuts the log to what was flushed; without a clean marker segments
    /// behind the recovery point are scanned again. The watermark is the checkpointed one.
    /// A torn batch fails its checksum, so recovery cuts it off: `torn` leaves the same log.
    [[nodiscard]] PartitionLog recover(const sim::Loss& loss, sim::Instant wall) &&;
    /// The next write to a transaction index fails: the directory goes offline (LSO-12).
    void fail_next_index_write() { index_write_fails_ = true; }
    [[nodiscard]] bool offline() const { return offline_; }

    // --- what is known ---
    [[nodiscard]] Offset log_start() const { return log_start_; }
    [[nodiscard]] Offset log_end() const { return log_end_; }
    [[nodiscard]] Offset high_watermark() const { return high_watermark_; }
    /// LSO-3.
    [[nodiscard]] Offset last_stable_offset() const;
    /// LSO-1 and LSO-2.
    [[nodiscard]] std::optional<Offset> first_unstable() const;
    /// What the broker believes to be on the platter; more than stored() if the disk lies.
    [[nodiscard]] Offset flushed() const { return flushed_; }
    /// What a power loss leaves.
    [[nodiscard]] Offset stored() const { return stored_; }
    [[nodiscard]] const Checkpoint& checkpoint() const { return checkpoint_; }
    [[nodiscard]] const Batches& batches() const { return batches_; }
    [[nodiscard]] const std::vector<Segment>& segments() const { return segments_; }
    [[nodiscard]] const LeaderEpochs& epochs() const { return epochs_; }
    [[nodiscard]] const ProducerState& producers() const { return producers_; }
    [[nodiscard]] ProducerState& producers() { return producers_; }
    [[nodiscard]] std::vector<AbortedTxn> aborted_index() const;
    [[nodiscard]] const LogRules& rules() const { return rules_; }

    friend bool operator==(const PartitionLog&, const PartitionLog&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(batches_, segments_, epochs_, producers_, log_start_, log_end_,
                        high_watermark_, flushed_, stored_, checkpoint_, disk_lies_,
                        closed_cleanly_, offline_, index_write_fails_);
    }

  private:
    /// What reading the active segment from nothing has come to, up to `end`.
    struct Scan {
        Offset from;
        Offset end;
        Offset log_start;
        ProducerState producers;
        AbortedIndex aborted;
    };

    [[nodiscard]] std::size_t batch_at(Offset offset) const;  // first that ends behind offset
    [[nodiscard]] std::size_t segment_at(Offset offset) const;
    [[nodiscard]] ErrorCode apply_producers(const Batch& batch, const AppendAs& as, Guard& guard,
                                            std::optional<ProducerAppend>& prepared);
    [[nodiscard]] ErrorCode check_transaction(const Batch& batch, const AppendAs& as,
                                              Guard& guard) const;
    [[nodiscard]] AppendResult write(Batch batch, std::optional<ProducerAppend> prepared);
    [[nodiscard]] bool roll_if_full();
    [[nodiscard]] ReadResult read_up_to(Offset offset, Offset end, ReadBound bound,
                                        std::int64_t max_bytes) const;
    void drop_batches_from(Offset offset);
    void bound_high_watermark();
    void rebuild_producers(Offset end, sim::Instant wall, bool clean);
    void replay(const Batch& batch);
    void snapshot_producers();
    void recover_segments(sim::Instant wall);
    [[nodiscard]] Offset resume_scan(Segment& segment);
    void scan_segment(Segment& segment, Offset end);

    LogRules rules_;
    Batches batches_;
    std::vector<Segment> segments_;  // never empty; the last one is active
    LeaderEpochs epochs_;
    ProducerState producers_;
    Offset log_start_;
    Offset log_end_;
    Offset high_watermark_;
    Offset flushed_;                 // everything below was flushed
    Offset stored_;                  // everything below is on the platter
    Checkpoint checkpoint_;
    bool disk_lies_ = false;
    bool closed_cleanly_ = false;
    bool offline_ = false;
    bool index_write_fails_ = false;
    sim::Memo<Scan> scanned_;        // so that the cost of a crash does not grow with the log
};

}  // namespace eos::model
