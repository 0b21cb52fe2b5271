#pragma once
// What a checkpoint of a Flink job holds (F2): positions of the source, committables of the sink. Plain
// data that travels in messages and stands in the store of completed checkpoints.

#include <cstdint>
#include <optional>
#include <vector>

#include "model/ids.hpp"

namespace eos::model {

/// Checkpoint ids rise by one with every trigger, also for attempts that fail (F2). From 1; 0: none.
using CheckpointId = sim::Ordinal<struct CheckpointTag, std::int64_t>;

/// F16: a split of a Kafka source, with the next offset to read; none: from the start of the log.
struct SplitState {
    LogId log;
    std::optional<Offset> offset;
    friend bool operator==(const SplitState&, const SplitState&) = default;
};

/// A transaction that is written and waits for its checkpoint to complete (F22).
struct Committable {
    CheckpointId checkpoint;
    TransactionalId txid;
    ProducerId producer_id{-1};
    ProducerEpoch producer_epoch{-1};
    TxnRef txn;  ///< ledger
    friend bool operator==(const Committable&, const Committable&) = default;
};

/// One subtask's part of a checkpoint.
struct SubtaskState {
    std::vector<SplitState> splits;
    std::vector<Committable> committables;
    friend bool operator==(const SubtaskState&, const SubtaskState&) = default;
};

/// An entry of the store of completed checkpoints: to be in it is the decision (F11).
struct CompletedCheckpoint {
    CheckpointId id;
    std::vector<SubtaskState> subtasks;
    friend bool operator==(const CompletedCheckpoint&, const CompletedCheckpoint&) = default;
};

/// What outlives a JobManager (F14): the newest completed checkpoints, oldest first, and the counter.
struct CheckpointStore {
    std::vector<CompletedCheckpoint> completed;
    CheckpointId next{1};
    friend bool operator==(const CheckpointStore&, const CheckpointStore&) = default;
};

}  // namespace eos::model
