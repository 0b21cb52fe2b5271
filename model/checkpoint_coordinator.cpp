#include "model/checkpoint_coordinator.hpp"

#include <algorithm>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {

bool CheckpointCoordinator::may_trigger(const JobConfig& job, sim::Instant now) const {
    return allowed_at(job) <= now;
}

sim::Instant CheckpointCoordinator::allowed_at(const JobConfig& job) const {
    if (!due_ || std::cmp_greater_equal(pending_.size(), job.concurrent)) return sim::time_never;
    return ended_ ? *ended_ + job.min_pause : sim::time_zero;
}

CheckpointId CheckpointCoordinator::trigger(CheckpointStore& store, std::int32_t subtasks,
                                            sim::Instant now) {
    due_ = false;
    const auto id = store.next;
    store.next = id.next();
    Pending attempt{.id = id, .triggered = now, .acks = {}};
    attempt.acks.resize(static_cast<std::size_t>(subtasks));
    pending_.push_back(std::move(attempt));
    return id;
}

bool CheckpointCoordinator::ack(CheckpointId id, std::int32_t subtask, SubtaskState state) {
    const auto found = std::find_if(pending_.begin(), pending_.end(),
                                    [&](const Pending& p) { return p.id == id; });
    if (found == pending_.end()) return false;  // late: it was aborted
    auto& slot = found->acks[static_cast<std::size_t>(subtask)];
    if (slot) return false;
    slot = std::move(state);
    return std::all_of(found->acks.begin(), found->acks.end(),
                       [](const auto& ack) { return ack.has_value(); });
}

const CheckpointCoordinator::Pending* CheckpointCoordinator::find(CheckpointId id) const {
    const auto found = std::find_if(pending_.begin(), pending_.end(),
                                    [&](const Pending& p) { return p.id == id; });
    return found == pending_.end() ? nullptr : &*found;
}

std::vector<CheckpointId> CheckpointCoordinator::complete(CheckpointId id, const JobConfig& job,
                                                          CheckpointStore& store,
                                                          sim::Instant now) {
    const auto* attempt = find(id);
    sim::ensure(attempt != nullptr, "what completes is under way");
    CompletedCheckpoint entry{.id = id, .subtasks = {}};
    for (const auto& ack : attempt->acks) entry.subtasks.push_back(*ack);
    store.completed.push_back(std::move(entry));
    while (std::cmp_greater(store.completed.size(), job.retained))
        store.completed.erase(store.completed.begin());
    std::vector<CheckpointId> subsumed;
    for (const auto& p : pending_)
        if (p.id < id) subsumed.push_back(p.id);
    std::erase_if(pending_, [&](const Pending& p) { return p.id <= id; });
    ended_ = now;
    failures_in_a_row_ = 0;
    return subsumed;
}

// CheckpointFailureManager: only what is held against the job counts, and a success forgives all.
bool CheckpointCoordinator::fail(CheckpointId id, bool counts, const JobConfig& job) {
    std::erase_if(pending_, [&](const Pending& p) { return p.id == id; });
    if (counts) ++failures_in_a_row_;
    return failures_in_a_row_ > job.tolerable_failures;
}

std::vector<CheckpointId> CheckpointCoordinator::suspend() {
    std::vector<CheckpointId> ended;
    for (const auto& p : std::exchange(pending_, {})) ended.push_back(p.id);
    due_ = false;
    ended_.reset();
    failures_in_a_row_ = 0;
    return ended;
}

}  // namespace eos::model
