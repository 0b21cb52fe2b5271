#pragma once
// What nodes say to each other: one struct per request and per response of Kafka's protocol (R1..R19
// and the brokers' own), and the closed variant of them. Responses carry what a fault needs to be
// aimed at them. A message is plain data; logs travel as Batch headers with shared payloads.

#include <cstdint>
#include <optional>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "model/aborted_index.hpp"
#include "model/config.hpp"
#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/job_messages.hpp"
#include "model/records.hpp"
#include "model/store_messages.hpp"

namespace eos::model {

/// Kafka's API names; requests and responses share the number. In the order of Message's pairs.
enum class Api : std::uint16_t {
    produce, fetch, list_offsets, offset_for_leader_epoch, metadata, find_coordinator,
    init_producer_id, offset_commit, offset_fetch, join_group, sync_group, heartbeat, leave_group,
    broker_registration, broker_heartbeat, alter_partition, metadata_fetch, allocate_producer_ids,
    add_partitions_to_txn, add_offsets_to_txn, txn_offset_commit, end_txn, write_txn_markers,
    consumer_group_heartbeat,
    handoff,
    // Late comers stand behind the hand-off: the numbers are in the digests of runs.
    store,
    register_task_manager, deploy, cancel, trigger, ack, decline, notify, abort,  // of a Flink job
    task_manager_heartbeat, task_state,
};
inline constexpr std::size_t api_count = 36;
/// "Produce", "OffsetForLeaderEpoch": as scenarios write it.
[[nodiscard]] std::string_view name(Api api);
[[nodiscard]] std::optional<Api> api(std::string_view name);

/// A broker's answer may name the leader it knows (KIP-951, N11).
struct LeaderHint {
    BrokerId leader;
    LeaderEpoch epoch;
    friend bool operator==(const LeaderHint&, const LeaderHint&) = default;
};

// --- clients and brokers ------------------------------------------------------------------------

struct ProduceRequest {
    Acks acks = Acks::all;
    Duration timeout{};                    ///< the broker's wait for acks=all (P14)
    std::int32_t attempt = 1;              ///< 1: first sending of the first batch
    std::optional<TransactionalId> txid = {};
    /// The client's: from TV2 (v12) on the leader enrols the partition itself (TV2-4).
    TransactionVersion version = TransactionVersion::tv0;
    struct Part {
        LogId log;
        Batch batch;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const ProduceRequest&, const ProduceRequest&) = default;
};
struct ProduceResponse {
    Acks acks = Acks::all;
    std::int32_t attempt = 1;
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        std::optional<Offset> base;        ///< of the (original, if a duplicate) batch
        Offset log_start;
        std::optional<LeaderHint> hint;
        std::optional<ProducerId> producer_id;   ///< echoed for aiming
        ProducerEpoch producer_epoch{-1};
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const ProduceResponse&, const ProduceResponse&) = default;
};

struct FetchRequest {
    std::optional<BrokerId> replica;       ///< a follower's fetch
    BrokerEpoch broker_epoch{-1};          ///< KIP-903
    Duration max_wait{};
    std::int32_t min_bytes = 1;
    std::int32_t max_bytes = 0;
    Isolation isolation = Isolation::read_uncommitted;
    struct Part {
        LogId log;
        Offset offset;
        std::optional<LeaderEpoch> current_leader_epoch;
        std::optional<LeaderEpoch> last_fetched_epoch;
        Offset log_start;                  ///< the follower's own
        std::int32_t max_bytes = 0;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const FetchRequest&, const FetchRequest&) = default;
};
struct EpochEnd {
    std::optional<LeaderEpoch> epoch;      ///< none: undefined (LEP-2)
    std::optional<Offset> end;
    friend bool operator==(const EpochEnd&, const EpochEnd&) = default;
};
struct FetchResponse {
    bool to_replica = false;
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        Offset fetch_offset;               ///< echoed: the answer counts only at this position (C10)
        Offset high_watermark;
        Offset last_stable_offset;
        Offset log_start;
        std::optional<EpochEnd> diverging; ///< TRN-2
        std::vector<Batch> batches;
        std::optional<LeaderHint> hint;
        std::optional<std::vector<AbortedTxn>> aborted = {};  ///< read_committed only (FET-5)
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const FetchResponse&, const FetchResponse&) = default;
};

