#include "model/topology.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

constexpr std::int32_t nodes_at_most = 4096;  // of one run, in the numbering of random ids

// A Flink job's id: bit 30, then prefix, subtask and counter.
constexpr std::int32_t job_id = 1 << 30;
constexpr std::int32_t counter_bits = 17;
constexpr std::int32_t subtask_bits = 10;
constexpr std::int32_t low_bits(std::int32_t value, std::int32_t bits) {
    return value & ((1 << bits) - 1);
}

std::optional<std::int32_t> digits(std::string_view text) {
    std::int32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = error == std::errc{} && end == text.data() + text.size() && !text.empty();
    return whole && number >= 0 ? std::optional(number) : std::nullopt;
}

}  // namespace

std::vector<BrokerId> Topology::all_brokers() const {
    std::vector<BrokerId> result;
    for (std::int32_t i = 1; i <= brokers; ++i) result.push_back({i});
    return result;
}

LogId Topology::log(TopicId topic, PartitionIndex partition) const {
    return topics[static_cast<std::size_t>(topic.value)].first + partition.value;
}

const Topic& Topology::topic_of(LogId log) const {
    return topics[static_cast<std::size_t>(logs[static_cast<std::size_t>(log.value)].topic.value)];
}

std::optional<TopicId> Topology::topic_named(std::string_view name) const {
    for (std::size_t i = 0; i < topics.size(); ++i)
        if (topics[i].name == name) return TopicId{static_cast<std::int32_t>(i)};
    return std::nullopt;
}

std::string Topology::log_name(LogId log) const {
    const auto& entry = logs[static_cast<std::size_t>(log.value)];
    return topic_of(log).name + "/" + std::to_string(entry.partition.value);
}

std::string Topology::node_name(NodeId node) const {
    if (node == controller()) return "controller";
    if (node.value <= brokers) return "broker " + std::to_string(node.value);
    if (const auto store = store_at(node))
        return stores[static_cast<std::size_t>(store->value)].name;
    const auto process = process_of(node);
    const auto app_index = static_cast<std::size_t>(process->app.value);
    if (app_index < job_managers.size() && job_managers[app_index] == node)
        return "jobmanager " + apps[app_index];
    return apps[static_cast<std::size_t>(process->app.value)] + "/" +
           std::to_string(process->instance);
}

std::optional<ProcessId> Topology::process_of(NodeId node) const {
    std::optional<ProcessId> result;
    if (store_at(node)) return result;
    for (std::size_t i = 0; i < app_first_node.size(); ++i)
        if (app_first_node[i] <= node)
            result = ProcessId{{static_cast<std::int32_t>(i)}, node - app_first_node[i]};
    return result;
}

NodeId Topology::node_of(ProcessId process) const {
    return app_first_node[static_cast<std::size_t>(process.app.value)] + process.instance;
}

NodeId Topology::node_of(StoreId store) const { return first_store + store.value; }

std::optional<StoreId> Topology::store_at(NodeId node) const {
    const auto number = node - first_store;
    if (stores.empty() || number < 0 || number >= static_cast<std::int32_t>(stores.size()))
        return std::nullopt;
    return StoreId{number};
}

std::optional<StoreId> Topology::store_named(std::string_view name) const {
    for (std::size_t i = 0; i < stores.size(); ++i)
        if (stores[i].name == name) return StoreId{static_cast<std::int32_t>(i)};
    return std::nullopt;
}

std::optional<LogId> Topology::offsets_log(GroupId group) const {
    if (!offsets_topic) return std::nullopt;
    const auto& topic = topics[static_cast<std::size_t>(offsets_topic->value)];
    const auto hash = kafka_abs(java_string_hash(groups[static_cast<std::size_t>(group.value)]));
    return topic.first + hash % topic.partitions;
}

std::optional<LogId> Topology::transaction_log(TransactionalId txid) const {
    if (!transaction_topic) return std::nullopt;
    const auto& topic = topics[static_cast<std::size_t>(transaction_topic->value)];
    const auto hash = kafka_abs(java_string_hash(transactional_id_name(txid)));
    return topic.first + hash % topic.partitions;
}

TransactionalId Topology::random_transactional_id(NodeId node, std::int32_t start) const {
    const auto known = static_cast<std::int32_t>(transactional_ids.size());
    return {known + start * nodes_at_most + node.value};
}

TransactionalId Topology::job_transactional_id(std::int32_t prefix, std::int32_t subtask,
                                               std::int64_t counter) {
    sim::ensure(prefix < job_prefixes_most && subtask < job_subtasks_most &&
                    counter < (1 << counter_bits),
                "a Flink job's transactional id fits its numbering");
    const auto high = (prefix << subtask_bits | subtask) << counter_bits;
    return {job_id | high | static_cast<std::int32_t>(counter)};
}

std::optional<TransactionalId> Topology::transactional_id_named(std::string_view name) const {
    const auto found = std::find(transactional_ids.begin(), transactional_ids.end(), name);
    if (found != transactional_ids.end())
        return TransactionalId{static_cast<std::int32_t>(found - transactional_ids.begin())};
    for (std::size_t i = 0; i < job_prefixes.size(); ++i) {
        const std::string& prefix = job_prefixes[i];
        if (!name.starts_with(prefix + "-")) continue;
        const auto rest = name.substr(prefix.size() + 1);
        const auto dash = rest.find('-');
        if (dash == rest.npos) continue;
        const auto subtask = digits(rest.substr(0, dash));
        const auto counter = digits(rest.substr(dash + 1));
        if (!subtask || !counter || *subtask >= job_subtasks_most ||
            *counter >= (1 << counter_bits))
            continue;
        return job_transactional_id(static_cast<std::int32_t>(i), *subtask, *counter);
    }
    return std::nullopt;
}

std::string Topology::transactional_id_name(TransactionalId txid) const {
    if (txid.value >= job_id) {
        const auto prefix = low_bits(txid.value >> (counter_bits + subtask_bits), 3);
        return job_prefixes[static_cast<std::size_t>(prefix)] + "-" +
               std::to_string(low_bits(txid.value >> counter_bits, subtask_bits)) + "-" +
               std::to_string(low_bits(txid.value, counter_bits));
    }
    const auto known = static_cast<std::int32_t>(transactional_ids.size());
    if (txid.value < known) return transactional_ids[static_cast<std::size_t>(txid.value)];
    const auto drawn = txid.value - known;
    return node_name({drawn % nodes_at_most}) + "-random-" + std::to_string(drawn / nodes_at_most);
}

std::int32_t java_string_hash(std::string_view ascii) {
    std::uint32_t hash = 0;
    for (const char c : ascii) hash = hash * 31 + static_cast<unsigned char>(c);
    return static_cast<std::int32_t>(hash);
}

std::int32_t kafka_abs(std::int32_t value) {
    return value == std::numeric_limits<std::int32_t>::min() ? 0 : (value < 0 ? -value : value);
}

}  // namespace eos::model
