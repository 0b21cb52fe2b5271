#pragma once
// What the machine can do at best: event loops without an engine around them, to be compiled and
// run beside it. Machines differ and are noisy; the ratio to these loops in one run is what counts.

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace limit {

/// {time, serial:40 | slot:24}, compared as one 128-bit integer.
struct Entry {
    std::uint64_t time = ~std::uint64_t{0};
    std::uint64_t tail = ~std::uint64_t{0};
    friend bool operator<(const Entry& a, const Entry& b) {
        return ((static_cast<unsigned __int128>(a.time) << 64) | a.tail) <
               ((static_cast<unsigned __int128>(b.time) << 64) | b.tail);
    }
};
constexpr std::uint64_t slot_mask = (std::uint64_t{1} << 24) - 1;

/// A 4-ary heap of fixed room whose pops leave a hole at the root.
class Heap4 {
  public:
    explicit Heap4(std::size_t room) : entries_(room + 8) {}
    void push(const Entry& entry) {
        if (hole_) {
            hole_ = false;
            down(entry);
            return;
        }
        std::size_t i = size_++;
        while (i != 0 && entry < entries_[(i - 1) / 4]) {
            entries_[i] = entries_[(i - 1) / 4];
            i = (i - 1) / 4;
        }
        entries_[i] = entry;
    }
    Entry pop() {
        if (hole_) {
            hole_ = false;
            const Entry last = std::exchange(entries_[--size_], Entry{});
            down(last);
        }
        hole_ = true;
        return entries_[0];
    }

  private:
    void down(const Entry& entry) {
        std::size_t i = 0;
        for (std::size_t c = 1; c < size_; c = 4 * i + 1) {
            Entry* const e = entries_.data();
            const std::size_t l = c + static_cast<std::size_t>(e[c + 1] < e[c]);
            const std::size_t r = c + 2 + static_cast<std::size_t>(e[c + 3] < e[c + 2]);
            const std::size_t least = l + (r - l) * static_cast<std::size_t>(e[r] < e[l]);
            if (!(e[least] < entry)) break;
            e[i] = e[least];
            i = least;
        }
        entries_[i] = entry;
    }
    std::vector<Entry> entries_;
    std::size_t size_ = 0;
    bool hole_ = false;
};

/// A ladder queue (Tang, Goh, Thng 2005) in vectors: unsorted top, rungs of buckets, sorted bottom.
class Ladder {
  public:
    explicit Ladder(std::size_t /*room*/) {}
    void push(const Entry& entry) {
        if (entry.time >= top_start_) {
            least_ = std::min(least_, entry.time);
            greatest_ = std::max(greatest_, entry.time);
            top_.push_back(entry);
            return;
        }
        for (std::size_t i = 0; i < used_; ++i) {
            Rung& rung = rungs_[i];
            if (entry.time < rung.start + rung.width * rung.next) continue;
            rung.buckets[(entry.time - rung.start) / rung.width].push_back(entry);
            return;
        }
        // Bottom is sorted backwards: its last entry leaves first.
        auto place = bottom_.end();
        while (place != bottom_.begin() && *(place - 1) < entry) --place;
        bottom_.insert(place, entry);
    }
    Entry pop() {
        if (bottom_.empty()) refill();
        const Entry entry = bottom_.back();
        bottom_.pop_back();
        return entry;
    }

  private:
    static constexpr std::size_t few = 48;
    struct Rung {
        std::uint64_t start = 0;
        std::uint64_t width = 1;
        std::size_t next = 0;  ///< first bucket not yet taken
        std::size_t count = 0;
        std::vector<std::vector<Entry>> buckets;
    };
    void spread(std::vector<Entry>& from, std::uint64_t start, std::uint64_t span) {
        if (used_ == rungs_.size()) rungs_.emplace_back();
        Rung& rung = rungs_[used_++];
        rung.start = start;
        rung.width = std::max<std::uint64_t>(1, span / from.size() + 1);
        rung.count = static_cast<std::size_t>(span / rung.width) + 1;
        rung.next = 0;
        if (rung.buckets.size() < rung.count) rung.buckets.resize(rung.count);
        for (const Entry& entry : from)
            rung.buckets[(entry.time - start) / rung.width].push_back(entry);
        from.clear();
    }
    void settle(std::vector<Entry>& from) {
        bottom_.swap(from);
        from.clear();
        std::sort(bottom_.begin(), bottom_.end(),
                  [](const Entry& a, const Entry& b) { return b < a; });
    }
    void refill() {
        for (;;) {
            if (used_ == 0) {
                top_start_ = greatest_ + 1;
                const std::uint64_t start = std::exchange(least_, ~std::uint64_t{0});
                const std::uint64_t span = std::exchange(greatest_, 0) - start;
                if (top_.size() <= few) return settle(top_);
                spread(top_, start, span);
            }
            Rung& rung = rungs_[used_ - 1];
            while (rung.next < rung.count && rung.buckets[rung.next].empty()) ++rung.next;
            if (rung.next == rung.count) {
                --used_;
                continue;
            }
            const std::size_t taken = rung.next++;
            if (rung.buckets[taken].size() <= few || rung.width == 1 || used_ == 8)
                return settle(rung.buckets[taken]);
            const std::uint64_t start = rung.start + rung.width * taken;
            const std::uint64_t span = rung.width - 1;
            scratch_.swap(rung.buckets[taken]);  // growing rungs_ moves the rung
            spread(scratch_, start, span);
        }
    }
    std::vector<Entry> top_, bottom_, scratch_;
    std::vector<Rung> rungs_;
    std::size_t used_ = 0;
    std::uint64_t top_start_ = 0, least_ = ~std::uint64_t{0}, greatest_ = 0;
};

/// A queue with its bodies in a plain slab: what EventQueue does, and nothing else.
template <class Queue, class Body>
class Loop {
  public:
    explicit Loop(std::size_t room) : queue_(room) { bodies_.reserve(room + 1); }
    void push(std::uint64_t time, const Body& body) {
        std::uint64_t slot = 0;
        if (free_.empty()) {
            slot = bodies_.size();
            bodies_.push_back(body);
        } else {
            slot = free_.back();
            free_.pop_back();
            bodies_[slot] = body;
        }
        queue_.push({time, serial_++ << 24 | slot});
    }
    std::pair<Entry, Body> pop() {
        const Entry entry = queue_.pop();
        const std::uint64_t slot = entry.tail & slot_mask;
        free_.push_back(static_cast<std::uint32_t>(slot));
        return {entry, bodies_[slot]};
    }

  private:
    Queue queue_;
    std::vector<Body> bodies_;
    std::vector<std::uint32_t> free_;
    std::uint64_t serial_ = 0;
};

}  // namespace limit
