#pragma once
// A message under way, or waiting: one record of the world's parcel slab from the moment it is sent
// until its handler runs. Where parcels wait in line they form chains through `next`, so that lines
// cost no memory of their own.

#include <cstdint>
#include <optional>

#include "sim/adversary.hpp"
#include "sim/effects.hpp"
#include "sim/slab.hpp"
#include "sim/time.hpp"

namespace eos::sim {

template <class Message>
struct Parcel {
    Message message{};
    Slot connection = no_slot;  ///< none: a hand-off
    Slot next = no_slot;        ///< in whatever line it stands
    NodeId node;                ///< of a hand-off: whose
    std::int32_t life = 0;      ///< of a hand-off: in which life of the node
    Correlation correlation;
    std::uint64_t number = 0;  ///< never used twice
    Instant sent;
    Duration after{};            ///< of a hand-off that is held: still to wait when released
    std::optional<HoldId> hold;  ///< stopped until released
    bool delayed = false;        ///< stopped until its own release (Fate::delay)
    bool response = false;
    bool delivered = false;  ///< the adversary was asked at Moment::delivered already
    bool spared = false;     ///< will be executed even if its connection is over
    bool copy = false;       ///< made by Fate::duplicate; not shown to the adversary
    bool refused = false;
    std::int32_t error = 0;  ///< of a refused request

    [[nodiscard]] bool stopped() const { return hold.has_value() || delayed; }
    friend bool operator==(const Parcel&, const Parcel&) = default;
};

/// First come, first served; the links are in the records themselves.
struct Chain {
    Slot first = no_slot;
    Slot last = no_slot;

    [[nodiscard]] bool empty() const { return first == no_slot; }
    template <class Record>
    void append(Slab<Record>& slab, Slot slot) {
        slab[slot].next = no_slot;
        if (empty())
            first = slot;
        else
            slab[last].next = slot;
        last = slot;
    }
    template <class Record>
    Slot take_first(Slab<Record>& slab) {
        const Slot slot = first;
        first = slab[slot].next;
        if (first == no_slot) last = no_slot;
        slab[slot].next = no_slot;
        return slot;
    }
    friend bool operator==(const Chain&, const Chain&) = default;
};

}  // namespace eos::sim
