#pragma once
// How a frame is received: from its arrival to its handler. Requests of one connection are taken up
// one at a time (N2) and served by the threads of the receiver's station; responses are paid for
// one after the other.

#include "sim/world.hpp"

namespace eos::sim {

template <class S>
bool BasicWorld<S>::on_arrival(const Turn& turn) {
    const Slot slot = turn.event.place;
    note(turn, V::fingerprint(parcels_[slot].message));
    if (!admits(slot)) {
        tell_frame(FrameNews::Fate::lost, parcels_[slot]);
        destroy(slot);
        return true;
    }
    const Slot connection = parcels_[slot].connection;
    const Direction direction = parcels_[slot].response ? Direction::back : Direction::there;
    Chain& parked = network_[connection].pipe(direction).parked;
    const bool free = parked.empty();
    parked.append(parcels_, slot);
    if (free)
        advance(connection, direction);
    else
        tell_frame(FrameNews::Fate::held, parcels_[slot]);
    return true;
}

template <class S>
bool BasicWorld<S>::on_unpark(const Turn& turn) {
    const Slot connection = turn.event.place;
    const auto direction = static_cast<Direction>(turn.event.detail);
    Pipe& pipe = network_[connection].pipe(direction);
    pipe.unparking = false;
    const bool meant = !pipe.parked.empty();
    if (meant) {
        note(turn, V::fingerprint(parcels_[pipe.parked.first].message));
        advance(connection, direction);
    }
    network_.release(connection);
    return meant;
}

/// Whether a frame that arrives finds anybody who takes it.
template <class S>
bool BasicWorld<S>::admits(Slot slot) {
    Parcel<Message>& parcel = parcels_[slot];
    Connection& connection = network_[parcel.connection];
    if (parcel.response) return !connection.severed && !connection.back.deaf;
    if (connection.there.deaf) return false;
    const SeatOf& server = seat(connection.server);
    if (server.state == NodeState::down) return false;
    if (connection.extra && connection.server_life < 0) connection.server_life = server.life;
    Path& path = network_.path(connection.client, connection.server);
    if (connection.server_gone || path.refused) {
        // The host answers for a process that does not know this connection: reset.
        if (!connection.severed && !connection.extra)
            send_news(parcel.connection, LinkEvent::closed);
        return false;
    }
    if (connection.severed && path.silent && !parcel.spared) return false;
    return connection.extra || haunts(slot);
}

/// N5: whether a request whose connection is over is executed all the same. Drawn once.
template <class S>
bool BasicWorld<S>::haunts(Slot slot) {
    Parcel<Message>& parcel = parcels_[slot];
    const Connection& connection = network_[parcel.connection];
    if (!connection.severed || parcel.spared) return true;
    Path& path = network_.path(connection.client, connection.server);
    parcel.spared = path.ghosts.chance(network_.config(path).ghosts);
    return parcel.spared;
}

/// Receives the first frame that is parked in a pipe, unless something stops it.
template <class S>
void BasicWorld<S>::advance(Slot slot, Direction direction) {
    network_.refer(slot);
    Pipe& pipe = network_[slot].pipe(direction);
    if (pipe.deaf) {
        destroy_all(pipe.parked);
    } else if (const Slot first = pipe.parked.first;
               !parcels_[first].stopped() && !path_of(parcels_[first]).silent) {
        const std::uint64_t number = parcels_[first].number;
        const bool passes = delivers(first);
        // Acts at this moment may have ended the connection, or frozen the receiver.
        Chain& parked = network_[slot].pipe(direction).parked;
        const bool there = !parked.empty() && parcels_[parked.first].number == number;
        if (there && !passes && !parcels_[first].stopped()) {
            tell_frame(FrameNews::Fate::lost, parcels_[first]);
            destroy(parked.take_first(parcels_));
        } else if (there && passes && direction == Direction::there) {
            network_[slot].waiting.append(parcels_, parked.take_first(parcels_));
            take_up(slot);
        } else if (there && passes && seat(network_[slot].client).state == NodeState::running) {
            pay(parked.take_first(parcels_));
        }
    } else if (!parcels_[first].stopped()) {
        tell_frame(FrameNews::Fate::held, parcels_[first]);
    }
    unpark_later(slot, direction);
    network_.release(slot);
}

/// Asks for the fate of a frame at Moment::delivered. True if it goes on now; if not, it is stopped
/// or to be destroyed. Acts have been carried out.
template <class S>
bool BasicWorld<S>::delivers(Slot slot) {
    Parcel<Message>& parcel = parcels_[slot];
    if (parcel.delivered) return true;
    parcel.delivered = true;
    const Slot connection = parcel.connection;
    tell_frame(network_[connection].severed ? FrameNews::Fate::ghost : FrameNews::Fate::delivered,
               parcel);
    const Fate fate = ask(slot, Moment::delivered);
    bool passes = true;
    switch (fate.kind) {
        case Fate::Kind::pass:
            break;
        case Fate::Kind::hold:
        case Fate::Kind::delay:
            stop(slot, fate);
            passes = false;
            break;
        case Fate::Kind::refuse:
            refuse(slot, fate.code);
            break;
        case Fate::Kind::duplicate:
            if (!parcels_[slot].response) duplicate(slot, fate);
            break;
        case Fate::Kind::lose:
            pipe_of(parcels_[slot]).deaf = true;
            passes = false;
            break;
        case Fate::Kind::disconnect:
            parcels_[slot].spared = true;
            passes = fate.executes && !parcels_[slot].response;
            if (!network_[connection].extra) sever(connection);
            break;
    }
    carry_out_acts();
    return passes;
}

/// Frames that stand behind one another are received one an event, at one time.
template <class S>
void BasicWorld<S>::unpark_later(Slot slot, Direction direction) {
    Connection& connection = network_[slot];
    Pipe& pipe = connection.pipe(direction);
    if (pipe.unparking || pipe.parked.empty()) return;
    const Parcel<Message>& first = parcels_[pipe.parked.first];
    if (first.stopped() || path_of(first).silent) return;
    pipe.unparking = true;
    network_.refer(slot);
    queue_.push(now_,
                Event{.kind = EventKind::unpark,
                      .detail = static_cast<std::uint8_t>(direction),
                      .node = direction == Direction::there ? connection.server : connection.client,
                      .place = slot});
}

// ---- Requests
// -------------------------------------------------------------------------------------

/// N2: takes up the next request of a connection if none is being handled.
template <class S>
void BasicWorld<S>::take_up(Slot slot) {
    network_.refer(slot);
    while (!network_[slot].server_gone && !network_[slot].busy && !network_[slot].waiting.empty()) {
        Connection& connection = network_[slot];
        const Slot parcel = connection.waiting.take_first(parcels_);
        if (!connection.extra && !haunts(parcel)) {
            tell_frame(FrameNews::Fate::lost, parcels_[parcel]);
            destroy(parcel);
            continue;
        }
        connection.busy = true;
        connection.current = parcels_[parcel].correlation;
        network_.refer(slot);
        std::optional<Message> refusal;
        if (parcels_[parcel].refused)
            refusal = V::refusal(parcels_[parcel].message, parcels_[parcel].error);
        if (!refusal) {
            connection.serving = parcel;
            serve_when_free(connection.server, parcel);
            break;
        }
        const Correlation correlation = connection.current;
        destroy(parcel);
        if (!connection.severed && !connection.extra)
            send_response(slot, correlation, std::move(*refusal));
        if (network_[slot].server_gone || !network_[slot].busy) break;
        network_[slot].busy = false;
        network_.release(slot);
    }
    network_.release(slot);
}

template <class S>
void BasicWorld<S>::serve_when_free(NodeId node, Slot parcel) {
    SeatOf& server = seat(node);
    if (server.config->station && server.workshop.busy >= server.config->station->threads)
        server.workshop.line.append(parcels_, parcel);
    else
        serve(node, parcel);
}

/// A thread takes the request; its handler runs at the end of the service time.
template <class S>
void BasicWorld<S>::serve(NodeId node, Slot parcel) {
    SeatOf& server = seat(node);
    Duration time{};
    if (server.config->station) {
        ++server.workshop.busy;
        const Cost cost = V::cost(parcels_[parcel].message);
        time = server.workshop.serving(*server.config->station, cost);
    }
    queue_.push(now_ + time, Event{.kind = EventKind::serve,
                                   .node = node,
                                   .place = parcels_[parcel].connection,
                                   .stamp = static_cast<std::uint64_t>(server.life)});
}

template <class S>
bool BasicWorld<S>::on_serve(const Turn& turn) {
    const NodeId node = turn.event.node;
    SeatOf& server = seat(node);
    if (turn.event.stamp != static_cast<std::uint64_t>(server.life)) return false;
    const Slot slot = turn.event.place;
    if (server.config->station) {
        --server.workshop.busy;
        if (!server.workshop.line.empty()) serve(node, server.workshop.line.take_first(parcels_));
    }
    Connection& connection = network_[slot];
    const Slot parcel = std::exchange(connection.serving, no_slot);
    const ReplyTo to{connection.client, connection.lane, connection.life, connection.current};
    Message message = std::move(parcels_[parcel].message);
    note(turn, V::fingerprint(message));
    destroy(parcel);
    run(node, [&](auto& role, const Context& context, Fx& fx) {
        role.on_request(context, to, std::move(message), fx);
    });
    return true;
}

// ---- Responses
// ------------------------------------------------------------------------------------

template <class S>
void BasicWorld<S>::send_response(Slot connection, Correlation correlation, Message&& message) {
    send(new_frame(connection, correlation, true, std::move(message)));
}

/// A receiver with a station pays for what a response makes it store, one response at a time.
template <class S>
void BasicWorld<S>::pay(Slot slot) {
    Connection& connection = network_[parcels_[slot].connection];
    SeatOf& client = seat(connection.client);
    if (client.config->station) {
        const Cost cost = V::cost(parcels_[slot].message);
        connection.paid_until = std::max(connection.paid_until, now_) +
                                client.workshop.storing(*client.config->station, cost);
        if (connection.paid_until > now_) {
            queue_.push(connection.paid_until,
                        Event{.kind = EventKind::paid, .node = connection.client, .place = slot});
            return;
        }
    }
    handle_response(slot);
}

template <class S>
bool BasicWorld<S>::on_paid(const Turn& turn) {
    const Slot slot = turn.event.place;
    if (network_[parcels_[slot].connection].client_gone) {
        destroy(slot);
        return false;
    }
    note(turn, V::fingerprint(parcels_[slot].message));
    handle_response(slot);
    return true;
}

template <class S>
void BasicWorld<S>::handle_response(Slot slot) {
    Parcel<Message>& parcel = parcels_[slot];
    Connection& connection = network_[parcel.connection];
    const NodeId client = connection.client;
    const Peer from{connection.server, connection.lane};
    const Correlation correlation = parcel.correlation;
    forget_outstanding(connection, correlation);
    Message message = std::move(parcel.message);
    destroy(slot);
    run(client, [&](auto& role, const Context& context, Fx& fx) {
        role.on_reply(context, from, correlation, std::move(message), fx);
    });
}

/// Answers come in order, so it is nearly always the first one.
template <class S>
void BasicWorld<S>::forget_outstanding(Connection& connection, Correlation correlation) {
    Slab<Outstanding>& all = network_.outstanding();
    Slot before = no_slot;
    Slot slot = connection.outstanding.first;
    while (slot != no_slot && all[slot].correlation != correlation) slot = all[before = slot].next;
    if (slot == no_slot) return;
    const Slot behind = all[slot].next;
    (before == no_slot ? connection.outstanding.first : all[before].next) = behind;
    if (connection.outstanding.last == slot) connection.outstanding.last = before;
    all.erase(slot);
}

}  // namespace eos::sim
