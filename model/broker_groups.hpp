#pragma once
// The host of the group coordinator on a broker: brings it leadership of offsets logs, replays
// them, carries out the appends it asks for and sends its replies. Each append is a hand-off,
// because the coordinator has changed its groups already when the log is written (G2):
// Task::write_offsets for offsets, Task::complete_rebalance for group metadata. Appends of one log
// keep their order.

#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <tuple>

#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/group_coordinator.hpp"

namespace eos::model {

class GroupHost {
  public:
    GroupHost(std::shared_ptr<const Topology> topology, std::shared_ptr<const ClusterConfig> config,
              sim::Rng member_ids)
        : coordinator_(std::move(topology), std::move(config), member_ids) {}

    /// This broker leads, or no longer leads, a log. `at_once`: the log is loaded in the same step,
    /// as by a cluster that is formed already; else the load is a hand-off (Task::load).
    void on_turn(const BrokerStep& step, Replicas& replicas, LogId log, Replicas::Turn turn,
                 bool at_once);
    void on_request(const BrokerStep& step, const sim::ReplyTo& to, const Message& message);
    void on_timer(const BrokerStep& step, sim::TimerKey timer);
    void on_order(const BrokerStep& step, const sim::Order& order);
    void on_handoff(const BrokerStep& step, Replicas& replicas, HandOff&& handoff);
    /// The high watermark of a log that this broker leads rose.
    void on_high_watermark(const BrokerStep& step, Replicas& replicas, LogId log);
    void audit(const Context& ctx, Fx& fx) const { coordinator_.audit(ctx, fx); }

    [[nodiscard]] const GroupCoordinator& coordinator() const { return coordinator_; }
    [[nodiscard]] auto fields() const { return std::tie(coordinator_, writing_); }
    friend bool operator==(const GroupHost&, const GroupHost&) = default;

  private:
    void load(const BrokerStep& step, Replicas& replicas, LogId log);
    void carry_out(const BrokerStep& step, GroupOutput& out);
    void write(const BrokerStep& step, Replicas& replicas, const HandOff& handoff);
    void queue_write(const BrokerStep& step, const GroupOutput::Append& append) const;

    GroupCoordinator coordinator_;
    std::map<LogId, std::deque<GroupOutput::Append>> writing_;  ///< the first one is handed off
};

}  // namespace eos::model
