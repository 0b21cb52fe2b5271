#pragma once
// What the coordinator knows of one transactional id, and its legal transitions (Kafka:
// TransactionMetadata; TXS). A change has two halves: prepare answers an error or the record to
// write and marks the change as pending; apply makes it true once the record is replicated. In
// between every other request is told to wait. Values only: nothing is sent from here.
//
//   Empty --add--> Ongoing --end--> PrepareCommit --markers--> CompleteCommit --add--> Ongoing
//     ^                 \--end, fence--> PrepareAbort --markers--> CompleteAbort --add--> Ongoing
//     '-- init -- from Empty and Complete*          Empty, Complete* --expire--> Dead

#include <optional>
#include <tuple>
#include <vector>

#include "model/broker_producer_ids.hpp"
#include "model/config.hpp"
#include "model/error_codes.hpp"
#include "model/messages.hpp"
#include "model/records.hpp"
#include "model/safeguards.hpp"

namespace eos::model {

/// What a transition works with.
struct TransitStep {
    const ClusterConfig& config;
    Guard& guard;
    ProducerIdPool& ids;
    sim::Instant wall;
};

/// The answer to "may it change?". No error and no record: it has changed already, say so.
struct Transit {
    ErrorCode error = ErrorCode::none;
    std::optional<TransactionRecord> record = {};
    /// The epoch in memory was raised before the write: a failed write must not raise it again.
    bool raised_early = false;
};

class TransactionMetadata {
  public:
    TransactionMetadata() = default;
    /// An id that is asked for the first time (INI-6): its first epoch comes with the first record.
    TransactionMetadata(TransactionalId txid, ProducerId producer_id, sim::Duration timeout,
                        sim::Instant wall);
    /// As found in the log, or as a test wants it.
    explicit TransactionMetadata(TransactionRecord known,
                                 std::optional<TxnState> pending = std::nullopt)
        : now_(std::move(known)), pending_(pending) {}

    /// As of the last replicated record.
    [[nodiscard]] const TransactionRecord& now() const { return now_; }
    [[nodiscard]] std::optional<TxnState> pending() const { return pending_; }
    [[nodiscard]] bool failed_fence() const { return failed_fence_; }
    [[nodiscard]] bool prepared() const {
        return now_.state == TxnState::prepare_commit || now_.state == TxnState::prepare_abort;
    }
    [[nodiscard]] bool overtime(sim::Instant wall) const;

    // --- prepare ---
    /// Whether the id that a recovering producer believes to have is, or just was, the right one
    /// (INI-8).
    [[nodiscard]] bool knows(const ClusterConfig& config,
                             const InitProducerIdRequest& request) const;
    /// InitProducerId unless a transaction is open: that needs fence() first (INI-7..13).
    [[nodiscard]] Transit init(const TransitStep& step, const InitProducerIdRequest& request);
    /// AddPartitionsToTxn (ADD-3).
    [[nodiscard]] Transit add(const TransitStep& step, const TxnIdentity& who,
                              const std::vector<LogId>& logs, TransactionVersion version);
    /// Verify-only (ADD-8): an error of the whole; none: see holds().
    [[nodiscard]] ErrorCode verify(const TxnIdentity& who) const;
    [[nodiscard]] bool holds(LogId log) const;
    /// EndTxn of a client (END, TV2-3).
    [[nodiscard]] Transit end(const TransitStep& step, const EndTxnRequest& request);
    /// The coordinator aborts an open transaction and shuts its producer out (INI-10, TMO-1).
    /// `fences` false: it only aborts (a safeguard is gone).
    [[nodiscard]] Transit fence(const TransitStep& step, bool fences);
    /// TMO-5; `at_once`: as if the time were up.
    [[nodiscard]] Transit expire(const TransitStep& step, bool at_once);
    /// After Prepare*: what is written when the last marker is (MRK-8).
    [[nodiscard]] TransactionRecord complete(const TransitStep& step);

    // --- finish ---
    void apply(const TransactionRecord& record);
    void fail(Guard& guard, bool raised_early);
    /// A marker is written (MRK-5).
    void remove(LogId log);

    [[nodiscard]] auto fields() const { return std::tie(now_, pending_, failed_fence_); }
    friend bool operator==(const TransactionMetadata&, const TransactionMetadata&) = default;

  private:
    [[nodiscard]] bool exhausted(const ClusterConfig& config, ProducerEpoch epoch) const {
        return epoch.value >= config.max_producer_epoch - 1;  // TXS-8
    }
    /// CONCURRENT_TRANSACTIONS if a change is pending; before or after the question who asks.
    [[nodiscard]] bool must_wait(Guard& guard, bool stranger) const;
    [[nodiscard]] Transit end_before_tv2(const TransitStep& step, const EndTxnRequest& request);
    [[nodiscard]] Transit end_tv2(const TransitStep& step, const EndTxnRequest& request);
    [[nodiscard]] Transit prepare_end(const TransitStep& step, TxnState to,
                                      TransactionVersion version);
    /// A copy of what is, to be changed.
    [[nodiscard]] TransactionRecord draft(TxnState to, const TransitStep& step) const;
    [[nodiscard]] Transit prepare(TransactionRecord record);

    TransactionRecord now_;
    std::optional<TxnState> pending_;
    bool failed_fence_ = false;
};

/// TXS 12.2: whether a state may follow another.
[[nodiscard]] bool may_follow(TxnState to, TxnState from);

}  // namespace eos::model
