#pragma once
// A broker's conversation with the controller: registration, heartbeats, the pull of the metadata
// log, in-sync set changes, blocks of producer ids. Steps its own NetworkClient over three lanes,
// so that a waiting metadata pull holds up no heartbeat; tells its owner what came of it as news.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <variant>
#include <vector>

#include <boost/container/flat_map.hpp>
#include <boost/container/small_vector.hpp>

#include "model/config.hpp"
#include "model/messages.hpp"
#include "model/network_client.hpp"
#include "model/topology.hpp"
#include "model/vocabulary.hpp"

namespace eos::model {

namespace news {
/// The controller knows this process; its broker epoch.
struct Registered {
    BrokerEpoch epoch;
};
/// Nobody needs this broker any more (controlled shutdown).
struct MayShutDown {};
/// Metadata records to be applied; `end` is the offset behind the last.
struct Records {
    std::int64_t end = 0;
    std::vector<MetadataRecord> records;
};
/// What became of an in-sync set proposal.
struct Altered {
    AlterPartitionRequest sent;
    AlterPartitionResponse answer;
};
/// A block of producer ids, or none (count 0).
struct ProducerIds {
    ProducerId first;
    std::int32_t count = 0;
};
}  // namespace news
using News = std::variant<news::Registered, news::MayShutDown, news::Records, news::Altered,
                          news::ProducerIds>;
using NewsList = boost::container::small_vector<News, 2>;

class ControllerChannel {
  public:
    static constexpr std::uint8_t heartbeat_lane = 9;
    static constexpr std::uint8_t request_lane = 10;
    static constexpr std::uint8_t metadata_lane = 11;

    ControllerChannel(BrokerId self, std::shared_ptr<const ClusterConfig> config, sim::Rng rng);

    // --- doing
    // ------------------------------------------------------------------------------------
    /// A process that is part of a formed cluster: registered already.
    void join(const Context& ctx, BrokerEpoch epoch, std::int64_t applied, Fx& fx);
    /// A restarted process: registers, naming the epoch of its last clean end, if that was clean.
    void enlist(const Context& ctx, std::optional<BrokerEpoch> clean_epoch, Fx& fx);
    /// The metadata log has been applied up to here.
    void applied(const Context& ctx, std::int64_t offset, Fx& fx);
    void shut_down(const Context& ctx, Fx& fx);
    void alter(const Context& ctx, AlterPartitionRequest request, Fx& fx);
    void allocate_producer_ids(const Context& ctx, Fx& fx);

    // --- being told
    // -------------------------------------------------------------------------------
    [[nodiscard]] NewsList on_reply(const Context& ctx, sim::Peer from,
                                    sim::Correlation correlation, Message&& message, Fx& fx);
    [[nodiscard]] NewsList on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event,
                                   Fx& fx);
    [[nodiscard]] NewsList on_timer(const Context& ctx, sim::TimerKey timer, Fx& fx);

    // --- asking
    // -----------------------------------------------------------------------------------
    [[nodiscard]] std::optional<BrokerEpoch> epoch() const { return epoch_; }
    [[nodiscard]] bool fenced() const { return fenced_; }
    [[nodiscard]] bool shutting_down() const { return want_shutdown_; }
    [[nodiscard]] bool owns(sim::TimerKey timer) const;
    [[nodiscard]] static bool owns(sim::Peer peer) {
        return peer.node == Topology::controller() && peer.lane >= heartbeat_lane &&
               peer.lane <= metadata_lane;
    }

    [[nodiscard]] auto fields() const {
        return std::tie(net_, epoch_, clean_epoch_, fenced_, want_shutdown_, asked_shutdown_, life_,
                        fetched_, applied_, heartbeat_, metadata_, wanted_, altering_);
    }
    friend bool operator==(const ControllerChannel& a, const ControllerChannel& b) {
        return a.fields() == b.fields();
    }

  private:
    enum class Errand : std::uint8_t { idle, due, under_way };

    void pump(const Context& ctx, Fx& fx);
    void fail(const Context& ctx, const Outcome& outcome, NewsList& news, Fx& fx);
    void heard(const Context& ctx, const BrokerRegistrationResponse& answer, NewsList& news,
               Fx& fx);
    void heard(const Context& ctx, const BrokerHeartbeatResponse& answer, NewsList& news, Fx& fx);
    void beat_after(sim::Duration delay, Fx& fx);
    void altered(sim::Correlation correlation, AlterPartitionResponse answer, NewsList& news);

    BrokerId self_;
    std::shared_ptr<const ClusterConfig> config_;
    NetworkClient net_;
    std::optional<BrokerEpoch> epoch_;  ///< none: not registered yet
    std::optional<BrokerEpoch> clean_epoch_;
    bool fenced_ = true;
    bool want_shutdown_ = false;
    bool asked_shutdown_ = false;  ///< the controller has answered the wish once
    std::int32_t life_ = 0;
    std::int64_t fetched_ = 0;  ///< next metadata offset to pull
    std::int64_t applied_ = 0;
    Errand heartbeat_ = Errand::idle;  ///< a heartbeat, or before it the registration
    Errand metadata_ = Errand::idle;
    std::vector<Message> wanted_;  ///< requests that wait for the request lane
    boost::container::flat_map<sim::Correlation, AlterPartitionRequest> altering_;  ///< in flight
};

}  // namespace eos::model
