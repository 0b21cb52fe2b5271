#pragma once
// One batch on its way: filled by send(), closed when it is first drained, sent as often as needed,
// final exactly once (P15). Queues, requests and sequence tracking name it by number, so that a
// producer stays a copyable value.

#include <cstdint>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "model/ids.hpp"
#include "model/records.hpp"
#include "sim/slab.hpp"
#include "sim/time.hpp"

namespace eos::model {

using BatchId = sim::Ordinal<struct ProducerBatchTag, sim::Slot>;

/// Size of a record batch without records (REC-1).
inline constexpr std::int32_t batch_header_bytes = 61;

/// Who numbered a batch and from where (I4). A retry keeps all three.
struct Numbering {
    ProducerId producer_id;
    ProducerEpoch epoch;
    Sequence base;
    friend bool operator==(const Numbering&, const Numbering&) = default;
};

struct ProducerBatch {
    /// What send() must remember of each record to report its end.
    struct Send {
        std::int64_t order = 0;
        sim::Instant invoked_at{};
        std::int32_t bytes = 0;
        friend bool operator==(const Send&, const Send&) = default;
    };
    enum class State : std::uint8_t { pending, succeeded, failed, aborted };

    LogId log;
    std::optional<TxnRef> txn;           ///< ledger: the transaction that was open at send()
    State state = State::pending;
    bool closed = false;                 ///< accepts no record any more
    bool queued = false;                 ///< in its partition's queue
    bool on_wire = false;                ///< a request carrying it waits for its answer
    bool renumbered = false;             ///< since it was last drained ("sequence has been reset")
    bool maybe_appended = false;         ///< some attempt ended without telling
    sim::Instant timestamp{};            ///< greatest CreateTime of its records
    sim::Instant created{};              ///< what linger and delivery timeout count from (P9, P17)
    sim::Instant retry_at{};             ///< end of the backoff; meaningful if attempts > 0
    std::int32_t attempts = 0;           ///< retries so far
    std::int32_t sendings = 0;           ///< times it was handed to a connection
    std::int32_t leader_changed_at = 0;  ///< attempts when a newer leader epoch was seen (P9)
    std::optional<LeaderEpoch> leader_epoch;  ///< newest seen while it waited
    std::optional<Numbering> number;          ///< none: not drained yet, or not idempotent
    std::int32_t bytes = batch_header_bytes;
    std::int32_t capacity = 0;    ///< what it holds of buffer.memory (P5); 0: a piece of a split
    std::vector<Record> filling;  ///< records until it is closed
    std::vector<Send> sends;      ///< one per record
    Payload payload;              ///< records once it is closed

    [[nodiscard]] std::int32_t count() const { return static_cast<std::int32_t>(sends.size()); }
    [[nodiscard]] bool is_final() const { return state != State::pending; }
    [[nodiscard]] bool in_retry() const { return attempts > 0; }
    [[nodiscard]] const std::vector<Record>& records() const {
        return filling.empty() ? payload.records() : filling;
    }
    /// Takes no more records (P5, P6).
    [[nodiscard]] bool full() const { return closed || bytes >= capacity; }
    friend bool operator==(const ProducerBatch&, const ProducerBatch&) = default;
};

/// All batches of one producer that are not over yet.
class BatchStore {
  public:
    BatchId insert(ProducerBatch batch) { return {slab_.insert(std::move(batch))}; }
    void erase(BatchId id) { slab_.erase(id.value); }
    /// Valid until the next insert.
    [[nodiscard]] ProducerBatch& operator[](BatchId id) { return slab_[id.value]; }
    [[nodiscard]] const ProducerBatch& operator[](BatchId id) const { return slab_[id.value]; }
    [[nodiscard]] std::size_t size() const { return slab_.size(); }

    friend bool operator==(const BatchStore&, const BatchStore&) = default;
    [[nodiscard]] auto fields() const { return std::tie(slab_); }

  private:
    sim::Slab<ProducerBatch> slab_;
};

}  // namespace eos::model
