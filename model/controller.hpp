#pragma once
// The controller (node 0): who is alive, who leads, who is in sync. It registers brokers, fences
// the silent ones, elects leaders and writes each decision to the metadata log, which brokers pull.
// Simplified: one node stands for the whole controller quorum; a wiped or flushed-away disk of it
// loses nothing, and a controller that hears no broker at all takes itself for the one that is cut
// off: like a KRaft leader that hears no majority of voters it decides nothing until it is back.
// Simplified: MetadataMode::zookeeper changes when decisions may be learnt (one partition after the
// other, election_delay each), not how: LeaderAndIsr, StopReplica and UpdateMetadata are not
// pushed, brokers pull in both modes.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include <boost/container/flat_map.hpp>

#include "model/broker_sessions.hpp"
#include "model/config.hpp"
#include "model/election.hpp"
#include "model/messages.hpp"
#include "model/metadata_log.hpp"
#include "model/safeguards.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"
#include "sim/effects.hpp"

namespace eos::model {

class Controller {
  public:
    /// What survives every end of the process.
    struct Durable {
        MetadataLog log;
        /// Which life of each broker's process is registered, by BrokerId - 1: a registration whose
        /// answer was lost may be repeated, a second process may not take its place.
        std::vector<std::int32_t> incarnations;
        ProducerId next_producer_id{0};
        friend bool operator==(const Durable&, const Durable&) = default;
    };

    /// The controller of a freshly formed cluster.
    Controller(std::shared_ptr<const ClusterConfig> config,
               std::shared_ptr<const Topology> topology);
    [[nodiscard]] Controller reborn(const sim::Loss& loss) &&;

    void on_start(const Context& ctx, Fx& fx);
    void on_request(const Context& ctx, const sim::ReplyTo& to, Message&& message, Fx& fx);
    void on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                  Message&& message, Fx& fx);
    void on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx);
    void on_timer(const Context& ctx, sim::TimerKey key, Fx& fx);
    void on_handoff(const Context& ctx, Message&& message, Fx& fx);
    void on_order(const Context& ctx, const sim::Order& order, Fx& fx);

    [[nodiscard]] const MetadataImage& image() const { return durable_.log.image(); }

    [[nodiscard]] auto fields() const {
        return std::tie(durable_, sessions_, heard_, waiting_, guard_);
    }
    friend bool operator==(const Controller& a, const Controller& b) {
        return a.fields() == b.fields();
    }

  private:
    Controller(std::shared_ptr<const ClusterConfig> config,
               std::shared_ptr<const Topology> topology, Durable durable);

    struct WaitingFetch {
        sim::ReplyTo to;
        std::int64_t from = 0;
        friend bool operator==(const WaitingFetch&, const WaitingFetch&) = default;
    };
    /// Why a set of partitions is looked at again, and for whom (ELE-8).
    struct Cause {
        std::optional<BrokerId> removed;  ///< leaves every in-sync set
        std::optional<BrokerId> unclean;  ///< restarted without a clean end: leaves the ELR too
    };

    // controller_brokers.cpp: registration, sessions, fencing, shutdown
    [[nodiscard]] BrokerRegistrationResponse registered(const Context& ctx,
                                                        const BrokerRegistrationRequest& request,
                                                        Fx& fx);
    [[nodiscard]] BrokerHeartbeatResponse heartbeat(const Context& ctx,
                                                    const BrokerHeartbeatRequest& request, Fx& fx);
    void begin_shutdown(const Context& ctx, BrokerId broker, Fx& fx);
    void unfence(const Context& ctx, BrokerId broker, Fx& fx);
    void fence(const Context& ctx, BrokerId broker, Fx& fx);
    void expire_session(const Context& ctx, BrokerId broker, Fx& fx);
    void hear(const Context& ctx, BrokerId broker, Fx& fx);
    [[nodiscard]] bool cut_off(const Context& ctx) const;
    [[nodiscard]] bool leads_anything(BrokerId broker) const;
    [[nodiscard]] bool current(BrokerId broker, BrokerEpoch epoch) const;

    // controller_partitions.cpp: elections and in-sync sets
    void reconsider(const Context& ctx, const Cause& cause, Fx& fx);
    void elect_leaderless(const Context& ctx, Fx& fx);
    void balance_leaders(const Context& ctx, Fx& fx);
    void elect_on_order(const Context& ctx, const sim::Order& order, Fx& fx);
    [[nodiscard]] AlterPartitionResponse alter(const Context& ctx,
                                               const AlterPartitionRequest& request, Fx& fx);
    [[nodiscard]] ElectionOrder order(LogId log, ElectionType type) const;
    [[nodiscard]] ElectionType ordinary() const;
    void decide(const Context& ctx, PartitionState state, Fx& fx);
    void declare(const PartitionState& state, Fx& fx) const;

    // controller.cpp: the log as brokers read it
    void write(const Context& ctx, MetadataRecord record, sim::Instant visible, Fx& fx);
    void show(const Context& ctx, Fx& fx);
    void fetch_metadata(const Context& ctx, const sim::ReplyTo& to,
                        const MetadataFetchRequest& request, Fx& fx);
    [[nodiscard]] MetadataFetchResponse slice(std::int64_t from) const;

    std::shared_ptr<const ClusterConfig> config_;
    std::shared_ptr<const Topology> topology_;
    Durable durable_;
    BrokerSessions sessions_;
    sim::Instant heard_{};  ///< when any broker was heard of last
    boost::container::flat_map<BrokerId, WaitingFetch> waiting_;
    Guard guard_;
};

}  // namespace eos::model
