#pragma once
// The replication threads of a broker (Kafka: ReplicaFetcherThread, one per leading broker):
// gathers what all partitions that follow one leader want into one request, one under way per
// leader, and hands each its answer. Connections are lane 8 of the broker. What happens to a
// partition's log is decided by its ReplicaFetcher.

#include <cstdint>
#include <optional>
#include <tuple>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "model/broker_replicas.hpp"
#include "model/broker_step.hpp"
#include "model/network_client.hpp"

namespace eos::model {

class ReplicaFetchers {
  public:
    static constexpr std::uint8_t lane = 8;

    ReplicaFetchers(const ClusterConfig& config, sim::Rng rng);

    /// Sends what is due to every leader that is followed, or to one of them.
    void pump(const BrokerStep& step, Replicas& replicas, std::optional<BrokerEpoch> epoch);
    void pump(const BrokerStep& step, Replicas& replicas, std::optional<BrokerEpoch> epoch,
              BrokerId leader);

    /// Ends the conversations with brokers that nobody follows any more (Kafka shuts an idle
    /// fetcher thread down), so that none waits for the timeout of a dead connection when it leads
    /// again.
    void retire(const BrokerStep& step, const Replicas& replicas);

    void on_reply(const BrokerStep& step, Replicas& replicas, sim::Peer from,
                  sim::Correlation correlation, Message&& message);
    void on_link(const BrokerStep& step, Replicas& replicas, sim::Peer peer, sim::LinkEvent event);
    void on_timer(const BrokerStep& step, Replicas& replicas, sim::TimerKey timer);
    [[nodiscard]] bool owns(sim::TimerKey timer) const {
        return tick(timer) == Tick::fetch_backoff || net_.owns(timer);
    }

    [[nodiscard]] auto fields() const { return std::tie(net_, under_way_); }
    friend bool operator==(const ReplicaFetchers&, const ReplicaFetchers&) = default;

  private:
    /// What one leader was asked: a fetch, or the offsets of partitions that are out of its range.
    struct UnderWay {
        std::vector<FetchRequest::Part> fetch;
        std::vector<ListOffsetsRequest::Part> offsets;  ///< pairs: latest, earliest
        friend bool operator==(const UnderWay&, const UnderWay&) = default;
    };

    void heard(const BrokerStep& step, Replicas& replicas, BrokerId leader, const UnderWay& asked,
               const FetchResponse& answer);
    void heard(const BrokerStep& step, Replicas& replicas, BrokerId leader, const UnderWay& asked,
               const ListOffsetsResponse& answer);
    void fail(const BrokerStep& step, Replicas& replicas, const Outcomes& outcomes);

    NetworkClient net_;
    boost::container::flat_map<BrokerId, UnderWay> under_way_;
};

}  // namespace eos::model
