#pragma once
// A TaskManager of a Flink job: a process with one slot. It offers the slot to the JobManager, runs
// the subtask it is given, and reports. It outlives its task: a task that fails leaves the process
// alive. What the task has open in Kafka is not seen here: a TaskManager that lost its JobManager
// goes on until its heartbeats have been silent for too long (F34).

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model/client.hpp"
#include "model/network_client.hpp"
#include "model/stream_task.hpp"

namespace eos::model {

/// Between JobManager and TaskManagers, in both directions; below the lanes of ProducerPool.
inline constexpr std::uint8_t job_lane = 3;

class TaskManager {
  public:
    TaskManager(std::shared_ptr<const ClientSetup> setup, ProcessId process);

    void on_start(const Context& ctx, Fx& fx);
    void on_request(const Context& ctx, const sim::ReplyTo& from, Message&& message, Fx& fx);
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, sim::TimerKey key, Fx& fx);
    void on_handoff(const Context& ctx, Message&& message, Fx& fx);
    void on_order(const Context& ctx, const sim::Order& order, Fx& fx);
    [[nodiscard]] TaskManager reborn(const sim::Loss& loss) &&;

    /// Tells the history what it still waits for.
    void audit(const Context& ctx, Fx& fx) const;

    [[nodiscard]] ProcessId process() const { return process_; }
    /// Null: its slot is free.
    [[nodiscard]] const StreamTask* task() const { return task_ ? &*task_ : nullptr; }
    [[nodiscard]] bool registered() const { return registered_; }

    friend bool operator==(const TaskManager&, const TaskManager&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(process_, counters_, link_, task_, session_, registered_, asked_, heard_,
                        outbox_);
    }

  private:
    void on(const Context& ctx, const DeployRequest& request, Fx& fx);
    void on(const Context& ctx, const CancelRequest& request, Fx& fx);
    void on(const Context& ctx, const TriggerRequest& request, Fx& fx);
    void on(const Context& ctx, const NotifyRequest& request, Fx& fx);
    void on(const Context& ctx, const AbortRequest& request, Fx& fx);
    [[nodiscard]] TaskManagerHeartbeatResponse beat(const Context& ctx,
                                                    const TaskManagerHeartbeatRequest& request,
                                                    Fx& fx);
    [[nodiscard]] bool runs(std::int32_t execution) const {
        return task_ && task_->execution() == execution;
    }
    /// A JobManager of this session speaks; a newer one than before ends what the older one
    /// deployed.
    void hear(const Context& ctx, std::int32_t session, Fx& fx);
    void drop_task(const Context& ctx, Fx& fx);
    /// Passes on what the task has to say, and sees to the link.
    void go_on(const Context& ctx, Fx& fx);
    void report(const TaskNews& news);
    [[nodiscard]] sim::Peer job_manager() const;

    std::shared_ptr<const ClientSetup> setup_;
    ProcessId process_;
    ProducerCounters counters_;
    std::optional<NetworkClient> link_;
    std::optional<StreamTask> task_;
    std::optional<std::int32_t> session_;  ///< of the JobManager it listens to
    bool registered_ = false;
    bool asked_ = false;           ///< to be registered
    sim::Instant heard_{};         ///< when it last heard of its JobManager
    std::vector<Message> outbox_;  ///< for the JobManager, as soon as it can be reached
};

}  // namespace eos::model
