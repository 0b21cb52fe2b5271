#pragma once
// What happens next. Events leave in the order of (time, serial), both integers; the serial is
// given when the event enters, so equal times leave in the order they were asked for. Three rooms:
// events *near* in time lie in a 4-ary heap of 16-byte entries {time, serial:40 | slot:24}, later
// ones unsorted in a *ring* of buckets, and those past its end *beyond*. When the heap runs empty
// it takes the next bucket; when the ring does, it is laid anew over what is beyond. A pop leaves a
// hole at the root of the heap that the next near push fills (one sift instead of two).

#include <algorithm>
#include <bit>
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
        const auto when = static_cast<std::uint64_t>(time.time_since_epoch().count());
        const Slot slot = records_.insert({when, serial, no_slot, std::move(body)});
        ensure(slot < slot_limit, "fewer than 16 million events are pending");
        if (when < near_end_)
            insert(entry_of(slot));
        else
            put_off(slot);
    }
    [[nodiscard]] bool empty() const { return records_.size() == 0; }
    [[nodiscard]] std::size_t size() const { return records_.size(); }
    /// The time of the next event; the queue must not be empty.
    [[nodiscard]] Instant next_time() {
        bring_near();
        return time_of(at(0));
    }
    /// Takes the next event out; the queue must not be empty.
    [[nodiscard]] Popped pop() {
        bring_near();
        const Entry first = at(0);
        hole_ = true;
        return {time_of(first), first.tail >> slot_bits, records_.take(slot_of(first)).body};
    }

    /// By content: neither the rooms events lie in nor the choice of slots takes part.
    void hash_to(Hasher& hasher) const {
        std::uint64_t sum = 0;
        for (const Entry& entry : entries()) {
            Hasher one;
            one.add(entry.time);
            one.add(entry.tail >> slot_bits);
            hash_into(one, body_of(entry));
            sum += one.value();
        }
        hasher.add(sum);
        hasher.add(next_serial_);
    }
    friend bool operator==(const EventQueue& a, const EventQueue& b) {
        if (a.size() != b.size() || a.next_serial_ != b.next_serial_) return false;
        auto left = a.entries();
        auto right = b.entries();
        std::sort(left.begin(), left.end());
        std::sort(right.begin(), right.end());
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
    /// So many events need no ring.
    static constexpr std::size_t few = 32;

    struct Entry {
        std::uint64_t time = ~std::uint64_t{0};
        std::uint64_t tail = ~std::uint64_t{0};  ///< serial:40 | slot:24

        /// One 128-bit comparison without branches; serials are unique, so slots never decide.
        friend bool operator<(const Entry& a, const Entry& b) {
            return ((static_cast<unsigned __int128>(a.time) << 64) | a.tail) <
                   ((static_cast<unsigned __int128>(b.time) << 64) | b.tail);
        }
    };

    struct Record {
        std::uint64_t time = 0;
        Serial serial = 0;
        Slot next = no_slot;  ///< in its bucket
        Body body{};
    };

    [[nodiscard]] Entry& at(std::size_t i) { return heap_[i + lead]; }
    [[nodiscard]] const Entry& at(std::size_t i) const { return heap_[i + lead]; }
    [[nodiscard]] static Instant time_of(const Entry& entry) {
        return Instant{Duration{static_cast<std::int64_t>(entry.time)}};
    }
    [[nodiscard]] static Slot slot_of(const Entry& entry) {
        return static_cast<Slot>(entry.tail & (slot_limit - 1));
    }
    [[nodiscard]] Entry entry_of(Slot slot) const {
        return {records_[slot].time, (records_[slot].serial << slot_bits) | slot};
    }
    [[nodiscard]] const Body& body_of(const Entry& entry) const {
        return records_[slot_of(entry)].body;
    }
    /// Everything that is pending, in no order.
    [[nodiscard]] std::vector<Entry> entries() const {
        std::vector<Entry> all;
        for (std::size_t i = hole_ ? 1 : 0; i < used_; ++i) all.push_back(at(i));
        const auto add = [&](Slot slot) {
            for (; slot != no_slot; slot = records_[slot].next) all.push_back(entry_of(slot));
        };
        for (const Slot bucket : ring_) add(bucket);
        add(beyond_);
        return all;
    }

    // ---- Far: ring and beyond -------------------------------------------------------------------

    void put_off(Slot slot) {
        Record& record = records_[slot];
        const std::uint64_t bucket = (record.time - ring_start_) >> ring_shift_;
        Slot& chain = bucket < ring_.size() ? ring_[bucket] : beyond_;
        record.next = std::exchange(chain, slot);
        if (bucket < ring_.size()) return;
        ++beyond_size_;
        first_beyond_ = std::min(first_beyond_, record.time);
        last_beyond_ = std::max(last_beyond_, record.time);
    }
    /// Sees to it that the next event of all lies at the root of the heap.
    void bring_near() {
        close_hole();
        while (used_ == 0) {
            while (next_bucket_ < ring_.size() && ring_[next_bucket_] == no_slot) ++next_bucket_;
            if (next_bucket_ == ring_.size()) lay_ring();
            Slot slot = std::exchange(ring_[next_bucket_], no_slot);
            near_end_ = ring_start_ + (++next_bucket_ << ring_shift_);
            for (; slot != no_slot; slot = records_[slot].next) insert(entry_of(slot));
        }
    }
    /// So many buckets that few events lie in one. Whatever their times are, none is moved more
    /// than once, and a bad spread costs no more than the heap alone.
    void lay_ring() {
        ensure(beyond_size_ != 0, "a queue that is asked for its next event has one");
        const std::size_t buckets = beyond_size_ <= few ? 1 : std::bit_ceil(4 * beyond_size_);
        const auto width = static_cast<int>(std::bit_width(last_beyond_ - first_beyond_));
        ring_.resize(buckets, no_slot);
        ring_shift_ = std::max(0, width - std::countr_zero(buckets));
        ring_start_ = std::exchange(first_beyond_, ~std::uint64_t{0});
        next_bucket_ = last_beyond_ = beyond_size_ = 0;
        for (Slot slot = std::exchange(beyond_, no_slot); slot != no_slot;) {
            const Slot next = records_[slot].next;
            put_off(slot);
            slot = next;
        }
    }

    // ---- Near: the heap -------------------------------------------------------------------------

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

    Serial next_serial_ = 0;
    Slab<Record> records_;

    std::vector<Entry, boost::alignment::aligned_allocator<Entry, 64>> heap_;
    std::size_t used_ = 0;        ///< entries in the heap, the hole included
    bool hole_ = false;           ///< the root was popped and not yet replaced
    std::uint64_t near_end_ = 0;  ///< every event before this time lies in the heap

    std::vector<Slot> ring_;  ///< by bucket, the first record of a chain
    std::uint64_t ring_start_ = 0;
    int ring_shift_ = 0;  ///< a bucket is 2^shift nanoseconds wide
    std::size_t next_bucket_ = 0;

    Slot beyond_ = no_slot;
    std::size_t beyond_size_ = 0;
    std::uint64_t first_beyond_ = ~std::uint64_t{0};
    std::uint64_t last_beyond_ = 0;
};

}  // namespace eos::sim
