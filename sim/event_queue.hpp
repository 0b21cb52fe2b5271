#pragma once
// What happens next. Events leave in the order of (time, serial), both integers; the serial is
// given when the event enters, so equal times leave in the order they were asked for. A 4-ary heap
// of 16-byte entries {time, serial:40 | slot:24}; bodies lie in a slab. A pop leaves a hole at the
// root that the next push fills, because most events schedule one successor (one sift instead of
// two).

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include <boost/align/aligned_allocator.hpp>

#include "sim/ensure.hpp"
#include "sim/slab.hpp"
#include "sim/state_hash.hpp"
#include "sim/time.hpp"

namespace eos::sim {

/// The place of an event in the order of all events of a run.
using Serial = std::uint64_t;

template <class Body>
class EventQueue {
  public:
    struct Popped {
        Instant time;
        Serial serial;
        Body body;
    };

    /// Enters an event; it comes after every event of its time that entered before.
    Serial push(Instant time, Body body) {
        const Serial serial = reserve();
        push_as(time, serial, std::move(body));
        return serial;
    }
    /// Takes a place in the order without an event: for what enters later under this serial.
    [[nodiscard]] Serial reserve() { return next_serial_++; }
    /// Enters an event under a serial that was reserved, or that has left the queue.
    void push_as(Instant time, Serial serial, Body body) {
        const Slot slot = bodies_.insert(std::move(body));
        ensure(slot < slot_limit, "fewer than 16 million events are pending");
        insert(Entry{static_cast<std::uint64_t>(time.time_since_epoch().count()),
                     (serial << slot_bits) | slot});
    }
    [[nodiscard]] bool empty() const { return size() == 0; }
    [[nodiscard]] std::size_t size() const { return used_ - (hole_ ? 1 : 0); }
    /// The time of the next event; the queue must not be empty.
    [[nodiscard]] Instant next_time() {
        close_hole();
        return time_of(at(0));
    }
    /// Takes the next event out; the queue must not be empty.
    [[nodiscard]] Popped pop() {
        close_hole();
        const Entry first = at(0);
        hole_ = true;
        const auto slot = static_cast<Slot>(first.tail & (slot_limit - 1));
        return {time_of(first), first.tail >> slot_bits, bodies_.take(slot)};
    }

    /// By content: neither the layout of the heap nor the choice of slots takes part.
    void hash_to(Hasher& hasher) const {
        std::uint64_t sum = 0;
        for (std::size_t i = hole_ ? 1 : 0; i < used_; ++i) {
            Hasher one;
            one.add(at(i).time);
            one.add(at(i).tail >> slot_bits);
            hash_into(one, body_of(at(i)));
            sum += one.value();
        }
        hasher.add(sum);
        hasher.add(next_serial_);
    }
    friend bool operator==(const EventQueue& a, const EventQueue& b) {
        if (a.size() != b.size() || a.next_serial_ != b.next_serial_) return false;
        const auto left = a.in_order();
        const auto right = b.in_order();
        return std::equal(
            left.begin(), left.end(), right.begin(), [&](const Entry& x, const Entry& y) {
                return x.time == y.time && (x.tail >> slot_bits) == (y.tail >> slot_bits) &&
                       a.body_of(x) == b.body_of(y);
            });
    }

  private:
    static constexpr unsigned slot_bits = 24;
    static constexpr std::uint64_t slot_limit = std::uint64_t{1} << slot_bits;
    /// The root lies at 3, so that every group of four siblings fills one cache line.
    static constexpr std::size_t lead = 3;

    struct Entry {
        std::uint64_t time = ~std::uint64_t{0};
        std::uint64_t tail = ~std::uint64_t{0};  ///< serial:40 | slot:24

        /// One 128-bit comparison without branches; serials are unique, so slots never decide.
        friend bool operator<(const Entry& a, const Entry& b) {
            return ((static_cast<unsigned __int128>(a.time) << 64) | a.tail) <
                   ((static_cast<unsigned __int128>(b.time) << 64) | b.tail);
        }
    };

    [[nodiscard]] Entry& at(std::size_t i) { return heap_[i + lead]; }
    [[nodiscard]] const Entry& at(std::size_t i) const { return heap_[i + lead]; }
    [[nodiscard]] static Instant time_of(const Entry& entry) {
        return Instant{Duration{static_cast<std::int64_t>(entry.time)}};
    }
    [[nodiscard]] const Body& body_of(const Entry& entry) const {
        return bodies_[static_cast<Slot>(entry.tail & (slot_limit - 1))];
    }
    [[nodiscard]] std::vector<Entry> in_order() const {
        std::vector<Entry> entries;
        for (std::size_t i = hole_ ? 1 : 0; i < used_; ++i) entries.push_back(at(i));
        std::sort(entries.begin(), entries.end());
        return entries;
    }

    void insert(const Entry& entry) {
        if (hole_) {
            hole_ = false;
            sift_down(entry);
            return;
        }
        // Unused places of the last group of siblings hold entries later than all others.
        if (used_ + lead + 4 >= heap_.size())
            heap_.resize(std::max<std::size_t>(64, heap_.size() * 2));
        sift_up(used_++, entry);
    }
    void close_hole() {
        if (!hole_) return;
        hole_ = false;
        --used_;
        const Entry last = std::exchange(at(used_), Entry{});
        if (used_ != 0) sift_down(last);
    }
    void sift_up(std::size_t i, const Entry& entry) {
        Entry* const heap = heap_.data() + lead;
        while (i != 0) {
            const std::size_t parent = (i - 1) / 4;
            if (!(entry < heap[parent])) break;
            heap[i] = heap[parent];
            i = parent;
        }
        heap[i] = entry;
    }
    /// Places an entry from the root downwards. The least child is found by index arithmetic: a
    /// branch there would be mispredicted every other time.
    void sift_down(const Entry& entry) {
        Entry* const heap = heap_.data() + lead;
        const std::size_t used = used_;
        std::size_t i = 0;
        for (;;) {
            const std::size_t child = 4 * i + 1;
            if (child >= used) break;
            const std::size_t left =
                child + static_cast<std::size_t>(heap[child + 1] < heap[child]);
            const std::size_t right =
                child + 2 + static_cast<std::size_t>(heap[child + 3] < heap[child + 2]);
            const std::size_t least =
                left + (right - left) * static_cast<std::size_t>(heap[right] < heap[left]);
            if (!(heap[least] < entry)) break;
            heap[i] = heap[least];
            i = least;
        }
        heap[i] = entry;
    }

    std::vector<Entry, boost::alignment::aligned_allocator<Entry, 64>> heap_;
    std::size_t used_ = 0;  ///< entries in the heap, the hole included
    bool hole_ = false;     ///< the root was popped and not yet replaced
    Serial next_serial_ = 0;
    Slab<Body> bodies_;
};

}  // namespace eos::sim
