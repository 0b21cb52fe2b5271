#include "model/broker_channel.hpp"

#include <utility>

#include "model/topology.hpp"

namespace eos::model {
namespace {

constexpr sim::Peer heartbeat_peer{Topology::controller(), ControllerChannel::heartbeat_lane};
constexpr sim::Peer request_peer{Topology::controller(), ControllerChannel::request_lane};
constexpr sim::Peer metadata_peer{Topology::controller(), ControllerChannel::metadata_lane};
constexpr std::int32_t requests_in_flight = 100;
constexpr sim::Duration metadata_timeout = sim::seconds(2);  // controller.quorum.request.timeout.ms
constexpr sim::Duration soon = sim::milliseconds(50);
constexpr sim::Duration registration_retry = sim::milliseconds(100);

/// Connections between brokers and the controller use the client defaults but for the timeout.
ClientConfig client_config(const ClusterConfig& config) {
    ClientConfig result;
    result.request_timeout = config.request_timeout;
    return result;
}

}  // namespace

ControllerChannel::ControllerChannel(BrokerId self, std::shared_ptr<const ClusterConfig> config,
                                     sim::Rng rng)
    : self_(self),
      config_(std::move(config)),
      net_(client_config(*config_), requests_in_flight, heartbeat_lane, rng) {}

bool ControllerChannel::owns(sim::TimerKey timer) const {
    return tick(timer) == Tick::broker_heartbeat || net_.owns(timer);
}

// --- doing ---------------------------------------------------------------------------------------

void ControllerChannel::join(const Context& ctx, BrokerEpoch epoch, std::int64_t applied, Fx& fx) {
    life_ = ctx.life;
    epoch_ = epoch;
    fenced_ = false;
    fetched_ = applied_ = applied;
    heartbeat_ = metadata_ = Errand::due;
    pump(ctx, fx);
}

void ControllerChannel::enlist(const Context& ctx, std::optional<BrokerEpoch> clean_epoch, Fx& fx) {
    life_ = ctx.life;
    clean_epoch_ = clean_epoch;
    heartbeat_ = Errand::due;  // the metadata log is pulled once the controller knows this process
    pump(ctx, fx);
}

void ControllerChannel::applied(const Context& ctx, std::int64_t offset, Fx& fx) {
    applied_ = offset;
    // A fenced broker that has just caught up does not wait for its next heartbeat.
    if (epoch_ && fenced_ && applied_ > epoch_->value && heartbeat_ == Errand::idle) {
        heartbeat_ = Errand::due;
        pump(ctx, fx);
    }
}

void ControllerChannel::shut_down(const Context& ctx, Fx& fx) {
    if (want_shutdown_) return;
    want_shutdown_ = true;
    if (heartbeat_ == Errand::idle) heartbeat_ = Errand::due;
    pump(ctx, fx);
}

void ControllerChannel::alter(const Context& ctx, AlterPartitionRequest request, Fx& fx) {
    wanted_.emplace_back(std::move(request));
    pump(ctx, fx);
}

void ControllerChannel::allocate_producer_ids(const Context& ctx, Fx& fx) {
    if (!epoch_) return;
    wanted_.emplace_back(AllocateProducerIdsRequest{.broker = self_, .epoch = *epoch_});
    pump(ctx, fx);
}

/// Sends what is due over every connection that can take it.
void ControllerChannel::pump(const Context& ctx, Fx& fx) {
    if (heartbeat_ == Errand::due) {
        net_.want(ctx, heartbeat_peer, fx);
        if (net_.ready(heartbeat_peer)) {
            heartbeat_ = Errand::under_way;
            Message request;
            if (epoch_) {
                request = BrokerHeartbeatRequest{.broker = self_,
                                                 .epoch = *epoch_,
                                                 .metadata_offset = applied_,
                                                 .want_shutdown = want_shutdown_};
            } else {
                request = BrokerRegistrationRequest{
                    .broker = self_,
                    .previous_epoch = clean_epoch_.value_or(BrokerEpoch{-1}),
                    .incarnation = life_};
            }
            // Half a session: a lost answer must not cost the session (BrokerLifecycleManager).
            net_.send(ctx, heartbeat_peer, std::move(request), config_->broker_session / 2, 0, fx);
        }
    }
    if (metadata_ == Errand::due) {
        net_.want(ctx, metadata_peer, fx);
        if (net_.ready(metadata_peer)) {
            metadata_ = Errand::under_way;
            net_.send(ctx, metadata_peer, MetadataFetchRequest{.broker = self_, .from = fetched_},
                      metadata_timeout, 0, fx);
        }
    }
    if (!wanted_.empty()) {
        net_.want(ctx, request_peer, fx);
        std::size_t sent = 0;
        for (; sent < wanted_.size() && net_.ready(request_peer); ++sent) {
            const auto correlation =
                net_.send(ctx, request_peer, wanted_[sent], config_->request_timeout, 0, fx);
            if (auto* change = std::get_if<AlterPartitionRequest>(&wanted_[sent]))
                altering_.emplace(correlation, std::move(*change));
        }
        wanted_.erase(wanted_.begin(), wanted_.begin() + static_cast<std::ptrdiff_t>(sent));
    }
}

void ControllerChannel::beat_after(sim::Duration delay, Fx& fx) {
    heartbeat_ = Errand::idle;
    fx.arm(key(Tick::broker_heartbeat), delay);
}

// --- being told ----------------------------------------------------------------------------------

NewsList ControllerChannel::on_reply(const Context& ctx, sim::Peer from,
                                     sim::Correlation correlation, Message&& message, Fx& fx) {
    NewsList news;
    const auto outcome = net_.on_reply(from, correlation);
    if (!outcome) return news;
    if (auto* registration = std::get_if<BrokerRegistrationResponse>(&message)) {
        heard(ctx, *registration, news, fx);
    } else if (auto* beat = std::get_if<BrokerHeartbeatResponse>(&message)) {
        heard(ctx, *beat, news, fx);
    } else if (auto* pulled = std::get_if<MetadataFetchResponse>(&message)) {
        metadata_ = Errand::due;
        const auto end = pulled->from + static_cast<std::int64_t>(pulled->records.size());
        if (pulled->error == ErrorCode::none && end > fetched_) {
            fetched_ = end;
            news.push_back(news::Records{.end = end, .records = std::move(pulled->records)});
        }
    } else if (auto* answer = std::get_if<AlterPartitionResponse>(&message)) {
        altered(correlation, std::move(*answer), news);
    } else if (auto* block = std::get_if<AllocateProducerIdsResponse>(&message)) {
        news.push_back(news::ProducerIds{.first = block->first, .count = block->count});
    }
    pump(ctx, fx);
    return news;
}

void ControllerChannel::heard(const Context&, const BrokerRegistrationResponse& answer,
                              NewsList& news, Fx& fx) {
    if (answer.error != ErrorCode::none) return beat_after(registration_retry, fx);
    epoch_ = answer.epoch;
    heartbeat_ = metadata_ = Errand::due;
    news.push_back(news::Registered{answer.epoch});
}

void ControllerChannel::heard(const Context&, const BrokerHeartbeatResponse& answer, NewsList& news,
                              Fx& fx) {
    if (answer.error != ErrorCode::none) return beat_after(registration_retry, fx);
    fenced_ = answer.fenced;
    if (want_shutdown_ && answer.may_shut_down) {
        heartbeat_ = Errand::idle;
        news.push_back(news::MayShutDown{});
        return;
    }
    // The first answer to a wish to stop usually comes just before the leaders have moved.
    const bool first = want_shutdown_ && !asked_shutdown_;
    asked_shutdown_ = want_shutdown_;
    beat_after(first ? soon : config_->broker_heartbeat, fx);
    if (fenced_ && applied_ > epoch_->value) beat_after(soon, fx);
}

void ControllerChannel::altered(sim::Correlation correlation, AlterPartitionResponse answer,
                                NewsList& news) {
    const auto found = altering_.find(correlation);
    if (found == altering_.end()) return;
    answer.log = found->second.log;
    news.push_back(news::Altered{.sent = std::move(found->second), .answer = std::move(answer)});
    altering_.erase(found);
}

void ControllerChannel::fail(const Context&, const Outcome& outcome, NewsList& news, Fx&) {
    if (outcome.peer == heartbeat_peer) {
        heartbeat_ = Errand::due;
    } else if (outcome.peer == metadata_peer) {
        metadata_ = Errand::due;
    } else if (outcome.api == Api::alter_partition) {
        altered(outcome.correlation, {.log = {}, .error = outcome.error(), .state = {}}, news);
    } else {
        news.push_back(news::ProducerIds{});
    }
}

NewsList ControllerChannel::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event,
                                    Fx& fx) {
    NewsList news;
    for (const auto& outcome : net_.on_link(ctx, peer, event, fx)) fail(ctx, outcome, news, fx);
    pump(ctx, fx);
    return news;
}

NewsList ControllerChannel::on_timer(const Context& ctx, sim::TimerKey timer, Fx& fx) {
    NewsList news;
    if (tick(timer) == Tick::broker_heartbeat) {
        if (heartbeat_ == Errand::idle) heartbeat_ = Errand::due;
    } else {
        for (const auto& outcome : net_.on_timer(ctx, timer, fx)) fail(ctx, outcome, news, fx);
    }
    pump(ctx, fx);
    return news;
}

}  // namespace eos::model
