#include "model/client_metadata.hpp"

#include <algorithm>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {

ClientMetadata::ClientMetadata(std::shared_ptr<const Topology> topology, const ClientConfig& config,
                               std::uint8_t lane, std::uint8_t component, sim::Rng rng)
    : topology_(std::move(topology)),
      config_(config),
      lane_(lane),
      component_(component),
      rng_(rng),
      brokers_(topology_->all_brokers()) {}

// --- asking --------------------------------------------------------------------------------------

const ClientMetadata::Leader* ClientMetadata::find(LogId log) const {
    const auto found = std::lower_bound(leaders_.begin(), leaders_.end(), log,
                                        [](const Leader& l, LogId id) { return l.log < id; });
    return found == leaders_.end() || found->log != log ? nullptr : &*found;
}

std::optional<BrokerId> ClientMetadata::leader(LogId log) const {
    const auto* known = find(log);
    return known ? known->leader : std::nullopt;
}

std::optional<LeaderEpoch> ClientMetadata::leader_epoch(LogId log) const {
    const auto* known = find(log);
    return known ? std::optional(known->epoch) : std::nullopt;
}

bool ClientMetadata::knows(TopicId topic) const {
    const Topic& wanted = topology_->topics[static_cast<std::size_t>(topic.value)];
    const LogId past = wanted.first + wanted.partitions;
    auto place = std::lower_bound(leaders_.begin(), leaders_.end(), wanted.first,
                                  [](const Leader& l, LogId id) { return l.log < id; });
    while (place != leaders_.end() && place->log < past && !place->exists) ++place;
    return place != leaders_.end() && place->log < past;
}

bool ClientMetadata::owns(const sim::TimerKey& key) const {
    return tick(key) == Tick::metadata_refresh && key.b == component_;
}

bool ClientMetadata::owns(const Outcome& outcome) const {
    return outcome.api == Api::metadata && in_flight_ == outcome.correlation;
}

std::optional<Peer> ClientMetadata::least_loaded_of(const std::vector<BrokerId>& nodes,
                                                    std::uint64_t start,
                                                    const NetworkClient& net) const {
    std::optional<Peer> ready;
    std::optional<Peer> connecting;
    std::optional<Peer> connectable;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        const Peer peer{nodes[(start + i) % nodes.size()], lane_};
        switch (net.state(peer)) {
            case NetworkClient::State::ready:
                if (!net.ready(peer)) break;
                if (!ready || net.in_flight(peer) < net.in_flight(*ready)) ready = peer;
                break;
            case NetworkClient::State::connecting:
                if (!connecting) connecting = peer;
                break;
            case NetworkClient::State::disconnected:
                if (!connectable || net.last_attempt(peer) < net.last_attempt(*connectable))
                    connectable = peer;
                break;
            case NetworkClient::State::backoff:
                break;
        }
    }
    if (ready) return ready;
    return connecting ? connecting : connectable;
}

std::optional<Peer> ClientMetadata::least_loaded(const Context& /*ctx*/, const NetworkClient& net) {
    if (brokers_.empty()) return std::nullopt;
    const std::uint64_t start = rng_.below(brokers_.size());
    if (const auto known = least_loaded_of(brokers_, start, net)) return known;
    const std::vector<BrokerId> bootstrap = topology_->all_brokers();
    if (bootstrap.size() == brokers_.size()) return std::nullopt;
    return least_loaded_of(bootstrap, start, net);
}

// --- doing ---------------------------------------------------------------------------------------

void ClientMetadata::watch(TopicId topic) {
    const auto place = std::lower_bound(topics_.begin(), topics_.end(), topic);
    if (place != topics_.end() && *place == topic) return;
    topics_.insert(place, topic);
    wanted_ = true;
    allowed_at_ = sim::time_zero;  // a new topic does not wait out the backoff
}

