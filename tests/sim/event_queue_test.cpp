#include "sim/event_queue.hpp"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "sim/rng.hpp"

namespace {

using namespace eos::sim;
using Queue = EventQueue<int>;

Instant at(std::int64_t t) { return time_zero + nanoseconds(t); }

std::vector<int> drained(Queue queue) {
    std::vector<int> order;
    while (!queue.empty()) order.push_back(queue.pop().body);
    return order;
}

TEST_CASE("events of equal time leave in the order they entered") {
    Queue queue;
    for (int i = 0; i < 100; ++i) queue.push(at(7), i);

    const std::vector<int> order = drained(queue);

    for (int i = 0; i < 100; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
}

TEST_CASE("an event that enters late under an old serial comes before its equals") {
    Queue queue;
    const Serial early = queue.reserve();
    queue.push(at(5), 2);

    queue.push_as(at(5), early, 1);

    CHECK(drained(queue) == std::vector<int>{1, 2});
}

/// Pushes and pops at random and compares with a sorted list; `ahead` draws how far ahead of now.
template <class Ahead>
void check_against_list(Ahead ahead) {
    Rng rng(3);
    Queue queue;
    std::set<std::pair<std::int64_t, int>> model;  // (time, order of entry)
    std::int64_t now = 0;

    for (int i = 0; i < 20'000; ++i) {
        // Phases of growth and of shrinking reach both ends.
        const bool growing = (i / 1'000) % 2 == 0;
        if (model.empty() || rng.below(10) < (growing ? 8U : 2U)) {
            const std::int64_t time = now + ahead(rng);
            queue.push(at(time), i);
            model.emplace(time, i);
        } else {
            REQUIRE(queue.next_time() == at(model.begin()->first));
            const auto popped = queue.pop();
            REQUIRE(popped.body == model.begin()->second);
            now = model.begin()->first;
            model.erase(model.begin());
        }
        REQUIRE(queue.size() == model.size());
    }
}

TEST_CASE("any mix of pushes and pops agrees with a sorted list") {
    SUBCASE("with times that collide often") {
        check_against_list([](Rng& rng) { return static_cast<std::int64_t>(rng.below(50)); });
    }
    SUBCASE("with everything at one time") {
        check_against_list([](Rng&) { return std::int64_t{0}; });
    }
    SUBCASE("with times spread evenly") {
        check_against_list(
            [](Rng& rng) { return static_cast<std::int64_t>(rng.below(1'000'000)); });
    }
    SUBCASE("with times of every magnitude from a nanosecond to a century") {
        check_against_list(
            [](Rng& rng) { return std::int64_t{1} << static_cast<int>(rng.below(46)); });
    }
}

TEST_CASE("an event at the end of time waits for its turn") {
    Queue queue;
    queue.push(time_never, 3);
    for (int i = 0; i < 100; ++i) queue.push(at(i), i < 50 ? 1 : 2);

    const std::vector<int> order = drained(queue);

    CHECK(std::ranges::is_sorted(order));
    CHECK(order.back() == 3);
}

TEST_CASE("a queue is equal to its copy and unequal after either of them moves on") {
    Queue queue;
    queue.push(at(1), 1);
    queue.push(at(2), 2);
    Queue copy = queue;

    CHECK(copy == queue);
    CHECK(state_hash(copy) == state_hash(queue));
    static_cast<void>(copy.pop());
    CHECK_FALSE(copy == queue);
    CHECK(state_hash(copy) != state_hash(queue));
}

TEST_CASE("equality and hash of a queue do not see in which order or room events came in") {
    constexpr int count = 200;
    Queue one;
    Queue other;
    for (int i = 0; i < count; ++i) one.push_as(at(i), one.reserve(), i);
    static_cast<void>(one.next_time());  // lays its ring; the other has laid none
    std::vector<Serial> serials;
    for (int i = 0; i < count; ++i) serials.push_back(other.reserve());
    for (int i = count - 1; i >= 0; --i)
        other.push_as(at(i), serials[static_cast<std::size_t>(i)], i);

    CHECK(one == other);
    CHECK(state_hash(one) == state_hash(other));
}

}  // namespace
