#pragma once
// The host of the transaction coordinator on a broker: brings it leadership of transaction logs,
// replays them, carries out the appends it asks for, sends its replies, and hands its markers to
// the MarkerSender. Where Kafka gives up its lock there is a hand-off: before a record is appended
// (Task::write_txn_state, complete_txn) and before an answer to markers is handled (marker_answer).
// Appends of one log keep their order.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <tuple>

#include "model/broker_producer_ids.hpp"
#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/load_memo.hpp"
#include "model/marker_sender.hpp"
#include "model/transaction_coordinator.hpp"

namespace eos::model {

[[nodiscard]] inline bool is_transaction_log(const Topology& topology, LogId log) {
    return topology.transaction_topic &&
           topology.logs[static_cast<std::size_t>(log.value)].topic == *topology.transaction_topic;
}

class TransactionHost {
  public:
    using Memo = LoadMemo<TransactionShard::Fold>;

    /// `memo` of the broker's former life.
    TransactionHost(std::shared_ptr<const Topology> topology,
                    std::shared_ptr<const ClusterConfig> config, sim::Rng connections, Memo memo)
        : coordinator_(std::move(topology), config),
          sender_(*config, connections),
          memo_(std::move(memo)) {}

    [[nodiscard]] static bool owns(sim::Peer peer) { return peer.lane == MarkerSender::lane; }
    [[nodiscard]] bool owns(const sim::TimerKey& timer) const {
        return TransactionCoordinator::owns(timer) || sender_.owns(timer);
    }

    /// This broker leads, or no longer leads, a transaction log. `at_once`: the log is loaded in
    /// the same step, as by a cluster that is formed already; else in a hand-off (Task::load).
    void on_turn(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids, LogId log,
                 Replicas::Turn turn, bool at_once);
    /// New metadata was applied: markers without a leader are looked at again.
    void on_metadata(const BrokerStep& step);
    void on_request(const BrokerStep& step, ProducerIdPool& ids, const sim::ReplyTo& to,
                    const Message& message);
    void on_reply(const BrokerStep& step, sim::Peer from, sim::Correlation correlation,
                  Message&& message);
    void on_link(const BrokerStep& step, ProducerIdPool& ids, sim::Peer peer, sim::LinkEvent event);
    void on_timer(const BrokerStep& step, ProducerIdPool& ids, sim::TimerKey timer);
    void on_order(const BrokerStep& step, ProducerIdPool& ids, const sim::Order& order);
    void on_handoff(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                    HandOff&& handoff);
    /// The high watermark of a log that this broker leads rose.
    void on_high_watermark(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                           LogId log);
    void audit(const Context& ctx, Fx& fx) const { coordinator_.audit(ctx, fx); }

    [[nodiscard]] const TransactionCoordinator& coordinator() const { return coordinator_; }
    [[nodiscard]] const MarkerSender& sender() const { return sender_; }
    [[nodiscard]] const Memo& memo() const { return memo_; }
    [[nodiscard]] auto fields() const { return std::tie(coordinator_, sender_, writing_, tails_); }
    friend bool operator==(const TransactionHost&, const TransactionHost&) = default;

  private:
    /// Whether a coordinator may serve what it would load: Kafka asks nothing (FOV-1), the feature
    /// replicated-tail-before-serving asks that no fail-over can take it away again.
    [[nodiscard]] bool may_serve(const BrokerStep& step, const Replicas& replicas, LogId log) const;
    void load(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids, LogId log);
    void replay(const PartitionLog& source, LogId log);
    void on_load(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
                 HandOff&& handoff);
    void on_marker_results(const BrokerStep& step, ProducerIdPool& ids,
                           const MarkerResults& results);
    void carry_out(const BrokerStep& step, TransactionOutput& out);
    void write(const BrokerStep& step, Replicas& replicas, ProducerIdPool& ids,
               const HandOff& handoff);
    void queue_write(const BrokerStep& step, const TransactionOutput::Append& append) const;

    TransactionCoordinator coordinator_;
    MarkerSender sender_;
    std::map<LogId, std::deque<TransactionOutput::Append>> writing_;  ///< the first is handed off
    std::set<LogId> tails_;  ///< loads that wait for the high watermark
    Memo memo_;
};

}  // namespace eos::model
