#pragma once
// Connections: how they open, break and end, and what becomes of what was under way on them.

#include "sim/world.hpp"

namespace eos::sim {

template <class S>
bool BasicWorld<S>::on_dial(const Turn& turn) {
    const Slot slot = turn.event.place;
    Connection& connection = network_[slot];
    if (connection.client_gone || connection.severed) {
        network_.release(slot);
        return false;
    }
    note(turn, (static_cast<std::uint64_t>(connection.life) << 8) | connection.syns);
    const bool refused = network_.path(connection.client, connection.server).refused ||
                         network_.path(connection.server, connection.client).refused;
    if (connection.syns > syn_repeats) {
        sever(slot);
    } else if (network_.path(connection.client, connection.server).silent) {
        dial_again(slot);
    } else if (refused || seat(connection.server).state == NodeState::down) {
        send_news(slot, LinkEvent::refused);
    } else {
        connection.server_life = seat(connection.server).life;
        connection.server_gone = false;  // it may have died since it heard the former SYN
        send_news(slot, LinkEvent::opened);
    }
    network_.release(slot);
    return true;
}

/// The SYN or the answer to it was lost in silence. *Simplified*: that is decided when it arrives,
/// and a SYN that is sent again takes as long as the first.
template <class S>
void BasicWorld<S>::dial_again(Slot slot) {
    Connection& connection = network_[slot];
    const Instant first = connection.there.last_arrival;  // nothing else is sent before it is open
    Instant next = first;
    while (next <= now_) next = first + syn_pause * ((std::int64_t{1} << ++connection.syns) - 1);
    network_.refer(slot);
    queue_.push(next, Event{.kind = EventKind::dial, .node = connection.server, .place = slot});
}

/// News for the client, behind everything the server has sent it before.
template <class S>
void BasicWorld<S>::send_news(Slot slot, LinkEvent news) {
    Connection& connection = network_[slot];
    Path& path = network_.path(connection.server, connection.client);
    const Instant arrival = now_ + network_.transit(path, 0);
    connection.back.last_arrival = std::max(arrival, connection.back.last_arrival);
    network_.refer(slot);
    queue_.push(connection.back.last_arrival, Event{.kind = EventKind::news,
                                                    .detail = static_cast<std::uint8_t>(news),
                                                    .node = connection.client,
                                                    .place = slot});
}

/// The connection breaks now; its client hears of it before anything else happens to it.
template <class S>
void BasicWorld<S>::sever(Slot slot) {
    Connection& connection = network_[slot];
    if (connection.severed) return;
    connection.severed = true;
    network_.refer(slot);
    queue_.push(now_, Event{.kind = EventKind::news,
                            .detail = static_cast<std::uint8_t>(LinkEvent::closed),
                            .node = connection.client,
                            .place = slot,
                            .stamp = 1});  // not a message: a silent link does not stop it
}

template <class S>
bool BasicWorld<S>::on_news(const Turn& turn) {
    const Slot slot = turn.event.place;
    const auto news = static_cast<LinkEvent>(turn.event.detail);
    Connection& connection = network_[slot];
    const NodeId client = connection.client;
    const Peer peer{connection.server, connection.lane};
    const bool local = turn.event.stamp == 1;
    const bool lost = !local && network_.path(connection.server, client).silent;
    if (connection.client_gone || lost) {
        const bool answer = !connection.client_gone && news != LinkEvent::closed;
        if (answer && !connection.severed) dial_again(slot);
        network_.release(slot);
        return false;
    }
    note(turn, turn.event.detail);
    const std::int32_t life = seat(client).life;
    if (news == LinkEvent::opened) {
        connection.open = true;
        Facts facts;
        facts.add(V::fact_from, client.value).add(V::fact_to, peer.node.value);
        reach(V::link_opened, client, facts);
    } else {
        end_client_side(slot, Ending::disconnect, news == LinkEvent::closed);
    }
    // The milestones may have been the end of the client, or its pause; then the handler waits.
    carry_out_acts();
    network_.release(slot);
    if (seat(client).life != life) return true;
    const auto handler = [&](auto& role, const Context& context, Fx& fx) {
        role.on_link(context, peer, news, fx);
    };
    run(client, handler);
    return true;
}

/// The client is through with a connection. `tell`: it lives to see its requests fail.
template <class S>
void BasicWorld<S>::end_client_side(Slot slot, Ending ending, bool tell) {
    Connection& connection = network_[slot];
    if (connection.client_gone || connection.extra) return;
    network_.refer(slot);
    connection.severed = true;
    connection.client_gone = true;
    network_.detach(slot);
    destroy_all(connection.back.outbox);
    destroy_all(connection.back.parked);
    // N5: what was sent stays on its way, but a silent link carries nothing of a dead connection.
    if (network_.path(connection.client, connection.server).silent) {
        destroy_unstopped(network_[slot].there.outbox);
        destroy_unstopped(network_[slot].there.parked);
    }
    Chain& outstanding = network_[slot].outstanding;
    while (!outstanding.empty()) {
        const Slot first = outstanding.take_first(network_.outstanding());
        const Outstanding request = network_.outstanding().take(first);
        if (tell) tell_failed(network_[slot], request, ending);
    }
    if (tell && network_[slot].open) {
        Facts facts;
        facts.add(V::fact_from, network_[slot].client.value)
            .add(V::fact_to, network_[slot].server.value)
            .add(V::fact_kind, static_cast<std::int64_t>(ending));
        reach(V::link_closed, network_[slot].client, facts);
    }
    network_.release(slot);
}

template <class S>
void BasicWorld<S>::tell_failed(const Connection& connection, const Outstanding& request,
                                Ending ending) {
    Facts facts;
    if (request.facts) {
        facts = *request.facts;
    } else {
        facts.add(V::fact_api, request.api)
            .add(V::fact_side, static_cast<std::int64_t>(FrameSide::request))
            .add(V::fact_from, connection.client.value)
            .add(V::fact_to, connection.server.value);
    }
    facts.add(V::fact_kind, static_cast<std::int64_t>(ending));
    reach(V::rpc_failed, connection.client, facts);
}

/// The server is through with a connection: it hung up, or died. Everything that waits at it is
/// destroyed. `tell`: its host lives to close the connection.
template <class S>
void BasicWorld<S>::end_server_side(Slot slot, bool tell) {
    Connection& connection = network_[slot];
    if (connection.server_gone || connection.server_life < 0) return;
    network_.refer(slot);
    connection.server_gone = true;
    if (connection.busy) {
        connection.busy = false;
        if (connection.serving != no_slot) destroy(std::exchange(network_[slot].serving, no_slot));
        network_.release(slot);
    }
    destroy_all(network_[slot].waiting);
    destroy_all(network_[slot].there.parked);
    const bool somebody_hears = !network_[slot].severed && !network_[slot].extra;
    if (tell && somebody_hears) send_news(slot, LinkEvent::closed);
    network_.release(slot);
}

template <class S>
void BasicWorld<S>::set_link(const act::SetLink& link) {
    if (link.from == link.to) return;
    Path& path = network_.path(link.from, link.to);
    path.silent = link.silent;
    path.refused = link.refused;
    path.extra = link.extra;
    path.narrowed_to = link.bytes_per_second;
    const auto opened = network_.between(link.from, link.to);
    const auto accepted = network_.between(link.to, link.from);
    if (link.refused) {
        for (const Slot connection : opened)
            if (!network_[connection].extra) sever(connection);
        for (const Slot connection : accepted)
            if (!network_[connection].extra) sever(connection);
    }
    if (link.silent) return;
    for (const Slot connection : opened) flush(connection, Direction::there);
    for (const Slot connection : accepted) flush(connection, Direction::back);
}

}  // namespace eos::sim
