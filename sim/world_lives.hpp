#pragma once
// Lives of nodes: start, pause, crash, exit. Recovery is birth: a crash turns the role into what is
// left of it at once, and a start only tells it so.

#include "sim/world.hpp"

namespace eos::sim {

template <class S>
void BasicWorld<S>::reach_life(MilestoneKind kind, NodeId node, std::optional<bool> clean) {
    Facts facts;
    facts.add(V::fact_kind, seat(node).config->kind);
    if constexpr (requires { V::fact_clean; })
        if (clean) facts.add(V::fact_clean, *clean ? 1 : 0);
    reach(kind, node, facts);
    carry_out_acts();
}

template <class S>
bool BasicWorld<S>::on_start(const Turn& turn) {
    const NodeId node = turn.event.node;
    const auto meant = [&] {
        return turn.event.stamp == static_cast<std::uint64_t>(seat(node).life);
    };
    if (seat(node).state != NodeState::down || !meant()) return false;
    note(turn, turn.event.stamp);
    seat(node).state = NodeState::running;
    reach_life(V::node_started, node);
    if (!meant()) return true;  // the milestone was its end
    run(node, [](auto& role, const Context& context, Fx& fx) { role.on_start(context, fx); });
    return true;
}

template <class S>
void BasicWorld<S>::pause(NodeId node) {
    if (seat(node).state != NodeState::running) return;
    seat(node).state = NodeState::paused;
    reach_life(V::node_paused, node);
}

/// What was cut off goes on first, then what came up meanwhile, in its old order; all of it before
/// any other event, so that nothing that arrives now overtakes it.
template <class S>
void BasicWorld<S>::resume(NodeId node) {
    SeatOf& seat = this->seat(node);
    if (seat.state != NodeState::paused) return;
    seat.state = NodeState::running;
    if (!seat.unfinished.empty())
        urge(Event{.kind = EventKind::unfreeze,
                   .node = node,
                   .stamp = static_cast<std::uint64_t>(seat.life)});
    urgent_.insert(urgent_.end(), seat.backlog.begin(), seat.backlog.end());
    seat.backlog.clear();
    reach_life(V::node_resumed, node);
}

template <class S>
bool BasicWorld<S>::on_unfreeze(const Turn& turn) {
    const NodeId node = turn.event.node;
    SeatOf& seat = this->seat(node);
    if (turn.event.stamp != static_cast<std::uint64_t>(seat.life)) return false;
    if (seat.unfinished.empty()) return false;
    note(turn, seat.unfinished.size());
    std::swap(fx_.list(), seat.unfinished);
    apply_all(node);
    return true;
}

template <class S>
void BasicWorld<S>::crash(const act::Crash& crash) {
    const NodeId node = crash.node;
    if (seat(node).state == NodeState::down) {
        // Only the host can still lose something: its page cache, its disk.
        if (!crash.loss.power && !crash.loss.wipe) return;
        SeatOf& seat = this->seat(node);
        seat.node = visit_role(std::move(seat.node), [&](auto&& role) -> Node {
            return std::move(role).reborn(crash.loss);
        });
        if (crash.loss.power) reach_life(V::node_lost_power, node, false);
        return;
    }
    kill(node, crash.loss);
    if (crash.supervised) restart_later(node);
    reach_life(crash.loss.power ? V::node_lost_power : V::node_crashed, node, false);
}

template <class S>
void BasicWorld<S>::exit(NodeId node, bool failed) {
    kill(node, Loss{});
    if (failed) restart_later(node);
    reach_life(failed ? V::node_crashed : V::node_stopped, node, !failed);
}

template <class S>
void BasicWorld<S>::restart_later(NodeId node) {
    SeatOf& seat = this->seat(node);
    if (!seat.config->restart) return;
    const Duration delay = seat.restarts.duration(*seat.config->restart);
    queue_.push(now_ + delay, Event{.kind = EventKind::start,
                                    .node = node,
                                    .stamp = static_cast<std::uint64_t>(seat.life)});
}

/// The end of a process: everything queued at it is gone, and what is left of it is born.
template <class S>
void BasicWorld<S>::kill(NodeId node, const Loss& loss) {
    for (const Turn& turn : seat(node).backlog) discard(turn);
    const auto count = static_cast<std::int32_t>(seats_.size());
    for (std::int32_t i = 0; i < count; ++i) {
        for (const Slot connection : network_.between(NodeId{i}, node)) {
            network_.refer(connection);
            end_server_side(connection, !loss.power);
            network_.release(connection);
        }
        for (const Slot connection : network_.between(node, NodeId{i})) {
            network_.refer(connection);
            end_client_side(connection, Ending::disconnect, false);
            network_.release(connection);
        }
    }
    SeatOf& seat = this->seat(node);
    seat.backlog.clear();
    seat.unfinished.clear();
    seat.timers.clear();
    seat.workshop.abandon();
    seat.state = NodeState::down;
    ++seat.life;
    seat.node = visit_role(std::move(seat.node),
                           [&](auto&& role) -> Node { return std::move(role).reborn(loss); });
}

/// Frees what an event named that its node did not live to see.
template <class S>
void BasicWorld<S>::discard(const Turn& turn) {
    switch (turn.event.kind) {
        case EventKind::arrival:
        case EventKind::paid:
        case EventKind::handoff:
            destroy(turn.event.place);
            break;
        case EventKind::order:
            orders_.erase(turn.event.place);
            break;
        case EventKind::news:
        case EventKind::unpark:
            network_.release(turn.event.place);
            break;
        case EventKind::start:
        case EventKind::dial:
        case EventKind::serve:
        case EventKind::timer:
        case EventKind::unfreeze:
        case EventKind::wake:
        case EventKind::undelay:
            break;
    }
}

}  // namespace eos::sim