/// N10: what is older than what is known is ignored.
bool ClientMetadata::believe(LogId log, std::optional<BrokerId> leader, LeaderEpoch epoch) {
    const auto place = std::lower_bound(leaders_.begin(), leaders_.end(), log,
                                        [](const Leader& l, LogId id) { return l.log < id; });
    const Leader told{.log = log, .leader = leader, .epoch = epoch};
    if (place == leaders_.end() || place->log != log) {
        leaders_.insert(place, told);
        return true;
    }
    if (epoch < place->epoch || *place == told) return false;
    *place = told;
    return true;
}

/// A whole answer replaces what was believed: a topic that the broker does not know is gone. The
/// epochs stay, so that no older leader comes back with it (Metadata.java, lastSeenLeaderEpochs).
bool ClientMetadata::forget(LogId log) {
    const auto place = std::lower_bound(leaders_.begin(), leaders_.end(), log,
                                        [](const Leader& l, LogId id) { return l.log < id; });
    if (place == leaders_.end() || place->log != log || !place->exists) return false;
    place->leader.reset();
    place->exists = false;
    return true;
}

bool ClientMetadata::hint(LogId log, const LeaderHint& hint) {
    const auto* known = find(log);
    if (known && (!known->exists || hint.epoch <= known->epoch)) return false;
    const bool news = believe(log, hint.leader, hint.epoch);
    if (news) ++version_;
    return news;
}

bool ClientMetadata::learn(const MetadataResponse& response) {
    bool news = false;
    if (!response.brokers.empty() && response.brokers != brokers_) {
        brokers_ = response.brokers;
        news = true;
    }
    for (const auto& part : response.parts) {
        if (part.error == ErrorCode::unknown_topic_or_partition)
            news = forget(part.log) || news;
        else
            news = believe(part.log, part.leader, part.epoch) || news;
        if (invalid_metadata(part.error)) wanted_ = true;
    }
    if (news) ++version_;
    return news;
}

void ClientMetadata::refresh(const Context& ctx, NetworkClient& net, Fx& fx) {
    if (net.losses() != losses_) {  // N9: a lost connection says that beliefs may be stale
        losses_ = net.losses();
        wanted_ = true;
    }
    if (in_flight_ || topics_.empty()) return;
    const Instant due =
        wanted_ ? allowed_at_ : std::max(refreshed_at_ + config_.metadata_max_age, allowed_at_);
    if (ctx.now < due) {
        if (due < armed_ || armed_ <= ctx.now) {
            armed_ = due;
            fx.arm(key(Tick::metadata_refresh, 0, component_), due - ctx.now);
        }
        return;
    }
    wanted_ = true;
    const auto node = least_loaded(ctx, net);
    if (!node) return;  // a backoff ends with a timer of the network client
    if (!net.ready(*node)) {
        net.want(ctx, *node, fx);
        return;
    }
    wanted_ = false;
    in_flight_ =
        net.send(ctx, *node, MetadataRequest{.topics = topics_}, config_.request_timeout, 0, fx);
}

// --- being told ----------------------------------------------------------------------------------

bool ClientMetadata::on_outcome(const Context& ctx, const Outcome& outcome,
                                const MetadataResponse* response) {
    sim::ensure(owns(outcome), "metadata is given its own outcomes");
    in_flight_.reset();
    const bool answered = response != nullptr && response->error == ErrorCode::none;
    bool news = false;
    if (answered) {
        news = learn(*response);
        refreshed_at_ = ctx.now;
        failures_ = 0;
        unchanged_ = news ? 0 : unchanged_ + 1;
    } else {
        wanted_ = true;
        ++failures_;
    }
    // Answers in a row that bring nothing new back off like failures (N9).
    const std::int32_t attempt = std::max({failures_ - 1, unchanged_ - 1, 0});
    allowed_at_ =
        ctx.now + backoff(rng_, config_.retry_backoff, config_.retry_backoff_max, attempt);
    return news;
}

}  // namespace eos::model
