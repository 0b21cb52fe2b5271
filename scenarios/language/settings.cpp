#include "scenarios/language/settings.hpp"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "scenarios/language/tables.hpp"
#include "scenarios/language/values.hpp"

namespace eos::scenarios {
namespace {

using model::ClusterConfig;
using model::ConsumerConfig;
using model::ProducerConfig;
using enum SettingUnit;

constexpr std::array<std::string_view, 4> acks_words{"all", "-1", "0", "1"};
constexpr std::array<std::string_view, 3> reset_words{"earliest", "latest", "none"};
constexpr std::array<std::string_view, 4> assignor_words{"range", "roundrobin", "sticky",
                                                         "cooperative-sticky"};
constexpr std::array<std::string_view, 2> protocol_words{"classic", "consumer"};
constexpr std::array<std::string_view, 2> remote_words{"uniform", "range"};
constexpr std::array<std::string_view, 4> migration_words{"disabled", "upgrade", "downgrade",
                                                          "bidirectional"};

constexpr std::array<std::string_view, 2> restart_words{"exponential-delay", "fixed-delay"};
constexpr std::array<std::string_view, 3> availability_words{"NONE", "zookeeper", "kubernetes"};

constexpr std::string_view compaction = "the log cleaner";
constexpr std::string_view segments = "retention and segments by size";
constexpr std::string_view compression = "compression";

template <auto member>
constexpr auto broker_slot = +[](ClusterConfig& c) -> Slot { return &(c.*member); };
template <auto member>
constexpr auto producer_slot = +[](ProducerConfig& c) -> Slot { return &(c.*member); };
template <auto member>
constexpr auto consumer_slot = +[](ConsumerConfig& c) -> Slot { return &(c.*member); };

template <auto member>
constexpr Setting broker(std::string_view name, SettingUnit unit, std::string_view fallback,
                         std::string_view help, std::int64_t min = 1,
                         std::int64_t max = 2'147'483'647) {
    return {.name = name,
            .unit = unit,
            .fallback = fallback,
            .help = help,
            .min = min,
            .max = max,
            .broker = broker_slot<member>};
}
template <auto member>
constexpr Setting producer(std::string_view name, SettingUnit unit, std::string_view fallback,
                           std::string_view help, std::int64_t min = 0,
                           std::int64_t max = 2'147'483'647) {
    return {.name = name,
            .unit = unit,
            .fallback = fallback,
            .help = help,
            .min = min,
            .max = max,
            .producer = producer_slot<member>};
}
template <auto member>
constexpr Setting consumer(std::string_view name, SettingUnit unit, std::string_view fallback,
                           std::string_view help, std::int64_t min = 1,
                           std::int64_t max = 2'147'483'647) {
    return {.name = name,
            .unit = unit,
            .fallback = fallback,
            .help = help,
            .min = min,
            .max = max,
            .consumer = consumer_slot<member>};
}
/// A setting every client has.
template <auto member>
constexpr Setting client(std::string_view name, SettingUnit unit, std::string_view fallback,
                         std::string_view help, std::int64_t min = 0,
                         std::int64_t max = 2'147'483'647) {
    return {.name = name,
            .unit = unit,
            .fallback = fallback,
            .help = help,
            .min = min,
            .max = max,
            .producer = +[](ProducerConfig& c) -> Slot { return &(c.client.*member); },
            .consumer = +[](ConsumerConfig& c) -> Slot { return &(c.client.*member); }};
}
/// A setting of Flink, by Flink's name.
template <auto member>
constexpr Setting job(std::string_view name, SettingUnit unit, std::string_view fallback,
                      std::string_view help, std::int64_t min = 0, std::int64_t max = 2'147'483'647,
                      std::span<const std::string_view> words = {}) {
    return {.name = name,
            .unit = unit,
            .fallback = fallback,
            .help = help,
            .min = min,
            .max = max,
            .job = +[](model::JobConfig& c) -> Slot { return &(c.*member); },
            .words = words};
}
constexpr Setting absent(std::string_view name, std::string_view missing, std::string_view help) {
    return {.name = name, .unit = number, .fallback = "", .help = help, .missing = missing};
}

using B = ClusterConfig;
using P = ProducerConfig;
using C = ConsumerConfig;
using K = model::ClientConfig;
using J = model::JobConfig;

constexpr std::array rows{
    // Brokers and controller.
    broker<&B::broker_heartbeat>("broker.heartbeat.interval.ms", ms, "2000",
                                 "how often a broker tells the controller that it lives"),
    broker<&B::broker_session>("broker.session.timeout.ms", ms, "9000",
                               "silence after which a broker is fenced"),
    broker<&B::replica_lag_max>("replica.lag.time.max.ms", ms, "30000",
                                "lag after which a follower leaves the in-sync set"),
    broker<&B::replica_fetch_wait>("replica.fetch.wait.max.ms", ms, "500",
                                   "how long a follower's fetch may wait for data", 0),
    broker<&B::replica_fetch_backoff>("replica.fetch.backoff.ms", ms, "1000",
                                      "pause of a follower after an error", 0),
    broker<&B::replica_fetch_bytes>("replica.fetch.max.bytes", bytes, "1048576",
                                    "bytes a follower fetches at once", 1),
    broker<&B::hw_checkpoint>("replica.high.watermark.checkpoint.interval.ms", ms, "5000",
                              "how often high watermarks are saved"),
    broker<&B::producer_expiration>("producer.id.expiration.ms", ms, "86400000",
                                    "idle time after which a partition forgets a producer"),
    broker<&B::producer_expiration_check>("producer.id.expiration.check.interval.ms", ms, "600000",
                                          "how often it looks"),
    broker<&B::request_timeout>("request.timeout.ms", ms, "30000", "between brokers"),
    broker<&B::leader_imbalance_check>("leader.imbalance.check.interval.seconds", number, "300",
                                       "how often preferred leaders are restored"),
    broker<&B::auto_leader_rebalance>("auto.leader.rebalance.enable", flag, "true",
                                      "preferred leaders are restored"),
    broker<&B::unclean_election>("unclean.leader.election.enable", flag, "false",
                                 "as cluster.unclean_election"),
    broker<&B::group_initial_rebalance_delay>("group.initial.rebalance.delay.ms", ms, "3000",
                                              "wait for members of an empty group", 0),
    broker<&B::group_min_session>("group.min.session.timeout.ms", ms, "6000",
                                  "least session timeout a group accepts"),
    broker<&B::group_max_session>("group.max.session.timeout.ms", ms, "1800000",
                                  "greatest session timeout a group accepts"),
    broker<&B::consumer_group_session>(
        "group.consumer.session.timeout.ms", ms, "45000",
        "silence after which a member of a group of KIP-848 is expelled (any value is allowed)"),
    broker<&B::consumer_group_heartbeat>("group.consumer.heartbeat.interval.ms", ms, "5000",
                                         "between heartbeats in groups of KIP-848"),
    Setting{.name = "group.consumer.migration.policy",
            .unit = word,
            .fallback = "bidirectional",
            .help = "which way a group with members may change its protocol: disabled, upgrade, "
                    "downgrade, bidirectional",
            .broker = broker_slot<&B::group_migration>,
            .words = migration_words},
    broker<&B::offsets_commit_timeout>("offsets.commit.timeout.ms", ms, "5000",
                                       "wait for the replicas of an offset commit"),
    broker<&B::offsets_retention>("offsets.retention.minutes", minutes, "10080",
                                  "how long offsets of an empty group are kept", 1, 525'600),
    broker<&B::offsets_retention_check>("offsets.retention.check.interval.ms", ms, "600000",
                                        "how often expired offsets are looked for"),
    broker<&B::transaction_max_timeout>("transaction.max.timeout.ms", ms, "900000",
                                        "greatest transaction.timeout.ms a client may ask for"),
    broker<&B::transaction_timeout_check>(
        "transaction.abort.timed.out.transaction.cleanup.interval.ms", ms, "10000",
        "how often timed-out transactions are looked for"),
    broker<&B::transactional_id_expiration>("transactional.id.expiration.ms", ms, "604800000",
                                            "idle time after which a transactional id is forgotten"),
    broker<&B::transactional_id_check>(
        "transaction.remove.expired.transaction.cleanup.interval.ms", ms, "3600000",
        "how often idle transactional ids are looked for"),
    broker<&B::enrol_retry_backoff>("add.partitions.to.txn.retry.backoff.ms", ms, "20",
                                    "pause of a leader before it asks the coordinator again"),
    broker<&B::enrol_retry_backoff_max>("add.partitions.to.txn.retry.backoff.max.ms", ms, "100",
                                        "after which it tells the producer", 0),
    absent("transaction.state.log.num.partitions", "internal topics by config",
           "list __transaction_state under topics"),
    absent("transaction.state.log.replication.factor", "internal topics by config",
           "list __transaction_state under topics"),
    absent("transaction.state.log.min.isr", "internal topics by config",
           "list __transaction_state under topics"),
    absent("log.retention.ms", segments, "age at which records are deleted"),
    absent("log.segment.bytes", segments, "size of a segment"),
    absent("log.flush.interval.messages", "flushes by count", "use disk.flush"),
    absent("num.partitions", "automatic topics", "topics are written out"),
    absent("default.replication.factor", "automatic topics", "use cluster.replication"),

    // Topics.
    Setting{.name = "min.insync.replicas",
            .unit = number,
            .fallback = "2",
            .help = "as min_insync",
            .min = 1,
            .max = 99,
            .topic = true},
    absent("cleanup.policy", compaction, "delete or compact"),
    absent("retention.ms", segments, "age at which records are deleted"),
    absent("retention.bytes", segments, "size at which records are deleted"),
    absent("segment.bytes", segments, "size of a segment"),
    absent("segment.ms", segments, "age of a segment"),
    absent("delete.retention.ms", compaction, "how long tombstones stay"),
    absent("message.timestamp.type", "log append time", "whose clock stamps records"),
    absent("max.message.bytes", "batch size limits of topics", "greatest batch"),

    // Every client.
    client<&K::request_timeout>("request.timeout.ms", ms, "30000",
                                "wait for an answer; then the connection closes", 1),
    client<&K::retry_backoff>("retry.backoff.ms", ms, "100", "first pause before a retry"),
    client<&K::retry_backoff_max>("retry.backoff.max.ms", ms, "1000", "longest pause"),
    client<&K::reconnect_backoff>("reconnect.backoff.ms", ms, "50",
                                  "first pause before reconnecting"),
    client<&K::reconnect_backoff_max>("reconnect.backoff.max.ms", ms, "1000", "longest pause"),
    client<&K::connection_setup_timeout>("socket.connection.setup.timeout.ms", ms, "10000",
                                         "wait for a connection", 1),
    client<&K::connection_setup_timeout_max>("socket.connection.setup.timeout.max.ms", ms, "30000",
                                             "longest wait", 1),
    client<&K::metadata_max_age>("metadata.max.age.ms", ms, "300000",
                                 "metadata is asked for again after this"),

    // Producers.
    Setting{.name = "acks",
            .unit = word,
            .fallback = "all",
            .help = "whose copy is waited for: all, 1 (leader) or 0",
            .producer = producer_slot<&P::acks>,
            .words = acks_words},
    producer<&P::idempotence>("enable.idempotence", flag, "true",
                              "sequence numbers remove retried duplicates"),
    producer<&P::retries>("retries", number, "2147483647", "retries of a send"),
    producer<&P::delivery_timeout>("delivery.timeout.ms", ms, "120000",
                                   "from send() to its end, retries included"),
    producer<&P::linger>("linger.ms", ms, "5", "wait for a batch to fill"),
    producer<&P::batch_size>("batch.size", bytes, "16384", "bytes of a batch"),
    producer<&P::buffer_memory>("buffer.memory", bytes, "33554432", "bytes waiting to be sent", 1,
                                1'000'000'000'000),
    producer<&P::max_block>("max.block.ms", ms, "60000", "how long send() may block"),
    producer<&P::max_request_size>("max.request.size", bytes, "1048576", "bytes of a request", 1),
    producer<&P::max_in_flight>("max.in.flight.requests.per.connection", number, "5",
                                "requests without an answer on a connection", 1, 1000),
    Setting{.name = "transactional.id",
            .unit = word,
            .fallback = "",
            .help = "a literal transactional id, the same for every instance; else see txid",
            .producer = +[](P&) -> Slot { return std::monostate{}; }},
    producer<&P::transaction_timeout>("transaction.timeout.ms", ms, "60000",
                                      "the coordinator aborts a transaction after this", 1),
    absent("compression.type", compression, "compression of batches"),

    // Consumers.
    Setting{.name = "auto.offset.reset",
            .unit = word,
            .fallback = "earliest",
            .help = "where to start without a committed offset (Kafka's default is latest)",
            .consumer = consumer_slot<&C::offset_reset>,
            .words = reset_words},
    consumer<&C::auto_commit>("enable.auto.commit", flag, "true",
                              "offsets are committed in the background", 0),
    consumer<&C::auto_commit_interval>("auto.commit.interval.ms", ms, "5000", "how often", 0),
    consumer<&C::session_timeout>("session.timeout.ms", ms, "45000",
                                  "silence after which a member is expelled"),
    consumer<&C::heartbeat_interval>("heartbeat.interval.ms", ms, "3000", "between heartbeats"),
    consumer<&C::max_poll_interval>("max.poll.interval.ms", ms, "300000",
                                    "time between polls after which a member leaves"),
    consumer<&C::max_poll_records>("max.poll.records", number, "500", "records of a poll"),
    consumer<&C::fetch_min_bytes>("fetch.min.bytes", bytes, "1", "a fetch waits for so much"),
    consumer<&C::fetch_max_wait>("fetch.max.wait.ms", ms, "500", "but no longer than this", 0),
    consumer<&C::fetch_max_bytes>("fetch.max.bytes", bytes, "52428800", "bytes of a fetch"),
    consumer<&C::max_partition_fetch_bytes>("max.partition.fetch.bytes", bytes, "1048576",
                                            "bytes of a partition in a fetch"),
    consumer<&C::default_api_timeout>("default.api.timeout.ms", ms, "60000",
                                      "calls that name no timeout"),
    Setting{.name = "partition.assignment.strategy",
            .unit = word,
            .fallback = "range",
            .help = "how a group shares partitions: range, roundrobin, sticky, cooperative-sticky",
            .consumer = consumer_slot<&C::assignors>,
            .words = assignor_words},
    Setting{.name = "group.protocol",
            .unit = word,
            .fallback = "classic",
            .help = "classic, or consumer: the group of KIP-848, assigned by the broker",
            .consumer = consumer_slot<&C::protocol>,
            .words = protocol_words},
    Setting{.name = "group.remote.assignor",
            .unit = word,
            .fallback = "",
            .help = "how the broker shares partitions in a group of KIP-848: uniform, range",
            .consumer = consumer_slot<&C::remote_assignor>,
            .words = remote_words},
    Setting{.name = "group.instance.id",
            .unit = word,
            .fallback = "",
            .help = "per-instance: static membership, numbered by instance",
            .consumer = +[](C&) -> Slot { return std::monostate{}; }},
    absent("isolation.level", "isolation by config", "use isolation"),
    absent("group.id", "group ids by config", "use group"),

    // Flink jobs.
    job<&J::interval>("execution.checkpointing.interval", time, "none",
                      "between checkpoints; without it there are none"),
    job<&J::timeout>("execution.checkpointing.timeout", time, "10m",
                     "a checkpoint that takes longer is given up"),
    job<&J::min_pause>("execution.checkpointing.min-pause", time, "0s",
                       "least time from the end of a checkpoint to the next"),
    job<&J::concurrent>("execution.checkpointing.max-concurrent-checkpoints", number, "1",
                        "checkpoints under way at once", 1, 100),
    job<&J::tolerable_failures>("execution.checkpointing.tolerable-failed-checkpoints", number, "0",
                                "failed checkpoints in a row after which the job restarts"),
    job<&J::retained>("execution.checkpointing.num-retained", number, "1",
                      "completed checkpoints that are kept", 1, 1000),
    absent("execution.checkpointing.mode", "shuffles between subtasks",
           "whether a channel waits for the barriers of the others; a chain has one input (F8)"),
    absent("execution.checkpointing.unaligned.enabled", "shuffles between subtasks",
           "barriers overtake records"),
    absent("execution.checkpointing.unaligned", "shuffles between subtasks",
           "barriers overtake records"),
    job<&J::availability>("high-availability.type", word, "kubernetes",
                          "where completed checkpoints are listed: NONE is forgotten in a crash of the "
                          "JobManager (Flink's default is NONE)",
                          0, 0, availability_words),
    job<&J::restart>("restart-strategy.type", word, "exponential-delay",
                     "pause before a failed job starts again: exponential-delay, fixed-delay", 0, 0,
                     restart_words),
    job<&J::fixed_delay>("restart-strategy.fixed-delay.delay", time, "1s", "the pause"),
    job<&J::fixed_attempts>("restart-strategy.fixed-delay.attempts", number, "1",
                            "restarts after which the job is given up"),
    job<&J::initial_backoff>("restart-strategy.exponential-delay.initial-backoff", time, "1s",
                             "the first pause"),
    job<&J::max_backoff>("restart-strategy.exponential-delay.max-backoff", time, "1m",
                         "the longest pause"),
    job<&J::reset_backoff>("restart-strategy.exponential-delay.reset-backoff-threshold", time, "1h",
                           "a job that ran so long begins with the first pause again"),
    absent("jobmanager.execution.failover-strategy", "restarts of a region",
           "a failure restarts the whole job"),
    job<&J::heartbeat_interval>("heartbeat.interval", time, "10s",
                                "between heartbeats of JobManager and TaskManagers", 1),
    job<&J::heartbeat_timeout>("heartbeat.timeout", time, "50s",
                               "silence after which the other one is given up", 1),
    job<&J::heartbeat_failures>("heartbeat.rpc-failure-threshold", number, "2",
                                "heartbeats in a row that cannot be delivered", 1),
    job<&J::spare_task_managers>("slotmanager.redundant-taskmanager-num", number, "0",
                                 "TaskManagers that wait for one to fail", 0, 100),
    job<&J::commit_offsets>("commit.offsets.on.checkpoint", flag, "true",
                            "positions of completed checkpoints go to the group, for monitoring"),
    Setting{.name = "sink.transactional-id-prefix",
            .unit = word,
            .fallback = "",
            .help = "of its transactional ids; default: the app's name",
            .job = +[](J&) -> Slot { return std::monostate{}; }},
    absent("processing.guarantee", "Kafka Streams", "use mode"),
    absent("commit.interval.ms", "Kafka Streams", "between commits"),
};

}  // namespace

std::span<const Setting> settings() { return rows; }

std::vector<const Setting*> settings_named(std::string_view name) {
    std::vector<const Setting*> result;
    for (const auto& row : rows)
        if (row.name == name) result.push_back(&row);
    return result;
}

std::string_view name(SettingUnit unit) {
    switch (unit) {
        case ms:
            return "milliseconds";
        case minutes:
            return "minutes";
        case bytes:
            return "bytes";
        case number:
            return "a number";
        case flag:
            return "true or false";
        case word:
            return "a word";
        case time:
            return "a duration";
    }
    return "";
}

SettingParsed parse_setting(const Setting& setting, std::string_view text, bool quoted) {
    const auto refuse = [&](std::string hint) -> SettingParsed {
        return {std::nullopt, fmt::format("'{}' is no value of {}", text, setting.name),
                std::move(hint)};
    };
    switch (setting.unit) {
        case flag:
            if (!quoted && text == "true") return {SettingValue{1}, {}, {}};
            if (!quoted && text == "false") return {SettingValue{0}, {}, {}};
            return refuse("write true or false");
        case word: {
            for (std::size_t i = 0; i < setting.words.size(); ++i)
                if (setting.words[i] == text)
                    return {SettingValue{static_cast<std::int64_t>(i)}, {}, {}};
            return refuse(fmt::format("it is one of {}", fmt::join(setting.words, ", ")));
        }
        case time: {
            const auto given = parse_duration(text);
            if (!given) return refuse("Flink's durations have a unit: 10s");
            const auto least = sim::milliseconds(setting.min);
            if (*given.value < least) return refuse("it is at least a millisecond");
            return {SettingValue{given.value->count()}, {}, {}};
        }
        case ms:
        case minutes:
        case bytes:
        case number:
            break;
    }
    const auto value = parse_integer(text);
    if (!value) {
        const bool with_unit = parse_duration(text) || parse_size(text);
        return refuse(
            with_unit ? fmt::format("Kafka counts it in {}: write digits only", name(setting.unit))
                      : fmt::format("it is {}{}", setting.unit == number ? "" : "in ",
                                    name(setting.unit)));
    }
    if (*value.value < setting.min || *value.value > setting.max)
        return refuse(fmt::format("it lies between {} and {}", setting.min, setting.max));
    return {SettingValue{*value.value}, {}, {}};
}

namespace {
/// The step from the written number to the model's duration.
sim::Duration as_duration(const Setting& setting, std::int64_t number) {
    if (setting.unit == minutes) return sim::seconds(number * 60);
    if (setting.unit == time) return sim::nanoseconds(number);
    if (setting.name.ends_with(".seconds")) return sim::seconds(number);
    return sim::milliseconds(number);
}
}  // namespace

void assign(const Slot& slot, const Setting& setting, SettingValue value) {
    const auto number = value.number;
    struct Visitor {
        const Setting& setting;
        std::int64_t number;
        void operator()(std::monostate) const {}
        void operator()(sim::Duration* p) const { *p = as_duration(setting, number); }
        void operator()(std::int32_t* p) const { *p = static_cast<std::int32_t>(number); }
        void operator()(std::int64_t* p) const { *p = number; }
        void operator()(bool* p) const { *p = number != 0; }
        void operator()(model::Acks* p) const {
            constexpr std::array values{model::Acks::all, model::Acks::all, model::Acks::none,
                                        model::Acks::leader};
            *p = values[static_cast<std::size_t>(number)];
        }
        void operator()(model::OffsetReset* p) const {
            *p = static_cast<model::OffsetReset>(number);
        }
        void operator()(model::Isolation* p) const { *p = static_cast<model::Isolation>(number); }
        void operator()(std::vector<model::AssignorKind>* p) const {
            *p = {static_cast<model::AssignorKind>(number)};
        }
        void operator()(model::GroupProtocol* p) const {
            *p = static_cast<model::GroupProtocol>(number);
        }
        void operator()(std::optional<model::ServerAssignor>* p) const {
            *p = static_cast<model::ServerAssignor>(number);
        }
        void operator()(model::GroupMigration* p) const {
            *p = static_cast<model::GroupMigration>(number);
        }
        void operator()(model::RestartStrategy* p) const {
            *p = static_cast<model::RestartStrategy>(number);
        }
        void operator()(model::HighAvailability* p) const {
            *p = static_cast<model::HighAvailability>(number);
        }
    };
    std::visit(Visitor{setting, number}, slot);
}

std::optional<sim::Duration> duration_in(const Slot& slot) {
    if (const auto* const* found = std::get_if<sim::Duration*>(&slot)) return **found;
    return std::nullopt;
}

}  // namespace eos::scenarios
