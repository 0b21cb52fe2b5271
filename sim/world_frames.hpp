#pragma once
// How a frame travels: from the effect that sends it to its arrival. On one connection frames keep
// their order; a frame that is stopped stops those behind it, in the outbox of its pipe if it was
// stopped before it left, in `parked` if it was stopped when it arrived.

#include "sim/world.hpp"

namespace eos::sim {

template <class S>
Slot BasicWorld<S>::new_parcel(Message&& message) {
    Parcel<Message> fresh;
    fresh.message = std::move(message);
    fresh.number = ++parcels_born_;
    fresh.sent = now_;
    return parcels_.insert(std::move(fresh));
}

template <class S>
Slot BasicWorld<S>::new_frame(Slot connection, Correlation correlation, bool response,
                              Message&& message) {
    const Slot slot = new_parcel(std::move(message));
    Parcel<Message>& parcel = parcels_[slot];
    parcel.connection = connection;
    parcel.correlation = correlation;
    parcel.response = response;
    network_.refer(connection);
    return slot;
}

template <class S>
void BasicWorld<S>::destroy(Slot slot) {
    const Slot connection = parcels_[slot].connection;
    if (parcels_[slot].hold) {
        const std::uint64_t number = parcels_[slot].number;
        std::erase_if(held_, [&](const Held& held) { return held.number == number; });
    }
    parcels_.erase(slot);
    if (connection != no_slot) network_.release(connection);
}

/// The caller refers to the connection that owns the chain.
template <class S>
void BasicWorld<S>::destroy_all(Chain& chain) {
    while (!chain.empty()) {
        const Slot slot = chain.take_first(parcels_);
        tell_frame(FrameNews::Fate::lost, parcels_[slot]);
        destroy(slot);
    }
}

/// Destroys what stands before the first parcel the adversary stopped: that one stays on its way.
template <class S>
void BasicWorld<S>::destroy_unstopped(Chain& chain) {
    while (!chain.empty() && !parcels_[chain.first].stopped()) {
        const Slot slot = chain.take_first(parcels_);
        tell_frame(FrameNews::Fate::lost, parcels_[slot]);
        destroy(slot);
    }
}

template <class S>
Path& BasicWorld<S>::path_of(const Parcel<Message>& parcel) {
    const Connection& connection = network_[parcel.connection];
    return parcel.response ? network_.path(connection.server, connection.client)
                           : network_.path(connection.client, connection.server);
}

template <class S>
Pipe& BasicWorld<S>::pipe_of(const Parcel<Message>& parcel) {
    return network_[parcel.connection].pipe(parcel.response ? Direction::back : Direction::there);
}

template <class S>
void BasicWorld<S>::tell_frame(FrameNews::Fate fate, const Parcel<Message>& parcel,
                               Instant arrives) {
    FrameNews news;
    if constexpr (requires { audience_.frame(now_, news); }) {
        if (parcel.connection == no_slot) return;
        const Connection& connection = network_[parcel.connection];
        news = {fate,
                parcel.response ? connection.server : connection.client,
                parcel.response ? connection.client : connection.server,
                V::kind(parcel.message),
                parcel.response,
                parcel.correlation,
                parcel.sent,
                arrives};
        audience_.frame(now_, news);
    }
}

// ---- What the adversary is shown
// ------------------------------------------------------------------

template <class S>
Outstanding* BasicWorld<S>::outstanding_of(const Parcel<Message>& parcel) {
    Slab<Outstanding>& all = network_.outstanding();
    Slot slot = network_[parcel.connection].outstanding.first;
    while (slot != no_slot && all[slot].correlation != parcel.correlation) slot = all[slot].next;
    return slot == no_slot ? nullptr : &all[slot];
}

/// The facts of a frame: those of the engine, those of the message, and for a response those of its
/// request that it does not have itself.
template <class S>
Facts BasicWorld<S>::facts_of(const Parcel<Message>& parcel) {
    Facts facts;
    if (parcel.connection == no_slot) {
        V::describe(parcel.message, facts);
        return facts;
    }
    const Connection& connection = network_[parcel.connection];
    const NodeId from = parcel.response ? connection.server : connection.client;
    const NodeId to = parcel.response ? connection.client : connection.server;
    const auto side = parcel.response ? FrameSide::response : FrameSide::request;
    facts.add(V::fact_api, V::kind(parcel.message))
        .add(V::fact_side, static_cast<std::int64_t>(side))
        .add(V::fact_from, from.value)
        .add(V::fact_to, to.value);
    V::describe(parcel.message, facts);
    Outstanding* const request = outstanding_of(parcel);
    if (request == nullptr) return facts;
    if (!parcel.response) {
        request->facts = facts;
    } else if (request->facts) {
        const Facts& asked = *request->facts;
        for (std::size_t i = 0; i < asked.size(); ++i)
            if (!facts.find(asked.name(i))) facts.add(asked.name(i), asked.value(i));
    }
    return facts;
}

template <class S>
std::vector<typename BasicWorld<S>::UnderWay> BasicWorld<S>::under_way() const {
    std::vector<std::pair<std::uint64_t, UnderWay>> numbered;
    for (Slot slot = 0; slot < parcels_.capacity(); ++slot) {
        const Parcel<Message>& parcel = parcels_[slot];
        if (parcel.number == 0) continue;  // a free slot
        UnderWay message;
        message.kind = V::kind(parcel.message);
        message.response = parcel.response;
        message.arrived = parcel.delivered && !parcel.stopped();
        message.delayed = parcel.delayed;
        message.hold = parcel.hold;
        message.sent = parcel.sent;
        V::describe(parcel.message, message.facts);
        if (parcel.connection == no_slot) {
            message.handoff = true;
            message.from = message.to = parcel.node;
        } else {
            const Connection& connection = network_[parcel.connection];
            message.from = parcel.response ? connection.server : connection.client;
            message.to = parcel.response ? connection.client : connection.server;
            message.ghost = connection.severed || connection.client_gone || connection.extra;
        }
        numbered.emplace_back(parcel.number, message);
    }
    std::sort(numbered.begin(), numbered.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    std::vector<UnderWay> result;
    for (auto& [number, message] : numbered) result.push_back(std::move(message));
    return result;
}

/// Tells the audience of the moment and asks the adversary for the fate of the parcel.
template <class S>
Fate BasicWorld<S>::ask(Slot slot, Moment moment) {
    const Parcel<Message>& parcel = parcels_[slot];
    const std::uint16_t kind = V::kind(parcel.message);
    const MilestoneKind milestone = moment == Moment::sent        ? V::rpc_sent
                                    : moment == Moment::delivered ? V::rpc_delivered
                                                                  : V::handoff_queued;
    count(milestone);
    const bool asked = !parcel.copy && adversary_.watches_frame(kind);
    const bool told = audience_watches(milestone);
    if (!asked && !told) {
        // What the request was is told again if it fails.
        const bool request = moment == Moment::sent && !parcel.response;
        if (request && (adversary_.watches(V::rpc_failed) || audience_watches(V::rpc_failed)))
            static_cast<void>(facts_of(parcel));
        return {};
    }
    Frame frame;
    frame.kind = kind;
    frame.response = parcel.response;
    frame.facts = facts_of(parcel);
    if (parcel.connection == no_slot) {
        frame.from = parcel.node;
        frame.to = parcel.node;
    } else {
        const Connection& connection = network_[parcel.connection];
        frame.from = parcel.response ? connection.server : connection.client;
        frame.to = parcel.response ? connection.client : connection.server;
    }
    const NodeId where = moment == Moment::delivered ? frame.to : frame.from;
    // To the adversary these three milestones are the moments of a frame, and nothing else.
    if (told) audience_.reached(now_, Milestone{milestone, where, frame.facts});
    if (!asked) return {};
    return adversary_.on_frame(frame, moment, Window(*this), acts_);
}

// ---- Sending
// --------------------------------------------------------------------------------------

/// Sends a frame, asks for its fate, and carries out the acts that go with it: to them the frame is
/// already on its way.
template <class S>
void BasicWorld<S>::send(Slot slot) {
    const Slot connection = parcels_[slot].connection;
    const bool request = !parcels_[slot].response;
    network_.refer(connection);
    const Fate fate = ask(slot, Moment::sent);
    switch (fate.kind) {
        case Fate::Kind::pass:
            depart_in_order(slot);
            break;
        case Fate::Kind::hold:
        case Fate::Kind::delay:
            stop(slot, fate);
            depart_in_order(slot);
            break;
        case Fate::Kind::refuse:
            refuse(slot, fate.code);
            depart_in_order(slot);
            break;
        case Fate::Kind::duplicate:
            if (request) duplicate(slot, fate);
            depart_in_order(slot);
            break;
        case Fate::Kind::lose:
            // Never a hole between two delivered frames: nothing more leaves this way.
            tell_frame(FrameNews::Fate::lost, parcels_[slot]);
            pipe_of(parcels_[slot]).mute = true;
            destroy(slot);
            break;
        case Fate::Kind::disconnect:
            if (request && fate.executes) {
                parcels_[slot].spared = true;
                depart_in_order(slot);
            } else {
                tell_frame(FrameNews::Fate::lost, parcels_[slot]);
                destroy(slot);
            }
            sever(connection);
            break;
    }
    if (request) {
        Path& path = network_.path(network_[connection].client, network_[connection].server);
        if (path.disconnects.chance(network_.config(path).disconnect)) sever(connection);
    }
    carry_out_acts();
    network_.release(connection);
}

/// The adversary stops a frame. It stays on its way whatever becomes of its connection.
template <class S>
void BasicWorld<S>::stop(Slot slot, const Fate& fate) {
    Parcel<Message>& parcel = parcels_[slot];
    parcel.spared = true;
    if (fate.kind == Fate::Kind::hold) {
        parcel.hold = fate.hold;
        held_.push_back({fate.hold, slot, parcel.number});
    } else {
        parcel.delayed = true;
        queue_.push(now_ + fate.by,
                    Event{.kind = EventKind::undelay, .place = slot, .stamp = parcel.number});
    }
    tell_frame(FrameNews::Fate::held, parcel);
}

template <class S>
bool BasicWorld<S>::on_undelay(const Turn& turn) {
    const Slot slot = turn.event.place;
    if (parcels_[slot].number != turn.event.stamp) return false;  // destroyed meanwhile
    note(turn, turn.event.stamp);
    unstop(slot);
    return true;
}

template <class S>
void BasicWorld<S>::unstop(Slot slot) {
    Parcel<Message>& parcel = parcels_[slot];
    parcel.hold.reset();
    parcel.delayed = false;
    if (parcel.connection == no_slot) {
        queue_.push(now_ + parcel.after,
                    Event{.kind = EventKind::handoff, .node = parcel.node, .place = slot});
        return;
    }
    flush(parcel.connection, parcel.response ? Direction::back : Direction::there);
}

/// The receiver will not execute a request; of a response or a hand-off only the error is left.
template <class S>
void BasicWorld<S>::refuse(Slot slot, std::int32_t error) {
    Parcel<Message>& parcel = parcels_[slot];
    if (parcel.connection != no_slot && !parcel.response) {
        parcel.refused = true;
        parcel.error = error;
    } else if (auto refusal = V::refusal(parcel.message, error)) {
        parcel.message = std::move(*refusal);
    }
}

/// The same request arrives again over connections of its own, which nobody listens to.
template <class S>
void BasicWorld<S>::duplicate(Slot slot, const Fate& fate) {
    const NodeId client = network_[parcels_[slot].connection].client;
    const Peer to{network_[parcels_[slot].connection].server,
                  network_[parcels_[slot].connection].lane};
    Path& path = network_.path(client, to.node);
    for (std::int32_t i = 1; i <= fate.copies; ++i) {
        Parcel<Message> copy = parcels_[slot];
        copy.connection = network_.open(client, to, true);
        copy.number = ++parcels_born_;
        copy.next = no_slot;
        copy.delivered = false;
        copy.spared = true;
        copy.copy = true;
        network_.refer(copy.connection);
        const Duration transit = network_.transit(path, V::size(copy.message));
        const Slot twin = parcels_.insert(std::move(copy));
        queue_.push(now_ + transit + fate.by * i,
                    Event{.kind = EventKind::arrival, .node = to.node, .place = twin});
    }
}

template <class S>
void BasicWorld<S>::depart_in_order(Slot slot) {
    const Parcel<Message>& parcel = parcels_[slot];
    Pipe& pipe = pipe_of(parcel);
    if (pipe.mute) {
        tell_frame(FrameNews::Fate::lost, parcel);
        destroy(slot);
        return;
    }
    if (pipe.outbox.empty() && !parcel.stopped() && !path_of(parcel).silent) {
        depart(slot);
        return;
    }
    if (!parcel.stopped()) tell_frame(FrameNews::Fate::held, parcel);
    pipe.outbox.append(parcels_, slot);
}

template <class S>
void BasicWorld<S>::depart(Slot slot) {
    const Parcel<Message>& parcel = parcels_[slot];
    Path& path = path_of(parcel);
    Pipe& pipe = pipe_of(parcel);
    const Duration transit = network_.transit(path, V::size(parcel.message));
    pipe.last_arrival = std::max(now_ + transit, pipe.last_arrival);
    queue_.push(pipe.last_arrival,
                Event{.kind = EventKind::arrival, .node = path.to, .place = slot});
    tell_frame(FrameNews::Fate::sent, parcel, pipe.last_arrival);
}

/// Something that stopped frames of this pipe is over: go on until something else does.
template <class S>
void BasicWorld<S>::flush(Slot connection, Direction direction) {
    Chain& outbox = network_[connection].pipe(direction).outbox;
    while (!outbox.empty()) {
        const Parcel<Message>& first = parcels_[outbox.first];
        if (first.stopped() || path_of(first).silent) break;
        depart(outbox.take_first(parcels_));
    }
    unpark_later(connection, direction);
}

}  // namespace eos::sim
