#pragma once
// Settings of every role, with Kafka's defaults (protocol/*, "Defaults"). Plain data: the scenario
// reader fills it, the roles keep a shared immutable copy. Durations are virtual time.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "model/error_codes.hpp"
#include "model/ids.hpp"
#include "model/job_config.hpp"
#include "model/safeguards.hpp"
#include "model/store_config.hpp"
#include "sim/rng.hpp"
#include "sim/time.hpp"

namespace eos::model {

using sim::Duration;
using sim::milliseconds;
using sim::seconds;

// --- cluster ----------------------------------------------------------------------------------

enum class MetadataMode : std::uint8_t { kraft, zookeeper };
/// group.consumer.migration.policy: which way a group with members may change its protocol (KIP-848).
enum class GroupMigration : std::uint8_t { disabled, upgrade, downgrade, bidirectional };

/// Brokers and controller. Settings keep Kafka's meaning; the Kafka name is in the comment.
struct ClusterConfig {
    SafeguardSet safeguards = SafeguardSet::all();
    MetadataMode metadata = MetadataMode::kraft;
    bool unclean_election = false;                 // unclean.leader.election.enable
    std::int32_t dedup_batches = 5;                // PST-1
    std::int16_t max_producer_epoch = 32767;
    std::int32_t max_sequence = 2147483647;

