#include "sim/timers.hpp"

#include <vector>

#include <doctest/doctest.h>

namespace {

using namespace eos::sim;

constexpr NodeId node{0};
constexpr TimerKey key{1, 2, 3};
Instant at(std::int64_t t) { return time_zero + nanoseconds(t); }

struct Fired {
    Instant when;
    TimerKey key;
    friend bool operator==(const Fired&, const Fired&) = default;
};

/// Empties the queue and tells which timers fired.
std::vector<Fired> fired(EventQueue<Event>& queue, Timers& timers) {
    std::vector<Fired> result;
    while (!queue.empty()) {
        const auto next = queue.pop();
        const TimerKey name = next.body.timer_key();
        if (timers.due(queue, node, name, next.serial, next.time))
            result.push_back({next.time, name});
    }
    return result;
}

TEST_CASE("a timer fires once, at its deadline") {
    EventQueue<Event> queue;
    Timers timers;

    timers.arm(queue, node, key, at(10));

    CHECK(fired(queue, timers) == std::vector<Fired>{{at(10), key}});
    CHECK(timers.size() == 0);
}

TEST_CASE("arming again moves a timer, later or earlier") {
    for (const std::int64_t moved : {3, 30}) {
        EventQueue<Event> queue;
        Timers timers;
        timers.arm(queue, node, key, at(10));

        timers.arm(queue, node, key, at(moved));

        CHECK(fired(queue, timers) == std::vector<Fired>{{at(moved), key}});
    }
}

TEST_CASE("a disarmed timer does not fire, and one armed again after that does") {
    EventQueue<Event> queue;
    Timers timers;
    timers.arm(queue, node, key, at(10));
    timers.disarm(key);
    Timers armed_again = timers;
    EventQueue<Event> other = queue;
    armed_again.arm(other, node, key, at(25));

    CHECK(fired(queue, timers).empty());
    CHECK(timers.size() == 0);
    CHECK(fired(other, armed_again) == std::vector<Fired>{{at(25), key}});
}

TEST_CASE("arming a thousand times keeps one event in the queue") {
    EventQueue<Event> queue;
    Timers timers;

    for (int i = 0; i < 1'000; ++i) timers.arm(queue, node, key, at(1'000 + i));

    CHECK(queue.size() == 1);
    CHECK(fired(queue, timers) == std::vector<Fired>{{at(1'999), key}});
}

TEST_CASE("among equal deadlines the order is that of the last arming") {
    EventQueue<Event> queue;
    Timers timers;
    constexpr TimerKey other{1, 2, 4};
    timers.arm(queue, node, key, at(5));
    timers.arm(queue, node, other, at(20));
    timers.arm(queue, node, key, at(20));  // its event comes early and is queued again

    CHECK(fired(queue, timers) == std::vector<Fired>{{at(20), other}, {at(20), key}});
}

TEST_CASE("arming for the same deadline again takes a new place in the order") {
    EventQueue<Event> queue;
    Timers timers;
    constexpr TimerKey other{1, 2, 4};
    timers.arm(queue, node, key, at(20));
    timers.arm(queue, node, other, at(20));
    timers.arm(queue, node, key, at(20));

    CHECK(fired(queue, timers) == std::vector<Fired>{{at(20), other}, {at(20), key}});
}

}  // namespace
