#pragma once
// The host of the group coordinator on a broker: brings it leadership of offsets logs, replays
// them, carries out the appends it asks for and sends its replies. Each append is a hand-off,
// because the coordinator has changed its groups already when the log is written (G2):
// Task::write_offsets for offsets, Task::complete_rebalance for group metadata. Appends of one log
// keep their order. Offsets in a transaction are verified like produces (KAFKA-15449), and a marker
// that was appended is told to the coordinator in a hand-off (Task::materialise_offsets, OFF-7).

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <tuple>

#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/group_coordinator.hpp"
#include "model/load_memo.hpp"
#include "model/verification_desk.hpp"

namespace eos::model {

/// A marker that stands in an offsets log.
struct OffsetsMarker {
    LogId shard;
    ProducerId producer_id;
    ProducerEpoch producer_epoch;
    ControlType result = ControlType::abort;
    Offset offset;
    friend bool operator==(const OffsetsMarker&, const OffsetsMarker&) = default;
};

class GroupHost {
  public:
    using Memo = LoadMemo<GroupFold>;

    /// `memo` of the broker's former life.
    GroupHost(std::shared_ptr<const Topology> topology, std::shared_ptr<const ClusterConfig> config,
              sim::Rng member_ids, Memo memo)
        : coordinator_(std::move(topology), std::move(config), member_ids),
          memo_(std::move(memo)) {}

    /// This broker leads, or no longer leads, a log. `at_once`: the log is loaded in the same step,
    /// as by a cluster that is formed already; else the load is a hand-off (Task::load).
    void on_turn(const BrokerStep& step, Replicas& replicas, LogId log, Replicas::Turn turn,
                 bool at_once);
    void on_request(const BrokerStep& step, const sim::ReplyTo& to, const Message& message);
    /// Offsets in a transaction: the coordinator hears of them when the transaction is known here.
    void on_request(const BrokerStep& step, Replicas& replicas, VerificationDesk& desk,
                    const sim::ReplyTo& to, const TxnOffsetCommitRequest& request);
    void on_verified(const BrokerStep& step, const VerificationAnswer& answer);
    /// A marker was appended to a log that this broker leads and serves().
    void on_marker(const BrokerStep& step, const OffsetsMarker& marker);
    void on_timer(const BrokerStep& step, sim::TimerKey timer);
    void on_order(const BrokerStep& step, const sim::Order& order);
    void on_handoff(const BrokerStep& step, Replicas& replicas, HandOff&& handoff);
    /// The high watermark of a log that this broker leads rose.
    void on_high_watermark(const BrokerStep& step, Replicas& replicas, LogId log);
    void audit(const Context& ctx, Fx& fx) const { coordinator_.audit(ctx, fx); }

    [[nodiscard]] static bool holds_offsets(const Topology& topology, LogId log) {
        return topology.logs[static_cast<std::size_t>(log.value)].topic == topology.offsets_topic;
    }
    /// The coordinator of this log has loaded it.
    [[nodiscard]] bool serves(LogId log) const {
        const auto* shard = coordinator_.shard(log);
        return shard && !shard->loading();
    }
    [[nodiscard]] const GroupCoordinator& coordinator() const { return coordinator_; }
    [[nodiscard]] const Memo& memo() const { return memo_; }
    [[nodiscard]] auto fields() const {
        return std::tie(coordinator_, writing_, verifying_, marked_, next_token_);
    }
    friend bool operator==(const GroupHost&, const GroupHost&) = default;

  private:
    struct Writing {
        GroupOutput::Append append;
        std::optional<VerificationGuard> verified;
        friend bool operator==(const Writing&, const Writing&) = default;
    };
    struct Verifying {
        sim::ReplyTo to;
        TxnOffsetCommitRequest request;
        LogId log;
        VerificationGuard verified;
        ErrorCode error = ErrorCode::none;
        friend bool operator==(const Verifying&, const Verifying&) = default;
    };

    void load(const BrokerStep& step, Replicas& replicas, LogId log);
    void replay(const BrokerStep& step, const PartitionLog& source, LogId log);
    void pass_on(const BrokerStep& step, const sim::ReplyTo& to, const Message& message,
                 std::optional<VerificationGuard> verified);
    void carry_out(const BrokerStep& step, GroupOutput& out,
                   std::optional<VerificationGuard> verified = std::nullopt);
    void write(const BrokerStep& step, Replicas& replicas, const HandOff& handoff);
    void queue_write(const BrokerStep& step, const GroupOutput::Append& append) const;
    void go_on(const BrokerStep& step, const HandOff& handoff);
    void materialise(const BrokerStep& step, HandOff&& handoff);

    GroupCoordinator coordinator_;
    std::map<LogId, std::deque<Writing>> writing_;  ///< the first one is handed off
    std::map<std::int64_t, Verifying> verifying_;
    std::map<std::int64_t, OffsetsMarker> marked_;  ///< not yet told to the coordinator
    std::int64_t next_token_ = 0;
    Memo memo_;
};

}  // namespace eos::model
