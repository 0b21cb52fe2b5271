#pragma once
// The JobManager of a Flink job: deploys its subtasks on the slots that TaskManagers offer, takes
// checkpoints, and starts everything again from the newest completed one when anything fails (F1,
// F4, F11-F14). With high availability the list of completed checkpoints outlives it.
//
//   waiting for slots -> deploying -> running -> canceling -> restarting (delay) -> waiting for
//   slots
//                           '--- a task fails, a TaskManager is lost ---^     '-> failed for good
//
// Simplified: a failure restarts the whole job; Flink restarts the pipelined region, here one
// subtask.

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <tuple>
#include <vector>

#include "model/checkpoint_coordinator.hpp"
#include "model/client.hpp"
#include "model/network_client.hpp"
#include "model/task_manager.hpp"

namespace eos::model {

enum class JobStatus : std::uint8_t { waiting, deploying, running, canceling, restarting, failed };
/// "RESTARTING": Flink's spelling.
[[nodiscard]] std::string_view name(JobStatus status);

class JobManager {
  public:
    /// `process`: the number behind the last TaskManager.
    JobManager(std::shared_ptr<const ClientSetup> setup, ProcessId process);

    void on_start(const Context& ctx, Fx& fx);
    void on_request(const Context& ctx, const sim::ReplyTo& from, Message&& message, Fx& fx);
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, sim::TimerKey key, Fx& fx);
    void on_handoff(const Context& ctx, Message&& message, Fx& fx);
    void on_order(const Context& ctx, const sim::Order& order, Fx& fx);
    /// Recovery (F14): with high availability the store is what is left.
    [[nodiscard]] JobManager reborn(const sim::Loss& loss) &&;

    [[nodiscard]] ProcessId process() const { return process_; }
    [[nodiscard]] JobStatus status() const { return status_; }
    [[nodiscard]] const CheckpointStore& store() const { return store_; }
    [[nodiscard]] const CheckpointCoordinator& coordinator() const { return coordinator_; }
    [[nodiscard]] std::int32_t execution() const { return execution_; }

    friend bool operator==(const JobManager&, const JobManager&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(process_, store_, link_, rng_, session_, status_, execution_, workers_,
                        slots_, coordinator_, restarts_, backoff_, running_since_);
    }

  private:
    enum class Execution : std::uint8_t { none, deploying, running, canceling };
    struct Worker {
        bool registered = false;
        std::int32_t life = 0;
        sim::Instant heard{};
        std::int32_t failures = 0;  ///< heartbeats in a row that could not be sent
        Execution execution = Execution::none;
        bool told = false;  ///< it has confirmed its deployment
        friend bool operator==(const Worker&, const Worker&) = default;
    };

    void on(const Context& ctx, const AckRequest& request, Fx& fx);
    void on(const Context& ctx, const DeclineRequest& request, Fx& fx);
    void on(const Context& ctx, const TaskStateRequest& request, Fx& fx);
    void enlist(const Context& ctx, const RegisterTaskManagerRequest& request, Fx& fx);
    // The job.
    void deploy(const Context& ctx, Fx& fx);
    void fail_job(const Context& ctx, Fx& fx);
    void task_ended(const Context& ctx, std::int32_t worker, Fx& fx);
    void all_ended(const Context& ctx, Fx& fx);
    void check_running(const Context& ctx, Fx& fx);
    [[nodiscard]] Duration restart_delay(const Context& ctx);
    // TaskManagers.
    void beat(const Context& ctx, Fx& fx);
    void lose(const Context& ctx, std::int32_t worker, Fx& fx);
    void ended(const Context& ctx, const Outcome& outcome, const Message* answer, Fx& fx);
    void reconcile(const Context& ctx, std::int32_t worker,
                   const TaskManagerHeartbeatResponse& told, Fx& fx);
    // Checkpoints.
    void trigger_if_due(const Context& ctx, Fx& fx);
    void complete(const Context& ctx, const HandOff& step, Fx& fx);
    void fail_checkpoint(const Context& ctx, CheckpointId id, bool counts, Fx& fx);
    void tell_failed(CheckpointId id, Fx& fx) const;

    void expire(const Context& ctx, CheckpointId id, Fx& fx);

    /// False: not everybody, or not this one, can be reached now.
    template <class Request>
    bool tell_all(const Context& ctx, CheckpointId id, Fx& fx);
    bool send(const Context& ctx, std::int32_t worker, Message message, Fx& fx,
              std::int64_t tag = 0);
    [[nodiscard]] sim::Peer peer(std::int32_t worker) const;
    [[nodiscard]] std::optional<std::int32_t> worker_of(NodeId node) const;
    [[nodiscard]] Worker& at(std::int32_t worker) {
        return workers_[static_cast<std::size_t>(worker)];
    }
    [[nodiscard]] const JobConfig& job() const { return setup_->app->job; }
    [[nodiscard]] sim::Facts facts(CheckpointId id) const;

    std::shared_ptr<const ClientSetup> setup_;
    ProcessId process_;
    CheckpointStore store_;
    std::optional<NetworkClient> link_;
    sim::Rng rng_;
    std::int32_t session_ = 0;
    JobStatus status_ = JobStatus::waiting;
    std::int32_t execution_ = 0;
    std::vector<Worker> workers_;
    std::vector<std::int32_t> slots_;  ///< by subtask: which TaskManager
    CheckpointCoordinator coordinator_;
    std::int32_t restarts_ = 0;
    Duration backoff_{};
    sim::Instant running_since_{};
};

}  // namespace eos::model
