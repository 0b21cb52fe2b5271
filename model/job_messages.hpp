#pragma once
// What JobManager and TaskManagers of a Flink job say to each other. Each request names its response
// type, so that a fault's refusal is made in one place. Every answer comes at once: it says that the
// message arrived, not that what it asks for is done.

#include <cstdint>

#include "model/error_codes.hpp"
#include "model/job_state.hpp"

namespace eos::model {

/// Answer to everything but registration and heartbeat.
struct RegisterTaskManagerResponse {
    ErrorCode error = ErrorCode::none;
    std::int32_t session = 0;  ///< which life of the JobManager: the fencing token of its leadership
    friend bool operator==(const RegisterTaskManagerResponse&,
                           const RegisterTaskManagerResponse&) = default;
};
/// A TaskManager offers its slot.
struct RegisterTaskManagerRequest {
    using Response = RegisterTaskManagerResponse;
    std::int32_t task_manager = 0;
    std::int32_t life = 0;  ///< another one than before: what ran there is gone
    friend bool operator==(const RegisterTaskManagerRequest&,
                           const RegisterTaskManagerRequest&) = default;
};

struct DeployResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const DeployResponse&, const DeployResponse&) = default;
};
/// Runs one subtask of the chain from the state of a checkpoint.
struct DeployRequest {
    using Response = DeployResponse;
    std::int32_t session = 0;
    std::int32_t execution = 0;  ///< which deployment of the job, from 1
    std::int32_t subtask = 0;
    std::int32_t parallelism = 1;
    CheckpointId restored;       ///< 0: none
    SubtaskState state;
    friend bool operator==(const DeployRequest&, const DeployRequest&) = default;
};

struct CancelResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const CancelResponse&, const CancelResponse&) = default;
};
struct CancelRequest {
    using Response = CancelResponse;
    std::int32_t execution = 0;
    friend bool operator==(const CancelRequest&, const CancelRequest&) = default;
};

struct TriggerResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const TriggerResponse&, const TriggerResponse&) = default;
};
/// F4: the source of a chain shall take checkpoint n.
struct TriggerRequest {
    using Response = TriggerResponse;
    std::int32_t execution = 0;
    std::int32_t subtask = 0;
    CheckpointId checkpoint;
    friend bool operator==(const TriggerRequest&, const TriggerRequest&) = default;
};

struct AckResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const AckResponse&, const AckResponse&) = default;
};
/// A subtask's part of checkpoint n is stored (F7).
struct AckRequest {
    using Response = AckResponse;
    std::int32_t execution = 0;
    std::int32_t subtask = 0;
    CheckpointId checkpoint;
    SubtaskState state;
    friend bool operator==(const AckRequest&, const AckRequest&) = default;
};

struct DeclineResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const DeclineResponse&, const DeclineResponse&) = default;
};
/// A subtask could not store its part (F12).
struct DeclineRequest {
    using Response = DeclineResponse;
    std::int32_t execution = 0;
    std::int32_t subtask = 0;
    CheckpointId checkpoint;
    friend bool operator==(const DeclineRequest&, const DeclineRequest&) = default;
};

struct NotifyResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const NotifyResponse&, const NotifyResponse&) = default;
};
/// notifyCheckpointComplete: best effort (F11).
struct NotifyRequest {
    using Response = NotifyResponse;
    std::int32_t execution = 0;
    std::int32_t subtask = 0;
    CheckpointId checkpoint;
    friend bool operator==(const NotifyRequest&, const NotifyRequest&) = default;
};

struct AbortResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const AbortResponse&, const AbortResponse&) = default;
};
/// notifyCheckpointAborted (F12).
struct AbortRequest {
    using Response = AbortResponse;
    std::int32_t execution = 0;
    std::int32_t subtask = 0;
    CheckpointId checkpoint;
    friend bool operator==(const AbortRequest&, const AbortRequest&) = default;
};

struct TaskManagerHeartbeatResponse {
    ErrorCode error = ErrorCode::none;
    std::int32_t execution = 0;  ///< what runs there; 0: nothing
    bool running = false;        ///< it has come through its restore
    friend bool operator==(const TaskManagerHeartbeatResponse&,
                           const TaskManagerHeartbeatResponse&) = default;
};
struct TaskManagerHeartbeatRequest {
    using Response = TaskManagerHeartbeatResponse;
    std::int32_t session = 0;
    friend bool operator==(const TaskManagerHeartbeatRequest&,
                           const TaskManagerHeartbeatRequest&) = default;
};

struct TaskStateResponse {
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const TaskStateResponse&, const TaskStateResponse&) = default;
};
enum class TaskState : std::uint8_t { running, failed, canceled };
struct TaskStateRequest {
    using Response = TaskStateResponse;
    std::int32_t execution = 0;
    std::int32_t subtask = 0;
    TaskState state = TaskState::running;
    friend bool operator==(const TaskStateRequest&, const TaskStateRequest&) = default;
};

}  // namespace eos::model