enum class OffsetSpec : std::uint8_t { earliest, latest };
struct ListOffsetsRequest {
    std::optional<BrokerId> replica;       ///< a follower asks: it is told the log end (FET-11)
    Isolation isolation = Isolation::read_uncommitted;
    struct Part {
        LogId log;
        OffsetSpec spec = OffsetSpec::latest;
        std::optional<LeaderEpoch> current_leader_epoch;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const ListOffsetsRequest&, const ListOffsetsRequest&) = default;
};
struct ListOffsetsResponse {
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        Offset offset;
        std::optional<LeaderEpoch> leader_epoch;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const ListOffsetsResponse&, const ListOffsetsResponse&) = default;
};

struct OffsetForLeaderEpochRequest {
    struct Part {
        LogId log;
        LeaderEpoch epoch;
        std::optional<LeaderEpoch> current_leader_epoch;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const OffsetForLeaderEpochRequest&,
                           const OffsetForLeaderEpochRequest&) = default;
};
struct OffsetForLeaderEpochResponse {
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        EpochEnd end;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const OffsetForLeaderEpochResponse&,
                           const OffsetForLeaderEpochResponse&) = default;
};

struct MetadataRequest {
    std::vector<TopicId> topics;
    friend bool operator==(const MetadataRequest&, const MetadataRequest&) = default;
};
struct MetadataResponse {
    ErrorCode error = ErrorCode::none;     ///< set only by faults
    std::vector<BrokerId> brokers;         ///< alive, as the answering broker believes
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        std::optional<BrokerId> leader;
        LeaderEpoch epoch;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const MetadataResponse&, const MetadataResponse&) = default;
};

/// Of a group or of a transactional id: exactly one is given.
struct FindCoordinatorRequest {
    std::optional<GroupId> group;
    std::optional<TransactionalId> txid = {};
    friend bool operator==(const FindCoordinatorRequest&, const FindCoordinatorRequest&) = default;
};
struct FindCoordinatorResponse {
    std::optional<GroupId> group;
    ErrorCode error = ErrorCode::none;
    BrokerId coordinator;
    std::optional<TransactionalId> txid = {};
    friend bool operator==(const FindCoordinatorResponse&, const FindCoordinatorResponse&) = default;
};

struct InitProducerIdRequest {
    std::int32_t attempt = 1;
    std::optional<TransactionalId> txid = {};            ///< none: idempotent only (INI-2)
    Duration timeout = {};                               ///< transaction.timeout.ms
    std::optional<ProducerId> expected_producer_id = {}; ///< KIP-360; none: an application restart
    ProducerEpoch expected_epoch{-1};
    friend bool operator==(const InitProducerIdRequest&, const InitProducerIdRequest&) = default;
};
struct InitProducerIdResponse {
    ErrorCode error = ErrorCode::none;
    ProducerId producer_id{-1};
    ProducerEpoch producer_epoch{-1};
    std::optional<TransactionalId> txid = {};
    friend bool operator==(const InitProducerIdResponse&, const InitProducerIdResponse&) = default;
};

// --- transactions -------------------------------------------------------------------------------

