#include "model/metadata_image.hpp"

namespace eos::model {

MetadataImage::MetadataImage(const Topology& topology) {
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        PartitionState state;
        state.log = {static_cast<std::int32_t>(i)};
        state.replicas = topology.logs[i].replicas;
        state.leader_epoch = {-1};
        state.partition_epoch = {-1};
        partitions_.push_back(std::move(state));
    }
    for (const auto id : topology.all_brokers()) brokers_.push_back({.broker = id, .epoch = {-1}});
}

void MetadataImage::apply(const MetadataRecord& record) {
    if (const auto* state = std::get_if<PartitionState>(&record))
        partitions_[static_cast<std::size_t>(state->log.value)] = *state;
    if (const auto* registration = std::get_if<BrokerRegistration>(&record))
        brokers_[static_cast<std::size_t>(registration->broker.value - 1)] = *registration;
}

std::vector<BrokerId> MetadataImage::alive_brokers() const {
    std::vector<BrokerId> result;
    for (const auto& entry : brokers_)
        if (alive(entry.broker)) result.push_back(entry.broker);
    return result;
}

std::vector<BrokerId> MetadataImage::active_brokers() const {
    std::vector<BrokerId> result;
    for (const auto& entry : brokers_)
        if (active(entry.broker)) result.push_back(entry.broker);
    return result;
}

std::vector<MetadataRecord> MetadataImage::records() const {
    std::vector<MetadataRecord> result;
    result.reserve(brokers_.size() + partitions_.size());
    // Brokers first: a partition's in-sync members are known before the partition is.
    for (const auto& entry : brokers_)
        if (entry.epoch.value >= 0) result.emplace_back(entry);
    for (const auto& state : partitions_)
        if (state.partition_epoch.value >= 0) result.emplace_back(state);
    return result;
}

std::vector<MetadataRecord> formation(const Topology& topology) {
    std::vector<MetadataRecord> result;
    for (const auto id : topology.all_brokers()) {
        const BrokerEpoch epoch{static_cast<std::int64_t>(result.size())};
        result.emplace_back(BrokerRegistration{.broker = id, .epoch = epoch, .fenced = false});
    }
    for (std::size_t i = 0; i < topology.logs.size(); ++i) {
        PartitionState state;
        state.log = {static_cast<std::int32_t>(i)};
        state.replicas = topology.logs[i].replicas;
        state.isr = state.replicas;
        state.leader = state.replicas.front();
        result.emplace_back(std::move(state));
    }
    return result;
}

}  // namespace eos::model
