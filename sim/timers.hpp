#pragma once
// The timers of one node. Timeouts are armed far more often than they fire, so arming only moves a
// deadline: at most one event per timer lies in the queue, and when it comes too early it is queued
// again. The order of equal times is that of the last arming, however often that happened.

#include <algorithm>
#include <optional>
#include <tuple>
#include <vector>

#include "sim/effects.hpp"
#include "sim/event.hpp"
#include "sim/event_queue.hpp"
#include "sim/ordinal.hpp"
#include "sim/time.hpp"

namespace eos::sim {

class Timers {
  public:
    /// Sets or moves the timer.
    void arm(EventQueue<Event>& queue, NodeId node, TimerKey key, Instant deadline) {
        const auto place = find(key);
        const bool known = place != timers_.end() && place->key == key;
        Timer& timer = known ? *place : *timers_.insert(place, Timer{key, false, {}, 0, {}, 0});
        timer.armed = true;
        timer.deadline = deadline;
        timer.serial = queue.reserve();
        // An event that comes no later than the deadline will do; a later one is left to go stale.
        if (known && timer.queued <= deadline) return;
        timer.queued = deadline;
        timer.queued_serial = timer.serial;
        queue.push_as(deadline, timer.serial, Event::timer(node, key));
    }
    /// The event of a timer stays in the queue: arming it again is then free.
    void disarm(TimerKey key) {
        const auto place = find(key);
        if (place != timers_.end() && place->key == key) place->armed = false;
    }
    /// Whether the event that came up is the moment the timer was armed for.
    [[nodiscard]] bool due(EventQueue<Event>& queue, NodeId node, TimerKey key, Serial serial,
                           Instant now) {
        const auto place = find(key);
        if (place == timers_.end() || place->key != key) return false;
        Timer& timer = *place;
        if (timer.queued_serial != serial) return false;  // a stale event; the real one is queued
        if (timer.armed && timer.serial != serial) {
            timer.queued = std::max(timer.deadline, now);  // later than now only after a pause
            timer.queued_serial = timer.serial;
            queue.push_as(timer.queued, timer.serial, Event::timer(node, key));
            return false;
        }
        const bool armed = timer.armed;
        timers_.erase(place);
        return armed;
    }
    void clear() { timers_.clear(); }
    [[nodiscard]] std::size_t size() const { return timers_.size(); }

    [[nodiscard]] auto fields() const { return std::tie(timers_); }
    friend bool operator==(const Timers&, const Timers&) = default;

  private:
    struct Timer {
        TimerKey key;
        bool armed = false;
        Instant deadline;
        Serial serial = 0;  ///< its place among equal deadlines: given when armed
        Instant queued;     ///< when its event comes up
        Serial queued_serial = 0;
        friend bool operator==(const Timer&, const Timer&) = default;
    };
    [[nodiscard]] std::vector<Timer>::iterator find(TimerKey key) {
        return std::ranges::lower_bound(timers_, key, {}, &Timer::key);
    }

    std::vector<Timer> timers_;  ///< by key
};

}  // namespace eos::sim
