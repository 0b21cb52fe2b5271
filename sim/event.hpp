#pragma once
// The body of an event: plain numbers, 32 bytes. Messages lie in the world's parcels and are named
// by slot, connections likewise; whatever may have died in between is recognised by its stamp.

#include <cstdint>

#include "sim/effects.hpp"
#include "sim/event_queue.hpp"
#include "sim/ordinal.hpp"
#include "sim/slab.hpp"
#include "sim/time.hpp"

namespace eos::sim {

enum class EventKind : std::uint8_t {
    start,     ///< a node starts; stamp: its life
    dial,      ///< a connection reaches the server's host; place: connection
    news,      ///< a LinkEvent reaches the client; place: connection, detail: the event
    arrival,   ///< a frame reaches its receiver; place: parcel
    unpark,    ///< the first parked frame of a pipe goes on; place: connection, detail: direction
    serve,     ///< a request was served: its handler runs; place: connection, stamp: server's life
    paid,      ///< the cost of a response was paid; place: parcel
    timer,     ///< kind, a, b: the key; the timer table knows whether it is meant
    handoff,   ///< place: parcel
    order,     ///< place: order
    unfreeze,  ///< effects that a pause cut off are carried out
    wake,      ///< the adversary's; stamp: its tag
    undelay,   ///< a delayed frame is released; place: parcel, stamp: its number
};

struct Event {
    EventKind kind = EventKind::wake;
    std::uint8_t detail = 0;
    std::uint16_t timer_kind = 0;
    NodeId node{-1};       ///< whom it is addressed to; -1: the adversary
    Slot place = no_slot;  ///< or TimerKey::a
    std::uint32_t timer_b = 0;
    std::uint64_t stamp = 0;

    [[nodiscard]] static Event timer(NodeId node, TimerKey key) {
        return {EventKind::timer, 0, key.kind, node, key.a, key.b, 0};
    }
    [[nodiscard]] TimerKey timer_key() const { return {timer_kind, place, timer_b}; }
    friend bool operator==(const Event&, const Event&) = default;
};

/// An event whose turn it is, or was: while its node is paused it keeps its place in the order.
struct Turn {
    Serial serial = 0;
    Event event;
    friend bool operator==(const Turn&, const Turn&) = default;
};

/// What the trace notes of one event that was handled.
struct TraceEntry {
    Instant time;
    Serial serial = 0;
    NodeId node{-1};
    EventKind kind = EventKind::wake;
    std::uint64_t fingerprint = 0;  ///< of the message or the timer key
    friend bool operator==(const TraceEntry&, const TraceEntry&) = default;
};

/// What became of a frame: for the trace tape of an audience that keeps one.
struct FrameNews {
    enum class Fate : std::uint8_t {
        sent,  ///< on its way; `arrives` if nothing stops it
        delivered,
        lost,   ///< will never arrive: dropped, or its receiver or connection is gone
        held,   ///< stopped by the adversary, by a silent link, or behind a frame that is
        ghost,  ///< arrives although its connection is over
    };
    Fate fate = Fate::sent;
    NodeId from;
    NodeId to;
    std::uint16_t api = 0;
    bool response = false;
    Correlation correlation;
    Instant sent;
    Instant arrives;  ///< of Fate::sent; otherwise now
    friend bool operator==(const FrameNews&, const FrameNews&) = default;
};

}  // namespace eos::sim
