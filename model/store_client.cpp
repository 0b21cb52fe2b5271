#include "model/store_client.hpp"

#include <algorithm>
#include <utility>

namespace eos::model {

StoreClient::StoreClient(const ClientConfig& config, std::shared_ptr<const Topology> topology,
                         ProcessId process, sim::Rng rng)
    : config_(config),
      topology_(std::move(topology)),
      process_(process),
      net_(config, 1, lane, rng) {}

Peer StoreClient::peer_of(StoreId store) const { return {topology_->node_of(store), lane}; }

void StoreClient::call(const Context& ctx, StoreId store, StoreRequest request, Fx& fx) {
    if (pending_ && pending_->sent) (void)net_.close(ctx, peer_of(pending_->store), fx);
    answer_.reset();
    pending_ = Pending{store, std::move(request), ctx.now};
    fx.arm(key(Tick::store_call), config_.request_timeout);
    net_.want(ctx, peer_of(store), fx);
    send_if_ready(ctx, fx);
}

void StoreClient::send_if_ready(const Context& ctx, Fx& fx) {
    if (!pending_ || pending_->sent) return;
    const auto peer = peer_of(pending_->store);
    if (!net_.ready(peer)) {
        net_.want(ctx, peer, fx);
        return;
    }
    pending_->sent = true;
    fx.disarm(key(Tick::store_call));
    const auto left = config_.request_timeout - (ctx.now - pending_->began);
    auto& sent = sent_[pending_->store];
    pending_->request.opens = sent.now == 0;
    pending_->request.sent_before = sent.before;
    ++sent.now;
    (void)net_.send(ctx, peer, pending_->request, std::max(left, sim::milliseconds(1)), 0, fx);
}

std::optional<StoreAnswer> StoreClient::take_answer() { return std::exchange(answer_, {}); }

void StoreClient::abandon(Fx& fx) {
    net_.close_all(fx);
    fx.disarm(key(Tick::store_call));
    pending_.reset();
    answer_.reset();
}

void StoreClient::end(const Context&, StoreAnswer answer, Fx& fx) {
    fx.disarm(key(Tick::store_call));
    fx.observe(StoreCallDone{process_, pending_->store, pending_->request.statement, answer.error,
                             answer.certainty, pending_->began});
    pending_.reset();
    answer_ = std::move(answer);
}

void StoreClient::take(const Context& ctx, const Outcomes& outcomes, Fx& fx) {
    for (const auto& outcome : outcomes) {
        if (!pending_ || !pending_->sent || outcome.kind == Outcome::Kind::reply) continue;
        end(ctx, {outcome.error(), Certainty::ambiguous, {}}, fx);
    }
    send_if_ready(ctx, fx);
}

bool StoreClient::owns(const sim::TimerKey& key) const {
    return tick(key) == Tick::store_call || net_.owns(key);
}

void StoreClient::on_reply(const Context& ctx, sim::Peer from, sim::Correlation correlation,
                           Message message, Fx& fx) {
    const auto outcome = net_.on_reply(from, correlation);
    auto* response = std::get_if<StoreResponse>(&message);
    if (!outcome || response == nullptr || !pending_ || !pending_->sent) return;
    const auto error = response->error;
    end(ctx, {error, certainty(error), std::move(*response)}, fx);
}

void StoreClient::on_link(const Context& ctx, sim::Peer peer, sim::LinkEvent event, Fx& fx) {
    if (event == sim::LinkEvent::opened)
        for (auto& [store, sent] : sent_)
            if (peer_of(store) == peer && sent.now > 0) sent = {0, sent.now};
    take(ctx, net_.on_link(ctx, peer, event, fx), fx);
}

void StoreClient::on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx) {
    if (tick(key) != Tick::store_call) {
        take(ctx, net_.on_timer(ctx, key, fx), fx);
        return;
    }
    // Never sent: certainly nothing has happened.
    if (pending_ && !pending_->sent)
        end(ctx, {ErrorCode::request_timed_out, Certainty::not_done, {}}, fx);
}

}  // namespace eos::model
