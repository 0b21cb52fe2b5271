#pragma once
// When a Flink job takes a checkpoint, who has acknowledged it, and what becomes of it (F4, F11,
// F12). Rules and no messages: its JobManager sends, waits and tells. The store of completed
// checkpoints is not here: it outlives the JobManager.
//
//   trigger --acks of all--> writing --in the store--> completed     (the decision)
//      '------ timeout, decline, failure of the job ----> failed

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include "model/job_config.hpp"
#include "model/job_state.hpp"

namespace eos::model {

class CheckpointCoordinator {
  public:
    /// An attempt under way.
    struct Pending {
        CheckpointId id;
        sim::Instant triggered{};
        std::vector<std::optional<SubtaskState>> acks;  ///< by subtask
        friend bool operator==(const Pending&, const Pending&) = default;
    };

    /// The next periodic checkpoint is due.
    void due() { due_ = true; }
    /// F4: one is due, not too many run, and the pause since the last one is over.
    [[nodiscard]] bool may_trigger(const JobConfig& job, sim::Instant now) const;
    /// When a due one that only waits for the pause may be triggered; never: something else is
    /// missing.
    [[nodiscard]] sim::Instant allowed_at(const JobConfig& job) const;
    /// A new attempt under the next number of the store.
    CheckpointId trigger(CheckpointStore& store, std::int32_t subtasks, sim::Instant now);
    /// True: that was the last one missing.
    bool ack(CheckpointId id, std::int32_t subtask, SubtaskState state);
    [[nodiscard]] const Pending* find(CheckpointId id) const;
    [[nodiscard]] const std::vector<Pending>& pending() const { return pending_; }
    /// It is in the store: takes it out of the attempts, older ones are subsumed. What was
    /// subsumed.
    std::vector<CheckpointId> complete(CheckpointId id, const JobConfig& job,
                                       CheckpointStore& store, sim::Instant now);
    /// An attempt came to nothing. `counts`: it is held against the job.
    /// True: more than the job tolerates in a row.
    bool fail(CheckpointId id, bool counts, const JobConfig& job);
    /// The job stops running: which attempts end with it.
    std::vector<CheckpointId> suspend();

    friend bool operator==(const CheckpointCoordinator&, const CheckpointCoordinator&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(pending_, due_, ended_, failures_in_a_row_);
    }

  private:
    std::vector<Pending> pending_;  ///< oldest first
    bool due_ = false;
    std::optional<sim::Instant> ended_;  ///< the last one that completed
    std::int32_t failures_in_a_row_ = 0;
};

}  // namespace eos::model
