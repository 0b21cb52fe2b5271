#pragma once
// What a component of a broker works with while the broker handles one event, and the facts that
// broker milestones carry. Made anew for every event; nothing of it is kept.

#include "model/config.hpp"
#include "model/metadata_image.hpp"
#include "model/milestones.hpp"
#include "model/safeguards.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

struct BrokerStep {
    const Context& ctx;
    BrokerId self;
    const ClusterConfig& config;
    const Topology& topology;
    const MetadataImage& image;  ///< the metadata this broker has applied
    Guard& guard;
    Fx& fx;
};

/// log, topic, partition.
[[nodiscard]] inline sim::Facts about(const Topology& topology, LogId log) {
    const auto& entry = topology.logs[static_cast<std::size_t>(log.value)];
    return told({{Fact::log, log.value},
                 {Fact::topic, entry.topic.value},
                 {Fact::partition, entry.partition.value}});
}

/// What kind of append a batch is, to a milestone.
[[nodiscard]] AppendKind append_kind(const Batch& batch);
/// log, topic, partition, kind, pid, epoch, offset, count.
[[nodiscard]] sim::Facts about(const Topology& topology, LogId log, const Batch& batch);

}  // namespace eos::model
