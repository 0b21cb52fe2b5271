#pragma once
// What exists: names interned to numbers once, when the scenario is loaded. Immutable and shared by
// all roles; no string is compared, hashed or copied on the event path.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/ids.hpp"
#include "model/store_config.hpp"
#include "sim/time.hpp"

namespace eos::model {

struct Topic {
    std::string name;
    LogId first;                     ///< logs first .. first + partitions - 1
    std::int32_t partitions = 1;
    std::int32_t min_insync = 1;     ///< effective: never above the replication factor (ACK-2)
    bool internal = false;
    std::int64_t preload = 0;        ///< records present at time 0 in each partition
    std::int32_t preload_bytes = 100;
    friend bool operator==(const Topic&, const Topic&) = default;
};

struct Log {
    TopicId topic;
    PartitionIndex partition;
    std::vector<BrokerId> replicas;  ///< in assignment order; the first is preferred
    friend bool operator==(const Log&, const Log&) = default;
};

/// An external store, as everybody knows it.
struct StoreEntry {
    std::string name;
    StoreKind kind = StoreKind::sql;
    friend bool operator==(const StoreEntry&, const StoreEntry&) = default;
};

/// Node 0 is the controller, nodes 1..brokers the brokers, application instances and stores follow.
struct Topology {
    std::int32_t brokers = 3;
    std::vector<Topic> topics;
    std::vector<Log> logs;
    std::vector<std::string> apps;
    std::vector<std::string> groups;
    std::vector<NodeId> app_first_node;  ///< by AppId; instances are consecutive nodes
    std::optional<TopicId> offsets_topic;
    std::vector<std::string> transactional_ids;  ///< those known beforehand
    std::optional<TopicId> transaction_topic;
    std::vector<StoreEntry> stores;              ///< by StoreId
    NodeId first_store{-1};                      ///< of consecutive nodes
    std::vector<std::optional<NodeId>> job_managers;  ///< by AppId; none: no Flink job
    std::vector<std::string> job_prefixes;            ///< of transactional ids (F26)

    [[nodiscard]] static constexpr NodeId controller() { return {0}; }
    [[nodiscard]] std::vector<BrokerId> all_brokers() const;
    [[nodiscard]] LogId log(TopicId topic, PartitionIndex partition) const;
    [[nodiscard]] const Topic& topic_of(LogId log) const;
    [[nodiscard]] std::optional<TopicId> topic_named(std::string_view name) const;
    /// "orders/0".
    [[nodiscard]] std::string log_name(LogId log) const;
    /// "broker 2", "controller", "shop/0", "shopdb".
    [[nodiscard]] std::string node_name(NodeId node) const;
    [[nodiscard]] std::optional<ProcessId> process_of(NodeId node) const;
    [[nodiscard]] NodeId node_of(ProcessId process) const;
    [[nodiscard]] NodeId node_of(StoreId store) const;
    [[nodiscard]] std::optional<StoreId> store_at(NodeId node) const;
    [[nodiscard]] std::optional<StoreId> store_named(std::string_view name) const;
    /// The partition of __consumer_offsets that holds a group: abs(java hash of its name) mod n (G1).
    [[nodiscard]] std::optional<LogId> offsets_log(GroupId group) const;
    /// The partition of __transaction_state that holds a transactional id (TLG-2).
    [[nodiscard]] std::optional<LogId> transaction_log(TransactionalId txid) const;
    /// An id drawn anew by a process at its n-th start (a mistake): interned without a table.
    [[nodiscard]] TransactionalId random_transactional_id(NodeId node, std::int32_t start) const;
    [[nodiscard]] std::string transactional_id_name(TransactionalId txid) const;
    /// PREFIX-SUBTASK-COUNTER (F26), interned without a table. Simplified: a cluster has room for 8
    /// prefixes, 1024 subtasks and 131072 counters.
    [[nodiscard]] static TransactionalId job_transactional_id(std::int32_t prefix,
                                                              std::int32_t subtask,
                                                              std::int64_t counter);
    static constexpr std::int32_t job_prefixes_most = 8;
    static constexpr std::int32_t job_subtasks_most = 1024;
    /// The id of this name, if it is known beforehand or could be a Flink job's.
    [[nodiscard]] std::optional<TransactionalId> transactional_id_named(std::string_view name) const;
    friend bool operator==(const Topology&, const Topology&) = default;
};

/// Java's String.hashCode over UTF-16 units, and Kafka's Utils.abs of it (TLG-2).
[[nodiscard]] std::int32_t java_string_hash(std::string_view ascii);
[[nodiscard]] std::int32_t kafka_abs(std::int32_t value);

}  // namespace eos::model
