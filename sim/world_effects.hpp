#pragma once
// What roles ask for, one function an effect.

#include "sim/world.hpp"

namespace eos::sim {

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Connect& connect) {
    const Peer to = connect.to;
    // Also to itself: a broker speaks to its own other roles through its own front door.
    ensure(exists(to.node), "a node connects to a node that exists");
    if (const Slot former = network_.current(node, to); former != no_slot) {
        end_client_side(former, Ending::timeout, true);
        carry_out_acts();
        if (seat(node).state == NodeState::down) return;
    }
    const Slot connection = network_.open(node, to, false);
    Pipe& pipe = network_[connection].there;
    pipe.last_arrival = now_ + network_.transit(network_.path(node, to.node), 0);
    network_.refer(connection);
    queue_.push(pipe.last_arrival,
                Event{.kind = EventKind::dial, .node = to.node, .place = connection});
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Close& close) {
    const Slot connection = network_.current(node, close.to);
    if (connection == no_slot) return;
    end_client_side(connection, Ending::timeout, true);
    carry_out_acts();
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Request<Message>& request) {
    const Slot slot = network_.current(node, request.to);
    if (slot == no_slot || !network_[slot].open) return;
    Connection& connection = network_[slot];
    Outstanding outstanding;
    outstanding.correlation = request.correlation;
    outstanding.api = V::kind(request.message);
    connection.outstanding.append(network_.outstanding(),
                                  network_.outstanding().insert(std::move(outstanding)));
    // On a broken connection nothing leaves any more; the client is about to be told.
    if (connection.severed) return;
    send(new_frame(slot, request.correlation, false, std::move(request.message)));
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Reply<Message>& reply) {
    const Slot connection = being_answered(node, reply.to);
    if (connection == no_slot) return;
    network_.refer(connection);
    const bool heard = !network_[connection].severed && !network_[connection].extra;
    if (heard) send_response(connection, reply.to.correlation, std::move(reply.message));
    done_with_request(connection);
    network_.release(connection);
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::NoReply& no_reply) {
    const Slot connection = being_answered(node, no_reply.to);
    if (connection == no_slot) return;
    network_.refer(connection);
    forget_outstanding(network_[connection], no_reply.to.correlation);
    done_with_request(connection);
    network_.release(connection);
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::HangUp& hang_up) {
    const Slot connection = being_answered(node, hang_up.to);
    if (connection == no_slot) return;
    network_.refer(connection);
    end_server_side(connection, true);
    network_.release(connection);
}

/// The connection whose request is answered; none if that life of it is over.
template <class S>
Slot BasicWorld<S>::being_answered(NodeId server, const ReplyTo& to) {
    const Slot slot = network_.find(server, to);
    if (slot == no_slot || network_[slot].server_gone) return no_slot;
    const Connection& connection = network_[slot];
    ensure(connection.busy && connection.serving == no_slot, "a request is answered once");
    ensure(connection.current == to.correlation, "requests of a connection are answered in order");
    return slot;
}

/// N2: the next request of the connection may be taken up.
template <class S>
void BasicWorld<S>::done_with_request(Slot slot) {
    // What was reached by the answer may have ended the connection meanwhile.
    if (network_[slot].server_gone || !network_[slot].busy) return;
    network_[slot].busy = false;
    network_.release(slot);  // the caller refers to it
    take_up(slot);
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::HandOff<Message>& hand_off) {
    const Slot slot = new_parcel(std::move(hand_off.message));
    {
        Parcel<Message>& parcel = parcels_[slot];
        parcel.node = node;
        parcel.life = seat(node).life;
    }
    const Fate fate = ask(slot, Moment::handoff);
    Parcel<Message>& parcel = parcels_[slot];
    Duration after = hand_off.after;
    bool queued = true;
    switch (fate.kind) {
        case Fate::Kind::pass:
        case Fate::Kind::disconnect:
            break;
        case Fate::Kind::delay:
            after += fate.by;
            break;
        case Fate::Kind::refuse:
            refuse(slot, fate.code);
            break;
        case Fate::Kind::lose:
            destroy(slot);
            queued = false;
            break;
        case Fate::Kind::hold:
            parcel.after = after;
            parcel.hold = fate.hold;
            held_.push_back({fate.hold, slot, parcel.number});
            queued = false;
            break;
        case Fate::Kind::duplicate:
            for (std::int32_t i = 1; i <= fate.copies; ++i) {
                Parcel<Message> copy = parcels_[slot];
                copy.number = ++parcels_born_;
                const Slot twin = parcels_.insert(std::move(copy));
                queue_.push(now_ + after + fate.by * i,
                            Event{.kind = EventKind::handoff, .node = node, .place = twin});
            }
            break;
    }
    if (queued)
        queue_.push(now_ + after, Event{.kind = EventKind::handoff, .node = node, .place = slot});
    carry_out_acts();
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Arm& arm) {
    SeatOf& seat = this->seat(node);
    const Duration after = std::max(Duration{}, arm.after);
    seat.timers.arm(queue_, node, arm.key, now_ + seat.clock.timer(after));
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Disarm& disarm) {
    seat(node).timers.disarm(disarm.key);
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Observe<Observation>& observe) {
    digest_.fold(static_cast<std::uint64_t>(node.value), V::fingerprint(observe.observation));
    audience_.observe(now_, node, observe.observation);
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Reach& reached) {
    reach(reached.kind, node, reached.facts);
    carry_out_acts();
}

template <class S>
void BasicWorld<S>::apply(NodeId /*node*/, effect::Declare& declare) {
    if (declare.former) {
        std::vector<NodeId> before;
        for (const NodeId holder : directory_.holders(declare.role))
            if (std::find(declare.holders.begin(), declare.holders.end(), holder) ==
                declare.holders.end())
                before.push_back(holder);
        if (!before.empty()) directory_.declare(*declare.former, before);
    }
    directory_.declare(declare.role, declare.holders);
}

template <class S>
void BasicWorld<S>::apply(NodeId node, effect::Exit& ending) {
    exit(node, ending.failed);
}

}  // namespace eos::sim
