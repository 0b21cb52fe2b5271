#pragma once
// What a node believes about the cluster: the newest state of every partition and every broker
// registration, folded from metadata records. The controller's image is the truth, a broker's is a
// past of it. Records carry whole states, so folding one twice, or skipping to a later one, is
// safe.

#include <cstdint>
#include <span>
#include <tuple>
#include <vector>

#include "model/messages.hpp"
#include "model/topology.hpp"

namespace eos::model {

class MetadataImage {
  public:
    MetadataImage() = default;
    /// The image in which nothing is known: no leader, no registered broker.
    explicit MetadataImage(const Topology& topology);

    void apply(const MetadataRecord& record);

    [[nodiscard]] const PartitionState& partition(LogId log) const {
        return partitions_[static_cast<std::size_t>(log.value)];
    }
    [[nodiscard]] std::span<const PartitionState> partitions() const { return partitions_; }
    [[nodiscard]] const BrokerRegistration& broker(BrokerId broker) const {
        return brokers_[static_cast<std::size_t>(broker.value - 1)];
    }
    [[nodiscard]] std::span<const BrokerRegistration> brokers() const { return brokers_; }
    [[nodiscard]] bool registered(BrokerId id) const { return broker(id).epoch.value >= 0; }
    /// Registered and not fenced: told to clients.
    [[nodiscard]] bool alive(BrokerId id) const { return registered(id) && !broker(id).fenced; }
    /// Alive and not shutting down: may lead and may join an in-sync set (LSO-7).
    [[nodiscard]] bool active(BrokerId id) const {
        return alive(id) && !broker(id).in_controlled_shutdown;
    }
    [[nodiscard]] std::vector<BrokerId> alive_brokers() const;
    [[nodiscard]] std::vector<BrokerId> active_brokers() const;
    /// The whole image as records: what a snapshot of the metadata log holds.
    [[nodiscard]] std::vector<MetadataRecord> records() const;

    [[nodiscard]] auto fields() const { return std::tie(partitions_, brokers_); }
    friend bool operator==(const MetadataImage&, const MetadataImage&) = default;

  private:
    std::vector<PartitionState> partitions_;   ///< by LogId
    std::vector<BrokerRegistration> brokers_;  ///< by BrokerId - 1
};

/// The metadata log of a cluster that has just been formed: every broker registered and unfenced
/// with its record's offset as broker epoch, every preferred replica leading in leader epoch 0 with
/// all replicas in sync. Simplified: a run begins with a formed cluster, not with its installation.
[[nodiscard]] std::vector<MetadataRecord> formation(const Topology& topology);

}  // namespace eos::model
