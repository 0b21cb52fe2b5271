#pragma once
// The group coordinator of one broker: a shard per partition of __consumer_offsets that the broker
// leads (G1-G8). A value hosted by the broker, which brings it leadership, requests, timers, orders
// and the log's news, does the appends it asks for, and sends its replies. It never sees the log.
//
// The host's part:
//  - leader of an offsets log:   lead(); hand-off Task::load; then replay() every batch from log
//                                start to log end in order, then loaded().
//  - no leader any more:         resign().
//  - after every call with `out`: do out.appends in order, telling appended() or append_failed()
//  for
//                                each (they may add to `out`), then send out.replies.
//  - the high watermark of a led offsets log rose: on_high_watermark().
//  - an append with `who` is a transactional batch of that producer; whether the transaction may
//    write here is verified before its request comes (OFF-2).
//  - a marker was appended to a led offsets log: on_marker() (OFF-7), at once or later.

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model/group_shard.hpp"

namespace eos::model {

class GroupCoordinator {
  public:
    GroupCoordinator() = default;
    /// `member_ids` should be a stream of its own per node and life, so that a restarted broker
    /// does not hand out the ids of its former life again.
    GroupCoordinator(std::shared_ptr<const Topology> topology,
                     std::shared_ptr<const ClusterConfig> config, sim::Rng member_ids);

    /// The broker became leader of this offsets log; a shard that is already led keeps its state.
    /// Returns whether the log must be replayed for this epoch.
    [[nodiscard]] bool lead(const Context& ctx, LogId shard, LeaderEpoch epoch, Fx& fx);
    /// One batch of the log, while loading; what stands at or above the high watermark becomes
    /// readable only when that passes it.
    void replay(LogId shard, const Batch& batch, Offset high_watermark);
    /// Before the first batch: the load goes on from what an earlier one has come to.
    void resume(LogId shard, const GroupFold& fold);
    void loaded(const Context& ctx, LogId shard, GroupOutput& out, Fx& fx);
    void resign(const Context& ctx, LogId shard, GroupOutput& out, Fx& fx);
    [[nodiscard]] bool leads(LogId shard) const { return shards_.contains(shard); }

    /// JoinGroup, SyncGroup, Heartbeat, LeaveGroup, ConsumerGroupHeartbeat, OffsetCommit,
    /// TxnOffsetCommit, OffsetFetch requests.
    [[nodiscard]] static bool handles(const Message& message);
    void on_request(const Context& ctx, const ReplyTo& to, const Message& message, GroupOutput& out,
                    Fx& fx);
    /// Whether a timer of the node is this component's.
    [[nodiscard]] static bool owns(const sim::TimerKey& key);
    void on_timer(const Context& ctx, const sim::TimerKey& key, GroupOutput& out, Fx& fx);
    /// Ask::rebalance, kick, expire_offsets, reset_offsets, delete_offsets, delete_group; ignored
    /// for groups led elsewhere.
    /// kick: the member that speaks from Fact::node, or Fact::member; with neither one is drawn.
    /// reset_offsets: Fact::log (none: every log with an offset) to Fact::offset; -2 is the start.
    /// The end (-1) is refused: only a leader knows it, so the host puts the number in its place.
    /// delete_offsets: Fact::log (none: every log with an offset).
    [[nodiscard]] static bool understands(const sim::Order& order);
    void on_order(const Context& ctx, const sim::Order& order, GroupOutput& out, Fx& fx);

    /// Topics with these partitions were deleted (Kafka: GroupCoordinator.onPartitionsDeleted).
    void on_partitions_deleted(const Context& ctx, const std::vector<LogId>& logs, GroupOutput& out,
                               Fx& fx);

    void appended(const Context& ctx, LogId shard, std::int64_t token, Offset base,
                  GroupOutput& out, Fx& fx);
    /// `error` is the log's own; it is mapped for the clients (G3).
    void append_failed(const Context& ctx, LogId shard, std::int64_t token, ErrorCode error,
                       GroupOutput& out, Fx& fx);
    void on_high_watermark(const Context& ctx, LogId shard, Offset high_watermark, GroupOutput& out,
                           Fx& fx);

    /// A marker stands in the log at `marker_offset`: what the producer wrote before it becomes
    /// committed or is dropped, once the marker is replicated. News that comes twice, or after a
    /// load has read the marker, changes nothing. The log has judged the epoch.
    void on_marker(const Context& ctx, LogId shard, ProducerId producer, ProducerEpoch epoch,
                   ControlType type, Offset marker_offset, GroupOutput& out, Fx& fx);

    /// Tells the GroupAudit of every group of every loaded shard.
    void audit(const Context& ctx, Fx& fx) const;

    [[nodiscard]] const GroupShard* shard(LogId log) const;
    [[nodiscard]] const std::map<LogId, GroupShard>& shards() const { return shards_; }

    friend bool operator==(const GroupCoordinator& a, const GroupCoordinator& b) {
        return a.member_ids_ == b.member_ids_ && a.guard_ == b.guard_ &&
               a.expiry_armed_ == b.expiry_armed_ && a.shards_ == b.shards_;
    }
    [[nodiscard]] auto fields() const {
        return std::tie(member_ids_, guard_, expiry_armed_, shards_);
    }

  private:
    template <class Action>
    void step(const Context& ctx, LogId shard, GroupOutput& out, Fx& fx, Action action);

    [[nodiscard]] std::optional<LogId> home(GroupId group) const;

    std::shared_ptr<const Topology> topology_;
    std::shared_ptr<const ClusterConfig> config_;
    std::shared_ptr<const std::vector<LogId>> homes_;  ///< by group: its offsets log (G1)
    sim::Rng member_ids_;
    Guard guard_;
    bool expiry_armed_ = false;
    std::map<LogId, GroupShard> shards_;
};

}  // namespace eos::model
