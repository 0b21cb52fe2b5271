#pragma once
// What a client believes about the cluster: who leads which log, under which leader epoch, and
// which brokers there are. Beliefs come from Metadata answers and from hints in other answers, may
// be stale, and never go back to an older leader epoch (N10). Refreshes itself over the
// NetworkClient of its owner, which calls refresh() after every step and passes on replies and the
// timer.

#include <cstdint>
#include <memory>
#include <optional>
#include <tuple>
#include <vector>

#include "model/network_client.hpp"
#include "model/topology.hpp"

namespace eos::model {

class ClientMetadata {
  public:
    /// `lane`: of the owner's connections. `component`: as for its NetworkClient.
    ClientMetadata(std::shared_ptr<const Topology> topology, const ClientConfig& config,
                   std::uint8_t lane, std::uint8_t component, sim::Rng rng);

    // --- asking ----------------------------------------------------------------------------------
    /// The leader believed in; empty: unknown or none.
    [[nodiscard]] std::optional<BrokerId> leader(LogId log) const;
    /// The epoch of the last leader heard of; empty: never heard of the log.
    [[nodiscard]] std::optional<LeaderEpoch> leader_epoch(LogId log) const;
    /// Whether an answer has told about this topic's partitions (P1), and no later one that there
    /// is no such topic.
    [[nodiscard]] bool knows(TopicId topic) const;
    /// Brokers alive as of the last answer; before it the bootstrap list: every broker.
    [[nodiscard]] const std::vector<BrokerId>& brokers() const { return brokers_; }
    /// Rises with every answer or hint that changed a belief.
    [[nodiscard]] std::int64_t version() const { return version_; }
    /// Whether a refresh is wanted or under way.
    [[nodiscard]] bool stale() const { return wanted_ || in_flight_.has_value(); }
    [[nodiscard]] bool owns(const sim::TimerKey& key) const;
    /// Whether the outcome is of this metadata's own request.
    [[nodiscard]] bool owns(const Outcome& outcome) const;

    /// The node with the fewest requests in flight, from a random start; else one that is being
    /// connected; else the one least recently tried that may be connected (N12). Empty: all wait
    /// out a backoff. With every known broker unreachable the bootstrap list is used (KIP-899).
    [[nodiscard]] std::optional<Peer> least_loaded(const Context& ctx, const NetworkClient& net);

    // --- doing -----------------------------------------------------------------------------------
    /// Adds a topic to what is asked for; a new one is asked for at once (N9).
    void watch(TopicId topic);
    /// Some answer showed that beliefs are stale (InvalidMetadata class, unknown leader).
    void request_refresh() { wanted_ = true; }
    /// A leader named by a Produce or Fetch answer (KIP-951, N11). True if it was news.
    bool hint(LogId log, const LeaderHint& hint);
    /// Beliefs from a whole answer, however it was obtained. True if anything changed.
    bool learn(const MetadataResponse& response);
    /// Sends the Metadata request if one is due and a node can take it, else sees to being woken.
    void refresh(const Context& ctx, NetworkClient& net, Fx& fx);

    // --- being told ------------------------------------------------------------------------------
    /// The end of its own request: `response` if the outcome is a reply, else null. True if a
    /// belief changed. The owner calls refresh() afterwards as after any step.
    bool on_outcome(const Context& ctx, const Outcome& outcome, const MetadataResponse* response);

    friend bool operator==(const ClientMetadata&, const ClientMetadata&) = default;
    [[nodiscard]] auto fields() const {
        return std::tie(rng_, topics_, leaders_, brokers_, wanted_, in_flight_, allowed_at_,
                        refreshed_at_, armed_, failures_, unchanged_, losses_, version_);
    }

  private:
    struct Leader {
        LogId log;
        std::optional<BrokerId> leader;
        LeaderEpoch epoch;
        bool exists = true;  ///< as the last answer had it; the epoch is remembered either way
        friend bool operator==(const Leader&, const Leader&) = default;
    };

    [[nodiscard]] const Leader* find(LogId log) const;
    bool believe(LogId log, std::optional<BrokerId> leader, LeaderEpoch epoch);
    bool forget(LogId log);
    [[nodiscard]] std::optional<Peer> least_loaded_of(const std::vector<BrokerId>& nodes,
                                                      std::uint64_t start,
                                                      const NetworkClient& net) const;

    std::shared_ptr<const Topology> topology_;
    ClientConfig config_;
    std::uint8_t lane_;
    std::uint8_t component_;
    sim::Rng rng_;
    std::vector<TopicId> topics_;  ///< sorted
    std::vector<Leader> leaders_;  ///< sorted by log
    std::vector<BrokerId> brokers_;
    bool wanted_ = false;
    std::optional<Correlation> in_flight_;
    Instant allowed_at_{};             ///< no request before this: the N7 backoff
    Instant refreshed_at_{};           ///< last answer: its age is limited
    Instant armed_ = sim::time_never;  ///< when the timer rings
    std::int32_t failures_ = 0;
    std::int32_t unchanged_ = 0;  ///< answers in a row that changed nothing
    std::int64_t losses_ = 0;     ///< of the network client, when last looked at
    std::int64_t version_ = 0;
};

}  // namespace eos::model
