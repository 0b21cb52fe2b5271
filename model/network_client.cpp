#include "model/network_client.hpp"

#include <algorithm>
#include <utility>

#include "sim/ensure.hpp"

namespace eos::model {
namespace {

constexpr std::int64_t million = 1'000'000;

/// initial * 2^attempt, at most max.
Duration doubled(Duration initial, Duration max, std::int32_t attempt) {
    Duration value = initial;
    for (std::int32_t i = 0; i < attempt && value < max; ++i) value *= 2;
    return std::min(value, max);
}

/// What rpc.failed tells: why first, then what the request was.
sim::Facts failure_facts(const Context& ctx, const Outcome& outcome, const sim::Facts& request) {
    const auto kind =
        outcome.kind == Outcome::Kind::timeout ? FailKind::timeout : FailKind::disconnect;
    sim::Facts facts = told({{Fact::api, static_cast<std::int64_t>(outcome.api)},
                             {Fact::from, ctx.self.value},
                             {Fact::to, outcome.peer.node.value},
                             {Fact::kind, static_cast<std::int64_t>(kind)},
                             {Fact::error, static_cast<std::int64_t>(outcome.error())}});
    for (std::size_t i = 0; i < request.size(); ++i) facts.add(request.name(i), request.value(i));
    return facts;
}

}  // namespace

Duration backoff(sim::Rng& rng, Duration initial, Duration max, std::int32_t attempt) {
    if (initial <= Duration::zero()) return Duration::zero();
    if (max <= initial) return initial;
    const Duration term = doubled(initial, max, attempt);
    const std::int64_t factor = rng.between(800'000, 1'200'000);
    // Microseconds, so that the product of a span and the factor cannot overflow.
    const std::int64_t jittered = term.count() / 1000 * factor / million;
    return std::min(sim::microseconds(jittered), max);
}

ErrorCode Outcome::error() const {
    switch (kind) {
        case Kind::reply:
            return ErrorCode::none;
        case Kind::disconnect:
            return ErrorCode::network_exception;
        case Kind::timeout:
            return ErrorCode::request_timed_out;
    }
    return ErrorCode::none;
}

NetworkClient::NetworkClient(const ClientConfig& config, std::int32_t max_in_flight,
                             std::uint8_t component, sim::Rng rng)
    : config_(config), max_in_flight_(max_in_flight), component_(component), rng_(rng) {}

// --- asking --------------------------------------------------------------------------------------

const NetworkClient::Connection* NetworkClient::find(Peer peer) const {
    const auto found = std::find_if(connections_.begin(), connections_.end(),
                                    [&](const Connection& c) { return c.peer == peer; });
    return found == connections_.end() ? nullptr : &*found;
}

NetworkClient::Connection& NetworkClient::at(Peer peer) {
    if (const auto* found = find(peer))
        return connections_[static_cast<std::size_t>(found - connections_.data())];
    connections_.emplace_back();
    connections_.back().peer = peer;
    return connections_.back();
}

NetworkClient::State NetworkClient::state(Peer peer) const {
    const auto* connection = find(peer);
    return connection ? connection->state : State::disconnected;
}

bool NetworkClient::ready(Peer peer) const {
    const auto* connection = find(peer);
    return connection && connection->state == State::ready &&
           std::cmp_less(connection->pending.size(), max_in_flight_);
}

std::int32_t NetworkClient::in_flight(Peer peer) const {
    const auto* connection = find(peer);
    return connection ? static_cast<std::int32_t>(connection->pending.size()) : 0;
}

std::int32_t NetworkClient::in_flight() const {
    std::size_t sum = 0;
    for (const auto& connection : connections_) sum += connection.pending.size();
    return static_cast<std::int32_t>(sum);
}

Instant NetworkClient::last_attempt(Peer peer) const {
    const auto* connection = find(peer);
    return connection ? connection->last_attempt : sim::time_zero;
}

bool NetworkClient::connecting() const {
    return std::any_of(connections_.begin(), connections_.end(),
                       [](const Connection& c) { return c.state == State::connecting; });
}

bool NetworkClient::owns(const sim::TimerKey& key) const {
    const Tick kind = tick(key);
    return key.b == component_ && (kind == Tick::request_timeout || kind == Tick::reconnect ||
                                   kind == Tick::setup_timeout);
}

// --- doing ---------------------------------------------------------------------------------------

sim::TimerKey NetworkClient::timer(Tick kind, const Connection& connection) const {
    const auto index = static_cast<std::uint32_t>(&connection - connections_.data());
    return key(kind, index, component_);
}

void NetworkClient::open(const Context& ctx, Connection& connection, Fx& fx) {
    connection.state = State::connecting;
    connection.wanted = false;
    connection.last_attempt = ctx.now;
    fx.connect(connection.peer);
    fx.arm(timer(Tick::setup_timeout, connection),
           backoff(rng_, config_.connection_setup_timeout, config_.connection_setup_timeout_max,
                   connection.setup_failures));
}

void NetworkClient::want(const Context& ctx, Peer peer, Fx& fx) {
    Connection& connection = at(peer);
    switch (connection.state) {
        case State::disconnected:
            open(ctx, connection, fx);
            break;
        case State::backoff:
            connection.wanted = true;
            break;
        case State::connecting:
        case State::ready:
            break;
    }
}

/// Arms the request timeout timer unless it rings early enough. It is never disarmed: a ring that
/// finds nothing overdue arms it for the next deadline.
void NetworkClient::watch(const Context& ctx, Connection& connection, Fx& fx) {
    Instant earliest = sim::time_never;
    for (const auto& pending : connection.pending) earliest = std::min(earliest, pending.deadline);
    if (earliest >= connection.armed) return;
    connection.armed = earliest;
    fx.arm(timer(Tick::request_timeout, connection), earliest - ctx.now);
}

Correlation NetworkClient::send(const Context& ctx, Peer peer, Message request, Duration timeout,
                                std::int64_t tag, Fx& fx) {
    sim::ensure(ready(peer), "requests are sent over ready connections only");
    Connection& connection = at(peer);
    const Correlation correlation = next_;
    next_ = next_.next();
    Pending pending{.correlation = correlation,
                    .tag = tag,
                    .api = api_of(request),
                    .deadline = ctx.now + timeout,
                    .facts = {}};
    Vocabulary::describe(request, pending.facts);
    connection.pending.push_back(pending);
    fx.request(peer, correlation, std::move(request));
    // Deadlines mostly rise, so only a first or an unusually short one can move the timer.
    if (pending.deadline < connection.armed) watch(ctx, connection, fx);
    return correlation;
}

void NetworkClient::send_unanswered(Peer peer, Message request, Fx& fx) {
    sim::ensure(ready(peer), "requests are sent over ready connections only");
    fx.request(peer, next_, std::move(request));
    next_ = next_.next();
}

Outcomes NetworkClient::fail_pending(const Context& ctx, Connection& connection, Outcome::Kind kind,
                                     Fx& fx) {
    Outcomes outcomes;
    for (const auto& pending : connection.pending) {
        outcomes.push_back({.peer = connection.peer,
                            .correlation = pending.correlation,
                            .tag = pending.tag,
                            .api = pending.api,
                            .kind = kind});
        fx.reach(number(Mile::rpc_failed), failure_facts(ctx, outcomes.back(), pending.facts));
    }
    connection.pending.clear();
    return outcomes;
}

Outcomes NetworkClient::lose(const Context& ctx, Connection& connection, Outcome::Kind kind,
                             Fx& fx) {
    if (connection.state == State::connecting) {
        ++connection.setup_failures;
        fx.disarm(timer(Tick::setup_timeout, connection));
    }
    const Duration pause = backoff(rng_, config_.reconnect_backoff, config_.reconnect_backoff_max,
                                   connection.failures);
    ++connection.failures;
    connection.state = State::backoff;
    connection.wanted = false;
    fx.arm(timer(Tick::reconnect, connection), pause);
    return fail_pending(ctx, connection, kind, fx);
}

Outcomes NetworkClient::close(const Context& ctx, Peer peer, Fx& fx) {
    Connection& connection = at(peer);
    if (connection.state != State::ready && connection.state != State::connecting) return {};
    fx.close(peer);
    return lose(ctx, connection, Outcome::Kind::disconnect, fx);
}

void NetworkClient::close_all(Fx& fx) {
    for (auto& connection : connections_) {
        if (connection.state == State::ready || connection.state == State::connecting)
            fx.close(connection.peer);
        fx.disarm(timer(Tick::request_timeout, connection));
        fx.disarm(timer(Tick::setup_timeout, connection));
        fx.disarm(timer(Tick::reconnect, connection));
        connection.state = State::disconnected;
        connection.wanted = false;
        connection.armed = sim::time_never;
        connection.pending.clear();
    }
}

// --- being told ----------------------------------------------------------------------------------

std::optional<Outcome> NetworkClient::on_reply(Peer peer, Correlation correlation) {
    auto& pending = at(peer).pending;
    // N2: answers come in the order of the requests. The connection sees to that, so the order is
    // not checked again; an answer that nothing waits for is from a life that is over.
    const auto found = std::find_if(pending.begin(), pending.end(),
                                    [&](const Pending& p) { return p.correlation == correlation; });
    if (found == pending.end()) return std::nullopt;
    const Outcome outcome{.peer = peer,
                          .correlation = correlation,
                          .tag = found->tag,
                          .api = found->api,
                          .kind = Outcome::Kind::reply};
    pending.erase(found);
    return outcome;
}

Outcomes NetworkClient::on_link(const Context& ctx, Peer peer, sim::LinkEvent event, Fx& fx) {
    Connection& connection = at(peer);
    switch (event) {
        case sim::LinkEvent::opened:
            if (connection.state != State::connecting) return {};
            connection.state = State::ready;
            connection.failures = 0;
            connection.setup_failures = 0;
            fx.disarm(timer(Tick::setup_timeout, connection));
            return {};
        case sim::LinkEvent::refused:
            if (connection.state != State::connecting) return {};
            ++losses_;
            return lose(ctx, connection, Outcome::Kind::disconnect, fx);
        case sim::LinkEvent::closed:
            if (connection.state != State::ready && connection.state != State::connecting)
                return {};
            ++losses_;
            return lose(ctx, connection, Outcome::Kind::disconnect, fx);
    }
    return {};
}

Outcomes NetworkClient::on_timer(const Context& ctx, const sim::TimerKey& key, Fx& fx) {
    sim::ensure(owns(key) && key.a < connections_.size(), "a timer is given to its own client");
    Connection& connection = connections_[key.a];
    if (tick(key) == Tick::reconnect) {
        if (connection.state != State::backoff) return {};
        connection.state = State::disconnected;
        if (connection.wanted) open(ctx, connection, fx);
        return {};
    }
    if (tick(key) == Tick::setup_timeout) {
        if (connection.state != State::connecting) return {};
        fx.close(connection.peer);
        ++losses_;
        return lose(ctx, connection, Outcome::Kind::timeout, fx);
    }
    connection.armed = sim::time_never;
    const bool overdue =
        std::any_of(connection.pending.begin(), connection.pending.end(),
                    [&](const Pending& pending) { return pending.deadline <= ctx.now; });
    if (!overdue) {
        watch(ctx, connection, fx);
        return {};
    }
    // N4: one event, many victims. What was sent may still be executed (N5).
    fx.close(connection.peer);
    ++losses_;
    return lose(ctx, connection, Outcome::Kind::timeout, fx);
}

}  // namespace eos::model
