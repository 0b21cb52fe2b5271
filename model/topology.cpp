#include "model/topology.hpp"

#include <limits>

namespace eos::model {
namespace {

constexpr std::int32_t nodes_at_most = 4096;  // of one run, in the numbering of random ids

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

std::string Topology::transactional_id_name(TransactionalId txid) const {
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
