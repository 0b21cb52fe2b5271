#pragma once
// The history: what clients invoked and saw, and what brokers durably did. The judges read this and
// nothing else. Client observations say only what the client knows; broker observations are the
// ground truth. Batches are carried with their shared payload, so an observation copies no record.

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/messages.hpp"
#include "model/milestones.hpp"
#include "model/records.hpp"
#include "sim/time.hpp"

namespace eos::model {

// --- what clients did and saw --------------------------------------------------------------------

/// The application accepted this event for sending (first time) or offers it again.
struct InputOffered {
    ProcessId process;
    Record record;
    bool again = false;
};
/// The application gave an accepted event up on purpose (it aborted its transaction itself).
struct InputWithdrawn {
    ProcessId process;
    TopicId topic;
    Record record;
};
/// send() took the record. `order` counts the sends of this producer session (one client object).
struct SendInvoked {
    ProcessId process;
    std::int32_t session = 0;
    std::int64_t order = 0;
    LogId log;
    Record record;
    std::optional<TxnRef> txn = {};
};
/// A send ended. error none: acknowledged at `offset` (none: acks=0 or unknown offset).
struct SendDone {
    ProcessId process;
    std::int32_t session = 0;
    std::int64_t order = 0;
    LogId log;
    Record record;
    ErrorCode error = ErrorCode::none;
    Certainty certainty = Certainty::done;
    std::optional<Offset> offset;
    sim::Instant invoked_at{};
    std::optional<TxnRef> txn = {};
};
/// poll() returned these records of one log: payload[first .. first+count) at base + i.
struct Polled {
    ProcessId process;
    LogId log;
    Offset base;               ///< offset of payload record 0
    std::int32_t first = 0;
    std::int32_t count = 0;
    Payload payload;
};
/// The effect of one input became real (the ledger of effects).
struct Effect {
    ProcessId process;
    GroupId group;
    LogId log;
    Offset offset;
    Record record;
};
/// A consumer's position was set other than by reading on.
struct PositionSet {
    enum class Why : std::uint8_t { committed, reset, seek, truncated };
    ProcessId process;
    LogId log;
    Offset offset;
    Why why = Why::committed;
};
/// Partitions this member now owns (after a completed rebalance) or lost.
struct Assigned {
    ProcessId process;
    GroupId group;
    std::optional<Generation> generation;
    std::vector<LogId> logs;
};
/// A commit call of the application returned.
struct CommitReturned {
    ProcessId process;
    GroupId group;
    LogId log;
    Offset offset;
    ErrorCode error = ErrorCode::none;
    sim::Instant invoked_at{};
};
/// beginTransaction returned.
struct TxnBegan {
    ProcessId process;
    TransactionalId txid;
    TxnRef txn;
};
/// sendOffsetsToTransaction was called with this offset (the next to read).
struct TxnOffsetsSent {
    ProcessId process;
    TxnRef txn;
    GroupId group;
    LogId log;
    Offset offset;
};
/// commitTransaction or abortTransaction was called.
struct TxnEndInvoked {
    ProcessId process;
    TxnRef txn;
    ControlType result = ControlType::commit;
};
/// It returned. error none: reported as committed or aborted; ambiguous: nobody knows.
struct TxnEndReturned {
    ProcessId process;
    TxnRef txn;
    ControlType result = ControlType::commit;
    ErrorCode error = ErrorCode::none;
    Certainty certainty = Certainty::done;
};
/// initTransactions returned: from here on older holders of the id are fenced.
struct TxnInitialised {
    ProcessId process;
    TransactionalId txid;
    ErrorCode error = ErrorCode::none;
};
/// A producer was told that it is superseded.
struct Fenced {
    ProcessId process;
    std::optional<TransactionalId> txid;
    ErrorCode error = ErrorCode::none;
};
/// ListOffsets told a client this end offset (KIP-207).
struct EndOffsetTold {
    ProcessId process;
    LogId log;
    Offset offset;
};
/// The application saw an error of a call and reacted.
struct AppError {
    ProcessId process;
    ErrorClass error_class = ErrorClass::unknown;
    ErrorCode error = ErrorCode::none;
    Reaction reaction = Reaction::retry;
};

// --- what Flink jobs did and saw ------------------------------------------------------------------

/// Where a job reads on from: positions of a checkpoint, the only truth for recovery (F16).
struct CheckpointPart {
    LogId log;
    Offset offset;
};
/// A checkpoint is in the store of completed ones (F11).
struct CheckpointCompleted {
    AppId app;
    CheckpointId checkpoint;
    sim::Duration took{};           ///< since it was triggered
    std::vector<CheckpointPart> positions;
};
/// A triggered checkpoint came to nothing: timeout, decline, failure of the job (F12).
struct CheckpointFailed {
    AppId app;
    CheckpointId checkpoint;
};
/// The job begins, or begins again, at a completed checkpoint; 0: from scratch.
struct JobRestored {
    AppId app;
    CheckpointId checkpoint;
    std::vector<CheckpointPart> positions;
};

// --- what brokers durably did --------------------------------------------------------------------

/// A replica appended a batch; leader or follower.
struct Appended {
    BrokerId broker;
    LogId log;
    bool leader = false;
    Batch batch;
};
/// The coordinator's state of a transactional id became durable, or was read back from its log.
struct TxnChanged {
    BrokerId broker;
    TransactionalId txid;
    CoordinatorEpoch coordinator_epoch;
    TxnState state = TxnState::empty;
    ProducerId producer_id;
    ProducerEpoch epoch;
    std::optional<TxnRef> txn;      ///< whose request made it so; none: the coordinator itself
    TxnCause cause = TxnCause::client;
    std::vector<LogId> logs;
    bool loaded = false;
    std::optional<sim::Instant> begun = {};  ///< when its coordinator took it up; none: read back
};
/// A leader's last stable offset moved; it may go back, which the judges see (E-LSO-BACK).
struct StableOffsetMoved {
    BrokerId broker;
    LogId log;
    Offset last_stable;
};
/// A transactional offset is in the log and waits for its marker.
struct OffsetPending {
    BrokerId broker;
    GroupId group;
    LogId log;
    Offset offset;
    ProducerId producer_id;
    std::optional<TxnRef> txn;
};
/// The leader recognised a retry and appended nothing (PST-14).
struct Deduplicated {
    BrokerId broker;
    LogId log;
    Offset base;
    std::int32_t count = 0;
};
struct Truncated {
    BrokerId broker;
    LogId log;
    Offset to;
};
struct WatermarkMoved {
    BrokerId broker;
    LogId log;
    bool leader = false;
    Offset high_watermark;
};
/// A broker became leader of a log (applied, not only decided).
struct LeadershipTaken {
    BrokerId broker;
    LogId log;
    LeaderEpoch epoch;
    Offset log_end;
    Offset high_watermark;
};
/// A group offset became effective at the coordinator.
struct OffsetCommitted {
    BrokerId broker;
    GroupId group;
    LogId log;
    std::optional<Offset> offset;   ///< none: removed
    std::optional<MemberId> member;
    bool loaded = false;            ///< replayed from the log after a coordinator change
    std::optional<TxnRef> txn = {}; ///< it was part of this transaction
};
struct GroupChanged {
    BrokerId broker;
    GroupId group;
    Generation generation;
    std::int32_t members = 0;
    bool stable = false;
};

// --- the audit after settle -----------------------------------------------------------------------

/// One replica's log, whole. Told once, at the end, by every living replica.
struct ReplicaAudit {
    BrokerId broker;
    LogId log;
    bool leader = false;
    Offset log_start;
    Offset high_watermark;
    Offset log_end;
    std::vector<Batch> batches;
    Offset last_stable{};
    std::int32_t open_transactions = 0;
};
/// A transactional id at its coordinator.
struct TxnAudit {
    BrokerId broker;
    TransactionalId txid;
    TxnState state = TxnState::empty;
    bool overdue = false;           ///< open for longer than its timeout and a scan
    ProducerId producer_id;
    ProducerEpoch epoch;
    std::vector<LogId> logs;
};
struct GroupAudit {
    BrokerId broker;
    GroupId group;
    bool stable = false;
    std::int32_t members = 0;
    struct Part {
        LogId log;
        Offset offset;
    };
    std::vector<Part> offsets;
};
/// What an application instance still waits for.
struct ClientAudit {
    ProcessId process;
    bool finished = false;          ///< its program has ended, or it idles with nothing to do
    std::int32_t sends_open = 0;
    bool call_open = false;         ///< a blocking call has not returned
    sim::Instant call_since{};
    std::int64_t inputs_unsent = 0;
    struct Part {
        LogId log;
        std::optional<Offset> position;
    };
    std::vector<Part> positions;    ///< assigned partitions
};

// --- stores ---------------------------------------------------------------------------------------

/// A call of an application at a store ended: what the client saw.
struct StoreCallDone {
    ProcessId process;
    StoreId store;
    Statement statement = Statement::write;
    ErrorCode error = ErrorCode::none;
    Certainty certainty = Certainty::done;
    sim::Instant invoked_at{};
};
/// An effect is durable at a store: the truth, told when its transaction commits.
struct StoreApplied {
    StoreId store;
    ProcessId process;
    GroupId group;
    LogId log;                      ///< of the input, with its offset
    Offset offset;
    Record record;
    EffectKind effect = EffectKind::insert;
    bool kept = true;               ///< put: it is the value of its key now
};
/// The offset a store keeps for a group's log: the next one to read.
struct StoreOffsetWritten {
    StoreId store;
    ProcessId process;
    GroupId group;
    LogId log;
    Offset offset;
};
/// The store lost everything it held.
struct StoreWiped {
    StoreId store;
};
/// What a store still has open at the end.
struct StoreAudit {
    StoreId store;
    std::int32_t in_doubt = 0;      ///< prepared, and nobody decides
    std::int32_t waiting = 0;       ///< statements that wait for a lock
};

using Observation =
    std::variant<InputOffered, SendInvoked, SendDone, Polled, Effect, PositionSet, Assigned,
                 CommitReturned, EndOffsetTold, AppError, Appended, Deduplicated, Truncated,
                 WatermarkMoved, LeadershipTaken, OffsetCommitted, GroupChanged, ReplicaAudit,
                 GroupAudit, ClientAudit, TxnBegan, TxnOffsetsSent, TxnEndInvoked, TxnEndReturned,
                 TxnInitialised, Fenced, TxnChanged, StableOffsetMoved, OffsetPending, TxnAudit,
                 InputWithdrawn, StoreCallDone, StoreApplied, StoreOffsetWritten, StoreWiped,
                 StoreAudit, CheckpointCompleted, CheckpointFailed, JobRestored>;

}  // namespace eos::model
