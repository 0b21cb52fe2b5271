#pragma once
// Order and handlers: which event is next, who is told, and how the list of effects is carried out.

#include "sim/world.hpp"

namespace eos::sim {

template <class S>
NodeId BasicWorld<S>::add_node(Node node, NodeConfig config) {
    ensure(!begun_, "nodes are added before the world begins");
    const NodeId id{static_cast<std::int32_t>(seats_.size())};
    const auto number = static_cast<std::uint64_t>(id.value);
    network_.add_node(config.latency);
    SeatOf fresh{.node = std::move(node),
                 .config = std::make_shared<const NodeConfig>(config),
                 .state = NodeState::down,
                 .life = 0,
                 .timers = {},
                 .clock = Clock(config.clock_offset),
                 .workshop = {},
                 .restarts = Rng::stream(config_.seed, "restart", number),
                 .backlog = {},
                 .unfinished = {}};
    fresh.workshop.disk = Rng::stream(config_.seed, "disk", number);
    seats_.push_back(std::move(fresh));
    return id;
}

template <class S>
void BasicWorld<S>::begin() {
    ensure(!begun_, "a world begins once");
    begun_ = true;
    for (std::size_t i = 0; i < seats_.size(); ++i) {
        const NodeId node{static_cast<std::int32_t>(i)};
        if (seats_[i].config->start)
            queue_.push(*seats_[i].config->start, Event{.kind = EventKind::start, .node = node});
    }
    adversary_.begin(Window(*this), acts_);
    carry_out_acts();
    finish_step();
}

template <class S>
void BasicWorld<S>::run_until(Instant end) {
    while (step_until(end)) {
    }
    now_ = std::max(now_, end);
}

template <class S>
std::uint64_t BasicWorld<S>::run(std::uint64_t limit) {
    const std::uint64_t before = events_;
    while (events_ - before < limit && step()) {
    }
    return events_ - before;
}

template <class S>
void BasicWorld<S>::intervene(Act act) {
    ensure(begun_, "a world has begun before it is interfered with");
    acts_.push_back(std::move(act));
    carry_out_acts();
    finish_step();
}

template <class S>
bool BasicWorld<S>::step_until(Instant end) try {
    ensure(begun_, "a world has begun before it runs");
    while (!queue_.empty()) {
        if (queue_.next_time() > end) return false;
        const auto next = queue_.pop();
        now_ = next.time;
        if (!dispatch({next.serial, next.body})) continue;  // stale, or kept for after a pause
        finish_step();
        return true;
    }
    return false;
} catch (BrokenContract& broken) {
    broken.happened_at(now_);
    throw;
}

/// Runs the handlers that acts asked for meanwhile.
template <class S>
void BasicWorld<S>::finish_step() {
    for (std::size_t i = 0; i < urgent_.size(); ++i) {
        const Turn next = urgent_[i];
        dispatch(next);
    }
    urgent_.clear();
}

template <class S>
bool BasicWorld<S>::waits_while_paused(EventKind kind) {
    switch (kind) {
        case EventKind::start:
        case EventKind::dial:  // the host's kernel accepts connections for a frozen process
        case EventKind::wake:
        case EventKind::undelay:
            return false;
        case EventKind::news:
        case EventKind::arrival:
        case EventKind::unpark:
        case EventKind::serve:
        case EventKind::paid:
        case EventKind::timer:
        case EventKind::handoff:
        case EventKind::order:
        case EventKind::unfreeze:
            return true;
    }
    return false;
}

/// True if the event meant something: stale ones and those kept for later do not count.
template <class S>
bool BasicWorld<S>::dispatch(const Turn& turn) {
    const Event& event = turn.event;
    if (waits_while_paused(event.kind) && seat(event.node).state == NodeState::paused) {
        seat(event.node).backlog.push_back(turn);
        return false;
    }
    switch (event.kind) {
        case EventKind::start:
            return on_start(turn);
        case EventKind::dial:
            return on_dial(turn);
        case EventKind::news:
            return on_news(turn);
        case EventKind::arrival:
            return on_arrival(turn);
        case EventKind::unpark:
            return on_unpark(turn);
        case EventKind::serve:
            return on_serve(turn);
        case EventKind::paid:
            return on_paid(turn);
        case EventKind::timer:
            return on_timer(turn);
        case EventKind::handoff:
            return on_handoff(turn);
        case EventKind::order:
            return on_order(turn);
        case EventKind::unfreeze:
            return on_unfreeze(turn);
        case EventKind::wake:
            return on_wake(turn);
        case EventKind::undelay:
            return on_undelay(turn);
    }
    return false;
}

/// Writes an event that is about to be handled into digest and trace.
template <class S>
void BasicWorld<S>::note(const Turn& turn, std::uint64_t fingerprint) {
    ++events_;
    last_ = {now_, turn.serial, turn.event.node, turn.event.kind, fingerprint};
    const auto who = static_cast<std::uint32_t>(turn.event.node.value);
    digest_.fold(static_cast<std::uint64_t>(now_.time_since_epoch().count()), turn.serial);
    digest_.fold((static_cast<std::uint64_t>(turn.event.kind) << 32) | who, fingerprint);
    if constexpr (requires { audience_.handled(last_); }) audience_.handled(last_);
}

template <class S>
bool BasicWorld<S>::on_timer(const Turn& turn) {
    const NodeId node = turn.event.node;
    const TimerKey key = turn.event.timer_key();
    if (!seat(node).timers.due(queue_, node, key, turn.serial, now_)) return false;
    note(turn, (static_cast<std::uint64_t>(key.kind) << 48) ^
                   (static_cast<std::uint64_t>(key.a) << 24) ^ key.b);
    run(node, [&](auto& role, const Context& context, Fx& fx) { role.on_timer(context, key, fx); });
    return true;
}

template <class S>
bool BasicWorld<S>::on_handoff(const Turn& turn) {
    Parcel<Message>& parcel = parcels_[turn.event.place];
    const NodeId node = turn.event.node;
    if (parcel.life != seat(node).life) {
        destroy(turn.event.place);
        return false;
    }
    note(turn, V::fingerprint(parcel.message));
    Message message = std::move(parcel.message);
    destroy(turn.event.place);
    run(node, [&](auto& role, const Context& context, Fx& fx) {
        role.on_handoff(context, std::move(message), fx);
    });
    return true;
}

template <class S>
bool BasicWorld<S>::on_order(const Turn& turn) {
    const NodeId node = turn.event.node;
    const Order order = orders_.take(turn.event.place);
    if (seat(node).state != NodeState::running) return false;
    if (turn.event.stamp != static_cast<std::uint64_t>(seat(node).life)) return false;
    note(turn, order.kind.value);
    run(node,
        [&](auto& role, const Context& context, Fx& fx) { role.on_order(context, order, fx); });
    return true;
}

template <class S>
bool BasicWorld<S>::on_wake(const Turn& turn) {
    note(turn, turn.event.stamp);
    adversary_.on_wake(turn.event.stamp, Window(*this), acts_);
    carry_out_acts();
    return true;
}

/// Tells a role, then does what it asks for.
template <class S>
template <class Handler>
void BasicWorld<S>::run(NodeId node, Handler&& handler) {
    SeatOf& seat = this->seat(node);
    const Context context{now_, seat.clock.wall(now_), node, seat.life, seat.workshop.fsync_lies};
    visit_role(seat.node, [&](auto& role) { handler(role, context, fx_); });
    apply_all(node);
}

/// Carries out the effects in order. A crash cuts off what is left of them; a pause keeps it.
template <class S>
void BasicWorld<S>::apply_all(NodeId node) {
    const std::int32_t life = seat(node).life;
    auto& list = fx_.list();
    for (std::size_t i = 0; i < list.size(); ++i) {
        SeatOf& seat = this->seat(node);
        if (seat.life != life) break;
        if (seat.state == NodeState::paused) {
            const auto rest = list.begin() + static_cast<std::ptrdiff_t>(i);
            seat.unfinished.insert(seat.unfinished.end(), std::make_move_iterator(rest),
                                   std::make_move_iterator(list.end()));
            break;
        }
        std::visit([&](auto& one) { apply(node, one); }, list[i]);
    }
    fx_.clear();
}

}  // namespace eos::sim