/// Who speaks in a transaction: identity on the wire, and the ledger's name of what is meant.
struct TxnIdentity {
    TransactionalId txid;
    ProducerId producer_id{-1};
    ProducerEpoch producer_epoch{-1};
    std::optional<TxnRef> txn;
    friend bool operator==(const TxnIdentity&, const TxnIdentity&) = default;
};
/// From clients with one entry; from partition leaders one entry per transactional id (ADD-6).
struct AddPartitionsToTxnRequest {
    bool from_broker = false;
    std::int32_t attempt = 1;
    struct Entry {
        TxnIdentity who;
        bool verify_only = false;          ///< ADD-8
        std::vector<LogId> logs;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::vector<Entry> entries;
    friend bool operator==(const AddPartitionsToTxnRequest&,
                           const AddPartitionsToTxnRequest&) = default;
};
struct AddPartitionsToTxnResponse {
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        friend bool operator==(const Part&, const Part&) = default;
    };
    struct Entry {
        TxnIdentity who;
        std::vector<Part> parts;           ///< every partition asked for
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::vector<Entry> entries;
    friend bool operator==(const AddPartitionsToTxnResponse&,
                           const AddPartitionsToTxnResponse&) = default;
};
struct AddOffsetsToTxnRequest {
    TxnIdentity who;
    GroupId group;
    std::int32_t attempt = 1;
    friend bool operator==(const AddOffsetsToTxnRequest&, const AddOffsetsToTxnRequest&) = default;
};
struct AddOffsetsToTxnResponse {
    TxnIdentity who;
    GroupId group;
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const AddOffsetsToTxnResponse&, const AddOffsetsToTxnResponse&) = default;
};
struct EndTxnRequest {
    TxnIdentity who;
    ControlType result = ControlType::commit;
    TransactionVersion version = TransactionVersion::tv0;  ///< tv2: request v5 (END-2)
    std::int32_t attempt = 1;
    friend bool operator==(const EndTxnRequest&, const EndTxnRequest&) = default;
};
struct EndTxnResponse {
    TxnIdentity who;                       ///< as asked
    ControlType result = ControlType::commit;
    ErrorCode error = ErrorCode::none;
    ProducerId producer_id{-1};            ///< from v5: what to go on with (END-7)
    ProducerEpoch producer_epoch{-1};
    friend bool operator==(const EndTxnResponse&, const EndTxnResponse&) = default;
};
/// MRK-2. The transactional id is the ledger's addition, for aiming.
struct WriteTxnMarkersRequest {
    CoordinatorEpoch coordinator_epoch;
    /// Markers of one transaction at this broker. `version`: tv2 asks for the strict check (PSD-9).
    struct Entry {
        TxnIdentity who;
        ControlType result = ControlType::commit;
        CoordinatorEpoch coordinator_epoch;
        TransactionVersion version = TransactionVersion::tv0;
        std::vector<LogId> logs;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::vector<Entry> entries;
    friend bool operator==(const WriteTxnMarkersRequest&, const WriteTxnMarkersRequest&) = default;
};
struct WriteTxnMarkersResponse {
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        friend bool operator==(const Part&, const Part&) = default;
    };
    struct Entry {
        TxnIdentity who;
        ControlType result = ControlType::commit;
        CoordinatorEpoch coordinator_epoch;
        std::vector<Part> parts;
        friend bool operator==(const Entry&, const Entry&) = default;
    };
    std::vector<Entry> entries;
    friend bool operator==(const WriteTxnMarkersResponse&, const WriteTxnMarkersResponse&) = default;
};

// --- groups -------------------------------------------------------------------------------------

/// Who speaks to the group coordinator. No generation: a "simple" commit (G20).
struct MemberRef {
    std::optional<Generation> generation;
    std::optional<MemberId> member;
    std::optional<GroupInstanceId> instance;
    friend bool operator==(const MemberRef&, const MemberRef&) = default;
};

