#include "model/broker_fetchers.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {
namespace {

ClientConfig fetcher_client_config(const ClusterConfig& config) {
    ClientConfig result;
    result.request_timeout = config.request_timeout;  // replica.socket.timeout.ms
    return result;
}

sim::TimerKey backoff_timer(BrokerId leader) {
    return key(Tick::fetch_backoff, static_cast<std::uint32_t>(leader.value));
}

/// The replica, if it (still) follows that leader.
Replica* follower(Replicas& replicas, LogId log, BrokerId leader) {
    auto* replica = replicas.find(log);
    if (!replica || !replica->following || replica->following->leader() != leader) return nullptr;
    return replica;
}

}  // namespace

ReplicaFetchers::ReplicaFetchers(const ClusterConfig& config, sim::Rng rng)
    : net_(fetcher_client_config(config), 1, lane, rng) {}

void ReplicaFetchers::pump(const BrokerStep& step, Replicas& replicas,
                           std::optional<BrokerEpoch> epoch) {
    for (const auto& broker : step.image.brokers())
        if (broker.broker != step.self) pump(step, replicas, epoch, broker.broker);
}

void ReplicaFetchers::pump(const BrokerStep& step, Replicas& replicas,
                           std::optional<BrokerEpoch> epoch, BrokerId leader) {
    if (under_way_.contains(leader)) return;
    UnderWay ask;
    std::optional<sim::Instant> retry;
    for (auto& [id, replica] : replicas.all()) {
        if (!replica.following || replica.following->leader() != leader) continue;
        auto& fetcher = *replica.following;
        if (fetcher.state(step.ctx.now) == FetcherState::asking_offsets) {
            for (const auto spec : {OffsetSpec::latest, OffsetSpec::earliest})
                ask.offsets.push_back(
                    {.log = id, .spec = spec, .current_leader_epoch = fetcher.leader_epoch()});
        } else if (auto part = fetcher.request(replica.log, step.ctx.now)) {
            part->max_bytes = step.config.replica_fetch_bytes;
            ask.fetch.push_back(*part);
        } else if (const auto at = fetcher.retry_at(); at && *at > step.ctx.now) {
            retry = retry ? std::min(*retry, *at) : *at;
        }
    }
    if (retry) step.fx.arm(backoff_timer(leader), *retry - step.ctx.now);
    if (ask.offsets.empty() && ask.fetch.empty()) return;
    const sim::Peer peer{leader, lane};
    net_.want(step.ctx, peer, step.fx);
    if (!net_.ready(peer)) return;
    if (!ask.offsets.empty()) {
        ask.fetch.clear();  // they come next
        ListOffsetsRequest request{
            .replica = step.self, .isolation = Isolation::read_uncommitted, .parts = ask.offsets};
        net_.send(step.ctx, peer, std::move(request), step.config.request_timeout, 0, step.fx);
    } else {
        FetchRequest request{.replica = step.self,
                             .broker_epoch = epoch.value_or(BrokerEpoch{-1}),
                             .max_wait = step.config.replica_fetch_wait,
                             .min_bytes = 1,
                             .max_bytes = 0,
                             .isolation = Isolation::read_uncommitted,
                             .parts = ask.fetch};
        net_.send(step.ctx, peer, std::move(request), step.config.request_timeout, 0, step.fx);
    }
    under_way_.emplace(leader, std::move(ask));
}

void ReplicaFetchers::retire(const BrokerStep& step, const Replicas& replicas) {
    std::vector<BrokerId> idle;
    for (const auto& asked : under_way_) {
        const auto leader = asked.first;
        const bool followed =
            std::any_of(replicas.all().begin(), replicas.all().end(), [&](const auto& entry) {
                return entry.second.following && entry.second.following->leader() == leader;
            });
        if (!followed) idle.push_back(leader);
    }
    for (const auto leader : idle) {
        under_way_.erase(leader);
        (void)net_.close(step.ctx, {leader, lane}, step.fx);
    }
}

void ReplicaFetchers::on_reply(const BrokerStep& step, Replicas& replicas, sim::Peer from,
                               sim::Correlation correlation, Message&& message) {
    if (!net_.on_reply(from, correlation)) return;
    const auto found = under_way_.find(from.node);
    if (found == under_way_.end()) return;
    const auto asked = std::move(found->second);
    under_way_.erase(found);
    if (const auto* fetched = std::get_if<FetchResponse>(&message))
        heard(step, replicas, from.node, asked, *fetched);
    else if (const auto* offsets = std::get_if<ListOffsetsResponse>(&message))
        heard(step, replicas, from.node, asked, *offsets);
}

void ReplicaFetchers::heard(const BrokerStep& step, Replicas& replicas, BrokerId leader,
                            const UnderWay& asked, const FetchResponse& answer) {
    for (const auto& part : answer.parts) {
        auto* replica = follower(replicas, part.log, leader);
        if (!replica) continue;
        const auto sent = std::find_if(asked.fetch.begin(), asked.fetch.end(),
                                       [&](const auto& p) { return p.log == part.log; });
        if (sent == asked.fetch.end()) continue;
        const auto handled =
            replica->following->on_answer(replica->log, *sent, part, step.ctx.now, step.ctx.wall,
                                          step.config.replica_fetch_backoff, step.guard);
        replicas.told(step, part.log, *replica, handled);
    }
}

void ReplicaFetchers::heard(const BrokerStep& step, Replicas& replicas, BrokerId leader,
                            const UnderWay& asked, const ListOffsetsResponse& answer) {
    for (std::size_t i = 0; i + 1 < answer.parts.size() && i + 1 < asked.offsets.size(); i += 2) {
        const auto& latest = answer.parts[i];
        const auto& earliest = answer.parts[i + 1];
        auto* replica = follower(replicas, latest.log, leader);
        if (!replica || asked.offsets[i].log != latest.log) continue;
        const auto error = latest.error != ErrorCode::none ? latest.error : earliest.error;
        const auto handled = replica->following->on_leader_offsets(
            replica->log, *asked.offsets[i].current_leader_epoch, error, earliest.offset,
            latest.offset, step.ctx.now, step.ctx.wall, step.config.replica_fetch_backoff);
        replicas.told(step, latest.log, *replica, handled);
    }
}

void ReplicaFetchers::on_link(const BrokerStep& step, Replicas& replicas, sim::Peer peer,
                              sim::LinkEvent event) {
    fail(step, replicas, net_.on_link(step.ctx, peer, event, step.fx));
}

void ReplicaFetchers::on_timer(const BrokerStep& step, Replicas& replicas, sim::TimerKey timer) {
    if (net_.owns(timer)) fail(step, replicas, net_.on_timer(step.ctx, timer, step.fx));
}

void ReplicaFetchers::fail(const BrokerStep& step, Replicas& replicas, const Outcomes& outcomes) {
    for (const auto& outcome : outcomes) {
        const auto found = under_way_.find(outcome.peer.node);
        if (found == under_way_.end()) continue;
        const auto asked = std::move(found->second);
        under_way_.erase(found);
        auto back_off = [&](LogId log) {
            if (auto* replica = follower(replicas, log, outcome.peer.node))
                replica->following->on_failure(step.ctx.now, step.config.replica_fetch_backoff);
        };
        for (const auto& part : asked.fetch) back_off(part.log);
        for (const auto& part : asked.offsets) back_off(part.log);
    }
}

}  // namespace eos::model
