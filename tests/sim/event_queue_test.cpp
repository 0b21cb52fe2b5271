#include "sim/event_queue.hpp"

#include <algorithm>
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

TEST_CASE("any mix of pushes and pops agrees with a sorted list") {
    Rng rng(3);
    Queue queue;
    std::vector<std::pair<std::int64_t, int>> model;  // (time, order of entry)
    std::int64_t now = 0;

    for (int i = 0; i < 20'000; ++i) {
        // Times collide often; phases of growth and of shrinking reach both ends.
        const bool growing = (i / 1'000) % 2 == 0;
        if (model.empty() || rng.below(10) < (growing ? 7U : 3U)) {
            const std::int64_t time = now + static_cast<std::int64_t>(rng.below(50));
            queue.push(at(time), i);
            model.emplace_back(time, i);
        } else {
            const auto least = std::ranges::min_element(model);
            REQUIRE(queue.next_time() == at(least->first));
            const auto popped = queue.pop();
            REQUIRE(popped.body == least->second);
            now = least->first;
            model.erase(least);
        }
        REQUIRE(queue.size() == model.size());
    }
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

TEST_CASE("equality and hash of a queue do not see how its heap came to be") {
    Queue one;
    Queue other;
    for (int i = 0; i < 9; ++i) one.push_as(at(i), one.reserve(), i);
    std::vector<Serial> serials;
    for (int i = 0; i < 9; ++i) serials.push_back(other.reserve());
    for (int i = 8; i >= 0; --i) other.push_as(at(i), serials[static_cast<std::size_t>(i)], i);

    CHECK(one == other);
    CHECK(state_hash(one) == state_hash(other));
}

}  // namespace