struct OffsetCommitRequest {
    GroupId group;
    MemberRef member;
    struct Part {
        LogId log;
        Offset offset;
        std::optional<LeaderEpoch> leader_epoch;
        std::int32_t metadata_bytes = 0;   ///< the text that a client may store with an offset
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    std::int16_t version = 9;              ///< below 9: a client before KIP-848
    friend bool operator==(const OffsetCommitRequest&, const OffsetCommitRequest&) = default;
};
struct OffsetCommitResponse {
    GroupId group;
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const OffsetCommitResponse&, const OffsetCommitResponse&) = default;
};
/// Offsets inside a transaction (OFF-1), to the group coordinator.
struct TxnOffsetCommitRequest {
    TxnIdentity who;
    GroupId group;
    MemberRef member;                      ///< empty: no group metadata, no zombie protection
    TransactionVersion version = TransactionVersion::tv0;  ///< tv2 (v5): implicit enrolment
    std::vector<OffsetCommitRequest::Part> parts;
    std::int32_t attempt = 1;
    friend bool operator==(const TxnOffsetCommitRequest&, const TxnOffsetCommitRequest&) = default;
};
struct TxnOffsetCommitResponse {
    TxnIdentity who;
    GroupId group;
    std::vector<OffsetCommitResponse::Part> parts;
    friend bool operator==(const TxnOffsetCommitResponse&, const TxnOffsetCommitResponse&) = default;
};
struct OffsetFetchRequest {
    GroupId group;
    std::vector<LogId> logs;
    bool require_stable = true;
    /// KIP-848 members name themselves; `member_epoch` none: classic.
    std::optional<MemberId> member = {};
    std::optional<std::int32_t> member_epoch = {};
    friend bool operator==(const OffsetFetchRequest&, const OffsetFetchRequest&) = default;
};
struct OffsetFetchResponse {
    GroupId group;
    ErrorCode error = ErrorCode::none;     ///< of the whole group
    struct Part {
        LogId log;
        ErrorCode error = ErrorCode::none;
        std::optional<Offset> offset;
        std::optional<LeaderEpoch> leader_epoch;
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
    friend bool operator==(const OffsetFetchResponse&, const OffsetFetchResponse&) = default;
};

/// What a classic member tells about itself for one assignor (M9).
struct JoinGroupRequest {
    GroupId group;
    std::optional<MemberId> member;        ///< none: a newcomer
    std::optional<GroupInstanceId> instance;
    Duration session_timeout{};
    Duration rebalance_timeout{};
    std::vector<AssignorKind> protocols;   ///< in order of preference
    std::vector<TopicId> subscription;
    std::vector<LogId> owned;
    std::optional<Generation> owned_since = {};  ///< generation of `owned` (sticky: KIP-792)
    friend bool operator==(const JoinGroupRequest&, const JoinGroupRequest&) = default;
};
struct JoinGroupResponse {
    GroupId group;
    ErrorCode error = ErrorCode::none;
    std::optional<Generation> generation;
    std::optional<AssignorKind> protocol;
    std::optional<MemberId> leader;
    std::optional<MemberId> member;
    bool skip_assignment = false;
    struct Member {
        MemberId member;
        std::optional<GroupInstanceId> instance;
        std::vector<TopicId> subscription;
        std::vector<LogId> owned;
        std::optional<Generation> owned_since = {};
        friend bool operator==(const Member&, const Member&) = default;
    };
    std::vector<Member> members;           ///< to the leader only
    friend bool operator==(const JoinGroupResponse&, const JoinGroupResponse&) = default;
};
struct MemberAssignment {
    MemberId member;
    std::vector<LogId> logs;
    friend bool operator==(const MemberAssignment&, const MemberAssignment&) = default;
};
struct SyncGroupRequest {
    GroupId group;
    MemberRef member;
    std::optional<AssignorKind> protocol;
    std::vector<MemberAssignment> assignments;  ///< from the leader only
    friend bool operator==(const SyncGroupRequest&, const SyncGroupRequest&) = default;
};
struct SyncGroupResponse {
    GroupId group;
    ErrorCode error = ErrorCode::none;
    std::vector<LogId> assignment;
    friend bool operator==(const SyncGroupResponse&, const SyncGroupResponse&) = default;
};
struct HeartbeatRequest {
    GroupId group;
    MemberRef member;
    friend bool operator==(const HeartbeatRequest&, const HeartbeatRequest&) = default;
};
struct HeartbeatResponse {
    GroupId group;
    ErrorCode error = ErrorCode::none;
    friend bool operator==(const HeartbeatResponse&, const HeartbeatResponse&) = default;
};
struct LeaveGroupRequest {
    GroupId group;
    std::vector<MemberRef> members;
    friend bool operator==(const LeaveGroupRequest&, const LeaveGroupRequest&) = default;
};
struct LeaveGroupResponse {
    GroupId group;
    ErrorCode error = ErrorCode::none;
    std::vector<ErrorCode> members;
    friend bool operator==(const LeaveGroupResponse&, const LeaveGroupResponse&) = default;
};

/// KIP-848: one member tells its group what it owns, and is told what to own.
struct ConsumerGroupHeartbeatRequest {
    GroupId group;
    std::optional<MemberId> member;
    std::int32_t member_epoch = 0;         ///< 0 joins, -1 leaves, -2 leaves for now (static)
    std::optional<GroupInstanceId> instance;
    std::optional<Duration> rebalance_timeout;            ///< none: unchanged
    std::optional<std::vector<TopicId>> subscription;     ///< none: unchanged
    std::optional<std::vector<LogId>> owned;              ///< none: unchanged
    std::optional<ServerAssignor> assignor;               ///< none: the group's or the broker's
    friend bool operator==(const ConsumerGroupHeartbeatRequest&,
                           const ConsumerGroupHeartbeatRequest&) = default;
};
struct ConsumerGroupHeartbeatResponse {
    GroupId group;
    ErrorCode error = ErrorCode::none;
    std::optional<MemberId> member;
    std::int32_t member_epoch = 0;
    Duration heartbeat_interval{};
    std::optional<std::vector<LogId>> assignment;         ///< none: as it was
    friend bool operator==(const ConsumerGroupHeartbeatResponse&,
                           const ConsumerGroupHeartbeatResponse&) = default;
};

// --- brokers and the controller -----------------------------------------------------------------

enum class RecoveryState : std::uint8_t { recovered, recovering };

/// One partition as the controller knows it: what the metadata log says (ELE, ISR-4).
struct PartitionState {
    LogId log;
    std::vector<BrokerId> replicas;
    std::vector<BrokerId> isr;
    std::optional<BrokerId> leader;
    LeaderEpoch leader_epoch;
    PartitionEpoch partition_epoch;
    RecoveryState recovery = RecoveryState::recovered;
    std::vector<BrokerId> elr;             ///< eligible leader replicas (KIP-966)
    std::vector<BrokerId> last_known_elr;
    friend bool operator==(const PartitionState&, const PartitionState&) = default;
};
struct BrokerRegistration {
    BrokerId broker;
    BrokerEpoch epoch{-1};
    bool fenced = true;
    bool in_controlled_shutdown = false;
    friend bool operator==(const BrokerRegistration&, const BrokerRegistration&) = default;
};

struct BrokerRegistrationRequest {
    BrokerId broker;
    BrokerEpoch previous_epoch{-1};        ///< of the last clean shutdown; -1: it was unclean
    std::int32_t incarnation = 0;          ///< which life of the process: a retry keeps it
    friend bool operator==(const BrokerRegistrationRequest&,
                           const BrokerRegistrationRequest&) = default;
};
struct BrokerRegistrationResponse {
    ErrorCode error = ErrorCode::none;
    BrokerEpoch epoch{-1};
    friend bool operator==(const BrokerRegistrationResponse&,
                           const BrokerRegistrationResponse&) = default;
};
struct BrokerHeartbeatRequest {
    BrokerId broker;
    BrokerEpoch epoch;
    std::int64_t metadata_offset = 0;      ///< how far this broker has applied the metadata log
    bool want_shutdown = false;
    friend bool operator==(const BrokerHeartbeatRequest&, const BrokerHeartbeatRequest&) = default;
};
struct BrokerHeartbeatResponse {
    ErrorCode error = ErrorCode::none;
    bool fenced = true;
    bool may_shut_down = false;
    friend bool operator==(const BrokerHeartbeatResponse&, const BrokerHeartbeatResponse&) = default;
};
struct AlterPartitionRequest {
    BrokerId broker;
    BrokerEpoch broker_epoch;
    LogId log;
    LeaderEpoch leader_epoch;
    PartitionEpoch partition_epoch;
    struct Member {
        BrokerId broker;
        BrokerEpoch epoch{-1};             ///< -1: not checked (ISR-7)
        friend bool operator==(const Member&, const Member&) = default;
    };
    std::vector<Member> isr;
    RecoveryState recovery = RecoveryState::recovered;
    friend bool operator==(const AlterPartitionRequest&, const AlterPartitionRequest&) = default;
};
struct AlterPartitionResponse {
    LogId log;
    ErrorCode error = ErrorCode::none;
    std::optional<PartitionState> state;   ///< with no error
    friend bool operator==(const AlterPartitionResponse&, const AlterPartitionResponse&) = default;
};
/// A broker pulls the metadata log (KRaft): long poll from `from`.
struct MetadataFetchRequest {
    BrokerId broker;
    std::int64_t from = 0;
    friend bool operator==(const MetadataFetchRequest&, const MetadataFetchRequest&) = default;
};
using MetadataRecord = std::variant<PartitionState, BrokerRegistration>;
struct MetadataFetchResponse {
    ErrorCode error = ErrorCode::none;
    std::int64_t from = 0;                 ///< offset of records.front()
    std::vector<MetadataRecord> records;
    friend bool operator==(const MetadataFetchResponse&, const MetadataFetchResponse&) = default;
};
struct AllocateProducerIdsRequest {
    BrokerId broker;
    BrokerEpoch epoch;
    friend bool operator==(const AllocateProducerIdsRequest&,
                           const AllocateProducerIdsRequest&) = default;
};
struct AllocateProducerIdsResponse {
    ErrorCode error = ErrorCode::none;
    ProducerId first{-1};
    std::int32_t count = 0;                ///< 1000 (PIA-1)
    friend bool operator==(const AllocateProducerIdsResponse&,
                           const AllocateProducerIdsResponse&) = default;
};

// --- hand-offs ----------------------------------------------------------------------------------

/// Where a node gives up its thread between two steps (language.md 5.3).
enum class Task : std::uint8_t {
    apply, load, delayed_answer, write_offsets, complete_rebalance,
    append_after_verify,   ///< a verified produce goes to its log (VER-9)
    materialise_offsets,   ///< a marker is in the offsets log, the group learns of it (OFF-7)
    write_txn_state,       ///< the transaction coordinator's append
    marker_answer,         ///< the coordinator handles an answer to its markers
    complete_txn,          ///< all markers are written, Complete* is to be logged
    execute_call,          ///< an http store does what a call asks for
    checkpoint_write,      ///< Flink: a subtask's state is uploaded; a checkpoint's metadata is written
    notify,                ///< Flink: a completed checkpoint is told to the subtasks (F11)
    commit,                ///< Flink: the committer learns that a checkpoint is complete (F23)
};
inline constexpr std::size_t task_count = 14;
[[nodiscard]] std::string_view name(Task task);
[[nodiscard]] std::optional<Task> task(std::string_view name);

struct HandOff {
    Task task = Task::apply;
    LogId log{-1};
    GroupId group{-1};
    std::int64_t token = 0;                ///< what the role needs to go on
    std::vector<MetadataRecord> records;   ///< apply
    ErrorCode error = ErrorCode::none;     ///< set by a fault: the step throws
    std::optional<CheckpointId> checkpoint = {};  ///< Flink
    friend bool operator==(const HandOff&, const HandOff&) = default;
};

using Message = std::variant<
    ProduceRequest, ProduceResponse, FetchRequest, FetchResponse, ListOffsetsRequest,
    ListOffsetsResponse, OffsetForLeaderEpochRequest, OffsetForLeaderEpochResponse,
    MetadataRequest, MetadataResponse, FindCoordinatorRequest, FindCoordinatorResponse,
    InitProducerIdRequest, InitProducerIdResponse, OffsetCommitRequest, OffsetCommitResponse,
    OffsetFetchRequest, OffsetFetchResponse, JoinGroupRequest, JoinGroupResponse,
    SyncGroupRequest, SyncGroupResponse, HeartbeatRequest, HeartbeatResponse, LeaveGroupRequest,
    LeaveGroupResponse, BrokerRegistrationRequest, BrokerRegistrationResponse,
    BrokerHeartbeatRequest, BrokerHeartbeatResponse, AlterPartitionRequest,
    AlterPartitionResponse, MetadataFetchRequest, MetadataFetchResponse,
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, AddPartitionsToTxnRequest,
    AddPartitionsToTxnResponse, AddOffsetsToTxnRequest, AddOffsetsToTxnResponse,
    TxnOffsetCommitRequest, TxnOffsetCommitResponse, EndTxnRequest, EndTxnResponse,
    WriteTxnMarkersRequest, WriteTxnMarkersResponse, ConsumerGroupHeartbeatRequest,
    ConsumerGroupHeartbeatResponse, HandOff, StoreRequest, StoreResponse,
    RegisterTaskManagerRequest, RegisterTaskManagerResponse, DeployRequest, DeployResponse, CancelRequest, CancelResponse,
    TriggerRequest, TriggerResponse, AckRequest, AckResponse, DeclineRequest, DeclineResponse,
    NotifyRequest, NotifyResponse, AbortRequest, AbortResponse, TaskManagerHeartbeatRequest,
    TaskManagerHeartbeatResponse, TaskStateRequest, TaskStateResponse>;

/// The API of a message: its alternatives stand in request, response pairs, hand-offs alone.
[[nodiscard]] inline Api api_of(const Message& message) {
    constexpr auto alone = 2 * static_cast<std::size_t>(Api::handoff);
    const auto index = message.index();
    return static_cast<Api>((index > alone ? index + 1 : index) / 2);
}
static_assert(std::variant_size_v<Message> == 2 * api_count - 1);

}  // namespace eos::model
