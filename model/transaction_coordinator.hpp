#pragma once
// The transaction coordinator of one broker: a shard per partition of __transaction_state that the
// broker leads (Kafka: TransactionCoordinator). A value hosted by the broker, which brings it
// leadership, requests, timers, orders and the log's news, does the appends it asks for, sends its
// replies and its markers. It never sees the log.
//
// The host's part:
//  - leader of a transaction log: lead(); hand-off Task::load; then replay() every batch from log
//                                 start to log end in order, then loaded().
//  - no leader any more:          resign().
//  - after every call with `out`: see TransactionOutput.
//  - the high watermark of a led transaction log rose: on_high_watermark().

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model/transaction_shard.hpp"

namespace eos::model {

class TransactionCoordinator {
  public:
    TransactionCoordinator() = default;
    TransactionCoordinator(std::shared_ptr<const Topology> topology,
                           std::shared_ptr<const ClusterConfig> config);

    /// The broker became leader of this log, or leads it in a newer epoch. Returns whether the log
    /// must be replayed for this epoch.
    [[nodiscard]] bool lead(const Context& ctx, LogId log, LeaderEpoch epoch,
                            TransactionOutput& out, Fx& fx);
    void replay(LogId log, const Batch& batch);
    /// Before the first batch: the load goes on from what an earlier one has come to.
    void resume(LogId log, const TransactionShard::Fold& fold);
    void loaded(const Context& ctx, LogId log, ProducerIdPool& ids, TransactionOutput& out, Fx& fx);
    void resign(const Context& ctx, LogId log, ProducerIdPool& ids, TransactionOutput& out, Fx& fx);
    [[nodiscard]] bool leads(LogId log) const { return shards_.contains(log); }

    /// InitProducerId with a transactional id, AddPartitionsToTxn, AddOffsetsToTxn, EndTxn.
    [[nodiscard]] static bool handles(const Message& message);
    void on_request(const Context& ctx, const ReplyTo& to, const Message& message,
                    ProducerIdPool& ids, TransactionOutput& out, Fx& fx);
    void on_marker_results(const Context& ctx, const MarkerResults& results, ProducerIdPool& ids,
                           TransactionOutput& out, Fx& fx);
    /// Whether a timer of the node is this component's.
    [[nodiscard]] static bool owns(const sim::TimerKey& key);
    void on_timer(const Context& ctx, const sim::TimerKey& key, ProducerIdPool& ids,
                  TransactionOutput& out, Fx& fx);
    /// Ask::expire_transactional_ids, fence_producer; ignored for ids that are led elsewhere.
    [[nodiscard]] static bool understands(const sim::Order& order);
    void on_order(const Context& ctx, const sim::Order& order, ProducerIdPool& ids,
                  TransactionOutput& out, Fx& fx);

    /// Whether a record asked for earlier should still be appended; if not, it has failed.
    [[nodiscard]] bool wants(LogId log, std::int64_t token) const;
    void appended(const Context& ctx, LogId log, std::int64_t token, Offset base,
                  ProducerIdPool& ids, TransactionOutput& out, Fx& fx);
    /// `error` is the log's own; it is mapped for the clients (TLG-5).
    void append_failed(const Context& ctx, LogId log, std::int64_t token, ErrorCode error,
                       ProducerIdPool& ids, TransactionOutput& out, Fx& fx);
    void on_high_watermark(const Context& ctx, LogId log, Offset high_watermark,
                           ProducerIdPool& ids, TransactionOutput& out, Fx& fx);

    /// Tells the TxnAudit of every id of every loaded shard.
    void audit(const Context& ctx, Fx& fx) const;

    [[nodiscard]] const TransactionShard* shard(LogId log) const;
    [[nodiscard]] const std::map<LogId, TransactionShard>& shards() const { return shards_; }
    /// For those who put ids in place themselves (a load does it by replay).
    void place(LogId log, TransactionMetadata metadata) {
        shards_.at(log).place(std::move(metadata));
    }
    void resume(const Context& ctx, TransactionalId txid, ProducerIdPool& ids,
                TransactionOutput& out, Fx& fx);

    [[nodiscard]] auto fields() const { return std::tie(guard_, scans_armed_, batched_, shards_); }
    friend bool operator==(const TransactionCoordinator& a, const TransactionCoordinator& b) {
        return a.fields() == b.fields();
    }

  private:
    template <class Action>
    void step(const Context& ctx, LogId log, ProducerIdPool& ids, TransactionOutput& out, Fx& fx,
              Action action);
    [[nodiscard]] std::optional<LogId> home(TransactionalId txid) const;
    /// NOT_COORDINATOR, COORDINATOR_LOAD_IN_PROGRESS or none (INI-5).
    [[nodiscard]] ErrorCode unavailable(std::optional<LogId> home) const;
    void on_add(const Context& ctx, const ReplyTo& to, const AddPartitionsToTxnRequest& request,
                ProducerIdPool& ids, TransactionOutput& out, Fx& fx);
    void declare(const Context& ctx, LogId log, Fx& fx) const;

    std::shared_ptr<const Topology> topology_;
    std::shared_ptr<const ClusterConfig> config_;
    std::shared_ptr<const std::vector<LogId>> homes_;  ///< of the ids known beforehand (TLG-2)
    Guard guard_;
    bool scans_armed_ = false;
    BatchedAnswers batched_;
    std::map<LogId, TransactionShard> shards_;
};

}  // namespace eos::model
