#pragma once
// The Kafka source of one subtask (F16): splits assigned by hand, a position per split that moves
// when a record is handed on, offsets committed to a group only for monitoring. No group
// membership: who reads what was decided by the enumerator. Simplified: fetching runs beside the
// task's thread as in Flink, but holds one poll at most.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model/client.hpp"
#include "model/consumer.hpp"
#include "model/job_state.hpp"

namespace eos::model {

/// The splits of one subtask, from the start of their logs: KafkaSourceEnumerator.getSplitOwner
/// spreads the partitions of a topic over the subtasks from a start that its name decides.
[[nodiscard]] std::vector<SplitState> initial_splits(const Topology& topology,
                                                     const std::vector<TopicId>& topics,
                                                     std::int32_t subtask,
                                                     std::int32_t parallelism);

class SourceReader {
  public:
    /// `session` counts the client objects of this process.
    SourceReader(const ClientSetup& setup, ProcessId process, std::int32_t session,
                 std::vector<SplitState> splits);

    /// Assigns and seeks. Call once.
    void open(const Context& ctx, Fx& fx);
    /// Sees to it that records come: one poll is open, or records wait.
    void want(const Context& ctx, std::int32_t most, Fx& fx);
    [[nodiscard]] bool has_records() const { return !waiting_.empty(); }
    /// Hands on what waits; the positions of the splits move past it.
    [[nodiscard]] std::vector<Chunk> take();
    /// F5: the positions now, next offsets to read.
    [[nodiscard]] const std::vector<SplitState>& splits() const { return splits_; }
    /// Commits these positions to the group, one attempt (F16).
    void commit_offsets(const Context& ctx, const std::vector<SplitState>& positions, Fx& fx);
    void close(Fx& fx) { consumer_.abandon(fx); }
    /// How far it has read, also past what holds no record; none: it does not know.
    [[nodiscard]] std::optional<Offset> position(LogId log) const;
    /// An error that ends the task.
    [[nodiscard]] std::optional<ErrorCode> failure() const { return failure_; }

    // --- for the host ----------------------------------------------------------------------------
    [[nodiscard]] bool owns(const sim::TimerKey& key) const { return consumer_.owns(key); }
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx);

    friend bool operator==(const SourceReader&, const SourceReader&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(splits_, consumer_, waiting_, polling_, failure_);
    }

  private:
    void take_events();

    std::vector<SplitState> splits_;  ///< sorted by log
    Consumer consumer_;
    std::vector<Chunk> waiting_;  ///< polled, not handed on
    bool polling_ = false;
    std::optional<ErrorCode> failure_;
};

}  // namespace eos::model
