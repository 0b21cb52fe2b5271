#pragma once
// The waiting room of a producer: a queue of batches per partition, filled by send() and drained by
// the sender (P5-P9). Knows time, leaders and memory; asks the Sequences whether a partition may be
// drained and where a retried batch belongs, and knows nothing of answers.

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include <boost/container/small_vector.hpp>

#include "model/client_metadata.hpp"
#include "model/config.hpp"
#include "model/producer_batch.hpp"
#include "model/sequences.hpp"

namespace eos::model {

class RecordAccumulator {
  public:
    struct Partition {
        LogId log;
        std::vector<BatchId> queue;  ///< head first; only the tail accepts records
        std::vector<BatchId> wire;   ///< sent and not answered, in order of sending
        friend bool operator==(const Partition&, const Partition&) = default;
    };
    /// What one look at the queues found.
    struct Readiness {
        std::vector<BrokerId> nodes;     ///< lead a partition that is ready, ascending
        bool unknown_leader = false;     ///< data waits for a partition without known leader
        Instant next = sim::time_never;  ///< when a linger or backoff ends that is still running
    };

    /// What else decides whether a partition may be drained; lent for one call.
    struct Rules {
        const Sequences* sequences = nullptr;  ///< null: not idempotent
        /// Sorted: only these may be drained, they are part of the transaction. Null: all may.
        const std::vector<LogId>* enrolled = nullptr;
        bool one_in_flight = false;            ///< max.in.flight = 1 mutes partitions (P20)
        Guard& guard;
    };
    using Drained = boost::container::small_vector<BatchId, 8>;

    explicit RecordAccumulator(std::int64_t memory) : memory_free_(memory) {}

    // --- filling ---------------------------------------------------------------------------------
    /// Appends to the tail batch or opens a new one. False: buffer.memory has no room for it.
    /// A batch belongs to one transaction (only without flush_before_end can the tail be older).
    [[nodiscard]] bool append(BatchStore& batches, const Context& ctx, LogId log,
                              const Record& record, std::int64_t order, std::int32_t bytes,
                              std::int32_t batch_size, std::optional<TxnRef> txn = std::nullopt);
    /// Puts a finished batch behind the others, whatever memory is left.
    void append_batch(BatchStore& batches, ProducerBatch batch);
    /// Whether the tail batch of a partition takes no more records, or there is none.
    [[nodiscard]] bool last_batch_full(const BatchStore& batches, LogId log) const;
    [[nodiscard]] std::int64_t memory_free() const { return memory_free_; }

    // --- draining --------------------------------------------------------------------------------
    /// Which nodes can be sent something (P6). `hurry`: linger does not count (flush, close,
    /// somebody waits for memory).
    [[nodiscard]] Readiness ready(BatchStore& batches, const ClientMetadata& metadata, Instant now,
                                  Duration linger, bool hurry, bool one_in_flight,
                                  const SafeguardSet& safeguards) const;
    /// Takes at most one batch per partition of a node, round robin from where it stopped last
    /// time, up to max.request.size (P7).
    [[nodiscard]] Drained drain(BatchStore& batches, const ClientMetadata& metadata, BrokerId node,
                                Instant now, std::int32_t max_request_size, Rules rules);

    // --- going back and leaving ------------------------------------------------------------------
    /// P18: in front of all others, whatever is there.
    void put_front(BatchStore& batches, BatchId id);
    /// P19: behind the batches that were numbered before it.
    void put_in_order(BatchStore& batches, BatchId id, const Sequences& sequences, Guard& guard);
    /// A drained batch waits for an answer; it was answered.
    void sent(BatchStore& batches, BatchId id);
    void answered(BatchStore& batches, BatchId id);
    /// Takes a batch out of its queue.
    void remove(BatchStore& batches, BatchId id);
    /// Gives memory back: the batch is final and no request holds it any more (KAFKA-19012).
    void release(std::int32_t capacity) { memory_free_ += capacity; }

    [[nodiscard]] const std::vector<Partition>& partitions() const { return partitions_; }
    [[nodiscard]] const Partition* find(LogId log) const;

    friend bool operator==(const RecordAccumulator&, const RecordAccumulator&) = default;
    [[nodiscard]] auto fields() const { return std::tie(partitions_, drain_from_, memory_free_); }

  private:
    struct DrainIndex {
        BrokerId node;
        LogId last;  ///< looked at last: the next round begins with it
        friend bool operator==(const DrainIndex&, const DrainIndex&) = default;
    };
    Partition& at(LogId log);
    [[nodiscard]] bool may_take(const BatchStore& batches, const Partition& partition,
                                const Rules& rules) const;
    DrainIndex& drain_from(BrokerId node);

    std::vector<Partition> partitions_;  ///< sorted by log
    std::vector<DrainIndex> drain_from_;
    std::int64_t memory_free_;
};

}  // namespace eos::model
