#pragma once
// The numbering of an idempotent or transactional producer (I2-I15, KIP-98, KIP-360): its id and
// epoch, and per partition the next sequence, what was acknowledged last, which batches are not
// final, and whether an expired batch left the numbering unresolved. A set of rules, no I/O: the
// sender asks and tells.

#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "model/config.hpp"
#include "model/producer_batch.hpp"

namespace eos::model {

class Sequences {
  public:
    struct Identity {
        ProducerId producer_id;
        ProducerEpoch epoch;
        friend bool operator==(const Identity&, const Identity&) = default;
    };
    /// Per partition (I3).
    struct Entry {
        LogId log;
        std::optional<Identity> identity;  ///< in use for this partition; may be stale
        Sequence next;
        std::optional<Sequence> acked;  ///< greatest acknowledged
        std::optional<Offset> acked_offset;
        std::optional<Sequence> unresolved;  ///< expected after the expired batch (I13)
        bool rewrite = false;                ///< asked for the epoch bump (I15)
        std::vector<BatchId> in_flight;      ///< numbered and not final, in order of numbering
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    struct Limits {
        ProducerEpoch epoch{32767};
        std::int32_t sequence = Sequence::greatest;
        friend bool operator==(const Limits&, const Limits&) = default;
    };

    /// `transactional`: a hole ends the transaction, never the epoch by itself (I8, I10, I11, I14).
    explicit Sequences(const Limits& limits, bool transactional = false)
        : limits_(limits), transactional_(transactional) {}

    // --- identity --------------------------------------------------------------------------------
    [[nodiscard]] const std::optional<Identity>& identity() const { return identity_; }
    void set_identity(BatchStore& batches, const Identity& identity);
    /// T13, T15: a new epoch between two transactions. Every partition starts at 0 again.
    void begin_anew(const Identity& identity);
    [[nodiscard]] bool bump_required() const { return bump_required_; }
    /// I15: epoch + 1 without any RPC, or, at the greatest epoch, no identity until InitProducerId
    /// ran again. The partitions that asked for it restart at 0, their batches renumbered.
    /// Simplified: with the identity gone they are renumbered when the new one arrives, not under
    /// the invalid id in between.
    void bump(BatchStore& batches);

    // --- draining --------------------------------------------------------------------------------
    /// I5: whether this head batch of its partition may be drained now.
    [[nodiscard]] bool may_drain(const ProducerBatch& head, BatchId id) const;
    /// I4: numbers a batch that has no number.
    void number(BatchStore& batches, BatchId id);
    /// Whether `other` stands before `id` in its partition's numbering (P19).
    [[nodiscard]] bool before(LogId log, BatchId other, BatchId id) const;

    // --- answers ---------------------------------------------------------------------------------
    /// I12. Also for a success that comes after the batch expired.
    void succeeded(const ProducerBatch& batch, BatchId id, std::optional<Offset> base);
    /// I6-I10: whether the batch is retried. May ask for an epoch bump, or, in a transaction whose
    /// producer retention made the broker forget, renumber the partition's batches.
    [[nodiscard]] bool retry(BatchStore& batches, BatchId id, ErrorCode error,
                             std::optional<Offset> log_start);
    /// The batch failed for good. `certain`: it was refused, not given up; the hole that it leaves
    /// in the numbering takes an epoch bump; in a transaction those behind it close it (I11).
    void failed(BatchStore& batches, BatchId id, ErrorCode error, bool certain);
    /// I13: a batch that had been retried expired; nothing new of its partition is drained until
    /// resolve() finds out more.
    void unresolved(const ProducerBatch& batch);
    /// I14, once per sender loop. True if anything was resolved. `guard` is asked for
    /// bump_after_expiry: without it the numbering goes on under the old epoch where the last
    /// acknowledgement left it, as if the expired batch had certainly not been appended.
    bool resolve(Guard& guard);
    /// Whether resolve() met a hole that only the end of the transaction can heal; once.
    [[nodiscard]] bool take_gap() { return std::exchange(gap_, false); }
    /// Replaces a batch by its pieces at the same place of the numbering (P21).
    void split(BatchStore& batches, BatchId whole, const std::vector<BatchId>& pieces);
    /// The batch is dropped without a verdict.
    void forget(const ProducerBatch& batch, BatchId id);

    /// Starts a partition at a number other than 0: a producer that has been at work for long.
    void place(LogId log, Sequence next);
    [[nodiscard]] const Entry* find(LogId log) const;
    [[nodiscard]] const std::vector<Entry>& entries() const { return entries_; }
    /// Whether the partition still uses an older identity than the producer.
    [[nodiscard]] bool stale(const Entry& entry) const { return entry.identity != identity_; }

    friend bool operator==(const Sequences&, const Sequences&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(identity_, entries_, bump_required_, gap_, limits_, transactional_);
    }

  private:
    Entry& at(LogId log);
    void request_bump(Entry& entry);
    void restart(BatchStore& batches, Entry& entry);
    [[nodiscard]] Sequence plus(Sequence sequence, std::int32_t n) const;
    /// How far `to` lies behind `from` on the circle of numbers.
    [[nodiscard]] std::int64_t distance(Sequence from, Sequence to) const;
    [[nodiscard]] bool is_next(const Entry& entry, Sequence sequence) const;
    [[nodiscard]] bool retry_in_transaction(BatchStore& batches, BatchId id, ErrorCode error,
                                            std::optional<Offset> log_start);
    /// I11: everything numbered from this place on moves down by `count`.
    void close_hole(BatchStore& batches, Entry& entry, std::size_t place, std::int32_t count) const;

    std::optional<Identity> identity_;
    std::vector<Entry> entries_;  ///< sorted by log
    bool bump_required_ = false;
    bool gap_ = false;
    Limits limits_;
    bool transactional_;
};

}  // namespace eos::model