    Duration broker_heartbeat = milliseconds(2000);      // broker.heartbeat.interval.ms
    Duration broker_session = milliseconds(9000);        // broker.session.timeout.ms
    /// From the decision to elect until brokers may learn of it. KRaft: one metadata write;
    /// ZooKeeper era: the controller writes and pushes partition by partition.
    Duration election_delay = milliseconds(5);
    Duration replica_lag_max = milliseconds(30000);      // replica.lag.time.max.ms
    Duration replica_fetch_wait = milliseconds(500);     // replica.fetch.wait.max.ms
    Duration replica_fetch_backoff = milliseconds(1000); // replica.fetch.backoff.ms
    std::int32_t replica_fetch_bytes = 1048576;          // replica.fetch.max.bytes
    Duration hw_checkpoint = milliseconds(5000);         // replica.high.watermark.checkpoint...
    Duration producer_expiration = milliseconds(86'400'000);     // producer.id.expiration.ms
    Duration producer_expiration_check = milliseconds(600'000);  // ....check.interval.ms
    std::int32_t segment_batches = 0;              ///< batches per segment; 0: segments unbounded
    Duration request_timeout = milliseconds(30000);      // request.timeout.ms between brokers
    Duration leader_imbalance_check = milliseconds(300'000);  // leader.imbalance.check.interval...
    bool auto_leader_rebalance = true;                   // auto.leader.rebalance.enable

    Duration group_initial_rebalance_delay = milliseconds(3000);
    Duration group_new_member_timeout = milliseconds(300'000);   // G15
    Duration group_min_session = milliseconds(6000);
    Duration group_max_session = milliseconds(1'800'000);
    std::int32_t group_max_size = 2147483647;            // group.max.size
    Duration offsets_commit_timeout = milliseconds(5000);        // offsets.commit.timeout.ms
    Duration offsets_retention = milliseconds(604'800'000);      // offsets.retention.minutes
    Duration offsets_retention_check = milliseconds(600'000);
    std::int32_t offset_metadata_max = 4096;             // offset.metadata.max.bytes

    TransactionVersion transaction_version = TransactionVersion::tv2;  // transaction.version
    Duration transaction_max_timeout = milliseconds(900'000);     // transaction.max.timeout.ms
    Duration transaction_timeout_check = milliseconds(10'000);    // transaction.abort.timed.out...
    Duration transactional_id_expiration = milliseconds(604'800'000);
    Duration transactional_id_check = milliseconds(3'600'000);    // ...remove.expired...interval
    Duration enrol_retry_backoff = milliseconds(20);              // add.partitions.to.txn.retry...
    Duration enrol_retry_backoff_max = milliseconds(100);         // PSD-2

    Duration consumer_group_session = milliseconds(45'000);       // group.consumer.session...
    Duration consumer_group_heartbeat = milliseconds(5'000);      // group.consumer.heartbeat...
    std::int32_t consumer_group_max_size = 2147483647;
    GroupMigration group_migration = GroupMigration::bidirectional;  // group.consumer.migration...

    /// When a log reaches the platter: never (Kafka's default), every write, or every `flush`.
    bool flush_every_write = false;
    Duration flush_interval{};                     ///< zero: never
    friend bool operator==(const ClusterConfig&, const ClusterConfig&) = default;
};

// --- clients ----------------------------------------------------------------------------------

/// Common to every Kafka client (N3..N9).
struct ClientConfig {
    Duration request_timeout = milliseconds(30000);
    Duration retry_backoff = milliseconds(100);
    Duration retry_backoff_max = milliseconds(1000);
    Duration reconnect_backoff = milliseconds(50);
    Duration reconnect_backoff_max = milliseconds(1000);
    Duration connection_setup_timeout = milliseconds(10000);
    Duration connection_setup_timeout_max = milliseconds(30000);
    Duration metadata_max_age = milliseconds(300'000);
    friend bool operator==(const ClientConfig&, const ClientConfig&) = default;
};

enum class Acks : std::int8_t { all = -1, none = 0, leader = 1 };

struct ProducerConfig {
    ClientConfig client;
    SafeguardSet safeguards = SafeguardSet::all();
    Acks acks = Acks::all;
    bool idempotence = true;                       // enable.idempotence, as far as allowed (I1)
    /// Nobody configured it: whether the documented default is applied is up to the safeguard
    /// idempotence_by_default (KAFKA-13598; clients before 3.0).
    bool idempotence_unset = false;
    [[nodiscard]] bool idempotent() const {
        return idempotence &&
               !(idempotence_unset && !safeguards.has(Safeguard::idempotence_by_default));
    }
    std::int32_t retries = 2147483647;
    Duration delivery_timeout = milliseconds(120'000);
    Duration linger = milliseconds(5);             // 5 since 4.0 (KIP-1030)
    std::int32_t batch_size = 16384;
    std::int64_t buffer_memory = 33'554'432;
    Duration max_block = milliseconds(60'000);
    std::int32_t max_request_size = 1'048'576;
    std::int32_t max_in_flight = 5;
    std::optional<TransactionalId> txid;           // transactional.id
    Duration transaction_timeout = milliseconds(60'000);
    /// What the cluster's finalized feature tells the client (T17).
    TransactionVersion transaction_version = TransactionVersion::tv2;
    /// The coordinator takes InitProducerId v3 (T14); false: brokers before KIP-360.
    bool coordinator_bumps_epoch = true;
    // Size of the number spaces, as the cluster has them (ClusterConfig).
    std::int16_t max_producer_epoch = 32767;
    std::int32_t max_sequence = 2147483647;
    friend bool operator==(const ProducerConfig&, const ProducerConfig&) = default;
};

enum class OffsetReset : std::uint8_t { earliest, latest, none };
enum class Isolation : std::uint8_t { read_uncommitted, read_committed };
enum class AssignorKind : std::uint8_t { range, round_robin, sticky, cooperative_sticky };
enum class GroupProtocol : std::uint8_t { classic, consumer };     ///< group.protocol (KIP-848)
enum class ServerAssignor : std::uint8_t { uniform, range };       ///< group.remote.assignor

struct ConsumerConfig {
    ClientConfig client;
    SafeguardSet safeguards = SafeguardSet::all();
    std::optional<GroupId> group;
    std::optional<GroupInstanceId> instance;       // group.instance.id
    OffsetReset offset_reset = OffsetReset::earliest;  ///< earliest in scenarios (language.md 4)
    Isolation isolation = Isolation::read_uncommitted;
    bool auto_commit = false;                      // enable.auto.commit
    Duration auto_commit_interval = milliseconds(5000);
    Duration session_timeout = milliseconds(45'000);
    Duration heartbeat_interval = milliseconds(3000);
    Duration max_poll_interval = milliseconds(300'000);
    std::int32_t max_poll_records = 500;
    std::int32_t fetch_min_bytes = 1;
    Duration fetch_max_wait = milliseconds(500);
    std::int32_t fetch_max_bytes = 52'428'800;
    std::int32_t max_partition_fetch_bytes = 1'048'576;
    Duration default_api_timeout = milliseconds(60'000);
    std::vector<AssignorKind> assignors{AssignorKind::range};
    GroupProtocol protocol = GroupProtocol::classic;
    std::optional<ServerAssignor> remote_assignor;
    /// The version of OffsetCommit that client and broker have in common; 9 knows KIP-848.
    std::int16_t offset_commit_version = 9;
    friend bool operator==(const ConsumerConfig&, const ConsumerConfig&) = default;
};

// --- applications -----------------------------------------------------------------------------

/// The numbers are the rows of the language's table of kinds.
enum class AppKind : std::uint8_t { producer, consumer, processor, sink, flink_job = 7 };
enum class Mode : std::uint8_t {
    client_defaults, at_most_once, at_least_once, idempotent, exactly_once,
};

/// One step of an application's program (language.md 4.2).
enum class StepKind : std::uint8_t {
    subscribe, unsubscribe, poll, process, produce, flush, commit_offsets, rewind, seek, wait,
    wait_for, end_offset, close, reopen,
    init, begin, commit, abort, enrol, send_offsets,
    db_begin, claim, write, write_offset, db_prepare, db_commit, db_rollback,
};
inline constexpr std::size_t step_kind_count = 27;
[[nodiscard]] std::string_view name(StepKind kind);

enum class SeekTo : std::uint8_t { committed, earliest, end, offset };

/// Plain data; only the fields of its kind are read.
struct Step {
    StepKind kind = StepKind::poll;
    std::int32_t max = 0;                          ///< poll: records at most; 0 = the app's batch
    std::optional<TopicId> to;                     ///< produce: none = the app's `to`
    std::optional<PartitionIndex> partition;       ///< produce
    std::int32_t records = 0;                      ///< produce: 0 = one per input / the app's batch
    std::optional<std::uint32_t> key;              ///< produce
    std::optional<Duration> timeout;               ///< flush
    bool at_position = false;                      ///< commit_offsets: position, not processed
    bool async = false;                            ///< commit_offsets
    SeekTo seek = SeekTo::committed;               ///< rewind, seek
    Offset offset;                                 ///< seek to N
    Duration wait{};                               ///< wait
    std::int32_t trigger = -1;                     ///< wait_for: index given by the scenario
    sim::Chance chance = sim::Chance::always();    ///< begin, commit, abort
    bool group_only = false;                       ///< send_offsets: without member and generation
    std::vector<LogId> only;                       ///< commit_, send_offsets: of these; none = all
    std::int32_t bytes = 0;  ///< commit_, send_offsets: metadata, per partition
    std::vector<std::pair<LogId, std::int32_t>> bytes_of;  ///< the same, where a partition differs
    StoreId store{-1};                             ///< claim, write, write_offset, db_*
    EffectKind effect = EffectKind::insert;        ///< write
    IdentityKind identity = IdentityKind::none;    ///< claim, write
    bool unconditional = false;  ///< write: whatever a claim before it found (N5)
    friend bool operator==(const Step&, const Step&) = default;
};

/// Classes of errors an application reacts to, and what it may do (language.md 4.2).
enum class ErrorClass : std::uint8_t {
    failed_send, abortable, generation, unknown, fatal, poison, store,
};
enum class Reaction : std::uint8_t {
    retry, resend, skip, rewind, restart, crash, stop, ignore, abort, abort_and_rewind,
};
[[nodiscard]] std::string_view name(ErrorClass error_class);
[[nodiscard]] std::string_view name(Reaction reaction);
inline constexpr std::size_t error_class_count = 7;

enum class SourceKind : std::uint8_t { replay, push };
enum class WorkloadKind : std::uint8_t { plain, transfers, fan_out, counts };

struct Workload {
    WorkloadKind kind = WorkloadKind::plain;
    std::int32_t accounts = 10;                    ///< transfers
    std::int32_t amount = 100;                     ///< transfers: greatest amount
    std::vector<TopicId> to;                       ///< fan_out
    friend bool operator==(const Workload&, const Workload&) = default;
};

/// How an instance comes by its transactional id; `given`: as configured.
enum class TxidPolicy : std::uint8_t { per_instance, per_start, shared, given };

/// A reader's own memory of what it has processed: what is in it again is stepped over. It is lost
/// with the process, as a set in the memory of a program is.
struct DuplicateFilter {
    enum class By : std::uint8_t {
        event,   ///< the business id of the record
        offset,  ///< its place: knows what was read twice, not what was written twice
    };
    By by = By::event;
    std::optional<Duration> remember;  ///< none: as long as the process lives
    friend bool operator==(const DuplicateFilter&, const DuplicateFilter&) = default;
};

/// How an application writes into stores; the steps name the store and the effect.
struct StoreUse {
    Checked checked = Checked::with_effect;
    bool offsets_in_store = false;  ///< positions are read from there when partitions are assigned
    bool fences = false;            ///< the group's generation goes with every write (S17)
    bool two_phase = false;         ///< in-doubt transactions are looked for and decided (N7)
    friend bool operator==(const StoreUse&, const StoreUse&) = default;
};

struct AppConfig {
    std::string name;
    AppId id;
    AppKind kind = AppKind::producer;
    Mode mode = Mode::client_defaults;
    std::int32_t instances = 1;
    sim::Spread start;                             ///< when an instance starts; a range staggers
    bool start_manually = false;
    std::optional<sim::Spread> restart = sim::Spread::fixed(seconds(1));  ///< none = never
    std::vector<TopicId> from;
    std::vector<TopicId> to;
    std::int32_t batch = 100;                      ///< records per loop
    std::optional<std::int64_t> records;           ///< writers: per instance; none = unbounded
    std::int64_t rate_per_kilosecond = 100'000;    ///< writers: records per 1000 s (100/s)
    std::optional<std::int32_t> burst_size;
    Duration burst_every{};
    std::optional<std::uint32_t> keys = 100;       ///< none: sticky partitioner, no key
    std::int32_t size = 100;                       ///< bytes per record
    Workload workload;
    SourceKind source = SourceKind::replay;
    sim::Spread work;
    sim::Chance poison;                            ///< chance that processing a record fails
    std::optional<DuplicateFilter> dedup;          ///< consumers
    sim::Chance aborts;                            ///< share of loops whose commit is an abort
    TxidPolicy txid = TxidPolicy::per_instance;
    /// Instance i has transactional id first_txid + i, or all have it (shared, given); none: it
    /// writes without transactions.
    std::optional<TransactionalId> first_txid;
    bool rewinds_after_abort = true;               ///< false: a coding error
    std::vector<Step> setup;
    std::vector<Step> steps;
    std::optional<std::int32_t> repeat;            ///< none = for ever
    std::vector<Reaction> on_error;                ///< indexed by ErrorClass
    Duration client_record{1000};                  ///< costs.client_record
    ProducerConfig producer;
    ConsumerConfig consumer;
    StoreUse stores;
    /// A sink whose offsets go into a Kafka transaction, for which alone it has a producer.
    bool transactional_sink = false;
    JobConfig job;                                 ///< of a Flink job
    [[nodiscard]] bool is_job() const { return kind == AppKind::flink_job; }
    /// Processes of its own that do its work: of a Flink job its TaskManagers, spare ones too.
    [[nodiscard]] std::int32_t processes() const {
        return is_job() ? instances + job.spare_task_managers : instances;
    }
    /// Nodes of its own: those, and of a Flink job the JobManager behind them.
    [[nodiscard]] std::int32_t nodes() const { return processes() + (is_job() ? 1 : 0); }
    /// Whether its output is written in transactions.
    [[nodiscard]] bool transactional() const {
        return first_txid || (is_job() && job.guarantee == DeliveryGuarantee::exactly_once);
    }
    [[nodiscard]] bool produces() const {
        return kind == AppKind::producer || kind == AppKind::processor || is_job() ||
               transactional_sink;
    }
    [[nodiscard]] bool consumes() const { return kind != AppKind::producer; }
    /// Whether its program writes effects into a store.
    [[nodiscard]] bool writes_store() const {
        for (const auto& step : steps)
            if (step.kind == StepKind::write) return true;
        return false;
    }
    /// Whether it speaks to a store at all.
    [[nodiscard]] bool uses_store() const {
        for (const auto* program : {&setup, &steps})
            for (const auto& step : *program)
                if (step.store.value >= 0) return true;
        return false;
    }
    friend bool operator==(const AppConfig&, const AppConfig&) = default;
};

}  // namespace eos::model
