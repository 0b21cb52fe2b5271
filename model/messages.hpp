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

#include "model/config.hpp"
#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/records.hpp"

namespace eos::model {

/// Kafka's API names; requests and responses share the number. In the order of Message's pairs.
enum class Api : std::uint16_t {
    produce, fetch, list_offsets, offset_for_leader_epoch, metadata, find_coordinator,
    init_producer_id, offset_commit, offset_fetch, join_group, sync_group, heartbeat, leave_group,
    broker_registration, broker_heartbeat, alter_partition, metadata_fetch, allocate_producer_ids,
    handoff,
};
inline constexpr std::size_t api_count = 19;
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

struct FindCoordinatorRequest {
    GroupId group;
    friend bool operator==(const FindCoordinatorRequest&, const FindCoordinatorRequest&) = default;
};
struct FindCoordinatorResponse {
    GroupId group;
    ErrorCode error = ErrorCode::none;
    BrokerId coordinator;
    friend bool operator==(const FindCoordinatorResponse&, const FindCoordinatorResponse&) = default;
};

struct InitProducerIdRequest {
    std::int32_t attempt = 1;
    friend bool operator==(const InitProducerIdRequest&, const InitProducerIdRequest&) = default;
};
struct InitProducerIdResponse {
    ErrorCode error = ErrorCode::none;
    ProducerId producer_id{-1};
    ProducerEpoch producer_epoch{-1};
    friend bool operator==(const InitProducerIdResponse&, const InitProducerIdResponse&) = default;
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
        friend bool operator==(const Part&, const Part&) = default;
    };
    std::vector<Part> parts;
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
struct OffsetFetchRequest {
    GroupId group;
    std::vector<LogId> logs;
    bool require_stable = true;
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
    std::optional<BrokerId> last_known_leader;
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
enum class Task : std::uint8_t { apply, load, delayed_answer, write_offsets, complete_rebalance };
[[nodiscard]] std::string_view name(Task task);
[[nodiscard]] std::optional<Task> task(std::string_view name);

struct HandOff {
    Task task = Task::apply;
    LogId log{-1};
    GroupId group{-1};
    std::int64_t token = 0;                ///< what the role needs to go on
    std::vector<MetadataRecord> records;   ///< apply
    ErrorCode error = ErrorCode::none;     ///< set by a fault: the step throws
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
    AllocateProducerIdsRequest, AllocateProducerIdsResponse, HandOff>;

/// The API of a message: its alternatives stand in request, response pairs.
[[nodiscard]] inline Api api_of(const Message& message) {
    return static_cast<Api>(message.index() / 2);
}
static_assert(std::variant_size_v<Message> == 2 * api_count - 1);

}  // namespace eos::model
